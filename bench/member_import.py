"""P11: an import of members with matching and encryption against COPY, twice: into the same tables, and of the bare file.

P11 names "COPY of the same file" as its floor, and that is read in two ways; both are measured in every round and
printed under their own names.

- **into the same indexed tables** (judged, ADR 15): the members, identities, addresses and audit rows that the import
  has made of the file, written out ready-made (standardised, sealed, with their tokens and ids), copied back into the
  empty tables with all their indexes and constraints in one transaction. What no import could save.
- **of the bare file** (printed, not judged): the file as it is into one plain table of text columns with three unique
  indexes. It leaves out what makes a member of a line: sealing, search tokens, identities, addresses, audit.

Ours is the whole way of the job: read and standardised, sealed, staged, checked, matched against the members there are,
written. Run again on the full database it must find everybody and change nothing; that run is printed too.
BENCH_MEMBERS_COUNT sets the size (200,000 unless it is set), BENCH_ROUNDS the rounds.
"""

import csv
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.private import Private, private_database

LIMIT: Final = 6.0
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
_ROWS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "200000"))
_HEADINGS: Final = ("手机号", "会员卡号", "姓名", "性别", "生日", "注册时间", "地址")
_SURNAMES: Final = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹"
_GIVEN: Final = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂梅婷雪琳慧欣怡佳宁晨阳子轩浩宇梓涵雨桐"
_PLACES: Final = (
    "上海市徐汇区漕溪路",
    "江苏省苏州市昆山市前进路",
    "广东省深圳市南山区科技园路",
    "浙江杭州市西湖区文三路",
)
_TABLE: Final = """
DROP TABLE IF EXISTS bench_file;
CREATE TABLE bench_file (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, phone text UNIQUE, card text UNIQUE,
                         name text, gender text, birthday text, registered text, address text);
"""
_COPY: Final = """
COPY bench_file (phone, card, name, gender, birthday, registered, address) FROM STDIN WITH (FORMAT csv, HEADER true)
"""
# In the order of their foreign keys.
_FILLED: Final = ("members_member", "members_memberidentity", "members_memberaddress", "core_auditentry")
_EMPTY: Final = """
TRUNCATE members_member, members_importjob, members_importmapping, core_auditentry RESTART IDENTITY CASCADE
"""
_STATE: Final = """
SELECT (SELECT count(*) FROM members_member), (SELECT count(*) FROM members_memberidentity),
       (SELECT count(*) FROM members_memberaddress), (SELECT count(*) FROM members_importrow)
"""
# The job in a process of its own, as a worker runs it; only the work is timed.
_JOB: Final = """
import sys, time, django
django.setup()
from core.actor import Actor
from members import services
from members.models import ImportJob
actor = Actor.system("bench")
began = time.monotonic()
with open(sys.argv[1], "rb") as stream:
    job_id = services.upload_import(stream=stream, file_name="bench.csv", actor=actor)
job = ImportJob.objects.get(pk=job_id)
services.map_import(job_id=job_id, mapping=job.mapping, actor=actor)
services.work_import(job_id)
services.start_import(job_id=job_id, actor=actor)
services.work_import(job_id)
job.refresh_from_db()
assert job.state == "finished", (job.state, job.failure)
print(job.counts["created"], time.monotonic() - began)
"""


def bench() -> Report:
    """Import, import again, copy what came of it, copy the file. Raises RuntimeError when a run leaves another state."""
    measured: dict[str, list[float]] = {"floors": [], "ours": [], "again": [], "files": []}
    with private_database() as private:
        path = private.home / "members.csv"
        _write(path)
        for number in range(_ROUNDS):
            taken = _round(private, path)
            for name, seconds in taken.items():
                measured[name].append(seconds)
            print(
                f"  round {number + 1} of {_ROUNDS}: imported {taken['ours']:.1f} s, again {taken['again']:.1f} s, "
                f"COPY into the same tables {taken['floors']:.1f} s, COPY of the bare file {taken['files']:.1f} s",
                flush=True,
            )
    return _report(measured)


def _round(private: Private, path: Path) -> dict[str, float]:
    """Seconds of the import, of the same file again, and of the two floors on what came of it."""
    connection = private.connection
    connection.execute(_EMPTY)
    connection.execute("CHECKPOINT")
    created, ours = _import(private, path)
    state = private.state(_STATE)
    people = _write_out(connection, private.home)
    created_again, again = _import(private, path)
    if created != _ROWS or created_again or private.state(_STATE) != state or state[0] != _ROWS:
        raise RuntimeError(f"a run left another state: {state}, {private.state(_STATE)}")
    floor = _floor(connection, people)
    if private.state(_STATE) != state:
        raise RuntimeError(f"the floor left another state: {state}, {private.state(_STATE)}")
    return {"ours": ours, "again": again, "floors": floor, "files": _file_floor(connection, path)}


def _report(measured: dict[str, list[float]]) -> Report:
    floors, files, ours, again = (measured[name] for name in ("floors", "files", "ours", "again"))
    bare = statistics.median(ratios(ours, files))
    size = f"{_ROWS:,} rows"
    figures = (
        at_most(
            f"P11 import over COPY into the same indexed tables, {size}, s",
            spread(floors, 1),
            spread(ours, 1),
            ratios(ours, floors),
            LIMIT,
        ),
        Figure(f"P11 import over COPY of the bare file, {size}, s", spread(files, 1), spread(ours, 1), bare),
        Figure("member import, rows a second", "–", f"{_ROWS / statistics.median(ours):,.0f}"),
        Figure(
            "member import again, nothing to do, over COPY into the same tables, s",
            spread(floors, 1),
            spread(again, 1),
            statistics.median(ratios(again, floors)),
        ),
    )
    notes = (
        f"median of {_ROUNDS} rounds; judged by COPY of the same people, ready-made, into the same indexed tables with "
        "their audit rows (ADR 15)",
        f"read by the letter, as COPY of the bare file into one plain table, P11's ≤ {LIMIT:g} is "
        + ("met" if bare <= LIMIT else f"missed: {bare:.1f}"),
    )
    return Report(figures, notes, measured)


def _write(path: Path) -> None:
    """Every row another person: names and birthdays repeat as they do in life, phones and cards do not."""
    dice = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADINGS)
        for number in range(_ROWS):
            name = dice.choice(_SURNAMES) + dice.choice(_GIVEN) + dice.choice(["", *_GIVEN])
            day = f"{dice.randint(1955, 2006)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
            writer.writerow(
                (f"139{number:08}", f"VIP{number:08}", name, dice.choice("男女"), day,
                 f"20{dice.randint(15, 25)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)} 12:30:00",
                 f"{dice.choice(_PLACES)}{number % 900}号")
            )  # fmt: skip


def _write_out(connection: "psycopg.Connection[Any]", home: Path) -> list[tuple[str, Path]]:
    """Every table that an import fills, as a file that COPY reads."""
    people = []
    for table in _FILLED:
        path = home / f"{table}.copy"
        with (
            connection.cursor() as cursor,
            path.open("wb") as stream,
            cursor.copy(f"COPY {table} TO STDOUT") as copy,
        ):
            for data in copy:
                stream.write(data)
        people.append((f"COPY {table} FROM STDIN", path))
    return people


def _floor(connection: "psycopg.Connection[Any]", people: list[tuple[str, Path]]) -> float:
    connection.execute(_EMPTY)
    connection.execute("CHECKPOINT")
    began = time.monotonic()
    with connection.transaction():
        for statement, path in people:
            _copy(connection, statement, path)
    return time.monotonic() - began


def _file_floor(connection: "psycopg.Connection[Any]", path: Path) -> float:
    connection.execute(_TABLE)
    connection.execute("CHECKPOINT")
    began = time.monotonic()
    _copy(connection, _COPY, path)
    return time.monotonic() - began


def _copy(connection: "psycopg.Connection[Any]", statement: str, path: Path) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy, path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            copy.write(chunk)


def _import(private: Private, path: Path) -> tuple[int, float]:
    created, whole = private.job(_JOB, str(path))
    return int(created), float(whole)
