"""One half of `bench.sales_boards`, in a process with the database's and Redis' addresses: prints milliseconds as JSON."""

import dataclasses
import datetime as dt
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import django
import psycopg
import redis
from psycopg.types.numeric import Int8

from bench.sales_boards_load import STORES

_QUESTIONS: Final = 10
# The floor does not care who asks, and takes its time. Where other programs disturb a round its best question counts,
# and of ours the median one.
_FLOOR_QUESTIONS: Final = 2
# Orders of a busy minute, booked since the job folded last: what a board has not counted yet.
_MINUTE: Final = 60
_DAY: Final = dt.date(2026, 5, 6)
_SUMS: Final = """
SELECT {subject} AS subject, sum(amount) AS value FROM bench_order {join}
WHERE sold_on >= %(start)s AND sold_on < %(end)s {within} GROUP BY 1
"""
_FLOOR: Final = """
WITH sums AS ({sums}),
ranked AS (SELECT subject, value, rank() OVER (ORDER BY value DESC), row_number() OVER (ORDER BY value DESC, subject) AS place
           FROM sums)
SELECT * FROM ranked WHERE place <= 20 OR subject = %(own)s
"""
_IN_REGION: Final = """
AND store_id IN (SELECT id FROM guides_store
                 WHERE region_id IN (SELECT id FROM guides_region WHERE path LIKE '/1/3/%%'))"""
_IN_DEALER: Final = "AND store_id IN (SELECT id FROM guides_store WHERE dealer_id = 3)"
_REGIONS: Final = """
JOIN (SELECT store.id AS store_id, split_part(path, '/', 3)::bigint AS region_id
      FROM guides_store store JOIN guides_region region ON region.id = store.region_id) held USING (store_id)"""
_DEALERS: Final = "JOIN (SELECT id AS store_id, dealer_id FROM guides_store WHERE dealer_id IS NOT NULL) held USING (store_id)"
# As many rows, and nothing to do for them: no board can take less.
_BARE: Final = "SELECT n, n, n, %(own)s::bigint FROM generate_series(1::bigint, 20) n"
Way = Callable[[int], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """What is asked of us, as keywords, and the same of the orders."""

    name: str
    asked: dict[str, Any]
    sums: str


def main(rounds: int, most: int) -> None:
    """All boards, every way in turns."""
    django.setup()
    from django.db import connection

    _sell(most)
    box = redis.Redis.from_url(os.environ["REDIS_URL"])
    found: dict[str, dict[str, list[float]]] = {}
    chance = random.Random(3)
    for question in _questions():
        ways, subjects = _ways(question, most, box)
        if subjects:  # a store may have no order on that day
            found[question.name] = _in_turns(
                ways, rounds, subjects, chance, Core(psycopg.Cursor(connection.connection))
            )
    print(json.dumps(found))


def _sell(guides: int) -> None:
    """A minute of orders, in the book of the floor and in ours."""
    from django.db import connection, transaction

    from sales.services.totals import move_totals

    chance = random.Random(11)
    sold = [(-1 - number, chance.randrange(1, guides), 5_000 + 137 * number) for number in range(_MINUTE)]
    with transaction.atomic(), connection.cursor() as cursor:
        for number, guide, amount in sold:
            store = 1 + guide % STORES
            cursor.execute(
                "INSERT INTO bench_order VALUES (%s, %s, %s, %s, %s)", [number, _DAY, guide, store, amount]
            )
            move_totals([(_DAY, guide, store, "sales_fen", amount)])


def _questions() -> list[Question]:
    from sales import selectors
    from sales.contracts import BoardScope, Span

    spans = {name: selectors.span_of(name, _DAY) for name in ("day", "week", "month")}
    spans["90 days"] = Span(_DAY - dt.timedelta(days=83), _DAY + dt.timedelta(days=7))
    guides = {
        "in the chain": (BoardScope(), ""),
        "in a region": (BoardScope(region_id=3), _IN_REGION),
        "in a dealer's stores": (BoardScope(dealer_id=3), _IN_DEALER),
        "in a store": (BoardScope((7,)), "AND store_id = 7"),
    }
    made = []
    for period, span in spans.items():
        for circle, (scope, within) in guides.items():
            sums = _SUMS.format(subject="guide_id", join="", within=within)
            made.append(Question(f"{period} {circle}", {"span": span, "scope": scope}, sums))
        for subject, column, join in (
            ("store", "store_id", ""),
            ("region", "region_id", _REGIONS),
            ("dealer", "dealer_id", _DEALERS),
        ):
            sums = _SUMS.format(subject=column, join=join, within="")
            made.append(Question(f"{period} of {subject}s", {"span": span, "subject": subject}, sums))
    return made


def _ways(question: Question, most: int, box: "redis.Redis") -> tuple[dict[str, Way], list[int]]:
    """Each way to answer, and who may ask. Raises RuntimeError when two of them say something else."""
    from django.db import connection

    from sales import selectors

    asked = question.asked | {"metric": "sales_fen"}
    span = question.asked["span"]
    floor = _FLOOR.format(sums=question.sums)
    whole = selectors.get_standing(limit=most, **asked)
    subjects = [line.subject_id for line in whole.lines]
    if not subjects:
        return {}, []
    key = f"bench:{question.name}"
    box.zadd(key, {str(line.subject_id): line.value for line in whole.lines})
    kept: list[tuple[str, dict[str, Any]]] = []

    def keep(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        kept.append((statement, values))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(keep):
        selectors.get_standing(own_id=subjects[0], **asked)
    (statement, values), raw = kept[-1], psycopg.Cursor(connection.connection)
    dates = {"start": span.starts_on, "end": span.ends_on}

    # One plan for all days may not be the best for these: the floor is what is quicker here.
    prepared = _prepared(raw, floor, dates)
    for _time in range(6):
        prepared(subjects[0])
    floors: tuple[Way, Way] = (
        prepared,
        lambda own: raw.execute(floor, dates | {"own": Int8(own)}, prepare=False).fetchall(),
    )
    quicker = min(floors, key=lambda way: min(_timed(way, subjects[0]) for _time in range(3)))

    def call_floor(own: int) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(floor, dates | {"own": own})
            rows = sorted(cursor.fetchall(), key=lambda row: row[3])
        rank = next(row[2] for row in rows if row[0] == own)
        return [(row[0], int(row[1])) for row in rows if row[3] <= 20], rank

    def call(own: int) -> Any:
        standing = selectors.get_standing(own_id=own, **asked)
        return [(line.subject_id, line.value) for line in standing.lines], standing.own.rank  # type: ignore[union-attr]

    def call_board(own: int) -> Any:
        return selectors.get_board(own_id=own, **asked)

    for own in (subjects[0], subjects[len(subjects) // 3], subjects[-1]):
        if call(own) != call_floor(own):
            raise RuntimeError(f"two boards of {question.name}")
    return {
        "bare": _prepared(raw, _BARE, {}), "sql floor": quicker, "sql": _prepared(raw, statement, values),
        "redis": _box_way(box, key),
        "floor": call_floor, "standing": call, "board": call_board,
    }, subjects  # fmt: skip


def _prepared(raw: "psycopg.Cursor[Any]", statement: str, values: dict[str, Any]) -> Way:
    """The statement alone: the same driver, prepared (Django's own cursors never do), rows as they come."""
    return lambda own: raw.execute(statement, values | {"own": Int8(own)}, prepare=True).fetchall()


def _box_way(box: "redis.Redis", key: str) -> Way:
    def ask(own: int) -> Any:
        with box.pipeline(transaction=False) as pipe:
            pipe.zrevrange(key, 0, 19, withscores=True)
            pipe.zrevrank(key, str(own))
            pipe.zscore(key, str(own))
            return pipe.execute()

    return ask


@dataclasses.dataclass(frozen=True, slots=True)
class Core:
    """Time on a core, of the server's process and of this one: what other programs keep waiting is not in it, nor is the
    way between the two. Without parallel workers, whose time is nobody's; the floor's leader does their work."""

    cursor: "psycopg.Cursor[Any]"

    def taken(self, way: Way, askers: list[int]) -> float:
        """Milliseconds for each question."""
        self.cursor.execute("SET max_parallel_workers = 0")
        way(askers[0])
        began, ours = self._server(), time.thread_time()
        for own in askers:
            way(own)
        spent = (time.thread_time() - ours) * 1_000 + self._server() - began
        self.cursor.execute("RESET max_parallel_workers")
        return spent / len(askers)

    def _server(self) -> float:
        process = self.cursor.connection.info.backend_pid
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1_000_000


def _timed(way: Way, own: int) -> float:
    began = time.perf_counter()
    way(own)
    return (time.perf_counter() - began) * 1_000


def _in_turns(
    ways: dict[str, Way], rounds: int, subjects: list[int], chance: random.Random, core: Core
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in (*ways, "core bare", "core floor", "core")}
    for name, way in ways.items():
        for _time in range(0 if "floor" in name else 6):  # until PostgreSQL has chosen a plan for all values
            way(subjects[0])
    for _round in range(rounds):
        askers = [chance.choice(subjects) for _question in range(_QUESTIONS)]
        for name, way in ways.items():
            if "floor" in name:
                taken[name].append(min(_timed(way, own) for own in askers[:_FLOOR_QUESTIONS]))
            else:
                way(askers[0])
                taken[name].append(statistics.median(_timed(way, own) for own in askers))
        taken["core bare"].append(core.taken(ways["bare"], askers))
        taken["core floor"].append(core.taken(ways["sql floor"], askers[:_FLOOR_QUESTIONS]))
        taken["core"].append(core.taken(ways["sql"], askers))
    return taken


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
