"""Orders as rules for purchases look at them: what is left of each, and of which category."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import F, Sum

from core.actor import Actor
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import BoughtFact
from sales.models import Sale, SaleLine
from sales.services.order_keys import order_key


def bought_facts(sales: Iterable[Sale]) -> list[BoughtFact]:
    """What each of these orders is now."""
    rows = list(sales)
    left: dict[int, dict[str, int]] = defaultdict(dict)
    lines = SaleLine.objects.filter(sale__in=[sale.pk for sale in rows]).values_list(
        "sale_id", "category_code"
    )
    for sale_id, category, fen in lines.annotate(left=Sum(F("amount_fen") - F("returned_fen"))).order_by():
        left[sale_id][category] = fen
    return [
        BoughtFact(
            key=order_key(sale),
            member_id=sale.member_id,
            store_id=sale.store_id,
            sold_at=sale.sold_at,
            is_first=sale.is_first,
            left_fen=sale.amount_fen - sale.returned_fen,
            left_by_category=left[sale.pk],
        )
        for sale in rows
    ]


def withdraw_gifts(sales: Sequence[Sale], *, actor: Actor, at: dt.datetime) -> int:
    """What rules gave for these orders and they have not earned any more is taken back; how many gifts. Inside the
    transaction that changed them."""
    by_key = {order_key(sale): sale for sale in sales}
    gifted = coupon_selectors.list_gifted_keys(by_key)
    if not gifted:
        return 0
    facts = bought_facts(by_key[key] for key in gifted)
    return coupon_services.withdraw_purchase_gifts(bought=facts, actor=actor, at=at)
