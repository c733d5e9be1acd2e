"""What she bought: the list, and one order with its lines, discounts, points and returns."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from miniapp.api import MemberView, open_cursor, seal_cursor
from miniapp.schema import documented
from rest.pages import PageQuery
from sales import selectors as sale_selectors
from sales.contracts import OwnOrder, OwnOrderCard
from sales.errors import NoSuchSale

_ORDER: Final[dict[str, Any]] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "order_no": "P20261127-0041",
    "channel": "store",
    "store_name": "南京东路店",
    "sold_at": "2026-11-27T18:05:00+08:00",
    "list_fen": 148_000,
    "amount_fen": 118_000,
    "returned_fen": 20_000,
    "unit_count": 2,
    "returned_unit_count": 1,
    "points_earned": 1_180,
    "points_spent": 0,
    "goods": ["羊绒大衣", "羊毛围巾"],
}
_LINE: Final[dict[str, Any]] = {
    "name": "羊绒大衣",
    "code": "C2041",
    "quantity": 1,
    "list_fen": 128_000,
    "amount_fen": 98_000,
    "returned_quantity": 0,
    "returned_fen": 0,
}


class OrderOut(serializers.Serializer[Any]):
    """One of her orders."""

    id = serializers.CharField(source="public_id", help_text="until the till corrects the order")
    order_no = serializers.CharField()
    channel = serializers.CharField()
    store_name = serializers.CharField()
    sold_at = serializers.DateTimeField()
    list_fen = serializers.IntegerField(help_text="before every discount")
    amount_fen = serializers.IntegerField(help_text="what she paid, before returns")
    returned_fen = serializers.IntegerField(help_text="what she got back")
    unit_count = serializers.IntegerField()
    returned_unit_count = serializers.IntegerField()
    points_earned = serializers.IntegerField(help_text="what she has for it, after returns")
    points_spent = serializers.IntegerField()
    goods = serializers.ListField(child=serializers.CharField(), help_text="names of the first five lines")


class OrdersOut(serializers.Serializer[Any]):
    """One page, the newest first."""

    orders = OrderOut(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class GoodsOut(serializers.Serializer[Any]):
    """One line of goods."""

    name = serializers.CharField()
    code = serializers.CharField()
    quantity = serializers.IntegerField()
    list_fen = serializers.IntegerField()
    amount_fen = serializers.IntegerField(help_text="after every discount")
    returned_quantity = serializers.IntegerField()
    returned_fen = serializers.IntegerField()


class PaymentOut(serializers.Serializer[Any]):
    """How a part was paid."""

    method = serializers.CharField()
    amount_fen = serializers.IntegerField()


class UsedCouponOut(serializers.Serializer[Any]):
    """A coupon the order names."""

    code_tail = serializers.CharField(help_text="the last four characters")
    discount_fen = serializers.IntegerField()
    counts = serializers.BooleanField(help_text="false: the till took it off, but it was not hers to use")


class ReturnOut(serializers.Serializer[Any]):
    """Goods that came back."""

    return_no = serializers.CharField()
    returned_at = serializers.DateTimeField()
    store_name = serializers.CharField()
    amount_fen = serializers.IntegerField()
    unit_count = serializers.IntegerField()


class OrderDetailOut(OrderOut):
    """One order whole."""

    discount_fen = serializers.IntegerField(help_text="list_fen - amount_fen, coupons and points included")
    coupon_discount_fen = serializers.IntegerField(help_text="of it by coupons")
    lines = GoodsOut(many=True)
    payments = PaymentOut(many=True)
    coupons = UsedCouponOut(many=True)
    returns = ReturnOut(many=True, help_text="the oldest first")


class OrdersView(MemberView):
    """`GET orders`"""

    @documented(
        summary="What she bought / 我的订单",
        query=PageQuery,
        answer=OrdersOut,
        example={"orders": [_ORDER], "next_cursor": None},
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(PageQuery)
        place = open_cursor(given.get("cursor"), owner=self.member_id)
        page = sale_selectors.list_own_orders(self.member_id, place=place, limit=given["limit"])
        following = seal_cursor(page.next_place, owner=self.member_id)
        return Response(
            OrdersOut({"orders": [_show(one) for one in page.orders], "next_cursor": following}).data
        )


class OrderView(MemberView):
    """`GET orders/{order_id}`"""

    @documented(
        summary="One order with lines, discounts, points and returns / 订单详情",
        answer=OrderDetailOut,
        example={
            **_ORDER,
            "discount_fen": 30_000,
            "coupon_discount_fen": 30_000,
            "lines": [_LINE, {**_LINE, "name": "羊毛围巾", "code": "S1102", "list_fen": 20_000, "amount_fen": 20_000,
                              "returned_quantity": 1, "returned_fen": 20_000}],
            "payments": [{"method": "wechat", "amount_fen": 118_000}],
            "coupons": [{"code_tail": "7M2K", "discount_fen": 30_000, "counts": True}],
            "returns": [{"return_no": "R20261128-0003", "returned_at": "2026-11-28T11:20:00+08:00",
                         "store_name": "南京东路店", "amount_fen": 20_000, "unit_count": 1}],
        },
        refuses=(NoSuchSale,),
    )  # fmt: skip
    def get(self, request: Request, order_id: str) -> Response:
        card = sale_selectors.access_own_order(self.member_id, order_id)
        return Response(OrderDetailOut(_show_whole(card)).data)


def _show(order: OwnOrder) -> dict[str, Any]:
    return {
        name: getattr(order, name)
        for name in (
            "public_id", "order_no", "channel", "store_name", "sold_at", "list_fen", "amount_fen", "returned_fen",
            "unit_count", "returned_unit_count", "points_earned", "points_spent", "goods",
        )
    }  # fmt: skip


def _show_whole(card: OwnOrderCard) -> dict[str, Any]:
    return {
        **_show(card.order),
        "discount_fen": card.order.list_fen - card.order.amount_fen,
        "coupon_discount_fen": sum(one.discount_fen for one in card.coupons),
        "lines": card.lines,
        "payments": card.payments,
        "coupons": card.coupons,
        "returns": card.returns,
    }
