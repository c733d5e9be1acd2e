"""An import of members with matching and encryption against COPY of the same people into the same tables.

The floor is raw COPY into the indexed tables: the members, identities, addresses and audit rows that the import has
made of the file, written out ready-made (standardised, sealed, with their tokens and ids) and copied back into the
empty tables with all their indexes and constraints, in one transaction. Ours is the whole way of the job: read and
standardised, sealed, staged, checked, matched against the members there are, written. Run again on the full database
it must find everybody and change nothing; that run is printed too, and so, without a target, is the ratio to COPY of
the file as it is into one plain table of text columns with three unique indexes. BENCH_MEMBERS_COUNT sets the size
(200,000 unless it is set).
"""

import csv
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.figures import ROOT, Figure, Report, at_most, spread
from bench.servers import settings_module, temporary_home
from core import embedded

LIMIT: Final = 6.0
_ROUNDS: Final = 2
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
checked = time.monotonic()
services.start_import(job_id=job_id, actor=actor)
services.work_import(job_id)
job.refresh_from_db()
assert job.state == "finished", (job.state, job.failure)
print(job.counts["created"], checked - began, time.monotonic() - began)
"""


def bench() -> Report:
    """Import, import again, copy what came of it, copy the file. Raises RuntimeError when a run leaves another state."""
    floors: list[float] = []
    files: list[float] = []
    ours: list[float] = []
    again: list[float] = []
    with temporary_home() as home:
        path = home / "members.csv"
        _write(path)
        engines = embedded.start(home / "engines")
        (home / "static").mkdir()
        environment = {
            **os.environ,
            **engines.environment(),
            "DJANGO_SETTINGS_MODULE": settings_module(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
            "IMPORT_ROOT": str(home / "imports"),
        }
        _run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment)
        with psycopg.connect(engines.database_url, autocommit=True) as connection:
            for _number in range(_ROUNDS):
                connection.execute(_EMPTY)
                connection.execute("CHECKPOINT")
                created, checked, whole = _import(path, environment)
                ours.append(whole)
                state = _state(connection)
                people = _write_out(connection, home)
                created_again, _checked, whole = _import(path, environment)
                again.append(whole)
                if created != _ROWS or created_again or _state(connection) != state or state[0] != _ROWS:
                    raise RuntimeError(f"a run left another state: {state}, {_state(connection)}")
                floors.append(_floor(connection, people))
                if _state(connection) != state:
                    raise RuntimeError(f"the floor left another state: {state}, {_state(connection)}")
                files.append(_file_floor(connection, path))
                print(
                    f"  imported {ours[-1]:.1f} s ({checked:.1f} s of it checked), again {whole:.1f} s, floor "
                    f"{floors[-1]:.1f} s, bare file {files[-1]:.1f} s",
                    flush=True,
                )
    ratios = [our / floor for floor, our in zip(floors, ours, strict=True)]
    repeats = [our / floor for floor, our in zip(floors, again, strict=True)]
    bare = [our / floor for floor, our in zip(files, ours, strict=True)]
    figures = (
        at_most(f"member import, {_ROWS:,} rows, s", spread(floors, 1), spread(ours, 1), ratios, LIMIT),
        Figure("member import, rows a second", "–", f"{_ROWS / statistics.median(ours):,.0f}"),
        Figure("member import again, nothing to do, s", "–", spread(again, 1), statistics.median(repeats)),
        Figure(
            "member import over the bare file, s", spread(files, 1), spread(ours, 1), statistics.median(bare)
        ),
    )
    notes = (
        f"{_ROUNDS} rounds; floor: COPY of the same people, ready-made, into the same indexed tables with their audit "
        "rows; the bare file goes into one table of text with three unique indexes",
    )
    return Report(figures, notes, {"floors": floors, "ours": ours, "again": again, "files": files})


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


def _import(path: Path, environment: dict[str, str]) -> tuple[int, float, float]:
    created, checked, whole = _run([sys.executable, "-c", _JOB, str(path)], environment).split()[-3:]
    return int(created), float(checked), float(whole)


def _state(connection: "psycopg.Connection[Any]") -> tuple[Any, ...]:
    row = connection.execute(_STATE).fetchone()
    assert row is not None
    return tuple(row)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:2]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()
