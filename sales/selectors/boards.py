"""Boards: who sold most, where one stands, and what she lacks to the next.

One statement answers a standing, so all of it is of one moment, whatever is booked or closed meanwhile.
"""

from collections.abc import Iterable
from typing import Any, Final

from django.db import connection

from sales.contracts import Board, BoardLine, BoardScope, BoardSubject, MetricName, Span, Standing
from sales.selectors.sources import Source, running_source_of, settle_scope, source_of
from sales.selectors.spans import span_before

_COUNT: Final = " UNION ALL SELECT 'count', 0, count(*), 0 FROM standing"
_FIRST: Final = """
SELECT 'first' AS part, subject, value, rank() OVER (ORDER BY value DESC) AS rank FROM (
    SELECT subject, value FROM standing ORDER BY value DESC, subject LIMIT %(limit)s) first_places
"""
# Two places above and below her own. Equal ones are told apart by id, as on the board; the rank of each is counted
# between her value and its own.
_AROUND: Final = """
, mine AS MATERIALIZED (
    SELECT coalesce((SELECT value FROM standing WHERE subject = %(own)s), 0) AS value),
better AS MATERIALIZED (
    SELECT count(*) AS count, min(value) AS nearest FROM standing WHERE value > (SELECT value FROM mine)),
above AS (
    SELECT subject, value FROM standing
    WHERE value >= (SELECT value FROM mine) AND NOT (value = (SELECT value FROM mine) AND subject >= %(own)s)
    ORDER BY value, subject DESC LIMIT 2),
below AS (
    SELECT subject, value FROM standing
    WHERE value <= (SELECT value FROM mine) AND NOT (value = (SELECT value FROM mine) AND subject <= %(own)s)
    ORDER BY value DESC, subject LIMIT 2)
SELECT * FROM ({first}) ranked
UNION ALL SELECT 'own', %(own)s::bigint, mine.value, better.count + 1 FROM mine, better
UNION ALL SELECT 'gap', 0, better.nearest - mine.value, 0 FROM mine, better WHERE better.nearest IS NOT NULL
UNION ALL SELECT 'around', subject, value, (SELECT count FROM better) + 1 - (
    SELECT count(*) FROM standing between_us
    WHERE between_us.value > (SELECT value FROM mine) AND between_us.value <= above.value) FROM above
UNION ALL SELECT 'around', subject, value, (SELECT count FROM better) + 1 + (
    SELECT count(*) FROM standing between_us
    WHERE between_us.value > below.value AND between_us.value <= (SELECT value FROM mine)) FROM below
"""
# How many stand above each of some: one pass that sorts nothing. Thresholds are negative, so that width_bucket counts
# those that a value reaches or stays below.
_BETTER: Final = """
WITH standing AS {kind} ({sql}),
asked AS (SELECT array_agg(DISTINCT -value ORDER BY -value) AS marks FROM standing WHERE subject = ANY(%(subjects)s)),
counted AS (
    SELECT width_bucket(-value, (SELECT marks FROM asked)) AS bucket, count(*) AS count FROM standing
    WHERE value > (SELECT min(value) FROM standing WHERE subject = ANY(%(subjects)s)) GROUP BY 1)
SELECT standing.subject, 1 + coalesce((
    SELECT sum(counted.count) FROM counted
    WHERE counted.bucket < width_bucket(-standing.value, (SELECT marks FROM asked))), 0)::bigint
FROM standing WHERE standing.subject = ANY(%(subjects)s)
"""


def get_standing(
    *,
    metric: MetricName,
    span: Span,
    subject: BoardSubject = "guide",
    scope: BoardScope | None = None,
    limit: int = 20,
    own_id: int | None = None,
) -> Standing:
    """The first `limit` places, and with `own_id` her place, what she lacks to the next value above, and who stands
    around her. Who has no total of that period counts as nothing."""
    part = settle_scope(subject, scope or BoardScope())
    return _read(source_of(subject=subject, metric=metric, span=span, scope=part), limit, own_id)


def get_board(
    *,
    metric: MetricName,
    span: Span,
    subject: BoardSubject = "guide",
    scope: BoardScope | None = None,
    limit: int = 20,
    own_id: int | None = None,
) -> Board:
    """A standing with how many have a place, and how each of those shown moved against the period before."""
    part = settle_scope(subject, scope or BoardScope())
    source = source_of(subject=subject, metric=metric, span=span, scope=part)
    standing = _read(source, limit, own_id, with_count=True)
    shown = {line.subject_id for line in (*standing.lines, *standing.neighbours)} | ({own_id} - {None})
    read_before = running_source_of if source.frozen_at is None else source_of
    before = read_before(subject=subject, metric=metric, span=span_before(span), scope=part)
    earlier = _ranks(before, (one for one in shown if one is not None))

    def moved(line: BoardLine) -> BoardLine:
        rank = earlier.get(line.subject_id)
        return BoardLine(line.rank, line.subject_id, line.value, None if rank is None else rank - line.rank)

    return Board(
        metric=metric,
        span=span,
        lines=tuple(map(moved, standing.lines)),
        ranked_count=standing.ranked_count or 0,
        own=None if standing.own is None else moved(standing.own),
        gap=standing.gap,
        neighbours=tuple(map(moved, standing.neighbours)),
        frozen_at=source.frozen_at,
    )


def _read(source: Source, limit: int, own_id: int | None, *, with_count: bool = False) -> Standing:
    rest = _FIRST if own_id is None else _AROUND.format(first=_FIRST)
    if with_count:
        rest += _COUNT
    statement = f"WITH standing AS {_kind(source)} ({source.sql}){rest}"
    lines: list[BoardLine] = []
    around: list[BoardLine] = []
    own: BoardLine | None = None
    gap: int | None = None
    count: int | None = None
    for part, subject_id, value, rank in _run(source, statement, limit=limit, own=own_id):
        if part == "gap":
            gap = value
        elif part == "count":
            count = value
        elif part == "own":
            own = BoardLine(rank, subject_id, value)
        else:
            (lines if part == "first" else around).append(BoardLine(rank, subject_id, value))
    return Standing(tuple(_in_order(lines)), count, own, gap, tuple(_in_order(around)))


def _in_order(lines: Iterable[BoardLine]) -> list[BoardLine]:
    return sorted(lines, key=lambda line: (-line.value, line.subject_id))


def _ranks(source: Source, subject_ids: Iterable[int]) -> dict[int, int]:
    """The ranks of these, those who have any."""
    subjects = sorted(subject_ids)
    if not subjects:
        return {}
    statement = _BETTER.format(kind=_kind(source), sql=source.sql)
    return dict(_run(source, statement, subjects=subjects))


def _kind(source: Source) -> str:
    """What adds up is added up once; what stands in an index is looked up there each time."""
    return "MATERIALIZED" if source.is_sum else "NOT MATERIALIZED"


def _run(source: Source, statement: str, **more: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, source.values | more)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
