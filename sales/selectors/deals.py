"""What of a guide's was sold today, for whoever waits to hear of the next one."""

import dataclasses
import datetime as dt

from django.db.models import Count, Max, QuerySet, Sum

from core import clock
from core.compiled import Given, compiled
from sales.models import EntryReason, Metric, PerformanceEntry, Sale


@dataclasses.dataclass(frozen=True, slots=True)
class DealSum:
    """Orders booked as sold on that day, and what of them was hers when they were booked, in fen. Returns and later
    decisions change nothing: it only grows. `newest_ref` is the sale of the last entry."""

    day: dt.date
    count: int
    fen: int
    newest_ref: int


def sum_deals(guide_id: int, *, at: dt.datetime) -> DealSum:
    """Of the Shanghai day of that instant. Documents of other days do not count, whenever they are booked."""
    today = clock.business_day(at)
    for count, fen, newest in _deals(guide_id=guide_id, day=today):
        return DealSum(today, count, fen, newest)
    return DealSum(today, 0, 0, 0)


def find_sale_address(sale_ref: int) -> str | None:
    """The public id of the current revision of the order with this row."""
    sale = Sale.objects.filter(pk=sale_ref).first()
    if sale is None:
        return None
    current = Sale.objects.current().filter(source=sale.source, order_no=sale.order_no)
    return current.values_list("public_id", flat=True).first()


@compiled
def _deals(*, guide_id: Given, day: Given) -> QuerySet[PerformanceEntry, tuple[int, int, int]]:
    rows = PerformanceEntry.objects.filter(
        guide_id=guide_id, booked_on=day, due_on=day, metric=Metric.SALES_FEN.value, reason=EntryReason.SALE.value,
        value__gt=0,
    )  # fmt: skip
    sums = rows.values("guide_id").annotate(n=Count("pk"), fen=Sum("value"), newest=Max("sale_ref"))
    return sums.values_list("n", "fen", "newest").order_by()
