"""Boards of closed periods are frozen: every place as it stood, within the chain, each region, dealer and store."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from django.db import connection, transaction

from core import clock
from guides import selectors as guide_selectors
from guides.contracts import StorePlace
from sales.contracts import PeriodName, Span
from sales.models import BoardFreeze, FrozenSubject, PeriodClose
from sales.selectors.scopes import children_below, region_children
from sales.selectors.spans import add_months, cover, span_of


class Holding(NamedTuple):
    """A store lies in a scope; where places themselves are ranked there, `subject` is the one that it counts for."""

    scope: str
    ref: int
    subject: int
    store_id: int


# One statement for all subjects: who counts, where, over the totals that cover the period.
_FREEZE: Final = """
INSERT INTO sales_frozenplace (freeze_id, metric, scope, scope_ref, subject_ref, value, rank)
SELECT %(freeze)s, metric, scope, ref, subject, value,
       rank() OVER (PARTITION BY metric, scope, ref ORDER BY value DESC)
FROM (
    SELECT total.metric, held.scope, held.ref, {subject} AS subject, sum(total.value)::bigint AS value
    FROM {table} total
    JOIN unnest(%(periods)s::text[], %(starts)s::date[]) part(period, starts_on)
        ON part.period = total.period AND part.starts_on = total.starts_on
    JOIN unnest(%(scopes)s::text[], %(refs)s::bigint[], %(subjects)s::bigint[], %(stores)s::bigint[])
        held(scope, ref, subject, store_id) ON held.store_id = total.store_id
    GROUP BY 1, 2, 3, 4) standing
"""
_STATEMENTS: Final = {
    FrozenSubject.GUIDE: _FREEZE.format(table="sales_guidestoretotal", subject="total.guide_id"),
    FrozenSubject.STORE: _FREEZE.format(table="sales_storetotal", subject="total.store_id"),
    FrozenSubject.REGION: _FREEZE.format(table="sales_storetotal", subject="held.subject"),
    FrozenSubject.DEALER: _FREEZE.format(table="sales_storetotal", subject="held.subject"),
}
_PERIODS: Final[tuple[PeriodName, ...]] = ("month", "quarter", "year")


def freeze_boards(*, close_id: int, at: dt.datetime | None = None) -> int:
    """The boards of the closed month stand, and those of each week, quarter and year of which every month is closed;
    how many were frozen. Nothing happens where that was done, or when the month was opened again meanwhile.

    Nobody books into closed months, so the totals hold still without a lock on bookings.
    """
    at = at or clock.now()
    with transaction.atomic():
        close = PeriodClose.objects.standing().filter(pk=close_id).lock_rows()
        if not close:
            return 0
        closed = frozenset(PeriodClose.objects.standing().values_list("month_on", flat=True))
        frozen = set(BoardFreeze.objects.standing().values_list("subject", "period", "starts_on"))
        stores = guide_selectors.list_all_store_places()
        count = 0
        for span in whole_spans(month_on=close[0].month_on, closed=closed):
            for subject, held_of in _HELD.items():
                if (str(subject), span.name, span.starts_on) not in frozen:
                    _freeze(close_id, subject, span, held_of(stores), at)
                    count += 1
        return count


def freeze_closed_boards(*, at: dt.datetime | None = None) -> int:
    """What a lost event or a killed process left unfrozen; how many boards were frozen."""
    done = BoardFreeze.objects.standing().filter(period="month", subject=FrozenSubject.DEALER)
    waiting = PeriodClose.objects.standing().exclude(month_on__in=done.values("starts_on"))
    return sum(
        freeze_boards(close_id=pk, at=at) for pk in waiting.order_by("month_on").values_list("pk", flat=True)
    )


def thaw_boards(*, month_on: dt.date, at: dt.datetime) -> None:
    """The boards of every period that touches this month are read from the totals again. Inside the transaction
    that opens the month, after its row was written: a freeze under way is waited for."""
    BoardFreeze.objects.standing().filter(starts_on__lt=add_months(month_on, 1), ends_on__gt=month_on).update(
        thawed_at=at
    )


def whole_spans(*, month_on: dt.date, closed: frozenset[dt.date]) -> list[Span]:
    """The month and each week, quarter and year around it that lies in closed months alone."""
    spans = [span_of(name, month_on) for name in _PERIODS]
    day = span_of("week", month_on).starts_on
    while day < add_months(month_on, 1):
        spans.append(span_of("week", day))
        day += dt.timedelta(days=7)
    return [span for span in spans if _months_of(span) <= closed]


def _months_of(span: Span) -> frozenset[dt.date]:
    months = []
    month = span.starts_on.replace(day=1)
    while month < span.ends_on:
        months.append(month)
        month = add_months(month, 1)
    return frozenset(months)


def _freeze(
    close_id: int, subject: FrozenSubject, span: Span, held: Sequence[Holding], at: dt.datetime
) -> None:
    freeze = BoardFreeze.objects.create(
        close_id=close_id, subject=subject, period=span.name, starts_on=span.starts_on, ends_on=span.ends_on,
        frozen_at=at,
    )  # fmt: skip
    parts = cover(span)
    with connection.cursor() as cursor:
        cursor.execute(
            _STATEMENTS[subject],
            {
                "freeze": freeze.pk,
                "periods": [period for period, _start in parts],
                "starts": [start for _period, start in parts],
                "scopes": [one.scope for one in held],
                "refs": [one.ref for one in held],
                "subjects": [one.subject for one in held],
                "stores": [one.store_id for one in held],
            },
        )


def _scopes_of(stores: Iterable[StorePlace]) -> list[Holding]:
    """The chain, every region above, the dealer: where stores are ranked."""
    held: list[Holding] = []
    for store in stores:
        held.append(Holding("chain", 0, 0, store.store_id))
        held += [Holding("region", region_id, 0, store.store_id) for region_id in store.region_ids]
        if store.dealer_id is not None:
            held.append(Holding("dealer", store.dealer_id, 0, store.store_id))
    return held


def _of_guides(stores: Sequence[StorePlace]) -> list[Holding]:
    return [*_scopes_of(stores), *(Holding("store", one.store_id, 0, one.store_id) for one in stores)]


def _of_regions(stores: Sequence[StorePlace]) -> list[Holding]:
    """Regions are ranked among those directly below the same one."""
    top = [
        Holding("chain", 0, region_id, store_id)
        for store_id, region_id in region_children(stores, parent_id=None)
    ]
    return top + [
        Holding("region", parent_id, region_id, store_id)
        for parent_id, region_id, store_id in children_below(stores)
    ]


def _of_dealers(stores: Sequence[StorePlace]) -> list[Holding]:
    """Dealers are ranked in the chain and in each region where they have stores."""
    held: list[Holding] = []
    for store in stores:
        if store.dealer_id is not None:
            held.append(Holding("chain", 0, store.dealer_id, store.store_id))
            held += [
                Holding("region", region_id, store.dealer_id, store.store_id)
                for region_id in store.region_ids
            ]
    return held


_HELD: Final[dict[FrozenSubject, Callable[[Sequence[StorePlace]], list[Holding]]]] = {
    FrozenSubject.GUIDE: _of_guides,
    FrozenSubject.STORE: _scopes_of,
    FrozenSubject.REGION: _of_regions,
    FrozenSubject.DEALER: _of_dealers,
}
