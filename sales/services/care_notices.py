"""What a member is told of her purchase and of what she brought back: once for each document."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from core import clock
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import MemberText
from members import selectors as member_selectors
from sales.models import Sale, SaleCoupon, SaleReturn
from sales.services.order_keys import order_key

_USED: Final = ("redeemed", "known")


def tell_of_purchases(sales: Sequence[Sale], *, at: dt.datetime) -> int:
    """Whoever bought is told what it cost, where, what points it brought and how many coupons were used; how many
    messages are new. One for an order, whatever revision of it is looked at."""
    stores = guide_selectors.list_store_names({sale.store_id for sale in sales})
    used = Counter(
        SaleCoupon.objects.filter(sale__in=sales, outcome__in=_USED).values_list("sale_id", flat=True)
    )
    told = [
        MemberText(
            member_id=sale.member_id,
            topic="sale",
            reason_key=f"purchase:{order_key(sale)}",
            title=_("购物通知"),
            text=purchase_words(sale, store_name=stores.get(sale.store_id, ""), coupon_count=used[sale.pk]),
            values={
                "amount": money(sale.amount_fen),
                "store": stores.get(sale.store_id, ""),
                "points": str(sale.points_earned),
                "order_no": sale.order_no,
                "time": _minute(sale.sold_at),
            },
        )
        for sale in sales
        if sale.member_id is not None
    ]
    return guide_services.tell_members(told=told, at=at)


def tell_of_returns(returns: Sequence[SaleReturn], *, at: dt.datetime) -> int:
    """Whoever brought goods back is told what she was given back, and what is left of the order; how many messages
    are new. The returns are fetched with their sales."""
    stores = guide_selectors.list_store_names({given.store_id for given in returns})
    sales = {given.sale_id: given.sale for given in returns if given.sale is not None}
    back = Counter(
        SaleCoupon.objects.filter(sale__in=list(sales), outcome="reversed").values_list("sale_id", flat=True)
    )
    keys = {order_key(sale): pk for pk, sale in sales.items()}
    taken: dict[int | None, int] = defaultdict(int)
    for key, count in coupon_selectors.count_withdrawn_gifts(keys).items():
        taken[keys[key]] = count
    balances = member_selectors.list_points_balances(
        {given.member_id for given in returns if given.member_id is not None}, at
    )
    told = [
        MemberText(
            member_id=given.member_id,
            topic="return",
            reason_key=f"return:{given.public_id}",
            title=_("退货通知"),
            text=return_words(
                given,
                store_name=stores.get(given.store_id, ""),
                back_count=back[given.sale_id or 0],
                taken_count=taken[given.sale_id],
                balance=balances.get(given.member_id, 0),
            ),
            values={
                "amount": money(given.amount_fen),
                "store": stores.get(given.store_id, ""),
                "order_no": "" if given.sale is None else given.sale.order_no,
                "time": _minute(given.returned_at),
            },
        )
        for given in returns
        if given.member_id is not None
    ]
    return guide_services.tell_members(told=told, at=at)


def purchase_words(sale: Sale, *, store_name: str, coupon_count: int) -> str:
    """Amount, store, and only what there is of points and coupons."""
    lines = [_("您在%(store)s消费了 %(amount)s。") % {"store": store_name, "amount": money(sale.amount_fen)}]
    if coupon_count:
        lines.append(_("用了 %(n)s 张优惠券。") % {"n": coupon_count})
    if sale.points_taken:
        lines.append(_("用了 %(n)s 积分。") % {"n": f"{sale.points_taken:,}"})
    if sale.points_earned:
        lines.append(_("获得 %(n)s 积分。") % {"n": f"{sale.points_earned:,}"})
    lines.append(_("订单号 %(number)s") % {"number": sale.order_no})
    return "\n".join(lines)


def return_words(
    given: SaleReturn, *, store_name: str, back_count: int, taken_count: int, balance: int
) -> str:
    """What she was given back, how the order stands after it, and how many points she has now that those of the goods
    are taken back."""
    lines = [
        _("您在%(store)s的退货已办好，退款 %(amount)s。")
        % {"store": store_name, "amount": money(given.amount_fen)}
    ]
    sale = given.sale
    if sale is not None:
        if sale.returned_unit_count == sale.unit_count:
            lines.append(_("这笔订单已全部退回。"))
        else:
            left = money(sale.amount_fen - sale.returned_fen)
            lines.append(_("这笔订单还有 %(left)s 的商品没有退。") % {"left": left})
        if sale.points_round:  # it brought points once
            told = {"points": f"{balance:,}"}
            lines.append(_("退货部分得到的积分已扣回，您现在有 %(points)s 积分。") % told)
        if back_count:
            lines.append(_("用过的 %(n)s 张券已退回券包，过期的除外。") % {"n": back_count})
        if taken_count:
            lines.append(_("这笔订单送的 %(n)s 张券没有用过，已收回。") % {"n": taken_count})
        lines.append(_("订单号 %(number)s") % {"number": sale.order_no})
    return "\n".join(lines)


def money(fen: int) -> str:
    """ "¥1,280.50", and "¥1,280" without cents."""
    yuan, cents = divmod(fen, 100)
    return f"¥{yuan:,}.{cents:02d}" if cents else f"¥{yuan:,}"


def _minute(at: dt.datetime) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"
