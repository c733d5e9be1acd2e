"""P6 and P7: a night's file of orders with all its effects, against raw COPY of the very same rows.

Ours is the whole way of `import_sales`, in a process of its own as a worker runs it: the file read and checked, staged,
foretold, booked in slices with lines, payments, attribution, ledger, points, tiers; totals folded; members' numbers counted.
The floor is what no import could save: every row that came of it, ready-made, copied back into the same empty tables with all
their indexes and constraints, in one transaction. Both use one server, with the settings that are advised for a chain's own
(`SERVER_OF_A_CHAIN`). Further lines:

- **order rows alone**: what the engine takes to write sales, lines and payments, against COPY of the same rows: with nothing
  beside (`sales_import_rows`), and as a part of the whole import.
- **roll-ups** (P7): the same import with, over it without, what totals take of its time (appending moves, folding what waits
  too long, waiting for the last). The job of the timetable folds beside it, in a process of its own; its seconds are printed. The
  lag is the greatest age of a move that was seen waiting, two looks a second.
- **the same file again**: nothing may be written to any book; rows written are counted by the server.
- **processor seconds** of both, each with its server process: what the ratio is where others use the machine too. Import and COPY
  are minutes apart, and who waits more for a processor is chance.

BENCH_ORDERS_COUNT sets the size (20,000 unless it is set; the target speaks of 1,000,000), BENCH_STORES the stores of five guides
each (one for 500 orders unless it is set, from 20 to 2,000), BENCH_ROUNDS the rounds.
"""

import contextlib
import csv
import datetime as dt
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.figures import ROOT, Figure, Report, at_most, processor_seconds, ratios, spread
from bench.private import FILLER, SERVER_OF_A_CHAIN, Private, private_database
from bench.sales_import_rows import rows_alone

LIMIT: Final = 3.0
ROWS_LIMIT: Final = 1.5
ROLL_UP_LIMIT: Final = 1.5
LAG_S: Final = 10.0
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 3)
_ORDERS: Final = int(os.environ.get("BENCH_ORDERS_COUNT") or 20_000)
_STORES: Final = int(os.environ.get("BENCH_STORES") or 0) or max(20, min(2_000, _ORDERS // 500))
_GUIDES: Final = _STORES * 5
_MEMBERS: Final = max(1_000, _ORDERS // 3)
_PRODUCTS: Final = 5_000
_HEADINGS: Final = (
    "订单号", "成交时间", "门店编号", "渠道", "导购工号", "会员码", "商品编码", "商品名称", "类目编码", "数量", "吊牌金额",
    "成交金额", "支付方式",
)  # fmt: skip
_CHAIN: Final = """
INSERT INTO guides_region (name, path) VALUES ('全国', '/0/');
UPDATE guides_region SET path = '/' || id || '/';
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's' || n, 'S' || n, '店' || n, (SELECT min(id) FROM guides_region), '', '', '[]', true
FROM generate_series(1, {stores}) n;
INSERT INTO guides_guide (public_id, number, name, store_id, role, state, joined_on, session_epoch)
SELECT 'g' || n, 'G' || n, '导购' || n, store.id, 'guide', 'active', '2020-01-01', 1
FROM generate_series(1, {guides}) n JOIN guides_store store ON store.code = 'S' || (n - 1) / 5 + 1;
INSERT INTO members_tier (rank, name, color, mode, spend_fen, multiplier_bp, benefits, birthday_gift, upgrade_gift, is_active)
VALUES (1, '银卡', '#8C8C8C', 'any', 100000, 12000, '', '', '', true),
       (2, '金卡', '#C9A15A', 'any', 300000, 15000, '', '', '', true);
INSERT INTO members_earningrule (name, category, fen_per_point, multiplier_bp, priority, is_active)
VALUES ('全部', '', 100, 10000, 0, true), ('鞋', 'c3', 50, 10000, 1, true);
INSERT INTO sales_attributionrule (position, name, region_ids, dealer_ids, brands, channels, serving_bp, exclusive_bp, sharing_bp,
                                   store_bp, is_active, crosses_owners)
VALUES (1, '线上', '{{}}', '{{}}', '{{}}', '{{online}}', 0, 7000, 0, 3000, true, false);
"""
_BINDINGS: Final = """
INSERT INTO guides_binding (member_id, guide_id, store_id, bound_at, source, bound_by, reason, ended_by, end_reason)
SELECT member.id, guide.id, guide.store_id, now() - interval '1 year', 'scan', '', '', '', ''
FROM members_member member JOIN guides_guide guide ON guide.id = 1 + member.id % {guides} WHERE member.id % 2 = 0
"""
# What an import fills, in the order of foreign keys.
_BOOKS: Final = (
    "sales_category", "sales_product", "sales_sale", "sales_saleline", "sales_salepayment", "sales_attribution",
    "sales_attributionshare", "sales_performanceentry", "sales_guidetotal", "sales_guidestoretotal", "sales_placetotal",
    "sales_storetotal",
    "sales_boardsize", "sales_boardmove",
    "members_pointsaccount", "members_pointsentry", "members_pointslot", "members_activityentry", "members_membertier",
    "members_tierchange", "sales_membermetrics",
)  # fmt: skip
_ORDER_ROWS: Final = ("sales_sale", "sales_saleline", "sales_salepayment")
_WRITTEN: Final = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables WHERE relname = ANY(%s)
"""
# `keep_totals` and `fold_board_sizes` of the timetable, until it is ended; the seconds it worked, and the processor seconds of
# it and its server, stand in the file.
_BESIDE: Final = """
import os, sys, time, django
django.setup()
from django.db import connection
from bench.figures import processor_seconds
from sales import services
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_backend_pid()")
    pids = cursor.fetchone()[0], os.getpid()
busy, used, sized = 0.0, processor_seconds(*pids), time.monotonic()
while True:
    began = time.monotonic()
    services.keep_totals()
    if began - sized > 60:
        services.fold_board_sizes()
        sized = began
    busy += time.monotonic() - began
    with open(sys.argv[1] + ".new", "w") as stream:
        stream.write(f"{busy} {processor_seconds(*pids) - used}")
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    time.sleep(max(0.1, 5 + began - time.monotonic()))
"""
_WAITING: Final = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(written_at)), 0) FROM sales_totalmove"
)
# The job as a worker runs it. Some of its steps are timed where they are called; nothing else is changed.
_JOB: Final = """
import os, sys, time, django
django.setup()
from django.db import connection
from bench.figures import processor_seconds
from core.actor import Actor
from sales import services
from sales.models import IntakeJob, Sale, SaleLine, SalePayment, TotalMove
from sales.services import bulk, copying, import_running, totals
took = {"rows": [], "others": [], "moves": [], "folds": []}
def timed(module, name, kind):
    inner = getattr(module, name)
    def run(*args, **values):
        began = time.monotonic()
        try:
            return inner(*args, **values)
        finally:
            took[kind].append(time.monotonic() - began)
    setattr(module, name, run)
timed(bulk, "rows_of_sales", "rows")
copy_lines = copying.copy_lines
def copy_timed(*, model, **values):
    began = time.monotonic()
    try:
        return copy_lines(model=model, **values)
    finally:
        took["rows" if model in (Sale, SaleLine, SalePayment) else "others"].append(time.monotonic() - began)
copying.copy_lines = copy_timed
timed(totals, "defer_totals", "moves")
timed(import_running, "fold_totals", "folds")
timed(import_running, "fold_late", "folds")
actor = Actor.system("bench")
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_backend_pid()")
    server = cursor.fetchone()[0]
used = processor_seconds(server, os.getpid())
began = time.monotonic()
with open(sys.argv[1], "rb") as stream:
    job_id = services.upload_intake(stream=stream, file_name="bench.csv", kind="order", source="pos", actor=actor)
job = IntakeJob.objects.get(pk=job_id)
services.map_intake(job_id=job_id, mapping=job.mapping, actor=actor)
services.work_intake(job_id)
checked = time.monotonic() - began
services.start_intake(job_id=job_id, actor=actor)
services.work_intake(job_id)
services.fold_touched_members(actor=actor)
used = processor_seconds(server, os.getpid()) - used
ended = time.monotonic()
folded = sum(took["folds"])
while TotalMove.objects.exists():
    time.sleep(0.05)
took["folds"].append(time.monotonic() - ended)
whole = time.monotonic() - began
job.refresh_from_db()
assert job.state == "finished", (job.state, job.failure)
print(job.counts.get("booked", 0), job.counts.get("repeated", 0), whole, checked, sum(took["rows"]), sum(took["moves"]),
      sum(took["folds"]), used, folded)
"""


def bench() -> Report:
    """Import, import again, copy what came of it. Raises RuntimeError when a run leaves another state than it should."""
    measured: dict[str, list[float]] = {}
    with private_database(server=SERVER_OF_A_CHAIN) as private:
        path = private.home / "night.csv"
        _found(private.connection)
        _write(path)
        for number in range(_ROUNDS):
            taken = _round(private, path)
            for name, value in taken.items():
                measured.setdefault(name, []).append(value)
            print(
                f"  round {number + 1} of {_ROUNDS}: imported {taken['ours']:.1f} s (read and checked {taken['checked']:.1f} s), "
                f"again {taken['again']:.1f} s, COPY of the same rows {taken['floor']:.1f} s",
                flush=True,
            )
    return _report(measured)


def _found(connection: "psycopg.Connection[Any]") -> None:
    connection.execute(_CHAIN.format(stores=_STORES, guides=_GUIDES))
    connection.execute(FILLER, {"count": _MEMBERS, "stage": "member"})
    connection.execute(_BINDINGS.format(guides=_GUIDES))
    connection.execute("ANALYZE")


def _round(private: Private, path: Path) -> dict[str, float]:
    connection = private.connection
    connection.execute(f"TRUNCATE {', '.join(_BOOKS)}, sales_intakejob RESTART IDENTITY CASCADE")
    connection.execute("CHECKPOINT")
    with _folded_beside(private) as seen:
        booked, _repeated, ours, checked, rows, moves, folds, used, folded = _import(private, path)
    state = _state(connection)
    written = _rows_written(connection)
    booked_again, repeated, again, *_rest = _import(private, path)
    written_again = _rows_written(connection) - written
    if (booked, booked_again, repeated) != (_ORDERS, 0, _ORDERS) or _state(connection) != state:
        raise RuntimeError(f"a run left another state: {state}, {_state(connection)}")
    floor, floor_rows, floor_used = _floor(private)
    if _state(connection) != state:
        raise RuntimeError("the floor left another state")
    beside, beside_used = map(float, (private.home / "beside").read_text().split())
    count, alone = rows_alone(private, path, _BOOKS)
    if count != _ORDERS:
        raise RuntimeError(f"rows of {count:.0f} orders were written alone")
    return {
        "ours": ours, "beside": beside, "checked": checked, "rows": rows, "roll_ups": moves + folds, "lag": max(seen),
        "alone": alone, "again": again, "written_again": written_again, "floor": floor, "floor_rows": floor_rows,
        "used": used, "floor_used": floor_used, "folded": folded, "beside_used": beside_used,
        "row_count": float(sum(state)),
    }  # fmt: skip


@contextlib.contextmanager
def _folded_beside(private: Private) -> Iterator[list[float]]:
    """The job of the timetable runs; the ages of the oldest move that waits, in seconds."""
    seen = [0.0]
    stop = threading.Event()

    def look() -> None:
        with psycopg.connect(private.environment["DATABASE_URL"], autocommit=True) as connection:
            while not stop.wait(0.5):
                row = connection.execute(_WAITING).fetchone()
                seen.append(float(row[0]) if row else 0.0)

    looking = threading.Thread(target=look)
    command = [sys.executable, "-c", _BESIDE, str(private.home / "beside")]
    with subprocess.Popen(command, cwd=ROOT, env=private.environment) as beside:
        looking.start()
        try:
            yield seen
        finally:
            stop.set()
            looking.join()
            beside.terminate()


def _state(connection: "psycopg.Connection[Any]") -> list[int]:
    return [int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in _BOOKS]  # type: ignore[index]


def _rows_written(connection: "psycopg.Connection[Any]") -> float:
    row = connection.execute(_WRITTEN, [list(_BOOKS)]).fetchone()
    assert row is not None
    return float(row[0])


def _import(private: Private, path: Path) -> tuple[float, ...]:
    return tuple(map(float, private.job(_JOB, str(path))))


def _floor(private: Private) -> tuple[float, float, float]:
    """Seconds of COPY of all rows, of those of orders, their lines and payments alone, and processor seconds of all."""
    connection = private.connection
    for table in _BOOKS:
        with (
            connection.cursor() as cursor,
            (private.home / table).open("wb") as stream,
            cursor.copy(f"COPY {table} TO STDOUT") as copy,
        ):
            for data in copy:
                stream.write(data)
    connection.execute(f"TRUNCATE {', '.join(_BOOKS)}, sales_intakejob RESTART IDENTITY CASCADE")
    connection.execute("CHECKPOINT")
    taken: dict[str, float] = {}
    pids = connection.info.backend_pid, os.getpid()
    used = processor_seconds(*pids)
    began = time.monotonic()
    with connection.transaction():
        for table in _BOOKS:
            start = time.monotonic()
            _copy(connection, table, private.home / table)
            taken[table] = time.monotonic() - start
    whole = time.monotonic() - began
    return whole, sum(taken[table] for table in _ORDER_ROWS), processor_seconds(*pids) - used


def _copy(connection: "psycopg.Connection[Any]", table: str, path: Path) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
        path.open("rb") as stream,
    ):
        while chunk := stream.read(1 << 20):
            copy.write(chunk)


def _report(measured: dict[str, list[float]]) -> Report:
    ours, floors = measured["ours"], measured["floor"]
    size = f"{_ORDERS:,} orders, {measured['row_count'][0]:,.0f} rows"
    without = [whole - part for whole, part in zip(ours, measured["roll_ups"], strict=True)]
    lag = max(measured["lag"])
    figures = (
        at_most(f"P6 import with all effects over COPY of its rows, {size}, s", spread(floors, 1), spread(ours, 1),
                ratios(ours, floors), LIMIT),
        at_most("P6 order rows alone: writing them over COPY of them, s", spread(measured["floor_rows"], 1),
                spread(measured["alone"], 1), ratios(measured["alone"], measured["floor_rows"]), ROWS_LIMIT),
        Figure("P6 the same within the whole import, s", spread(measured["floor_rows"], 1), spread(measured["rows"], 1),
               statistics.median(ratios(measured["rows"], measured["floor_rows"]))),
        at_most("P6 the same file again: rows written", "–", spread(measured["written_again"]),
                measured["written_again"], 0),
        at_most("P7 import with roll-ups over without, s", spread(without, 1), spread(ours, 1),
                ratios(ours, without), ROLL_UP_LIMIT),
        Figure("P7 lag of totals behind a slice, s", "–", f"{lag:.1f}", None, f"≤ {LAG_S:g}", lag <= LAG_S),
        Figure("P7 seconds the job folded beside", "–", spread(measured["beside"], 1)),
        Figure("P7 seconds the importer folded between slices and at its end", "–", spread(measured["folded"], 1)),
        Figure("P7 processor seconds of the job beside and its server, over COPY's", spread(measured["floor_used"], 1),
               spread(measured["beside_used"], 1), statistics.median(ratios(measured["beside_used"], measured["floor_used"]))),
        Figure("P6 the same in processor seconds, theirs and their servers'", spread(measured["floor_used"], 1),
               spread(measured["used"], 1), statistics.median(ratios(measured["used"], measured["floor_used"]))),
        Figure("orders a second, all effects", "–", f"{_ORDERS / statistics.median(ours):,.0f}"),
        Figure("reading, checking, staging, foretelling, s", "–", spread(measured["checked"], 1)),
        Figure("the same file again, over COPY of the rows, s", spread(floors, 1), spread(measured["again"], 1),
               statistics.median(ratios(measured["again"], floors))),
    )  # fmt: skip
    notes = (f"median of {_ROUNDS} rounds; {_STORES:,} stores, {_GUIDES:,} guides, {_MEMBERS:,} members",)
    return Report(figures, notes, measured)


def _write(path: Path) -> None:
    """A night's file: one to three lines an order, seven in ten of a member, one in five online."""
    dice = random.Random(7)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=8)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADINGS)
        for number in range(_ORDERS):
            store = dice.randint(1, _STORES)
            guide = (store - 1) * 5 + dice.randint(1, 5)
            sold_at = until - dt.timedelta(seconds=60 + (_ORDERS - number) * 80_000 // _ORDERS)
            member = f"B{dice.randint(1, _MEMBERS)}" if dice.random() < 0.7 else ""
            channel = "online" if dice.random() < 0.2 else "store"
            for line in range(dice.randint(1, 3)):
                product = dice.randint(1, _PRODUCTS)
                yuan = dice.randint(20, 900)
                writer.writerow(
                    (f"S{number:09}", f"{sold_at:%Y-%m-%d %H:%M:%S}", f"S{store}", channel,
                     "" if channel == "online" else f"G{guide}", member, f"P{product}", f"商品{product}",
                     f"c{product % 9}", 1 + line, f"{yuan + 30}.00", f"{yuan}.50", "")
                )  # fmt: skip
