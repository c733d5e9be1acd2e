"""Totals follow the entries: in the transaction that writes them, or by the next fold."""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from core.arrays import array_words
from core.compiled import ask, ask_once
from sales.models import PerformanceEntry, TotalMove
from sales.services.copying import Rows, Words, columns_of, copy_lines, insertion

Move = tuple[dt.date, int | None, int, str, int]  # booked_on, guide, store, metric, value

# An order or two move the totals themselves. What is more would keep every till of these stores waiting until its whole
# transaction is over, which for a batch of a thousand documents is longer than a till waits.
_MOST_MOVED: Final = 100
ENTRY_COLUMNS: Final = (
    "booked_on", "due_on", "guide", "store", "metric", "value", "sale_ref", "return_ref", "fact_kind",
    "fact_ref", "fact_turn", "reason", "reversed_entry", "at",
)  # fmt: skip
# Guides, then guides in stores, then places, then stores, each in the order of its key: two bookings that move the same
# totals wait for each other in one order. What happens in a store counts in the regions above it and for its dealer as
# well. Rows that are new (xmax 0: nobody locked them to update them) make their board longer; on a long board every move is
# written down. Guide 0 is nobody. What a sum is of stands in flags: of a number in their place the planner would expect
# a handful of rows, and compare each of thousands with each of others.
_MOVE: Final = """
WITH moves AS MATERIALIZED (
    SELECT booked_on, guide_id, store_id, metric, value
    FROM unnest(%(days)s::date[], %(guides)s::bigint[], %(stores)s::bigint[], %(metrics)s::text[], %(values)s::bigint[])
        AS told(booked_on, guide_id, store_id, metric, value)
), days AS MATERIALIZED (
    SELECT booked_on, period, starts_on FROM (SELECT DISTINCT booked_on FROM moves) booked
    CROSS JOIN LATERAL (VALUES ('day', booked_on), ('month', date_trunc('month', booked_on::timestamp)::date),
                               ('week', date_trunc('week', booked_on::timestamp)::date)) part(period, starts_on)
), sums AS MATERIALIZED (
    SELECT grouping(guide_id, store_id) = 0 AND guide_id > 0 AS is_sellers,
           grouping(guide_id, store_id) = 1 AND guide_id > 0 AS is_guides,
           grouping(guide_id, store_id) = 2 AS is_stores,
           period, starts_on, metric, guide_id, store_id, sum(value)::bigint AS value
    FROM moves JOIN days USING (booked_on)
    GROUP BY GROUPING SETS ((period, starts_on, metric, guide_id, store_id), (period, starts_on, metric, guide_id),
                            (period, starts_on, metric, store_id))
    HAVING sum(value) <> 0
), placed AS MATERIALIZED (
    SELECT period, starts_on, metric, guide_id, held.place, sum(value)::bigint AS value
    FROM sums JOIN sales_placestore held ON held.store_id = sums.store_id
    WHERE is_sellers
    GROUP BY period, starts_on, metric, guide_id, held.place
), guides AS (
    INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, value)
    SELECT period, starts_on, metric, guide_id, value FROM sums WHERE is_guides
    ORDER BY period, starts_on, metric, guide_id
    ON CONFLICT (period, starts_on, metric, guide_id)
        DO UPDATE SET value = sales_guidetotal.value + excluded.value
    RETURNING period, starts_on, metric, guide_id, value AS after, xmax = 0 AS is_new
), sellers AS (
    INSERT INTO sales_guidestoretotal (period, starts_on, store_id, metric, guide_id, value)
    SELECT period, starts_on, store_id, metric, guide_id, value FROM sums
    WHERE is_sellers AND (SELECT count(*) FROM guides) >= 0
    ORDER BY period, starts_on, store_id, metric, guide_id
    ON CONFLICT (period, starts_on, store_id, metric, guide_id)
        DO UPDATE SET value = sales_guidestoretotal.value + excluded.value
    RETURNING 1
), places AS (
    INSERT INTO sales_placetotal (period, starts_on, metric, guide_id, place, value)
    SELECT period, starts_on, metric, guide_id, place, value FROM placed
    WHERE (SELECT count(*) FROM sellers) >= 0
    ORDER BY period, starts_on, metric, guide_id, place
    ON CONFLICT (period, starts_on, metric, guide_id, place)
        DO UPDATE SET value = sales_placetotal.value + excluded.value
    RETURNING period, starts_on, metric, guide_id, place, value AS after, xmax = 0 AS is_new
), shops AS (
    INSERT INTO sales_storetotal (period, starts_on, metric, store_id, value)
    SELECT period, starts_on, metric, store_id, value FROM sums
    WHERE is_stores AND (SELECT count(*) FROM places) >= 0
    ORDER BY period, starts_on, metric, store_id
    ON CONFLICT (period, starts_on, metric, store_id)
        DO UPDATE SET value = sales_storetotal.value + excluded.value
), moved AS (
    SELECT period, starts_on, metric, 0::bigint AS place, guides.after, guides.is_new, sums.value
    FROM guides JOIN sums USING (period, starts_on, metric, guide_id) WHERE sums.is_guides
    UNION ALL
    SELECT period, starts_on, metric, place, places.after, places.is_new, placed.value
    FROM places JOIN placed USING (period, starts_on, metric, guide_id, place)
)<entries>
INSERT INTO sales_boardmove (period, starts_on, metric, place, befores, afters)
SELECT moved.period, moved.starts_on, moved.metric, moved.place,
       array_agg(CASE WHEN NOT moved.is_new THEN moved.after - moved.value END), array_agg(moved.after)
FROM moved
LEFT JOIN sales_boardsize board ON board.marks IS NOT NULL AND board.period = moved.period
    AND board.starts_on = moved.starts_on AND board.metric = moved.metric AND board.place = moved.place
WHERE moved.is_new OR board.id IS NOT NULL
GROUP BY moved.period, moved.starts_on, moved.metric, moved.place
"""
_MOVE_ONLY: Final = _MOVE.replace("<entries>", "")
_MOVED: Final = ("days", "guides", "stores", "metrics", "values")
_WAITING: Final = ("booked_on", "guide_ref", "store_ref", "metric", "value")


def period_starts(day: dt.date) -> tuple[tuple[str, dt.date], ...]:
    """The periods a day lies in, each with its first day. Weeks begin on Monday."""
    return (
        ("day", day),
        ("month", day.replace(day=1)),
        ("week", day - dt.timedelta(days=day.weekday())),
    )


def write_entries(*, lines: Sequence[str], moves: Sequence[Move]) -> int:
    """The entries (lines of COPY's text) are there; few of them are in their totals at once, many wait for the next fold,
    within seconds. How many entries. Inside a transaction that holds the close lock with others: which stores a place has
    changes only while nobody books."""
    entries = Rows(PerformanceEntry, ENTRY_COLUMNS, lines)
    if len(moves) > _MOST_MOVED:
        copy_lines(model=entries.model, names=entries.names, lines=lines)
        defer_totals(moves)
    elif lines:
        ask(_enter_and_move(), columns_of(entries) | _columns(moves))
    return len(lines)


def move_totals(moves: Iterable[Move]) -> None:
    """Every total has moved by the sum of the values of these entries, which are there already; locks as above."""
    ask_once(_MOVE_ONLY, _columns(moves))


@functools.cache
def _enter_and_move() -> str:
    return _MOVE.replace(
        "<entries>", f", entered AS ({insertion(model=PerformanceEntry, names=ENTRY_COLUMNS)})"
    )


def _columns(moves: Iterable[Move]) -> dict[str, str]:
    told = [(day, guide_id or 0, store_id, metric, value) for day, guide_id, store_id, metric, value in moves]
    columns = zip(*told, strict=True) if told else [()] * len(_MOVED)
    return {name: array_words(column) for name, column in zip(_MOVED, columns, strict=True)}


def defer_totals(moves: Iterable[Move]) -> None:
    """As `move_totals`, by the next fold. Inside the transaction that writes the entries."""
    sums: dict[tuple[int, int, str, dt.date], int] = defaultdict(int)
    for booked_on, guide_id, store_id, metric, value in moves:
        sums[(guide_id or 0, store_id, metric, booked_on)] += value
    days = Words()
    copy_lines(
        model=TotalMove,
        names=_WAITING,
        lines=[
            f"{days[booked_on]}\t{guide_ref}\t{store_ref}\t{metric}\t{value}"
            for (guide_ref, store_ref, metric, booked_on), value in sorted(sums.items())
            if value
        ],
    )
