"""How many have a place on each board, and of a long one how many reach each of some values: moves are appended by bookings,
folded by a job, and counted anew where totals were written otherwise (ADR 30).

That a statement sees totals and moves of one moment is all that exactness rests on: what is folded and what is not yet
add up to what stands, whenever somebody looks, and marks may be chosen anew while guides go on selling.
"""

import datetime as dt
from typing import Any, Final

from django.db import connection, transaction

from core import clock
from core.horizons import complete_until
from sales.services.reconciling import share_close_lock
from sales.services.totals import period_starts

_FOLDED_AT_ONCE: Final = 1_000
_MARKED_AT_ONCE: Final = 20
_LOCK: Final = 7_302_004  # one fold at a time
# A shorter board is counted from its top: that takes no longer than looking for a mark, and its moves need no rows.
_LONG: Final = 1_000
_MARKS: Final = 64
_PATIENCE: Final = dt.timedelta(seconds=5)
_BOARDS: Final = """
    SELECT period, starts_on, metric, 0 AS place, count(*) AS count FROM sales_guidetotal
    WHERE true {guides} GROUP BY period, starts_on, metric
    UNION ALL
    SELECT period, starts_on, metric, place, count(*) FROM sales_placetotal WHERE true {places}
    GROUP BY period, starts_on, metric, place
"""
# Nobody books meanwhile, so moves of what is long are written down from the next booking on.
_COUNT: Final = """
INSERT INTO sales_boardsize (period, starts_on, metric, place, added, moved, marks, reached)
SELECT period, starts_on, metric, place, count, count, CASE WHEN count >= %(long)s THEN '{{}}'::bigint[] END,
       CASE WHEN count >= %(long)s THEN '{{}}'::int[] END
FROM ({boards}) counted
"""
_COUNT_ALL: Final = _COUNT.format(boards=_BOARDS.format(guides="", places=""))
_COUNT_PLACE: Final = _COUNT.format(boards=_BOARDS.format(guides="AND false", places="AND place = %(place)s"))
_OF_PERIOD: Final = "AND period = %(period)s AND starts_on = %(start)s"
_COUNT_PERIOD: Final = _COUNT.format(boards=_BOARDS.format(guides=_OF_PERIOD, places=_OF_PERIOD))
_FORGET: Final = "DELETE FROM {table} WHERE {held}"
_FORGET_PERIOD: Final = tuple(
    _FORGET.format(table=table, held="period = %(period)s AND starts_on = %(start)s")
    for table in ("sales_boardsize", "sales_boardmove")
)
# A move that is booked after this has no size yet, and waits for the next fold.
_OPEN: Final = """
INSERT INTO sales_boardsize (period, starts_on, metric, place, added, moved)
SELECT DISTINCT period, starts_on, metric, place, 0, 0 FROM sales_boardmove
ON CONFLICT (period, starts_on, metric, place) DO NOTHING
"""
_CROSSED: Final = "(after >= {mark})::int - coalesce((before >= {mark})::int, 0)"
# What moves cross is counted by the marks that a value reaches before and after, so that each is looked at once.
_FOLD: Final = """
WITH taken AS (
    DELETE FROM sales_boardmove WHERE id = ANY(ARRAY(
        SELECT move.id FROM sales_boardmove move JOIN sales_boardsize USING (period, starts_on, metric, place)
        ORDER BY move.id LIMIT %(limit)s))
    RETURNING period, starts_on, metric, place, befores, afters),
moved AS MATERIALIZED (
    SELECT board.id, board.marks, before, after
    FROM taken JOIN sales_boardsize board USING (period, starts_on, metric, place)
        CROSS JOIN LATERAL unnest(befores, afters) one(before, after)),
grown AS MATERIALIZED (
    SELECT id, count(*) AS moved, count(*) FILTER (WHERE before IS NULL) AS added FROM moved GROUP BY id),
crossed AS MATERIALIZED (
    SELECT id, slot, sum(count) AS count FROM (
        SELECT id, width_bucket(after, marks) AS slot, 1 AS count FROM moved WHERE marks <> '{}'
        UNION ALL
        SELECT id, width_bucket(before, marks), -1 FROM moved WHERE marks <> '{}' AND before IS NOT NULL) reached
    GROUP BY id, slot),
folded AS (
    UPDATE sales_boardsize board SET added = board.added + grown.added, moved = board.moved + grown.moved,
        reached = CASE WHEN marks IS NOT NULL THEN ARRAY(
            SELECT known.count + coalesce((
                SELECT sum(crossed.count) FROM crossed WHERE crossed.id = board.id AND crossed.slot >= number), 0)
            FROM unnest(reached) WITH ORDINALITY known(count, number) ORDER BY number)::int[] END
    FROM grown WHERE board.id = grown.id)
SELECT count(*) FROM taken
"""
_WATCH: Final = """
UPDATE sales_boardsize SET marks = '{}', reached = '{}', moved = added
WHERE marks IS NULL AND added >= %(long)s
  AND (period, starts_on) IN (SELECT * FROM unnest(%(periods)s::text[], %(starts)s::date[]))
"""
_DUE: Final = """
SELECT id, place, cardinality(marks) = 0 FROM sales_boardsize
WHERE marks IS NOT NULL AND moved >= added / 4 AND added > 0 AND NOT (id = ANY(%s)) ORDER BY id LIMIT %s
"""
_MARK: Final = """
WITH board AS (SELECT * FROM sales_boardsize WHERE id = %(board)s),
ranked AS MATERIALIZED (
    SELECT total.value, row_number() OVER (ORDER BY total.value DESC) AS number FROM {table} total, board
    WHERE {held} AND total.period = board.period AND total.starts_on = board.starts_on AND total.metric = board.metric),
chosen AS (
    SELECT DISTINCT value FROM ranked WHERE number %% greatest((SELECT count(*) FROM ranked) / %(marks)s, 1) = 0),
marked AS (
    SELECT value, max(number) - coalesce((
        SELECT sum({crossed}) FROM board, sales_boardmove move, unnest(move.befores, move.afters) one(before, after)
        WHERE move.period = board.period AND move.starts_on = board.starts_on AND move.metric = board.metric
          AND move.place = board.place), 0) AS reached
    FROM ranked JOIN chosen USING (value) GROUP BY value)
UPDATE sales_boardsize SET moved = 0, marks = coalesce((SELECT array_agg(value ORDER BY value) FROM marked), '{{}}'),
    reached = coalesce((SELECT array_agg(reached ORDER BY value) FROM marked)::int[], '{{}}') WHERE id = %(board)s
"""
_MARK_CHAIN: Final = _MARK.format(
    table="sales_guidetotal",
    held="true",
    crossed=_CROSSED.format(mark="ranked.value"),
)
_MARK_PLACE: Final = _MARK.format(
    table="sales_placetotal",
    held="total.place = board.place",
    crossed=_CROSSED.format(mark="ranked.value"),
)
# How many stand on each board, and how many of a long one reach each mark, by its totals and by what is known of it.
_COMPARING: Final = """
WITH moves AS (
    SELECT metric, place, before, after FROM sales_boardmove, unnest(befores, afters) one(before, after)
    WHERE period = %(period)s AND starts_on = %(start)s),
boards AS (SELECT * FROM sales_boardsize WHERE period = %(period)s AND starts_on = %(start)s),
totals AS (
    SELECT metric, 0 AS place, value FROM sales_guidetotal WHERE true {of_period}
    UNION ALL SELECT metric, place, value FROM sales_placetotal WHERE true {of_period}),
said AS (SELECT metric, place, count(*) AS count FROM totals GROUP BY metric, place),
stood AS (
    SELECT metric, place, sum(added) AS count FROM (
        SELECT metric, place, added FROM boards
        UNION ALL SELECT metric, place, 1 FROM moves WHERE before IS NULL) known
    GROUP BY metric, place),
buckets AS (
    SELECT metric, place, width_bucket(value, marks) AS number, count(*) AS count
    FROM totals JOIN boards USING (metric, place) WHERE marks IS NOT NULL GROUP BY 1, 2, 3),
marks AS (
    SELECT metric, place, number, count + coalesce((
        SELECT sum({crossed}) FROM moves
        WHERE moves.metric = boards.metric AND moves.place = boards.place), 0) AS stood
    FROM boards, unnest(marks, reached) WITH ORDINALITY known(mark, count, number)),
reached AS (
    SELECT metric, place, stood, coalesce((
        SELECT sum(count) FROM buckets WHERE buckets.metric = marks.metric AND buckets.place = marks.place
          AND buckets.number >= marks.number), 0) AS said
    FROM marks)
SELECT coalesce(said.metric, stood.metric), coalesce(said.place, stood.place),
       coalesce(said.count, 0)::bigint, coalesce(stood.count, 0)::bigint
FROM said FULL JOIN stood ON stood.metric = said.metric AND stood.place = said.place
WHERE coalesce(said.count, 0) <> coalesce(stood.count, 0)
UNION ALL
SELECT * FROM (SELECT DISTINCT ON (metric, place) metric, place, said::bigint, stood::bigint FROM reached
               WHERE said <> stood ORDER BY metric, place) wrong
"""
_DIFFERENCES: Final = _COMPARING.format(of_period=_OF_PERIOD, crossed=_CROSSED.format(mark="mark"))
SizeDifference = tuple[str, int, int, int]  # metric, place, said, stood


def fold_board_sizes() -> int:
    """What moved is in the sizes of its boards, and long boards have even marks; how many rows were folded. Two at once
    take turns."""
    folded = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            _take_turn()
            cursor.execute(_OPEN)
            cursor.execute(_FOLD, {"limit": _FOLDED_AT_ONCE})
            count: int = cursor.fetchone()[0]
        folded += count
        if count < _FOLDED_AT_ONCE:
            break
    _watch_long_boards()
    _choose_marks()
    return folded


def recount_place_sizes(place: int) -> None:
    """The sizes of a place's boards are what its totals say. Inside the transaction that holds the close lock alone."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sales_boardsize WHERE place = %s", [place])
        cursor.execute("DELETE FROM sales_boardmove WHERE place = %s", [place])
        cursor.execute(_COUNT_PLACE, {"place": place, "long": _LONG})


def recount_period_sizes(*, period: str, starts_on: dt.date) -> None:
    """The same of every board of a period."""
    asked: dict[str, str | int | dt.date] = {"period": period, "start": starts_on, "long": _LONG}
    with connection.cursor() as cursor:
        for forget in _FORGET_PERIOD:
            cursor.execute(forget, asked)
        cursor.execute(_COUNT_PERIOD, asked)


def recount_sizes() -> None:
    """The same of all boards, for whoever wrote totals past the bookings while nobody books."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sales_boardsize")
        cursor.execute("DELETE FROM sales_boardmove")
        cursor.execute(_COUNT_ALL, {"long": _LONG})


def find_size_differences(*, period: str, starts_on: dt.date) -> list[SizeDifference]:
    """Boards of which it is not known how many have a place on them, or reach one of their marks."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, {"period": period, "start": starts_on})
        rows: list[SizeDifference] = cursor.fetchall()
        return rows


def _take_turn() -> None:
    share_close_lock()  # whoever counts anew holds it alone
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _watch_long_boards() -> None:
    """From now on bookings write the moves of long boards of running periods down. Boards of the past that were never
    watched, of years that were imported, are counted from their top."""
    running = period_starts(clock.today())
    asked: dict[str, Any] = {
        "long": _LONG,
        "periods": [one[0] for one in running],
        "starts": [one[1] for one in running],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        _take_turn()
        cursor.execute(_WATCH, asked)


def _choose_marks() -> None:
    """Even marks for boards that have none, or of which a quarter moved. Somebody who is booking may have looked whether
    moves are written down before they were: a board gets its first marks when all who were booking then are done."""
    seen: list[int] = []
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [seen, _MARKED_AT_ONCE])
            due: list[tuple[int, int, bool]] = cursor.fetchall()
        if not due:
            return
        seen += [board_id for board_id, _place, _is_new in due]
        is_seen_by_all = (
            not any(is_new for _id, _place, is_new in due)
            or complete_until("sales_boardmove", patience=_PATIENCE) is not None
        )
        with transaction.atomic(), connection.cursor() as cursor:
            _take_turn()
            for board_id, place, is_new in due:
                if is_seen_by_all or not is_new:
                    cursor.execute(
                        _MARK_PLACE if place else _MARK_CHAIN, {"board": board_id, "marks": _MARKS}
                    )
