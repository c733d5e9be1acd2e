"""An order is undone, or goods come back."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import errors
from coupons import services as coupon_services
from coupons.contracts import ReturnCard, ReturnedPart
from openapi.api import KeyView, StrictInput, StrictText
from openapi.errors import NoSuchStore, StoreMissing
from openapi.schema import ONCE, WRITES, documented
from openapi.views.shapes import MOST_FEN, ORDER, OrderOut, PlaceIn, ShareOut, show_order, show_time

_PLACE: Final = (NoSuchStore, StoreMissing)


class ReverseIn(PlaceIn):
    """An order that was not concluded."""

    order_no = StrictText(max_length=64)
    reason = StrictText(required=False, default="收银撤销", max_length=120)


class PartIn(StrictInput):
    """What came back of a line: units, or money of its price before coupons. One of the two."""

    line = StrictText(max_length=40, help_text="the key of the line")
    quantity = serializers.IntegerField(required=False, default=0, min_value=1, max_value=100_000)
    amount_fen = serializers.IntegerField(required=False, default=0, min_value=1, max_value=MOST_FEN)


class ReturnIn(ReverseIn):
    """Goods that came back; without parts all that is left."""

    parts = PartIn(many=True, required=False)
    reason = StrictText(required=False, default="退货", max_length=120)


class RefundLineOut(serializers.Serializer[Any]):
    """What a line gives back: `amount_fen` = `refund_fen` + the coupons' shares + `points_fen`."""

    line = serializers.CharField()
    amount_fen = serializers.IntegerField()
    refund_fen = serializers.IntegerField(help_text="money to give back")
    coupons = ShareOut(many=True)
    points = serializers.IntegerField()
    points_fen = serializers.IntegerField()


class ReturnOut(serializers.Serializer[Any]):
    """What goes back, and what became of the coupons."""

    id = serializers.CharField()
    refund_fen = serializers.IntegerField(help_text="money to give back")
    discount_fen = serializers.IntegerField(help_text="of the coupons, falls away")
    points = serializers.IntegerField(help_text="given back to her account")
    lines = RefundLineOut(many=True)
    usable = serializers.ListField(child=serializers.CharField(), help_text="coupons that are good again")
    expired = serializers.ListField(child=serializers.CharField(), help_text="coupons that are over")
    voided_count = serializers.IntegerField(help_text="coupons the order had earned, now void")
    order = OrderOut()
    returned_at = serializers.DateTimeField()


_RETURN: Final[dict[str, Any]] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "refund_fen": 18061,
    "discount_fen": 1889,
    "points": 0,
    "lines": [
        {
            "line": "1",
            "amount_fen": 19950,
            "refund_fen": 18061,
            "coupons": [{"code": "K7PW2MHT9XCQ4RBA", "discount_fen": 1889}],
            "points": 0,
            "points_fen": 0,
        }
    ],
    "usable": [],
    "expired": [],
    "voided_count": 0,
    "order": ORDER | {"coupons": [ORDER["coupons"][0] | {"returned_fen": 1889}]},
    "returned_at": "2026-11-22T11:30:00+08:00",
}


def _show_return(card: ReturnCard) -> dict[str, Any]:
    return {
        "id": card.public_id,
        "refund_fen": card.refund.refund_fen,
        "discount_fen": card.discount_fen,
        "points": card.refund.points,
        "lines": [
            {
                "line": line.line_key,
                "amount_fen": line.amount_fen,
                "refund_fen": line.refund_fen,
                "coupons": [
                    {"code": share.coupon_key, "discount_fen": share.discount_fen}
                    for share in line.coupon_shares
                ],
                "points": line.points,
                "points_fen": line.points_fen,
            }
            for line in card.refund.lines
        ],
        "usable": list(card.usable),
        "expired": list(card.expired),
        "voided_count": card.voided_count,
        "order": show_order(card.order),
        "returned_at": show_time(card.returned_at),
    }


class ReverseView(KeyView):
    """`POST orders/reverse`"""

    scope = "return"

    @documented(
        summary="Undo an order / 撤销核销",
        words="For an order that was not concluded: all coupons and points come back. Goods that come back are a return.",
        headers=WRITES,
        body=ReverseIn,
        body_example={"order_no": "20261121-0042", "reason": "顾客不买了"},
        answer=ReturnOut,
        example=_RETURN,
        refuses=(
            *ONCE, *_PLACE, errors.NoSuchOrder, errors.AlreadyReturned, errors.PartlyReturned, errors.ReasonMissing,
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(ReverseIn)
        store_id = self.store_id(given)

        def run(name: str) -> dict[str, Any]:
            card = coupon_services.reverse_order(
                store_id=store_id,
                order_no=given["order_no"],
                reversal_key=name,
                reason=given["reason"],
                actor=self.actor,
            )
            return _show_return(card)

        return self.write(run)


class ReturnView(KeyView):
    """`POST orders/return`"""

    scope = "return"

    @documented(
        summary="Goods come back / 退货",
        words=(
            "Parts give back exactly their share. A coupon whose goods are all back is good again until its last day. "
            "An order of which only the sum was told has one line, `all`."
        ),
        headers=WRITES,
        body=ReturnIn,
        body_example={"order_no": "20261121-0042", "parts": [{"line": "1", "quantity": 1}], "reason": "不合身"},
        answer=ReturnOut,
        example=_RETURN,
        refuses=(
            *ONCE, *_PLACE, errors.NoSuchOrder, errors.AlreadyReturned, errors.NoSuchLine, errors.ReturnUnusable,
            errors.ReturnedTooMuch, errors.ReasonMissing,
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(ReturnIn)
        store_id = self.store_id(given)
        parts = given.get("parts")

        def run(name: str) -> dict[str, Any]:
            card = coupon_services.return_order(
                store_id=store_id,
                order_no=given["order_no"],
                parts=None
                if parts is None
                else [ReturnedPart(one["line"], one["quantity"], one["amount_fen"]) for one in parts],
                return_key=name,
                reason=given["reason"],
                actor=self.actor,
            )
            return _show_return(card)

        return self.write(run)
