"""Totals follow the entries: in the transaction that writes them, or by the next fold."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection

from core.arrays import array_words
from sales.models import TotalMove
from sales.services.copying import copy_rows

Move = tuple[dt.date, int | None, int, str, int]  # booked_on, guide, store, metric, value

# An order or two move the totals themselves. What is more would keep every till of these stores waiting until its whole
# transaction is over, which for a batch of a thousand documents is longer than a till waits.
_MOST_MOVED: Final = 100
# All in the order of the unique key: two bookings that move the same totals wait for each other in one order. Rows that
# are new (xmax 0: nobody locked them to update them) make their board longer; on a long board every move is written down.
_GUIDES: Final = """
WITH given AS (
SELECT period, starts_on, metric, guide_id, nullif(store_id, 0) AS store_id, value
FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS moved(period, starts_on, metric, guide_id, store_id, value)),
moved AS (
INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, store_id, value)
SELECT period, starts_on, metric, guide_id, store_id, value FROM given
ORDER BY period, starts_on, metric, guide_id, store_id
ON CONFLICT (period, starts_on, metric, guide_id, store_id)
    DO UPDATE SET value = sales_guidetotal.value + excluded.value
RETURNING period, starts_on, metric, guide_id, 0::bigint AS place, store_id, value AS after, xmax = 0 AS is_new)
{moves} WHERE moved.store_id IS NULL AND given.store_id IS NULL AND (is_new OR board.id IS NOT NULL)
"""
# What happens in a store counts in the regions above it and for its dealer as well.
_PLACES: Final = """
WITH given AS (
SELECT period, starts_on, metric, guide_id, held.place, sum(value)::bigint AS value
FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS moved(period, starts_on, metric, guide_id, store_id, value)
JOIN sales_placestore held ON held.store_id = moved.store_id
GROUP BY period, starts_on, metric, guide_id, held.place),
moved AS (
INSERT INTO sales_placetotal (period, starts_on, metric, guide_id, place, value)
SELECT period, starts_on, metric, guide_id, place, value FROM given
ORDER BY period, starts_on, metric, guide_id, place
ON CONFLICT (period, starts_on, metric, guide_id, place)
    DO UPDATE SET value = sales_placetotal.value + excluded.value
RETURNING period, starts_on, metric, guide_id, place, value AS after, xmax = 0 AS is_new)
{moves} AND given.place = moved.place WHERE is_new OR board.id IS NOT NULL
"""
_MOVES: Final = """
INSERT INTO sales_boardmove (period, starts_on, metric, place, before, after)
SELECT moved.period, moved.starts_on, moved.metric, moved.place, CASE WHEN NOT is_new THEN after - given.value END, after
FROM moved
LEFT JOIN sales_boardsize board ON board.marks IS NOT NULL AND board.period = moved.period
    AND board.starts_on = moved.starts_on AND board.metric = moved.metric AND board.place = moved.place
JOIN given ON given.period = moved.period AND given.starts_on = moved.starts_on AND given.metric = moved.metric
    AND given.guide_id = moved.guide_id
"""
_STORES: Final = """
INSERT INTO sales_storetotal (period, starts_on, metric, store_id, value)
SELECT period, starts_on, metric, store_id, value
FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[], %s::bigint[])
    AS moved(period, starts_on, metric, store_id, value)
ORDER BY period, starts_on, metric, store_id
ON CONFLICT (period, starts_on, metric, store_id) DO UPDATE SET value = sales_storetotal.value + excluded.value
"""


def period_starts(day: dt.date) -> tuple[tuple[str, dt.date], ...]:
    """The periods a day lies in, each with its first day. Weeks begin on Monday."""
    return (
        ("day", day),
        ("month", day.replace(day=1)),
        ("week", day - dt.timedelta(days=day.weekday())),
    )


def move_totals(moves: Iterable[Move]) -> None:
    """Every total has moved by the sum of these entries' values. Inside the transaction that writes the entries and
    holds the close lock with others: which stores a place has changes only while nobody books."""
    guides: dict[tuple[str, dt.date, str, int, int], int] = defaultdict(int)
    stores: dict[tuple[str, dt.date, str, int], int] = defaultdict(int)
    for booked_on, guide_id, store_id, metric, value in moves:
        for period, starts_on in period_starts(booked_on):
            stores[(period, starts_on, metric, store_id)] += value
            if guide_id is not None:
                guides[(period, starts_on, metric, guide_id, store_id)] += value
                guides[(period, starts_on, metric, guide_id, 0)] += value
    with connection.cursor() as cursor:
        for statement, sums in (
            (_GUIDES.format(moves=_MOVES), guides),
            (_PLACES.format(moves=_MOVES), guides),
            (_STORES, stores),
        ):
            changed = [(*key, value) for key, value in sums.items() if value]
            if changed:
                cursor.execute(statement, [array_words(column) for column in zip(*changed, strict=True)])


def settle_totals(moves: Sequence[Move]) -> None:
    """Few moves are in their totals at once; many wait for the next fold, within seconds."""
    (move_totals if len(moves) <= _MOST_MOVED else defer_totals)(moves)


def defer_totals(moves: Iterable[Move]) -> None:
    """As `move_totals`, by the next fold. Inside the transaction that writes the entries."""
    sums: dict[tuple[str, dt.date, int, int], int] = defaultdict(int)
    for booked_on, guide_id, store_id, metric, value in moves:
        sums[(metric, booked_on, guide_id or 0, store_id)] += value
    copy_rows(
        model=TotalMove,
        names=("booked_on", "guide_ref", "store_ref", "metric", "value"),
        rows=(
            (booked_on, guide_id or None, store_id, metric, sums[(metric, booked_on, guide_id, store_id)])
            for metric, booked_on, guide_id, store_id in sorted(sums)
            if sums[(metric, booked_on, guide_id, store_id)]
        ),
    )
