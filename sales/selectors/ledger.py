"""What the entries say: sums of any part of them, a guide's numbers at a past instant, what a month holds."""

import dataclasses
import datetime as dt
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum

from sales.models import Metric, PerformanceEntry, PeriodClose, StoreTotal
from sales.selectors.spans import add_months


@dataclasses.dataclass(frozen=True, slots=True)
class MetricThen:
    """A metric as it stood at an instant, and as it stands now."""

    metric: str
    label: str
    then: int
    now: int


@dataclasses.dataclass(frozen=True, slots=True)
class LateLine:
    """So much of a metric that belongs to a closed month counts on another day's month."""

    booked_month: dt.date
    metric: str
    label: str
    value: int
    entry_count: int


def sum_entries(entries: QuerySet[PerformanceEntry]) -> dict[str, int]:
    """Each metric summed over these entries; what adds up to nothing is missing."""
    rows = entries.order_by().values("metric").annotate(sum=Sum("value"))
    sums = {row["metric"]: row["sum"] for row in rows if row["sum"]}
    return {metric.value: sums[metric.value] for metric in Metric if metric.value in sums}


def numbers_then(
    *,
    entries: QuerySet[PerformanceEntry],
    since: dt.date,
    until: dt.date,
    at: dt.datetime,
    guide_id: int | None = None,
    store_id: int | None = None,
) -> tuple[MetricThen, ...]:
    """Her numbers of these days (half-open) as they stood at that instant, summed from the entries written until then,
    beside those of now. `entries` are those that the asker sees."""
    entries = entries.order_by().filter(booked_on__gte=since, booked_on__lt=until)
    if guide_id is not None:
        entries = entries.filter(guide_id=guide_id)
    if store_id is not None:
        entries = entries.filter(store_id=store_id)
    rows = entries.values("metric").annotate(then=Sum("value", filter=Q(at__lte=at)), now=Sum("value"))
    found = {row["metric"]: (row["then"] or 0, row["now"] or 0) for row in rows}
    return tuple(
        MetricThen(metric.value, str(metric.label), *found[metric.value])
        for metric in Metric
        if metric.value in found
    )


def month_sums(month_on: dt.date) -> dict[str, int]:
    """The chain's totals of a month."""
    rows = StoreTotal.objects.filter(period="month", starts_on=month_on).values("metric")
    return {row["metric"]: row["sum"] for row in rows.annotate(sum=Sum("value"))}


def list_late(month_on: dt.date) -> tuple[LateLine, ...]:
    """What belongs to this month by its documents and counts in a later one."""
    until = add_months(month_on, 1)
    rows = (
        PerformanceEntry.objects.filter(
            due_on__gte=month_on, due_on__lt=until, booked_on__gte=until, booked_on__gt=F("due_on")
        )
        .order_by()
        .values("booked_on", "metric")
        .annotate(sum=Sum("value"), count=Count("pk"))
    )
    sums: dict[tuple[dt.date, str], list[int]] = {}
    for row in rows:
        pair = sums.setdefault((row["booked_on"].replace(day=1), row["metric"]), [0, 0])
        pair[0] += row["sum"]
        pair[1] += row["count"]
    order = [metric.value for metric in Metric]
    return tuple(
        LateLine(month, metric, str(Metric(metric).label), value, count)
        for (month, metric), (value, count) in sorted(
            sums.items(), key=lambda one: (one[0][0], order.index(one[0][1]))
        )
    )


@dataclasses.dataclass(frozen=True, slots=True)
class MonthLine:
    """One month: what it sums up to, and its newest close if it was ever closed."""

    month_on: dt.date
    sums: dict[str, int]
    close: Any  # PeriodClose or None
    is_over: bool

    @property
    def is_closed(self) -> bool:
        return self.close is not None and self.close.reopened_at is None


def list_months(*, today: dt.date, limit: int = 24) -> tuple[MonthLine, ...]:
    """This month and those before it that have entries or were closed, the newest first."""
    asked = StoreTotal.objects.filter(period="month", starts_on__lte=today)
    sums: dict[dt.date, dict[str, int]] = {today.replace(day=1): {}}
    for row in asked.values("starts_on", "metric").annotate(sum=Sum("value")):
        sums.setdefault(row["starts_on"], {})[row["metric"]] = row["sum"]
    newest = PeriodClose.objects.order_by().values("month_on").annotate(last=Max("pk")).values("last")
    closes = {row.month_on: row for row in PeriodClose.objects.filter(pk__in=newest)}
    months = sorted(sums.keys() | closes.keys(), reverse=True)[:limit]
    return tuple(
        MonthLine(month, sums.get(month, {}), closes.get(month), add_months(month, 1) <= today)
        for month in months
    )
