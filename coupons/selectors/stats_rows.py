"""The folded rows that answer a question about coupons' numbers, and what of them is asked for."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.db.models import Q, QuerySet, Sum

from core.compiled import Compiled
from coupons.contracts import StatsQuery, StatsSide
from coupons.models import CouponBatch, CouponDay, CouponDayTotal, CouponDue, CouponMonth, Door
from guides import selectors as guide_selectors

# Doors by which a member comes herself; see coupons.services.issuing.ClaimDoor.
CLAIM_DOORS: Final = (Door.CLAIM, Door.CODE, Door.SHARE, Door.PARTNER)
_COUNTED: Final = (
    "issued_count", "redeemed_count", "reversed_count", "voided_count", "expired_count", "discount_fen", "sales_fen",
)  # fmt: skip
SUMMED: Final = (*_COUNTED, "claimed_count")
STORE_COLUMN: Final = {"issued": "issued_store_id", "redeemed": "redeemed_store_id"}
GUIDE_COLUMN: Final = {"issued": "guide_id", "redeemed": "redeemed_guide_id"}
_PLAIN: Final = ("since", "until", "batch_id", "door", "store_id", "guide_id")

_Rows = Callable[[StatsQuery, str], QuerySet[Any, tuple[Any, ...]]]


def read_rows(rows: _Rows, query: StatsQuery, column: str) -> Iterable[tuple[Any, ...]]:
    """The rows of one table for the query. What one store or guide asks reads a few rows, so that building the question
    would take longer than the answer: it is compiled once for each kind. Questions about more are planned each time, as
    the best way through many rows depends on the span."""
    wide = (query.template_id, query.region_id, query.dealer_id, query.store_ids)
    places = {query.store_id, query.guide_id} - {None}
    # What no store or guide did (0) is most of it.
    if any(part is not None for part in wide) or not places or 0 in places:
        return rows(query, column)
    given = {name: value for name in _PLAIN if (value := getattr(query, name)) not in {None, ""}}
    return _compiled_rows(rows, column, query.side, tuple(given))(**given)


@functools.cache
def _compiled_rows(
    rows: _Rows, column: str, side: StatsSide, names: tuple[str, ...]
) -> Compiled[tuple[Any, ...]]:
    def build(**given: Any) -> QuerySet[Any, tuple[Any, ...]]:
        return rows(StatsQuery(side=side, **given), column)

    return Compiled(build, names)


def total_rows(query: StatsQuery, column: str) -> QuerySet[Any, tuple[Any, ...]]:
    return _summed(CouponDayTotal.objects.filter(span_filter(query), batch_filter(query)), column)


def month_rows(query: StatsQuery, column: str) -> QuerySet[Any, tuple[Any, ...]]:
    """Whole months: the query's days are the first of the first one and the first after the last one."""
    span = Q(side=query.side, month__gte=query.since, month__lt=query.until)
    rows = CouponMonth.objects.filter(batch_filter(query), place_filter(query, "store_id", "guide_id"), span)
    return _summed(_of_a_till(rows, query, column, "store_id"), _month_column(query, column))


def day_rows(query: StatsQuery, column: str) -> QuerySet[Any, tuple[Any, ...]]:
    rows = CouponDay.objects.filter(span_filter(query), batch_filter(query), place_filter(query))
    return _summed(_of_a_till(rows, query, column, "redeemed_store_id"), column)


def _summed(rows: QuerySet[Any, Any], column: str) -> QuerySet[Any, tuple[Any, ...]]:
    """The column, then a sum for each of `SUMMED`."""
    annotations: dict[str, Any] = {f"sum_{name}": Sum(name) for name in _COUNTED}
    annotations["sum_claimed_count"] = Sum("issued_count", filter=Q(door__in=CLAIM_DOORS), default=0)
    summed: QuerySet[Any, tuple[Any, ...]] = rows.values(column).annotate(**annotations)
    return summed.values_list(column, *annotations)


def _month_column(query: StatsQuery, column: str) -> str:
    return {STORE_COLUMN[query.side]: "store_id", GUIDE_COLUMN[query.side]: "guide_id"}.get(column, column)


def _of_a_till(rows: QuerySet[Any, Any], query: StatsQuery, column: str, store: str) -> QuerySet[Any, Any]:
    """What was not redeemed is no till's."""
    is_tills = column in {STORE_COLUMN["redeemed"], GUIDE_COLUMN["redeemed"]}
    return rows.exclude(**{store: 0}) if is_tills and query.side == "redeemed" else rows


def due_rows(query: StatsQuery, column: str) -> QuerySet[Any, tuple[Any, ...]]:
    """By their last days; the query's span is of those."""
    rows = CouponDue.objects.filter(span_filter(query, "last_day"), batch_filter(query), place_filter(query))
    return rows.values_list(column).annotate(count=Sum("unused_count"))


def span_filter(query: StatsQuery, name: str = "day") -> Q:
    wanted = Q()
    if query.since is not None:
        wanted &= Q(**{f"{name}__gte": query.since})
    if query.until is not None:
        wanted &= Q(**{f"{name}__lte": query.until})
    return wanted


def _batch_ids(query: StatsQuery) -> QuerySet[CouponBatch, int] | None:
    if query.template_id is None:
        return None
    return CouponBatch.objects.filter(template=query.template_id).values_list("pk", flat=True)


def batch_filter(query: StatsQuery, prefix: str = "") -> Q:
    wanted = Q()
    batches = _batch_ids(query)
    if batches is not None:
        wanted &= Q(**{f"{prefix}batch_id__in": batches})
    if query.batch_id is not None:
        wanted &= Q(**{f"{prefix}batch_id": query.batch_id})
    if query.door:
        wanted &= Q(**{f"{prefix}door": query.door})
    return wanted


def _stores_of(query: StatsQuery) -> frozenset[int] | None:
    """The stores that are meant and may be seen; None for all of the chain, with what no store issued."""
    stores = query.store_ids
    if query.region_id is not None or query.dealer_id is not None:
        there = guide_selectors.list_store_ids(region_id=query.region_id, dealer_id=query.dealer_id)
        stores = there if stores is None else stores & there
    if query.store_id is not None:
        one = frozenset({query.store_id})
        stores = one if stores is None else stores & one
    return stores


def place_filter(query: StatsQuery, store: str = "", guide: str = "") -> Q:
    store, guide = store or STORE_COLUMN[query.side], guide or GUIDE_COLUMN[query.side]
    wanted = Q()
    stores = _stores_of(query)
    if stores is not None and len(stores) == 1:
        wanted &= _just(store, next(iter(stores)))
    elif stores is not None:
        wanted &= Q(**{f"{store}__in": sorted(stores)})
    if query.guide_id is not None:
        wanted &= _just(guide, query.guide_id)
    return wanted


def _just(name: str, value: Any) -> Q:
    """Rows of that one. The indexes leave out 0, and a compiled read uses them only where it says that it does."""
    return Q(**{name: value}) if value == 0 else Q(**{name: value}) & ~Q(**{name: 0})
