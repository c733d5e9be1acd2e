"""What a guide or a store sold in a stretch of days, and whether anything was booked since somebody looked."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from sales.contracts import PeriodName, Span
from sales.models import GuideStoreTotal, GuideTotal, PeriodClose, StoreTotal
from sales.selectors.spans import cover

_NEWEST: Final = 512
# Numbers of entries are drawn before they are committed: of two bookings the one with lower numbers may come later.
# The sum over the newest notices it, where their maximum would not.
_VERSION: Final = """
SELECT coalesce(sum(id), 0)::text FROM (SELECT id FROM sales_performanceentry ORDER BY id DESC LIMIT %s) newest
"""


def sum_guide(guide_id: int, span: Span) -> Mapping[str, int]:
    """Her numbers by metric, in all stores; nought for what there is none of."""
    rows = GuideTotal.objects.filter(guide_id=guide_id).filter(_within(span))
    return _by_metric(rows)


def sum_store(store_id: int, span: Span) -> Mapping[str, int]:
    """The same of a store."""
    return _by_metric(StoreTotal.objects.filter(store_id=store_id).filter(_within(span)))


def list_store_guides_numbers(store_id: int, span: Span) -> dict[int, Mapping[str, int]]:
    """The numbers of each guide in this store, also of those who have left it."""
    rows = GuideStoreTotal.objects.filter(store_id=store_id).filter(_within(span))
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for guide_id, metric, value in rows.values_list("guide_id", "metric").annotate(sum=Sum("value")):
        found[guide_id][metric] = value
    return dict(found)


def list_guide_periods(
    guide_id: int, *, period: PeriodName, starts: Sequence[dt.date], metrics: Sequence[str]
) -> dict[str, list[int]]:
    """Her numbers of each metric in each of these days, weeks or months, in their order."""
    rows = GuideTotal.objects.filter(guide_id=guide_id)
    return _series(rows, period, starts, metrics)


def list_store_periods(
    store_id: int, *, period: PeriodName, starts: Sequence[dt.date], metrics: Sequence[str]
) -> dict[str, list[int]]:
    """The same of a store."""
    return _series(StoreTotal.objects.filter(store_id=store_id), period, starts, metrics)


def list_guide_store_periods(
    guide_id: int, store_id: int, *, period: PeriodName, starts: Sequence[dt.date], metrics: Sequence[str]
) -> dict[str, list[int]]:
    """The same of a guide in one store."""
    rows = GuideStoreTotal.objects.filter(guide_id=guide_id, store_id=store_id)
    return _series(rows, period, starts, metrics)


def sum_guides(guide_ids: Iterable[int], span: Span) -> dict[int, int]:
    """What each of these guides sold, in fen, in all stores."""
    rows = GuideTotal.objects.filter(guide_id__in=list(guide_ids), metric="sales_fen")
    return dict(rows.filter(_within(span)).values_list("guide_id").annotate(sum=Sum("value")).order_by())


def get_ledger_version() -> str:
    """Changes with every booking; one look at the end of an index."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [_NEWEST])
        version: str = cursor.fetchone()[0]
        return version


def list_closed_months() -> frozenset[dt.date]:
    """The first days of the months into which nothing is booked any more."""
    return frozenset(PeriodClose.objects.standing().values_list("month_on", flat=True))


def _within(span: Span) -> Q:
    starts: dict[str, list[dt.date]] = defaultdict(list)
    for period, start in cover(span):
        starts[period].append(start)
    wanted = Q(period__in=[])
    for period, days in starts.items():
        wanted |= Q(period=period, starts_on__in=days)
    return wanted


def _series(
    rows: QuerySet[GuideTotal] | QuerySet[StoreTotal] | QuerySet[GuideStoreTotal],
    period: PeriodName,
    starts: Sequence[dt.date],
    metrics: Sequence[str],
) -> dict[str, list[int]]:
    found: dict[tuple[str, dt.date], int] = {
        (metric, start): value
        for metric, start, value in rows.filter(
            period=period, metric__in=metrics, starts_on__in=starts
        ).values_list("metric", "starts_on", "value")
    }
    return {metric: [found.get((metric, start), 0) for start in starts] for metric in metrics}


def _by_metric(rows: QuerySet[GuideTotal] | QuerySet[StoreTotal]) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    found.update(rows.values_list("metric").annotate(sum=Sum("value")).order_by())
    return found
