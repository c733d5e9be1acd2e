"""Boards: who sold most, where one stands, and what she lacks to the next.

One statement answers a standing, so all of it is of one moment, whatever is booked or closed meanwhile.
"""

import dataclasses
import datetime as dt
from collections import defaultdict

from core.compiled import Rows, ask
from sales.contracts import Board, BoardLine, BoardScope, BoardSubject, MetricName, Span, Standing
from sales.models import BoardFreeze
from sales.selectors.board_sql import compose
from sales.selectors.sources import (
    Settled,
    Source,
    asking_freeze,
    frozen_source_of,
    running_source_of,
    settle_scope,
    settle_stores,
    thawed_source_of,
)
from sales.selectors.spans import span_before


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
    asked = _Asked(metric, span, subject, scope or BoardScope(), limit, own_id)
    return _read(asked, is_whole=False)[0]


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
    asked = _Asked(metric, span, subject, scope or BoardScope(), limit, own_id)
    standing, frozen_at = _read(asked, is_whole=True)
    return Board(
        metric=metric,
        span=span,
        lines=standing.lines,
        ranked_count=standing.ranked_count or 0,
        own=standing.own,
        gap=standing.gap,
        neighbours=standing.neighbours,
        frozen_at=frozen_at,
    )


def list_thawed(subject: BoardSubject, span: Span) -> list[BoardFreeze]:
    """Boards of this period that stood still until its month was opened again, the newest first."""
    rows = BoardFreeze.objects.filter(
        subject=subject, period=span.name, starts_on=span.starts_on, thawed_at__isnull=False
    )
    return list(rows.select_related("close").order_by("-pk"))


def get_thawed_board(
    freeze: BoardFreeze, *, metric: MetricName, scope: BoardScope | None = None, limit: int = 20
) -> Board:
    """One of them as it stood; nobody has moved on it."""
    subject: BoardSubject = freeze.subject  # type: ignore[assignment]
    span = Span(freeze.starts_on, freeze.ends_on, freeze.period)  # type: ignore[arg-type]
    asked = _Asked(metric, span, subject, scope or BoardScope(), limit, None)
    standing = _standing(_rows(asked, thawed_source_of(freeze, metric, asked.scope), None, is_whole=True))
    return Board(
        metric=metric,
        span=span,
        lines=standing.lines,
        ranked_count=standing.ranked_count or 0,
        own=None,
        gap=None,
        neighbours=(),
        frozen_at=freeze.frozen_at,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    metric: MetricName
    span: Span
    subject: BoardSubject
    scope: BoardScope
    limit: int
    own_id: int | None

    def running(self, span: Span, part: Settled) -> Source:
        return running_source_of(subject=self.subject, metric=self.metric, span=span, scope=part)

    def frozen(self, span: Span) -> Source | None:
        return frozen_source_of(subject=self.subject, metric=self.metric, span=span, scope=self.scope)


def _read(asked: _Asked, *, is_whole: bool) -> tuple[Standing, dt.datetime | None]:
    """The standing, with all that a board says besides when it `is_whole`; and since when it stands still."""
    part = settle_scope(asked.subject, asked.scope)
    before = span_before(asked.span)
    now = asking_freeze(asked.running(asked.span, part), asked.subject, asked.span)
    rows = _rows(asked, now, asked.running(before, part) if is_whole else None, is_whole)
    told = {row[0] for row in rows}
    is_kept = part.is_sure or "kept" in told
    if "frozen" in told:
        now = asked.frozen(asked.span) or now  # thawed meanwhile: what was read is of a moment before
        if now.frozen_at is not None:
            earlier = asked.frozen(before) if is_whole else None
            if earlier is None and is_whole:
                earlier = asked.running(before, part if is_kept else settle_stores(asked.scope))
            return _standing(_rows(asked, now, earlier, is_whole)), now.frozen_at
    if not is_kept:
        part = settle_stores(asked.scope)
        earlier = asked.running(before, part) if is_whole else None
        rows = _rows(asked, asked.running(asked.span, part), earlier, is_whole)
    return _standing(rows), None


def _rows(asked: _Asked, now: Source, before: Source | None, is_whole: bool) -> Rows:
    values = dict(now.values)
    if asked.own_id is not None:
        values["own"] = asked.own_id
    if before is not None:
        values |= {f"before_{name}": value for name, value in before.values.items()}
    statement = compose(
        limit=asked.limit,
        now=now.sql,
        is_sum=now.is_sum,
        told=now.told,
        is_sized=now.is_sized,
        before="" if before is None else before.sql.replace("%(", "%(before_"),
        is_sum_before=before is not None and before.is_sum,
        is_sized_before=before is not None and before.is_sized,
        has_own=asked.own_id is not None,
        has_count=is_whole,
    )
    return ask(statement, values)


def _standing(rows: Rows) -> Standing:
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    earlier = {subject_id: rank for _part, subject_id, _value, rank in found["before"]}

    def lines(part: str) -> tuple[BoardLine, ...]:
        made = [
            BoardLine(rank, subject_id, value, earlier[subject_id] - rank if subject_id in earlier else None)
            for _part, subject_id, value, rank in found[part]
        ]
        return tuple(sorted(made, key=lambda line: (-line.value, line.subject_id)))

    return Standing(
        lines=lines("first"),
        ranked_count=next((row[2] for row in found["count"]), None),
        own=next(iter(lines("own")), None),
        gap=next((row[2] for row in found["gap"]), None),
        neighbours=lines("around"),
    )
