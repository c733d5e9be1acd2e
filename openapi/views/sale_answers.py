"""One order as it is answered: what is left of it, what it earned, and whose it is."""

from typing import Any, Final

from rest_framework import serializers

from openapi.api import StrictInput, StrictText
from openapi.views.shapes import show_time
from sales.contracts import AttributionCard, SaleCard, ToldOrder

SALE: Final[dict[str, Any]] = {
    "id": "H4TBNW9CAYQ7M2KX",
    "order_no": "20261121-0042",
    "revision": 0,
    "channel": "online",
    "sold_at": "2026-11-21T18:05:00+08:00",
    "recorded_at": "2026-11-21T18:05:02+08:00",
    "amount_fen": 54900,
    "returned_fen": 0,
    "is_first": True,
    "points_earned": 549,
    "points_taken": 0,
    "points_code": "",
    "lines": [
        {"name": "真丝衬衫", "quantity": 1, "amount_fen": 54900, "returned_quantity": 0, "returned_fen": 0}
    ],
    "coupons": [{"code": "K7PW2MHT9XCQ4RBA", "discount_fen": 5000, "outcome": "redeemed"}],
    "returns": [],
    "attribution": {
        "words": "规则 2 线上订单归专属导购：专属导购李娜 70%，门店南京东路店 30%",
        "is_manual": False,
        "shares": [
            {
                "role": "exclusive",
                "guide": "李娜",
                "store": "南京东路店",
                "share_bp": 7000,
                "amount_fen": 38430,
            },
            {"role": "store", "guide": "", "store": "南京东路店", "share_bp": 3000, "amount_fen": 16470},
        ],
    },
}


class SaleQuery(StrictInput):
    """Which order, under the key's source."""

    order_no = StrictText(max_length=64)


class GoodsOut(serializers.Serializer[Any]):
    """A line, and what came back of it."""

    name = serializers.CharField()
    quantity = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    returned_quantity = serializers.IntegerField()
    returned_fen = serializers.IntegerField()


class SaleCouponOut(serializers.Serializer[Any]):
    """A coupon the order named."""

    code = serializers.CharField()
    discount_fen = serializers.IntegerField()
    outcome = serializers.CharField(
        help_text="redeemed; known: a till had redeemed it; reversed: all its goods are back; or why it could not be used"
    )


class SaleReturnOut(serializers.Serializer[Any]):
    """What came back."""

    return_no = serializers.CharField()
    returned_at = serializers.DateTimeField()
    amount_fen = serializers.IntegerField()


class PartOut(serializers.Serializer[Any]):
    """A part of what is left of the order. `guide` empty: the store's."""

    role = serializers.ChoiceField(choices=("serving", "exclusive", "sharing", "store"))
    guide = serializers.CharField(allow_blank=True)
    store = serializers.CharField()
    share_bp = serializers.IntegerField(help_text="basis points / 万分比")
    amount_fen = serializers.IntegerField()


class AttributionOut(serializers.Serializer[Any]):
    """Whose it is, and why."""

    words = serializers.CharField(help_text="Chinese")
    is_manual = serializers.BooleanField(help_text="decided by a person")
    shares = PartOut(many=True)


class SaleOut(serializers.Serializer[Any]):
    """An order in its current revision."""

    id = serializers.CharField()
    order_no = serializers.CharField()
    revision = serializers.IntegerField()
    channel = serializers.CharField()
    sold_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    amount_fen = serializers.IntegerField()
    returned_fen = serializers.IntegerField()
    is_first = serializers.BooleanField(help_text="her first purchase")
    points_earned = serializers.IntegerField()
    points_taken = serializers.IntegerField(help_text="it was paid with")
    points_code = serializers.CharField(allow_blank=True, help_text="why points could not be taken")
    lines = GoodsOut(many=True)
    coupons = SaleCouponOut(many=True)
    returns = SaleReturnOut(many=True)
    attribution = AttributionOut(allow_null=True)


def show_sale(card: SaleCard, told: ToldOrder) -> dict[str, Any]:
    return {
        "id": card.public_id,
        "order_no": card.order_no,
        "revision": told.revision,
        "channel": card.channel,
        "sold_at": show_time(card.sold_at),
        "recorded_at": show_time(told.recorded_at),
        "amount_fen": card.amount_fen,
        "returned_fen": card.returned_fen,
        "is_first": card.is_first,
        "points_earned": told.points_earned,
        "points_taken": told.points_taken,
        "points_code": told.points_outcome,
        "lines": [
            {
                "name": line.name,
                "quantity": line.quantity,
                "amount_fen": line.amount_fen,
                "returned_quantity": line.returned_quantity,
                "returned_fen": line.returned_fen,
            }
            for line in card.goods
        ],
        "coupons": [
            {"code": one.code, "discount_fen": one.discount_fen, "outcome": one.outcome}
            for one in told.coupons
        ],
        "returns": [
            {
                "return_no": given.return_no,
                "returned_at": show_time(given.returned_at),
                "amount_fen": given.amount_fen,
            }
            for given in card.returns
        ],
        "attribution": _show_attribution(card.attributions[0]) if card.attributions else None,
    }


def _show_attribution(card: AttributionCard) -> dict[str, Any]:
    return {
        "words": card.words,
        "is_manual": card.is_manual,
        "shares": [
            {
                "role": share.role,
                "guide": share.guide_name,
                "store": share.store_name,
                "share_bp": share.share_bp,
                "amount_fen": share.amount_fen,
            }
            for share in card.shares
        ],
    }
