"""Pricing a basket, and using coupons for an order."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import errors
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import BarredCoupon, CouponVerdict, PricedOrder, Purchase
from members.errors import NotEnoughPoints
from openapi.api import KeyView, StrictText
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
    WhyNotOut,
    basket_of,
    show_line,
    show_order,
    show_reasons,
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
