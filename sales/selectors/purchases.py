"""What a member bought: how often, for how much, of what, and her last orders."""

import dataclasses
import datetime as dt
from typing import Final

from django.db.models import Count, F, Max, Sum

from core import clock
from guides import selectors as guide_selectors
from sales.models import Category, Sale, SaleLine

_YEAR: Final = dt.timedelta(days=365)
_CATEGORIES: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class PurchaseSums:
    """Orders of which something is left, in money after returns."""

    order_count: int
    amount_fen: int
    year_order_count: int
    year_amount_fen: int
    last_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class CategorySum:
    name: str
    unit_count: int
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class PurchaseLine:
    """One of her orders."""

    order_no: str
    sold_at: dt.datetime
    store_name: str
    amount_fen: int
    returned_fen: int
    goods: tuple[str, ...]


def sum_purchases(member_id: int, *, at: dt.datetime) -> PurchaseSums:
    """Over all time, and over the last 365 days."""
    kept = Sale.objects.current().filter(member_id=member_id, returned_unit_count__lt=F("unit_count"))
    left = Sum(F("amount_fen") - F("returned_fen"))
    whole = kept.aggregate(count=Count("pk"), left=left, last=Max("sold_at"))
    year = kept.filter(sold_at__gt=at - _YEAR).aggregate(count=Count("pk"), left=left)
    return PurchaseSums(whole["count"], whole["left"] or 0, year["count"], year["left"] or 0, whole["last"])


def list_favourite_categories(member_id: int) -> tuple[CategorySum, ...]:
    """What she keeps most of, the greatest amount first; goods without a category are left out."""
    rows = (
        SaleLine.objects.filter(sale__member_id=member_id, sale__is_current=True)
        .exclude(category_code="")
        .values("category_code")
        .annotate(
            units=Sum(F("quantity") - F("returned_quantity")), left=Sum(F("amount_fen") - F("returned_fen"))
        )
        .filter(units__gt=0)
        .order_by("-left")[:_CATEGORIES]
    )
    found = list(rows)
    names = dict(
        Category.objects.filter(code__in=[row["category_code"] for row in found]).values_list("code", "name")
    )
    return tuple(
        CategorySum(names.get(row["category_code"]) or row["category_code"], row["units"], row["left"])
        for row in found
    )


def list_purchases(member_id: int, *, limit: int = 20, offset: int = 0) -> tuple[PurchaseLine, ...]:
    """Her orders, the newest first."""
    sales = list(
        Sale.objects.current()
        .filter(member_id=member_id)
        .order_by("-sold_at", "-pk")[offset : offset + limit]
    )
    stores = guide_selectors.list_store_names({sale.store_id for sale in sales})
    goods: dict[int, list[str]] = {}
    lines = SaleLine.objects.filter(sale__in=[sale.pk for sale in sales]).select_related("product")
    for line in lines.order_by("sale_id", "number"):
        goods.setdefault(line.sale_id, []).append(str(line.product))
    return tuple(
        PurchaseLine(
            sale.order_no, sale.sold_at.astimezone(clock.SHANGHAI), stores.get(sale.store_id, ""), sale.amount_fen,
            sale.returned_fen, tuple(goods.get(sale.pk, ())),
        )
        for sale in sales
    )  # fmt: skip
