"""The condition that looks at a member's orders themselves: what, where, when, how often and for how much."""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from guides import selectors as guide_selectors
from guides.selectors.conditions import STORES
from members.selectors.conditions import (
    FOUND,
    Bounds,
    Condition,
    Every,
    Found,
    Parameter,
    Picks,
    SetTest,
    Texts,
    Values,
    Window,
    money_words,
    span_of,
    sum_within,
)
from sales.models import Category, Product, Sale, SaleLine
from sales.selectors.channels import CHANNELS, list_channels, name_channels
from sales.selectors.conditions.metrics import FAMILY, MOST_FEN
from sales.selectors.goods import list_product_names

Names = Mapping[Any, str | Promise]


def _category_names(keys: Collection[Any]) -> Names:
    return {code: name or code for code, name in _named(Category.objects.filter(code__in=list(keys)))}


def find_categories(text: str) -> list[tuple[str, str]]:
    """(code, name) of categories whose name or code has the text."""
    return _found(Category.objects.all(), text)


def find_products(text: str) -> list[tuple[str, str]]:
    """The same of products."""
    return _found(Product.objects.all(), text)


def _found(rows: QuerySet[Any], text: str) -> list[tuple[str, str]]:
    wanted = Q(name__icontains=text) | Q(code__istartswith=text)
    found = _named(rows.filter(wanted).order_by("code"))[:FOUND]
    return [(code, f"{name}（{code}）" if name else code) for code, name in found]


def _named(rows: QuerySet[Any]) -> QuerySet[Any, tuple[str, str]]:
    return rows.values_list("code", "name")


class Purchases(Condition):
    """Her orders that stand, net of returns, on these days, in these stores and channels, with these goods. Without bounds:
    at least one. With goods named, the amount is that of their lines."""

    code, label, family, facts = "sales.purchases", _("购买过"), FAMILY, ("purchases",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("时间"), is_required=False),
        "categories": Picks(
            label=_("类目"), names=_category_names, find=find_categories, key=str, is_required=False
        ),
        "products": Picks(
            label=_("商品"), names=list_product_names, find=find_products, key=str, is_required=False
        ),
        "stores": dataclasses.replace(STORES, label=_("购买门店"), is_required=False),
        "channels": Texts(
            label=_("渠道"),
            names=name_channels,
            options=list_channels,
            examples=tuple(CHANNELS),
            is_required=False,
        ),
        "count": Bounds(label=_("次数"), unit=_("次"), is_required=False),
        "amount": Bounds(label=_("金额"), most=MOST_FEN, is_money=True, is_required=False),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        rows, member, sums = _bought(values, day)
        parts: list[Found] = [
            sum_within(rows, {name: sums[name]}, values[name], member)
            for name in ("count", "amount")
            if values.get(name)
        ]
        return Every(tuple(parts)) if parts else SetTest(rows, member)

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        rows, member, sums = _bought(values, day)
        told = rows.filter(**{member: member_id}).aggregate(**sums)
        if not told["count"]:
            return ""
        return _now("%(n)s 次 %(money)s") % {
            "n": f"{told['count']:,}",
            "money": money_words(int(told["amount"])),
        }


def _bought(values: Values, day: dt.date) -> tuple[QuerySet[Any], str, dict[str, Any]]:
    """The rows, the way to her key, and what may be summed up: of lines where goods are named, else of orders."""
    by_line = bool(values.get("categories") or values.get("products"))
    sale = "sale__" if by_line else ""
    first, last = span_of(values.get("when"), day)
    wanted = Q(**{f"{sale}is_current": True, f"{sale}member_id__isnull": False})
    for name, value in (("gte", first), ("lte", last)):
        if value is not None:
            wanted &= Q(**{f"{sale}business_on__{name}": value})
    if values.get("stores"):
        stores = guide_selectors.list_stores_by_code(values["stores"])
        wanted &= Q(**{f"{sale}store_id__in": [place.store_id for place in stores.values()]})
    if values.get("channels"):
        wanted &= Q(**{f"{sale}channel__in": values["channels"]})
    if not by_line:
        rows: QuerySet[Any] = Sale.objects.filter(wanted, returned_unit_count__lt=F("unit_count"))
        return rows, "member_id", {"count": Count("pk"), "amount": Sum(F("amount_fen") - F("returned_fen"))}
    if values.get("categories"):
        wanted &= Q(category_code__in=values["categories"])
    if values.get("products"):
        products = Product.objects.filter(code__in=values["products"]).values("pk")
        wanted &= Q(product_id__in=products)
    lines = SaleLine.objects.filter(wanted, returned_quantity__lt=F("quantity"))
    sums = {
        "count": Count("sale_id", distinct=True),
        "amount": Sum(F("amount_fen") - F("returned_fen")),
    }
    return lines, "sale__member_id", sums
