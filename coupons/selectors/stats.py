"""Numbers of coupons from the folded rows (coupons/services/stats.py): no coupon is counted here."""

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.db.models import Max, Min, Q, QuerySet
from django.utils.translation import gettext as _

from core import clock
from core.compiled import Given, compiled, ids_of
from core.labels import label_of
from coupons.contracts import CouponNumbers, EntryLine, IssuedLine, StatsBy, StatsLine, StatsQuery
from coupons.models import (
    Coupon,
    CouponBatch,
    CouponDay,
    CouponDayTotal,
    CouponTemplate,
    Door,
    FactCursor,
    FactSource,
    RedemptionEntry,
)
from coupons.selectors.stats_rows import (
    GUIDE_COLUMN,
    STORE_COLUMN,
    SUMMED,
    batch_filter,
    day_rows,
    due_rows,
    month_rows,
    place_filter,
    read_rows,
    span_filter,
    total_rows,
)
from guides import selectors as guide_selectors

EXPIRING_DAYS: Final = 7
_MOST_DAYS: Final = 2_000
_SOURCES: Final = (FactSource.COUPONS, FactSource.EVENTS, FactSource.ENTRIES)
_Sums = dict[Any, dict[str, int]]
_Months = tuple[dt.date, dt.date]  # from the first to before the last


def folded_until() -> dt.datetime | None:
    """The moment up to which every fact is in the numbers; None before the first run."""
    found = FactCursor.objects.filter(source__in=_SOURCES, read_until__isnull=False)
    moments = list(found.values_list("read_until", flat=True))
    return min(filter(None, moments)) if len(moments) == len(_SOURCES) else None


def sum_coupons(query: StatsQuery, *, at: dt.datetime | None = None) -> CouponNumbers:
    """All numbers of the query in one."""
    sums = _grouped(query, "door", at or clock.now())
    return _numbers(_added(sums.values()))


def sum_guide_coupons(
    guide_id: int, *, since: dt.date | None = None, until: dt.date | None = None
) -> CouponNumbers:
    """What became of the coupons this guide issued: issued and redeemed (anywhere) in the span, discount, sales."""
    return sum_coupons(StatsQuery(since=since, until=until, guide_id=guide_id))


def sum_store_coupons(
    store_id: int, *, since: dt.date | None = None, until: dt.date | None = None, side: str = "issued"
) -> CouponNumbers:
    """The same of the coupons this store issued, or with `side="redeemed"` of those that its tills took."""
    is_till = side == "redeemed"
    return sum_coupons(
        StatsQuery(since=since, until=until, store_id=store_id, side="redeemed" if is_till else "issued")
    )


def list_stats(query: StatsQuery, *, by: StatsBy, at: dt.datetime | None = None) -> tuple[StatsLine, ...]:
    """The numbers by one dimension, in its own order (days, else by name); days without any number are left out."""
    at = at or clock.now()
    column, regroup = _column_of(query, by)
    sums = _grouped(query, column, at)
    if regroup is not None:
        whole: _Sums = defaultdict(lambda: defaultdict(int))
        for key, values in sums.items():
            for name, value in values.items():
                whole[regroup(key)][name] += value
        sums = whole
    labels = _labels_of(by, sums.keys(), query.side)
    lines = [
        StatsLine(str(key), labels.get(key, _("未知")), _numbers(values)) for key, values in sums.items()
    ]
    return tuple(sorted(lines, key=lambda line: line.key if by == "day" else line.label))


def list_entries(query: StatsQuery, *, limit: int = 50, offset: int = 0) -> tuple[EntryLine, ...]:
    """The redemptions, returns and reversals behind the numbers, the newest first."""
    rows = RedemptionEntry.objects.select_related("redemption__coupon__batch").filter(_entry_filter(query))
    if offset + limit <= _MOST_DAYS:
        rows = rows.filter(day__in=_days_with_entries(query, offset + limit))
    return tuple(
        EntryLine(
            day=row.day,
            what=row.what,
            what_label=label_of(row, "what"),
            redemption_id=row.redemption_id,
            redeemed_on=clock.business_day(row.redemption.redeemed_at),
            code=row.redemption.coupon.code,
            batch_name=row.redemption.coupon.batch.name,
            store_id=row.redemption.store_id,
            issued_store_id=row.redemption.coupon.issued_store_id,
            order_no=row.redemption.order_no,
            sales_fen=row.sales_fen,
            discount_fen=row.discount_fen,
        )
        for row in rows.order_by("-day", "-pk")[offset : offset + limit]
    )


def list_issued(query: StatsQuery, *, limit: int = 50, offset: int = 0) -> tuple[IssuedLine, ...]:
    """The coupons behind the numbers, the newest first. The folded rows know between which ids the days' coupons
    lie, so no index on the time of issue is needed. A redeeming side has no coupons of its own."""
    if query.side == "redeemed":
        return ()
    totals = CouponDayTotal.objects.filter(span_filter(query), batch_filter(query))
    first, last = totals.aggregate(a=Min("first_coupon_id"), b=Max("last_coupon_id")).values()
    if first is None:
        return ()
    rows = Coupon.objects.select_related("batch").filter(_coupon_filter(query), pk__range=(first, last))
    return tuple(
        IssuedLine(
            coupon_id=row.pk,
            issued_at=row.issued_at,
            code=row.code,
            batch_name=row.batch.name,
            door_label=label_of(row, "door"),
            issued_store_id=row.issued_store_id,
            issued_guide_id=row.issued_by_guide_id,
            state_label=label_of(row, "state"),
        )
        for row in rows.order_by("-pk")[offset : offset + limit]
    )


def _days_with_entries(query: StatsQuery, count: int) -> list[dt.date]:
    """The newest days on which the query has entries: one each at least, so as many days as rows are enough. Without
    them the rows of one guide would be looked for among those of everybody, through all the years."""
    days = CouponDay.objects.filter(span_filter(query), batch_filter(query), place_filter(query))
    return list(
        days.exclude(redeemed_store_id=0).values_list("day", flat=True).distinct().order_by("-day")[:count]
    )


def _is_chain_wide(query: StatsQuery, column: str) -> bool:
    """Whether the small table, which knows neither stores nor guides, has the answer."""
    places = (query.region_id, query.dealer_id, query.store_id, query.guide_id, query.store_ids)
    return column in {"day", "batch_id", "door"} and all(place is None for place in places)


def _grouped(query: StatsQuery, column: str, at: dt.datetime) -> _Sums:
    """Sums by one column; with what is claimed and what expires soon."""
    sums: _Sums = {}
    if _is_chain_wide(query, column):
        _add_sums(sums, read_rows(total_rows, query, column))
    else:
        months, spans = _parts_of(query, column)
        if months is not None:
            first, over = months
            _add_sums(
                sums, read_rows(month_rows, dataclasses.replace(query, since=first, until=over), column)
            )
        for span in spans:
            _add_sums(sums, read_rows(day_rows, span, column))
    if query.side == "issued" and column != "day":
        _add_expiring(sums, query, column, at)
    return sums


def _add_sums(sums: _Sums, rows: Iterable[tuple[Any, ...]]) -> None:
    for key, *values in rows:
        found = sums.setdefault(key, dict.fromkeys(SUMMED, 0))
        for name, value in zip(SUMMED, values, strict=True):
            found[name] += int(value)


def _parts_of(query: StatsQuery, column: str) -> tuple[_Months | None, tuple[StatsQuery, ...]]:
    """The whole months of the query, and what of it is left: a few days before them and after them. A span without a
    whole month has only days."""
    since, until = query.since or dt.date.min, query.until or dt.date.max
    today = clock.today()
    first = since if since.day == 1 else _month_after(since)
    # Nothing is counted on a day to come, so the month under way is whole when today is asked for.
    over = dt.date.max if until >= today else (until + dt.timedelta(days=1)).replace(day=1)
    if column == "day" or first >= min(over, _month_after(today)):
        return None, (query,)
    spans = []
    if first > since:
        spans.append(dataclasses.replace(query, until=first - dt.timedelta(days=1)))
    if over <= until < today:
        spans.append(dataclasses.replace(query, since=over))
    return (first, over), tuple(spans)


def _month_after(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def _add_expiring(sums: _Sums, query: StatsQuery, column: str, at: dt.datetime) -> None:
    today = clock.business_day(at)
    last = today + dt.timedelta(days=EXPIRING_DAYS - 1)
    for key, count in read_rows(due_rows, dataclasses.replace(query, since=today, until=last), column):
        if count:
            sums.setdefault(key, dict.fromkeys(SUMMED, 0))["expiring_count"] = int(count)


def _entry_filter(query: StatsQuery) -> Q:
    paths = {
        "issued": ("redemption__coupon__issued_store_id", "redemption__coupon__issued_by_guide_id"),
        "redeemed": ("redemption__store_id", "redemption__redeemed_by_guide_id"),
    }[query.side]
    return span_filter(query) & batch_filter(query, "redemption__coupon__") & place_filter(query, *paths)


def _coupon_filter(query: StatsQuery) -> Q:
    wanted = batch_filter(query) & place_filter(query, "issued_store_id", "issued_by_guide_id")
    if query.since is not None:
        wanted &= Q(issued_at__gte=clock.day_bounds(query.since)[0])
    if query.until is not None:
        wanted &= Q(issued_at__lt=clock.day_bounds(query.until)[1])
    return wanted


def _column_of(query: StatsQuery, by: StatsBy) -> tuple[str, Callable[[Any], Any] | None]:
    if by == "template":
        templates = dict(CouponBatch.objects.values_list("pk", "template_id"))
        return "batch_id", lambda batch_id: templates.get(batch_id, 0)
    if by in {"region", "dealer"}:
        places = guide_selectors.list_store_labels()

        def place(store_id: int) -> int:
            label = places.get(store_id)
            if label is None:
                return -1  # no store issued it: neither a region's nor the chain's own stores'
            return label.region_id if by == "region" else label.dealer_id or 0

        return STORE_COLUMN[query.side], place
    columns = {
        "day": "day", "batch": "batch_id", "door": "door", "store": STORE_COLUMN[query.side],
        "guide": GUIDE_COLUMN[query.side],
    }  # fmt: skip
    return columns[by], None


def _labels_of(by: StatsBy, keys: Iterable[Any], side: str) -> Mapping[Any, str]:
    wanted = list(keys)
    if by == "day":
        return {key: key.isoformat() for key in wanted}
    if by == "door":
        return {key: str(Door(key).label) for key in wanted}
    if by == "batch":
        return _told_apart(list(_batch_names(ids=wanted)))
    if by == "template":
        return {row.pk: str(row) for row in CouponTemplate.objects.filter(pk__in=wanted)}
    return _place_labels(by, wanted, side)


@compiled
def _batch_names(*, ids: Given) -> QuerySet[CouponBatch, tuple[Any, ...]]:
    return CouponBatch.objects.filter(pk__in=ids_of(ids)).values_list("pk", "name", "template__title")


def _told_apart(batches: list[tuple[Any, ...]]) -> Mapping[Any, str]:
    """Batches by name; of one name, by their coupon as well, and of one coupon, by their number."""
    twins = Counter(name for _pk, name, _title in batches)
    titled = {pk: f"{name}（{title}）" if twins[name] > 1 else name for pk, name, title in batches}
    twins = Counter(titled.values())
    return {pk: f"{label} #{pk}" if twins[label] > 1 else label for pk, label in titled.items()}


def _place_labels(by: StatsBy, wanted: list[Any], side: str) -> Mapping[Any, str]:
    if by == "guide":
        nobody = _("不是导购发的") if side == "issued" else _("没有登记导购")
        return {0: nobody, **guide_selectors.list_guide_labels(wanted)}
    if by == "dealer":
        return {-1: _("没有门店"), 0: _("直营"), **guide_selectors.list_dealer_names()}
    stores = guide_selectors.list_store_labels(wanted if by == "store" else None).values()
    if by == "region":
        return {-1: _("没有门店"), **{label.region_id: label.region_name for label in stores}}
    return {0: _("没有门店"), **{label.id: label.name for label in stores}}


def _added(sums: Iterable[Mapping[str, int]]) -> dict[str, int]:
    whole: dict[str, int] = defaultdict(int)
    for values in sums:
        for name, value in values.items():
            whole[name] += value
    return whole


def _numbers(values: Mapping[str, int]) -> CouponNumbers:
    return CouponNumbers(**values)
