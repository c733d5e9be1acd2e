"""One half of `bench.sales_boards`, in a process with the database's and Redis' addresses: prints milliseconds as JSON."""

import datetime as dt
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import django
import redis

_QUESTIONS: Final = 10
_DAY: Final = dt.date(2026, 5, 6)
_FLOOR: Final = """
WITH sums AS (SELECT guide_id, sum(amount) AS value FROM bench_order WHERE sold_on >= %(start)s AND sold_on < %(end)s {within}
              GROUP BY guide_id),
ranked AS (SELECT guide_id, value, rank() OVER (ORDER BY value DESC), row_number() OVER (ORDER BY value DESC, guide_id) AS place
           FROM sums)
SELECT * FROM ranked WHERE place <= 20 OR guide_id = %(own)s
"""
_REGION: Final = """
AND store_id IN (SELECT id FROM guides_store
                 WHERE region_id IN (SELECT id FROM guides_region WHERE path LIKE '/1/3/%%'))
"""


def main(rounds: int, guide_count: int) -> None:
    """All boards, the three ways in turns."""
    django.setup()
    from django.db import connection

    from sales import selectors
    from sales.contracts import BoardScope, Span

    spans = {
        "day": selectors.span_of("day", _DAY),
        "week": selectors.span_of("week", _DAY),
        "month": selectors.span_of("month", _DAY),
        "90 days": Span(_DAY - dt.timedelta(days=83), _DAY + dt.timedelta(days=7)),
    }
    scopes = {
        "chain": (BoardScope(), ""),
        "region": (BoardScope(region_id=3), _REGION),
        "store": (BoardScope((7,)), "AND store_id = 7"),
    }
    box = redis.Redis.from_url(os.environ["REDIS_URL"])
    found: dict[str, dict[str, list[float]]] = {}
    chance = random.Random(3)
    for period, span in spans.items():
        for circle, (scope, within) in scopes.items():
            whole = selectors.get_standing(metric="sales_fen", span=span, scope=scope, limit=guide_count)
            people = [line.subject_id for line in whole.lines]
            if not people:
                continue  # a store without an order on that day
            key = f"bench:{period}:{circle}"
            box.zadd(key, {str(line.subject_id): line.value for line in whole.lines})

            def ours(own: int, span: Any = span, scope: Any = scope) -> Any:
                standing = selectors.get_standing(metric="sales_fen", span=span, scope=scope, own_id=own)
                return [(line.subject_id, line.value) for line in standing.lines], standing.own.rank  # type: ignore[union-attr]

            def floor(own: int, span: Any = span, within: str = within) -> Any:
                with connection.cursor() as cursor:
                    asked = {"start": span.starts_on, "end": span.ends_on, "own": own}
                    cursor.execute(_FLOOR.format(within=within), asked)
                    rows = sorted(cursor.fetchall(), key=lambda row: row[3])
                rank = next(row[2] for row in rows if row[0] == own)
                return [(row[0], int(row[1])) for row in rows if row[3] <= 20], rank

            def box_of(own: int, key: str = key) -> Any:
                with box.pipeline(transaction=False) as pipe:
                    pipe.zrevrange(key, 0, 19, withscores=True)
                    pipe.zrevrank(key, str(own))
                    pipe.zscore(key, str(own))
                    return pipe.execute()

            own = chance.choice(people)
            if ours(own) != floor(own):
                raise RuntimeError(f"two boards of {period}, {circle}")
            found[f"{period} in a {circle}" if circle != "chain" else f"{period} in the chain"] = _in_turns(
                {"floor": floor, "ours": ours, "redis": box_of}, rounds, people, chance
            )
    print(json.dumps(found))


def _in_turns(
    ways: dict[str, Callable[[int], Any]], rounds: int, people: list[int], chance: random.Random
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _round in range(rounds):
        askers = [chance.choice(people) for _question in range(_QUESTIONS)]
        for name, way in ways.items():
            way(askers[0])
            began = time.perf_counter()
            for own in askers:
                way(own)
            taken[name].append((time.perf_counter() - began) * 1_000 / _QUESTIONS)
    return taken


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
