"""The nine numbers of a part of the chain, and the members behind them."""

import datetime as dt
import functools
import operator
from collections.abc import Collection, Sequence
from typing import Any, Final

from django.contrib.postgres.aggregates import BitOr
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from core.compiled import Given, compiled
from sales.contracts import Span
from sales.contracts.nine import (
    STOODS,
    NineBoard,
    NineColumn,
    NineMember,
    NineNumbers,
    NineScopeName,
    StoodName,
)
from sales.models import MemberDay, NineFold, NinePlace, NineScope, NineTotal, Stood
from sales.selectors.rfm_rules import get_rfm_rules
from sales.selectors.spans import add_months, span_before, span_of

TREND: Final = 12
_NEVER: Final = dt.date(1, 1, 1)


def get_nine(*, scope: NineScopeName, ref: int = 0, span: Span) -> NineBoard:
    """The numbers of a day, week, month or quarter and those it is compared with. Two queries."""
    spans = [span]
    while len(spans) < TREND:
        spans.insert(0, span_before(spans[0]))
    year = span_a_year_before(span)
    found: dict[dt.date, dict[StoodName, NineNumbers]] = {}
    wanted = [one.starts_on for one in (*spans, year)]
    for start, stood, *numbers in _totals(
        scope=scope, ref=ref, period=span.name, first=min(wanted), last=span.starts_on
    ):
        found.setdefault(start, {})[stood] = NineNumbers(*numbers)

    def column(one: Span) -> NineColumn:
        known = found.get(one.starts_on, {})
        return NineColumn(one, {stood: known.get(stood, NineNumbers()) for stood in STOODS})

    state = _state.first()
    return NineBoard(
        trend=tuple(map(column, spans)),
        year_before=column(year),
        active_days=_active_days(state),
        folded_at=state.folded_at if state is not None and state.proved_on is not None else None,
    )


def get_active_days() -> int:
    """Up to so many days since her last purchase a member is no sleeper, by the rule of the totals."""
    return _active_days(_state.first())


def _active_days(state: NineFold | None) -> int:
    is_ready = state is not None and state.proved_on is not None
    return state.active_days if state is not None and is_ready else get_rfm_rules().stage_days[0]


@compiled
def _totals(
    *, scope: Given, ref: Given, period: Given, first: Given, last: Given
) -> QuerySet[NineTotal, tuple[Any, ...]]:
    rows = NineTotal.objects.filter(
        scope=scope, ref=ref, period=period, starts_on__gte=first, starts_on__lte=last
    )
    return rows.values_list("starts_on", "stood", "came_count", "buyer_count", "order_count", "net_fen")


@compiled
def _state() -> QuerySet[NineFold]:
    return NineFold.objects.filter(pk=1)


def span_a_year_before(span: Span) -> Span:
    """The same month, quarter or date a year earlier; of a week the one 52 weeks before."""
    if span.name == "week":
        return span_of("week", span.starts_on - dt.timedelta(weeks=52))
    if span.name == "day":
        day = span.starts_on
        is_leap = (day.month, day.day) == (2, 29)
        return span_of("day", day.replace(year=day.year - 1, day=28 if is_leap else day.day))
    return span_of(span.name, add_months(span.starts_on, -12))


def list_nine_members(
    *,
    scope: NineScopeName,
    ref: int = 0,
    span: Span,
    stood: StoodName | None,
    has_bought: bool,
    among: QuerySet[Any, Any] | None,
) -> QuerySet[MemberDay, Any]:
    """Who is behind a cell, as rows for `nine_members`, those who spent most first; `among` are ids of members the asker may
    see (None: all). Her standing looks at all her days of the period, what she did at those in the place."""
    days = MemberDay.objects.filter(day__gte=span.starts_on, day__lt=span.ends_on)
    here = days_within(scope, [ref])
    rows = days if not here else days.filter(member_id__in=days.filter(here).values("member_id"))
    if among is not None:
        rows = rows.filter(member_id__in=among)
    counted: Any = rows.values("member_id").annotate(
        stood_on=Min(Coalesce("previous_on", Value(_NEVER))),
        orders=Sum("order_count", filter=here),
        fen=Sum("net_fen", filter=here),
        came_days=Count("day", distinct=True, filter=here),
        last=Max("day", filter=here),
        seen=BitOr("traces", filter=here),
    )
    asleep = _asleep_before(span.starts_on, get_active_days())
    if stood is not None:
        counted = counted.filter(
            {
                "new": Q(stood_on=_NEVER),
                "returning": Q(stood_on__gte=asleep),
                "dormant": Q(stood_on__gt=_NEVER, stood_on__lt=asleep),
            }[stood]
        )
    if has_bought:
        counted = counted.filter(orders__gt=0)
    found: QuerySet[MemberDay, Any] = counted.order_by(F("fen").desc(), "member_id")
    return found


def nine_members(rows: Sequence[dict[str, Any]]) -> tuple[NineMember, ...]:
    """The rows of `list_nine_members` that were fetched."""
    return tuple(
        NineMember(
            member_id=row["member_id"],
            order_count=row["orders"],
            net_fen=int(row["fen"]),
            day_count=row["came_days"],
            last_on=row["last"],
            traces=row["seen"],
            stood_on=None if row["stood_on"] == _NEVER else row["stood_on"],
        )
        for row in rows
    )


def stood_where(stoods: Collection[str], first: dt.date, *, active_days: int) -> Q:
    """The days of a period that tell how their member stood when it began, where she stood one of these ways.

    Of her days in a period those up to her first purchase in it have their last purchase before it; whoever has one
    without any had none on all before. So nothing needs to be grouped by member.
    """
    asleep = _asleep_before(first, active_days)
    ways = {
        Stood.NEW: Q(previous_on__isnull=True),
        Stood.RETURNING: Q(previous_on__gte=asleep, previous_on__lt=first),
        Stood.DORMANT: Q(previous_on__lt=asleep),
    }
    return functools.reduce(operator.or_, [ways[Stood(stood)] for stood in stoods])


def _asleep_before(first: dt.date, active_days: int) -> dt.date:
    return first - dt.timedelta(days=active_days)


def days_within(scope: str, refs: Collection[int] | QuerySet[Any, int]) -> Q:
    """The days that count for one of these places."""
    if scope == NineScope.CHAIN:
        return Q()
    if scope == NineScope.GUIDE:
        return Q(guide_ref__in=refs)
    if scope == NineScope.STORE:
        return Q(store_ref__in=refs)
    return Q(store_ref__in=NinePlace.objects.filter(scope=scope, ref__in=refs).values("store_ref"))
