"""Totals follow the entries: in the transaction that writes them, or by the next fold."""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from core.arrays import array_words
from core.compiled import ask, ask_once
from sales.models import PerformanceEntry, TotalMove
from sales.services.copying import Rows, columns_of, copy_lines, copy_rows, insertion

Move = tuple[dt.date, int | None, int, str, int]  # booked_on, guide, store, metric, value

# An order or two move the totals themselves. What is more would keep every till of these stores waiting until its whole
# transaction is over, which for a batch of a thousand documents is longer than a till waits.
_MOST_MOVED: Final = 100
ENTRY_COLUMNS: Final = (
    "booked_on", "due_on", "guide", "store", "metric", "value", "sale_ref", "return_ref", "fact_kind",
    "fact_ref", "fact_turn", "reason", "reversed_entry", "at",
)  # fmt: skip
# Guides, then places, then stores, each in the order of its unique key: two bookings that move the same totals wait for
# each other in one order. What happens in a store counts in the regions above it and for its dealer as well. Rows that
# are new (xmax 0: nobody locked them to update them) make their board longer; on a long board every move is written down.
_MOVE: Final = """
WITH given AS MATERIALIZED (
    SELECT period, starts_on, metric, guide_id, store_id, value
    FROM unnest(%(periods)s::text[], %(starts)s::date[], %(metrics)s::text[], %(guides)s::bigint[], %(stores)s::bigint[],
                %(values)s::bigint[]) AS moved(period, starts_on, metric, guide_id, store_id, value)
), placed AS MATERIALIZED (
    SELECT period, starts_on, metric, guide_id, held.place, sum(value)::bigint AS value
    FROM given JOIN sales_placestore held ON held.store_id = given.store_id
    GROUP BY period, starts_on, metric, guide_id, held.place
), guides AS (
    INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, store_id, value)
    SELECT period, starts_on, metric, guide_id, nullif(store_id, 0), value FROM given
    ORDER BY period, starts_on, metric, guide_id, store_id
    ON CONFLICT (period, starts_on, metric, guide_id, store_id)
        DO UPDATE SET value = sales_guidetotal.value + excluded.value
    RETURNING period, starts_on, metric, guide_id, store_id, value AS after, xmax = 0 AS is_new
), places AS (
    INSERT INTO sales_placetotal (period, starts_on, metric, guide_id, place, value)
    SELECT period, starts_on, metric, guide_id, place, value FROM placed
    WHERE (SELECT count(*) FROM guides) >= 0
    ORDER BY period, starts_on, metric, guide_id, place
    ON CONFLICT (period, starts_on, metric, guide_id, place)
        DO UPDATE SET value = sales_placetotal.value + excluded.value
    RETURNING period, starts_on, metric, guide_id, place, value AS after, xmax = 0 AS is_new
), shops AS (
    INSERT INTO sales_storetotal (period, starts_on, metric, store_id, value)
    SELECT period, starts_on, metric, store_id, value
    FROM unnest(%(store_periods)s::text[], %(store_starts)s::date[], %(store_metrics)s::text[],
                %(store_stores)s::bigint[], %(store_values)s::bigint[])
        AS moved(period, starts_on, metric, store_id, value)
    WHERE (SELECT count(*) FROM places) >= 0
    ORDER BY period, starts_on, metric, store_id
    ON CONFLICT (period, starts_on, metric, store_id)
        DO UPDATE SET value = sales_storetotal.value + excluded.value
), moved AS (
    SELECT period, starts_on, metric, 0::bigint AS place, guides.after, guides.is_new, given.value
    FROM guides JOIN given USING (period, starts_on, metric, guide_id)
    WHERE guides.store_id IS NULL AND given.store_id = 0
    UNION ALL
    SELECT period, starts_on, metric, place, places.after, places.is_new, placed.value
    FROM places JOIN placed USING (period, starts_on, metric, guide_id, place)
)<entries>
INSERT INTO sales_boardmove (period, starts_on, metric, place, before, after)
SELECT moved.period, moved.starts_on, moved.metric, moved.place,
       CASE WHEN NOT moved.is_new THEN moved.after - moved.value END, moved.after
FROM moved
LEFT JOIN sales_boardsize board ON board.marks IS NOT NULL AND board.period = moved.period
    AND board.starts_on = moved.starts_on AND board.metric = moved.metric AND board.place = moved.place
WHERE moved.is_new OR board.id IS NOT NULL
"""
_MOVE_ONLY: Final = _MOVE.replace("<entries>", "")
_GUIDE: Final = ("periods", "starts", "metrics", "guides", "stores", "values")
_STORE: Final = ("store_periods", "store_starts", "store_metrics", "store_stores", "store_values")


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
        ask(_enter_and_move(), columns_of(entries) | _sums(moves))
    return len(lines)


def move_totals(moves: Iterable[Move]) -> None:
    """Every total has moved by the sum of the values of these entries, which are there already; locks as above."""
    ask_once(_MOVE_ONLY, _sums(moves))


@functools.cache
def _enter_and_move() -> str:
    return _MOVE.replace(
        "<entries>", f", entered AS ({insertion(model=PerformanceEntry, names=ENTRY_COLUMNS)})"
    )


def _sums(moves: Iterable[Move]) -> dict[str, str]:
    """What each total moves by, column by column."""
    guides: dict[tuple[str, dt.date, str, int, int], int] = defaultdict(int)
    stores: dict[tuple[str, dt.date, str, int], int] = defaultdict(int)
    for booked_on, guide_id, store_id, metric, value in moves:
        for period, starts_on in period_starts(booked_on):
            stores[(period, starts_on, metric, store_id)] += value
            if guide_id is not None:
                guides[(period, starts_on, metric, guide_id, store_id)] += value
                guides[(period, starts_on, metric, guide_id, 0)] += value
    columns: dict[str, str] = {}
    for names, sums in ((_GUIDE, guides), (_STORE, stores)):
        changed = [(*key, value) for key, value in sums.items() if value]
        found = zip(*changed, strict=True) if changed else [()] * len(names)
        columns |= {name: array_words(column) for name, column in zip(names, found, strict=True)}
    return columns


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
