"""How many have a place on each board: appended by bookings, folded by a job, counted anew where totals were written
otherwise (ADR 30)."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction

from core import clock
from sales.services.reconciling import share_close_lock
from sales.services.totals import period_starts

_FOLDED_AT_ONCE: Final = 5_000
# A shorter board is counted from its top, wherever somebody stands.
_LONG: Final = 500
_BOARDS: Final = """
    SELECT period, starts_on, metric, 0 AS place, count(*) AS count FROM sales_guidetotal
    WHERE store_id IS NULL {guides} GROUP BY period, starts_on, metric
    UNION ALL
    SELECT period, starts_on, metric, place, count(*) FROM sales_placetotal WHERE true {places}
    GROUP BY period, starts_on, metric, place
"""
_COUNT: Final = "INSERT INTO sales_boardsize (period, starts_on, metric, place, added)"
_COUNT_ALL: Final = _COUNT + _BOARDS.format(guides="", places="")
_COUNT_PLACE: Final = _COUNT + _BOARDS.format(guides="AND false", places="AND place = %(place)s")
_OF_PERIOD: Final = "AND period = %(period)s AND starts_on = %(start)s"
_COUNT_PERIOD: Final = _COUNT + _BOARDS.format(guides=_OF_PERIOD, places=_OF_PERIOD)
_FOLD: Final = """
WITH taken AS (
    DELETE FROM sales_boardsize WHERE id IN (
        SELECT id FROM sales_boardsize WHERE middle IS NULL ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING period, starts_on, metric, place, added),
folded AS (
    INSERT INTO sales_boardsize (period, starts_on, metric, place, added, middle)
    SELECT period, starts_on, metric, place, sum(added), -9223372036854775808 FROM taken
    GROUP BY period, starts_on, metric, place ORDER BY period, starts_on, metric, place
    ON CONFLICT (period, starts_on, metric, place) WHERE middle IS NOT NULL
        DO UPDATE SET added = sales_boardsize.added + excluded.added
    RETURNING period, starts_on)
SELECT (SELECT count(*) FROM taken), array_agg(period), array_agg(starts_on)
FROM (SELECT DISTINCT period, starts_on FROM folded) touched
"""
_FIND_MIDDLE: Final = """
SELECT value FROM {table} total
WHERE {held} AND total.period = size.period AND total.starts_on = size.starts_on AND total.metric = size.metric
ORDER BY value DESC OFFSET size.added / 2 LIMIT 1
"""
_SET_MIDDLES: Final = """
UPDATE sales_boardsize changed SET middle = found.middle FROM (
    SELECT size.id, CASE WHEN place = 0 THEN ({of_chain}) ELSE ({of_place}) END AS middle FROM sales_boardsize size
    WHERE middle IS NOT NULL AND added >= %(long)s AND (period, starts_on) IN (
        SELECT * FROM unnest(%(periods)s::text[], %(starts)s::date[])) ORDER BY size.id) found
WHERE changed.id = found.id AND found.middle IS NOT NULL AND changed.middle <> found.middle
"""
_MIDDLES: Final = _SET_MIDDLES.format(
    of_chain=_FIND_MIDDLE.format(table="sales_guidetotal", held="total.store_id IS NULL"),
    of_place=_FIND_MIDDLE.format(table="sales_placetotal", held="total.place = size.place"),
)
_COMPARE: Final = """
SELECT coalesce(said.metric, stood.metric), coalesce(said.place, stood.place),
       coalesce(said.count, 0), coalesce(stood.count, 0)
FROM ({boards}) said
FULL JOIN (
    SELECT metric, place, sum(added) AS count FROM sales_boardsize
    WHERE period = %(period)s AND starts_on = %(start)s GROUP BY metric, place) stood
    ON stood.metric = said.metric AND stood.place = said.place
WHERE coalesce(said.count, 0) <> coalesce(stood.count, 0)
"""
_DIFFERENCES: Final = _COMPARE.format(boards=_BOARDS.format(guides=_OF_PERIOD, places=_OF_PERIOD))
SizeDifference = tuple[str, int, int, int]  # metric, place, said, stood


def fold_board_sizes() -> int:
    """Each board has one row again, and the middle of long ones that moved or are running is known; how many rows were
    folded. Two at once share the work."""
    running = period_starts(clock.today())
    folded = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            share_close_lock()  # whoever counts anew holds it alone
            cursor.execute(_FOLD, {"limit": _FOLDED_AT_ONCE})
            row: tuple[int, list[str] | None, list[dt.date] | None] = cursor.fetchone()
        count = row[0]
        touched = {*running, *zip(row[1] or (), row[2] or (), strict=True)}
        folded += count
        _find_middles(touched)
        if count < _FOLDED_AT_ONCE:
            return folded


def recount_place_sizes(place: int) -> None:
    """The sizes of a place's boards are what its totals say. Inside the transaction that holds the close lock alone."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sales_boardsize WHERE place = %s", [place])
        cursor.execute(_COUNT_PLACE, {"place": place})


def recount_period_sizes(*, period: str, starts_on: dt.date) -> None:
    """The same of every board of a period."""
    asked: dict[str, str | dt.date] = {"period": period, "start": starts_on}
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM sales_boardsize WHERE period = %(period)s AND starts_on = %(start)s", asked
        )
        cursor.execute(_COUNT_PERIOD, asked)


def recount_sizes() -> None:
    """The same of all boards, for whoever wrote totals past the bookings."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sales_boardsize")
        cursor.execute(_COUNT_ALL)


def find_size_differences(*, period: str, starts_on: dt.date) -> list[SizeDifference]:
    """Boards of which it is not known how many have a place on them."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, {"period": period, "start": starts_on})
        rows: list[SizeDifference] = cursor.fetchall()
        return rows


def _find_middles(touched: Iterable[tuple[str, dt.date]]) -> None:
    pairs = sorted(touched)
    with connection.cursor() as cursor:
        cursor.execute(
            _MIDDLES,
            {"long": _LONG, "periods": [one[0] for one in pairs], "starts": [one[1] for one in pairs]},
        )
