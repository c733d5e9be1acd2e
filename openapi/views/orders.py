"""Pricing a basket; using coupons for an order, undoing it, taking goods back."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import errors
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import BarredCoupon, CouponVerdict, PricedOrder, Purchase, ReturnCard, ReturnedPart
from members.errors import NotEnoughPoints
from openapi.api import KeyView, StrictInput, StrictText
from openapi.errors import NoSuchStore, StoreMissing, VisitOver
from openapi.schema import ONCE, WRITES, documented
from openapi.views.coupons import lock_key_of
from openapi.views.shapes import (
    LINES,
    MOST_FEN,
    ORDER,
    CodeField,
    LineIn,
    OrderOut,
    PlaceIn,
    PricedLineOut,
    ShareOut,
    WhyNotOut,
    basket_of,
    show_line,
    show_order,
    show_reasons,
    show_time,
)

_PLACE: Final = (NoSuchStore, StoreMissing)
_BASKET: Final = (
    errors.BasketEmpty, errors.TooManyLines, errors.DuplicateLine, errors.TooManyCoupons, errors.DuplicateCoupon,
    errors.MemberMissing, errors.PointsClosed, VisitOver,
)  # fmt: skip
_CHOICE: Final = (
    errors.NoSuchCoupon, errors.CouponLocked, errors.CouponRedeemed, errors.CouponExpired, errors.CouponVoided,
    errors.CouponGifting, errors.NotYetValid, errors.PartnerCoupon, errors.WrongStore, errors.WrongChannel,
    errors.WrongTier, errors.WrongTime, errors.BelowMinSpend, errors.BelowMinQuantity, errors.NoGoodsInScope,
    errors.GoodsNotDiscountable, errors.GroupTaken, errors.CouponExclusive, errors.OverMaxPerOrder,
    errors.NoValueLeft,
)  # fmt: skip


class PriceIn(PlaceIn):
    """A basket and the coupons that may be used on it."""

    lines = LineIn(many=True)
    coupons = serializers.ListField(
        required=False,
        child=CodeField(),
        max_length=50,
        help_text="candidates; left out: those of the visit's member that expire first",
    )
    use = serializers.ListField(
        required=False, child=CodeField(), max_length=50, help_text="use exactly these; left out: the best"
    )
    visit = StrictText(required=False, max_length=200)
    use_points = serializers.BooleanField(required=False, default=False)
    channel = StrictText(required=False, default="store", max_length=16)
    order_no = StrictText(
        required=False, max_length=64, help_text="lets coupons that this order holds take part"
    )


class VerdictOut(serializers.Serializer[Any]):
    """Whether a coupon is used, and why not."""

    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    is_used = serializers.BooleanField()
    reason = serializers.CharField()
    words = serializers.CharField(help_text="Chinese, for the cashier")
    discount_fen = serializers.IntegerField()
    gift_name = serializers.CharField(allow_blank=True)
    short_fen = serializers.IntegerField(help_text="what the basket lacks")
    short_count = serializers.IntegerField()
    against = serializers.CharField(allow_blank=True, help_text="the coupon that stands in its way")


class BarredOut(serializers.Serializer[Any]):
    """A candidate that cannot be used here and now, whatever is in the basket."""

    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    reasons = WhyNotOut(many=True)


class PriceOut(serializers.Serializer[Any]):
    """The price. No other combination is cheaper by more than `bound_fen`."""

    amount_fen = serializers.IntegerField()
    discount_fen = serializers.IntegerField()
    points = serializers.IntegerField()
    points_fen = serializers.IntegerField()
    most_points = serializers.IntegerField(help_text="that could pay")
    most_points_fen = serializers.IntegerField()
    payable_fen = serializers.IntegerField()
    bound_fen = serializers.IntegerField()
    lines = PricedLineOut(many=True)
    coupons = VerdictOut(many=True)
    barred = BarredOut(many=True)


class PriceView(KeyView):
    """`POST basket/price`"""

    scope = "price"

    @documented(
        summary="Price a basket / 购物篮算价",
        words="Reads only, so it takes no Idempotency-Key. orders/redeem prices again and holds payable_fen against it.",
        body=PriceIn,
        body_example={"lines": LINES, "coupons": ["K7PW2MHT9XCQ4RBA"]},
        answer=PriceOut,
        example={
            "amount_fen": 52800,
            "discount_fen": 5000,
            "points": 0,
            "points_fen": 0,
            "most_points": 0,
            "most_points_fen": 0,
            "payable_fen": 47800,
            "bound_fen": 0,
            "lines": ORDER["lines"],
            "coupons": [
                {
                    "code": "K7PW2MHT9XCQ4RBA",
                    "name": "满 300 减 50",
                    "is_used": True,
                    "reason": "used",
                    "words": "已减 ¥50.00",
                    "discount_fen": 5000,
                    "gift_name": "",
                    "short_fen": 0,
                    "short_count": 0,
                    "against": "",
                }
            ],
            "barred": [],
        },
        refuses=(*_PLACE, *_BASKET, *_CHOICE),
    )
    def post(self, request: Request) -> Response:
        given = self.read(PriceIn)
        priced = coupon_services.price_order(
            purchase=purchase_of(self, given),
            codes_given=given.get("coupons", ()),
            chosen=given.get("use"),
            lock_key=lock_key_of(self, given["order_no"]) if given.get("order_no") else "",
        )
        return Response(_show_price(priced))


def purchase_of(view: KeyView, given: dict[str, Any]) -> Purchase:
    """What is bought, from the input of pricing or redeeming."""
    return Purchase(
        store_id=view.store_id(given),
        order_no=given.get("order_no", ""),
        lines=basket_of(given.get("lines", [])),
        channel=given["channel"],
        till=given.get("till", ""),
        member_id=view.member_id(given),
        use_points=given.get("use_points", False),
        payable_fen=given.get("payable_fen"),
        redeemed_at=given.get("redeemed_at"),
    )


def _show_price(priced: PricedOrder) -> dict[str, Any]:
    basket = priced.basket
    return {
        "amount_fen": basket.original_fen,
        "discount_fen": basket.discount_fen,
        "points": basket.points.points,
        "points_fen": basket.points.off_fen,
        "most_points": basket.points.most_points,
        "most_points_fen": basket.points.most_off_fen,
        "payable_fen": basket.payable_fen,
        "bound_fen": basket.bound_fen,
        "lines": [show_line(line) for line in basket.lines],
        "coupons": [_show_verdict(verdict) for verdict in basket.coupons],
        "barred": [_show_barred(barred) for barred in priced.barred],
    }


def _show_verdict(verdict: CouponVerdict) -> dict[str, Any]:
    return {
        "code": verdict.key,
        "name": verdict.name,
        "is_used": verdict.is_used,
        "reason": verdict.reason,
        "words": verdict.words,
        "discount_fen": verdict.discount_fen,
        "gift_name": verdict.gift_name,
        "short_fen": verdict.short_fen,
        "short_count": verdict.short_count,
        "against": verdict.against,
    }


def _show_barred(barred: BarredCoupon) -> dict[str, Any]:
    name = barred.template.terms.title if barred.template else ""
    return {"code": barred.code, "name": name, "reasons": show_reasons(barred.reasons)}


class RedeemIn(PlaceIn):
    """An order and the coupons used for it."""

    order_no = StrictText(max_length=64, help_text="unique in the store while the order lives")
    coupons = serializers.ListField(child=CodeField(), max_length=50, help_text="empty only when points pay")
    lines = LineIn(many=True)
    till = StrictText(required=False, default="", allow_blank=True, max_length=40)
    visit = StrictText(required=False, max_length=200)
    use_points = serializers.BooleanField(required=False, default=False)
    payable_fen = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_FEN,
        help_text="what basket/price said; another price is refused",
    )
    channel = StrictText(required=False, default="store", max_length=16)


class RedeemView(KeyView):
    """`POST orders/redeem`"""

    scope = "redeem"

    @documented(
        summary="Use coupons for an order / 核销",
        words="All of them in one step or none. The shares of each line are kept for returns.",
        headers=WRITES,
        body=RedeemIn,
        body_example={
            "order_no": "20261121-0042",
            "coupons": ["K7PW2MHT9XCQ4RBA"],
            "lines": LINES,
            "payable_fen": 47800,
            "till": "1",
        },
        answer=OrderOut,
        example=ORDER,
        refuses=(
            *ONCE, *_PLACE, *_BASKET, *_CHOICE, errors.OrderUnusable, errors.OrderNumberTaken, errors.PriceChanged,
            errors.NothingToRedeem, errors.RequestReused, NotEnoughPoints,
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(RedeemIn)
        purchase = purchase_of(self, given)

        def run(name: str) -> dict[str, Any]:
            card = coupon_services.redeem_order(
                purchase=purchase,
                codes=given["coupons"],
                request_id=name,
                lock_key=lock_key_of(self, given["order_no"]),
                actor=self.actor,
            )
            return show_order(card)

        return self.write(run)


class OrderQuery(PlaceIn):
    """Which order."""

    order_no = StrictText(max_length=64)


class OrderView(KeyView):
    """`GET orders`"""

    scope = "redeem"

    @documented(
        summary="An order with its coupons / 查询订单用券",
        words="The live order of that number, or the one that ended last.",
        query=OrderQuery,
        answer=OrderOut,
        example=ORDER,
        refuses=(*_PLACE, errors.NoSuchOrder),
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(OrderQuery)
        card = coupon_selectors.get_order(store_id=self.store_id(given), order_no=given["order_no"])
        return Response(show_order(card))


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
