"""Documents by what people call them, and one order with everything that hangs on it."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from sales.models import AttributionShare, Metric, PerformanceEntry, Sale, SaleReturn


@dataclasses.dataclass(frozen=True, slots=True)
class DocumentName:
    """A document as it is called, and the row that shows it: of an order its current revision."""

    number: str
    row_id: int


def name_sales(sale_ids: Iterable[int | None]) -> dict[int, DocumentName]:
    """Orders by the row of any of their revisions."""
    asked = {
        pk: (source, order_no)
        for pk, source, order_no in Sale.objects.filter(pk__in={one for one in sale_ids if one}).values_list(
            "pk", "source", "order_no"
        )
    }
    current = {
        (source, order_no): pk
        for pk, source, order_no in Sale.objects.current()
        .filter(
            source__in={source for source, _no in asked.values()},
            order_no__in={order_no for _source, order_no in asked.values()},
        )
        .values_list("pk", "source", "order_no")
    }
    return {pk: DocumentName(key[1], current.get(key, pk)) for pk, key in asked.items()}


def name_returns(return_ids: Iterable[int | None]) -> dict[int, DocumentName]:
    """Returns by row."""
    rows = SaleReturn.objects.filter(pk__in={one for one in return_ids if one})
    return {pk: DocumentName(number, pk) for pk, number in rows.values_list("pk", "return_no")}


def entries_of_number(entries: QuerySet[PerformanceEntry], number: str) -> QuerySet[PerformanceEntry]:
    """Those of these entries that an order or a return of this number caused, in all its revisions."""
    sales = Sale.objects.filter(order_no=number).values("pk")
    returns = SaleReturn.objects.filter(return_no=number).values("pk")
    return entries.filter(Q(sale_ref__in=sales) | Q(return_ref__in=returns))


def list_revisions(sale: Sale) -> list[Sale]:
    """All revisions of the order, the newest first."""
    rows = Sale.objects.filter(source=sale.source, order_no=sale.order_no)
    return list(rows.select_related("store", "serving_guide", "sharing_guide").order_by("-revision"))


def list_entries_of_order(sale: Sale, limit: int = 200) -> list[PerformanceEntry]:
    """The entries of an order in all its revisions, as they were written."""
    refs = Sale.objects.filter(source=sale.source, order_no=sale.order_no).values("pk")
    rows = PerformanceEntry.objects.filter(sale_ref__in=refs).select_related("guide", "store")
    return list(rows.order_by("pk")[:limit])


def sales_of_guide(sales: QuerySet[Sale], guide_id: int) -> QuerySet[Sale]:
    """Those of these sales of which the guide has a part now."""
    # By the index of her entries, not by walking all parts of all sales.
    counted = PerformanceEntry.objects.filter(guide_id=guide_id, metric=Metric.SALES_FEN)
    live = AttributionShare.objects.filter(
        guide_id=guide_id,
        attribution__ended_at__isnull=True,
        attribution__sale__in=counted.values("sale_ref"),
    )
    return sales.filter(pk__in=live.values("attribution__sale_id"))


def live_owners(sale_ids: Iterable[int]) -> dict[int, list[Any]]:
    """The parts of each sale as they count now, the first dealt first; with guide and store."""
    found: dict[int, list[Any]] = {}
    rows = AttributionShare.objects.filter(
        attribution__sale_id__in=list(sale_ids), attribution__ended_at__isnull=True
    ).select_related("guide", "store", "attribution")
    for share in rows.order_by("attribution_id", "place"):
        found.setdefault(share.attribution.sale_id, []).append(share)
    return found
