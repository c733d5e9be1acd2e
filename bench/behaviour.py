"""Behaviours: batches as phones and servers send them against COPY into the same table, and the read of the member's page
against the same SQL sent by hand.

COPY is the floor of writing: the same rows, with all indexes, in one transaction, nothing read, locked, checked or told
apart. Ours reads each event, locks its members, leaves out what was told before and writes a transaction a batch. Every
half writes into empty months. BENCH_BEHAVIOURS sets the rows of a half (20,000), BENCH_ROUNDS the rounds.
"""

import os
import statistics
import sys
from typing import Final

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.private import FILLER, Private, private_database

_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
_ROWS: Final = int(os.environ.get("BENCH_BEHAVIOURS", "20000"))
_MEMBERS: Final = 2_000
_READ_LIMIT: Final = 1.5
_SETTING: Final = """
import sys, time, uuid, datetime as dt, json, django
django.setup()
from django.db import connection
from members import services
from members.selectors.behaviours import find_interests
from members.services.behaviour_partitions import keep_partitions
at = dt.datetime.now(dt.UTC)
rows = int(sys.argv[1])
with connection.cursor() as cursor:
    cursor.execute("SELECT id, code FROM members_member ORDER BY id")
    people = cursor.fetchall()
def event(n):
    moment = at - dt.timedelta(seconds=n % 500_000)
    return {"key": f"bench-{n:010}", "kind": "product_viewed", "at": moment.isoformat(),
            "with": {"product": f"P{n * 7 % 997}", "stay_s": n % 60}}
"""
_WRITE: Final = (
    _SETTING
    + """
way, size = sys.argv[2], int(sys.argv[3])
keep_partitions()
with connection.cursor() as cursor:
    cursor.execute("TRUNCATE members_behaviour")
if way == "copy":
    lines = [(at - dt.timedelta(seconds=n % 500_000), at, people[n // 50 % len(people)][0], "product_viewed",
              f"P{n * 7 % 997}", json.dumps({"stay_s": n % 60}), "api", uuid.uuid4()) for n in range(rows)]
    began = time.monotonic()
    with connection.cursor() as cursor, cursor.copy("COPY members_behaviour "
            "(happened_at, received_at, member_id, kind, subject, details, door, mark) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)
elif way == "phone":
    batches = [[event(n) for n in range(first, first + size)] for first in range(0, rows, size)]
    began = time.monotonic()
    for place, batch in enumerate(batches):
        person = people[place % len(people)][0]
        services.record_member_behaviours(member_id=person, app_id="wx1", openid=f"o{person}", told=batch,
                                          sent_at=at, at=at)
else:
    batches = [[{**event(n), "member": {"kind": "member_code", "value": people[n // 50 % len(people)][1]}}
                for n in range(first, first + size)] for first in range(0, rows, size)]
    began = time.monotonic()
    for batch in batches:
        services.record_told_behaviours(client_id=1, told=batch, at=at)
taken = time.monotonic() - began
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM members_behaviour")
    print(cursor.fetchone()[0], taken)
"""
)
_READ: Final = (
    _SETTING
    + """
import random
SQL = '''SELECT kind, subject, count(*), max(happened_at) AS last FROM members_behaviour
WHERE member_id = %s AND happened_at >= %s GROUP BY kind, subject ORDER BY last DESC, subject LIMIT 60'''
since = at - dt.timedelta(days=30)
dice = random.Random(5)
ids = [dice.choice(people)[0] for _ in range(rows)]
import psycopg
connection.ensure_connection()
def by_hand():
    raw = connection.connection
    with psycopg.Cursor(raw) as cursor:
        for one in ids:
            cursor.execute(SQL, (one, since), prepare=True)
            cursor.fetchall()
def ours():
    for one in ids:
        find_interests(one, at=at)
by_hand(); ours()
for number in range(int(sys.argv[2])):
    for name, half in [("floor", by_hand), ("ours", ours)][:: 1 if number % 2 else -1]:
        began = time.monotonic()
        half()
        print(name, (time.monotonic() - began) / rows * 1000)
"""
)


def bench() -> Report:
    """Writes in turns, then reads of what the last writes left. Raises RuntimeError when rows are missing."""
    taken: dict[str, list[float]] = {"copy": [], "phone": [], "server": []}
    with private_database() as private:
        private.connection.execute(FILLER, {"count": _MEMBERS, "stage": "prospect"})
        private.connection.execute("VACUUM ANALYZE members_member")
        for number in range(_ROUNDS):
            ways = [("copy", 0), ("phone", 50), ("server", 500)]
            for way, size in ways if number % 2 == 0 else reversed(ways):
                taken[way].append(_written(private, way, size))
        private.connection.execute("VACUUM ANALYZE members_behaviour")
        lines = private.run(sys.executable, "-c", _READ, "1000", str(_ROUNDS)).splitlines()
    reads = {
        name: [float(line.split()[1]) for line in lines if line.startswith(f"{name} ")]
        for name in ("floor", "ours")
    }
    figures = (
        _rate("phones, batches of 50, rows a second", taken["copy"], taken["phone"]),
        _rate("servers, batches of 500, rows a second", taken["copy"], taken["server"]),
        at_most(
            f"member's page, what she looked at, of {_ROWS:,} rows, ms",
            spread(reads["floor"], 2),
            spread(reads["ours"], 2),
            ratios(reads["ours"], reads["floor"]),
            _READ_LIMIT,
        ),
    )
    return Report(
        figures, (f"median of {_ROUNDS} rounds in turns; the floor of writing is COPY",), taken | reads
    )


def _written(private: Private, way: str, size: int) -> float:
    count, seconds = private.job(_WRITE, str(_ROWS), way, str(size))
    if int(count) != _ROWS:
        raise RuntimeError(f"{way} wrote {count} of {_ROWS}")
    return float(seconds)


def _rate(name: str, floors: list[float], ours: list[float]) -> Figure:
    """Without a target: a batch that is checked, locked and told apart is another work than COPY."""
    floor, mine = (f"{_ROWS / statistics.median(values):,.0f}" for values in (floors, ours))
    return Figure(f"behaviours, {name}", floor, mine, statistics.median(ratios(ours, floors)))
