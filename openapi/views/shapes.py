"""What several endpoints read and answer: baskets, coupons, members. Answers are written by hand, for a serializer
would take longer over 200 lines than pricing does; the tests hold them against the document."""

import datetime as dt
from typing import Any, Final

from rest_framework import serializers

from core import clock
from coupons.contracts import BasketLine, CouponCard, OrderCard, PricedLine, TemplateCard, WhyNot
from members.contracts import MemberCard
from openapi.api import StrictInput, StrictText

MOST_FEN: Final = 10**10
COUPON: Final[dict[str, Any]] = {
    "code": "K7PW2MHT9XCQ4RBA",
    "title": "满 300 减 50",
    "kind": "cash_off",
    "value_words": "满 300 元 减 50 元",
    "conditions": "每单限用一张",
    "state": "issued",
    "state_label": "可用",
    "valid_from": "2026-11-11T00:00:00+08:00",
    "valid_until": "2027-01-10T00:00:00+08:00",
    "locked_until": None,
}
LINES: Final = [
    {
        "key": "1",
        "product": "SH-2207",
        "categories": ["clothes", "shirts"],
        "amount_fen": 39900,
        "quantity": 2,
    },
    {"key": "2", "product": "BG-0031", "categories": ["bags"], "amount_fen": 12900},
]
ORDER: Final[dict[str, Any]] = {
    "id": "H4TBNW9CAYQ7M2KX",
    "order_no": "20261121-0042",
    "amount_fen": 52800,
    "discount_fen": 5000,
    "points": 0,
    "points_fen": 0,
    "payable_fen": 47800,
    "lines": [
        {
            "key": "1",
            "quantity": 2,
            "amount_fen": 39900,
            "coupons": [{"code": "K7PW2MHT9XCQ4RBA", "discount_fen": 3778}],
            "points": 0,
            "points_fen": 0,
            "payable_fen": 36122,
        },
        {
            "key": "2",
            "quantity": 1,
            "amount_fen": 12900,
            "coupons": [{"code": "K7PW2MHT9XCQ4RBA", "discount_fen": 1222}],
            "points": 0,
            "points_fen": 0,
            "payable_fen": 11678,
        },
    ],
    "coupons": [
        {
            "code": "K7PW2MHT9XCQ4RBA",
            "name": "满 300 减 50",
            "discount_fen": 5000,
            "gift_name": "",
            "returned_fen": 0,
            "is_reversed": False,
            "state": "redeemed",
        }
    ],
    "redeemed_at": "2026-11-21T18:05:00+08:00",
    "ended_at": None,
}


class CodeField(StrictText):
    """A coupon's code; blanks, dashes and lower case do not matter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)


class PlaceIn(StrictInput):
    """Where: a key of one store may leave `store` out."""

    store = StrictText(required=False, max_length=20, help_text="store number / 门店编号")


class LineIn(StrictInput):
    """One line: `amount_fen` is the money for all its units before coupons."""

    key = StrictText(max_length=40, help_text="the till's own, unique in the basket / 行号")
    product = StrictText(max_length=40)
    categories = serializers.ListField(
        required=False, child=StrictText(max_length=40), max_length=10, help_text="from the root down"
    )
    amount_fen = serializers.IntegerField(min_value=0, max_value=MOST_FEN)
    quantity = serializers.IntegerField(required=False, default=1, min_value=1, max_value=100_000)
    is_discountable = serializers.BooleanField(required=False, default=True)


class WhyNotOut(serializers.Serializer[Any]):
    """One reason against using a coupon."""

    code = serializers.CharField()
    words = serializers.CharField(help_text="Chinese, for the cashier")


class CouponOut(serializers.Serializer[Any]):
    """A coupon as a cashier needs it."""

    code = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=("cash_off", "percent", "exchange", "fixed_price", "gift"))
    value_words = serializers.CharField()
    conditions = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=("issued", "locked", "gifting", "redeemed", "expired", "voided"))
    state_label = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(help_text="the first moment at which it is over")
    locked_until = serializers.DateTimeField(allow_null=True)


class ShareOut(serializers.Serializer[Any]):
    """What one coupon took off a line."""

    code = serializers.CharField()
    discount_fen = serializers.IntegerField()


class PricedLineOut(serializers.Serializer[Any]):
    """`amount_fen` = the coupons' shares + `points_fen` + `payable_fen`."""

    key = serializers.CharField()
    quantity = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    coupons = ShareOut(many=True)
    points = serializers.IntegerField()
    points_fen = serializers.IntegerField()
    payable_fen = serializers.IntegerField()


class OrderCouponOut(serializers.Serializer[Any]):
    """A coupon of an order. `returned_fen` of its discount fell away with returned goods."""

    code = serializers.CharField()
    name = serializers.CharField()
    discount_fen = serializers.IntegerField()
    gift_name = serializers.CharField(allow_blank=True, help_text="to be handed over")
    returned_fen = serializers.IntegerField()
    is_reversed = serializers.BooleanField()
    state = serializers.ChoiceField(choices=("issued", "locked", "gifting", "redeemed", "expired", "voided"))


class OrderOut(serializers.Serializer[Any]):
    """An order on which coupons were used. `ended_at`: nothing of it is left."""

    id = serializers.CharField()
    order_no = serializers.CharField()
    amount_fen = serializers.IntegerField()
    discount_fen = serializers.IntegerField()
    points = serializers.IntegerField()
    points_fen = serializers.IntegerField()
    payable_fen = serializers.IntegerField()
    lines = PricedLineOut(many=True)
    coupons = OrderCouponOut(many=True)
    redeemed_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


def show_time(at: dt.datetime | None) -> str | None:
    """An instant in Shanghai's words."""
    return None if at is None else at.astimezone(clock.SHANGHAI).isoformat()


def mask_name(name: str) -> str:
    """The first character, and that there is more."""
    return f"{name[:1]}**" if name else ""


def show_member(member: MemberCard) -> dict[str, Any]:
    """A member as a till may see her."""
    return {"name": mask_name(member.display_name), "masked_phone": member.masked_phone}


def show_template(template: TemplateCard) -> dict[str, Any]:
    terms = template.terms
    return {"title": terms.title, "kind": terms.kind, "value_words": template.value_words}


def show_coupon(card: CouponCard) -> dict[str, Any]:
    return {
        "code": card.code,
        **show_template(card.template),
        "conditions": card.template.terms.usage_words,
        "state": card.state,
        "state_label": card.state_label,
        "valid_from": show_time(card.valid_from),
        "valid_until": show_time(card.valid_until),
        "locked_until": show_time(card.locked_until),
    }


def show_reasons(reasons: tuple[WhyNot, ...]) -> list[dict[str, str]]:
    return [{"code": reason.code, "words": reason.words} for reason in reasons]


def show_line(line: PricedLine) -> dict[str, Any]:
    return {
        "key": line.key,
        "quantity": line.quantity,
        "amount_fen": line.amount_fen,
        "coupons": [
            {"code": share.coupon_key, "discount_fen": share.discount_fen} for share in line.coupon_shares
        ],
        "points": line.points,
        "points_fen": line.points_fen,
        "payable_fen": line.payable_fen,
    }


def show_order(card: OrderCard) -> dict[str, Any]:
    return {
        "id": card.public_id,
        "order_no": card.order_no,
        "amount_fen": card.amount_fen,
        "discount_fen": card.discount_fen,
        "points": card.points,
        "points_fen": card.points_fen,
        "payable_fen": card.payable_fen,
        "lines": [show_line(line) for line in card.lines],
        "coupons": [
            {
                "code": one.code,
                "name": one.name,
                "discount_fen": one.discount_fen,
                "gift_name": one.gift_name,
                "returned_fen": one.returned_fen,
                "is_reversed": one.is_reversed,
                "state": one.state,
            }
            for one in card.coupons
        ],
        "redeemed_at": show_time(card.redeemed_at),
        "ended_at": show_time(card.ended_at),
    }


def basket_of(given: list[dict[str, Any]]) -> tuple[BasketLine, ...]:
    """Lines as pricing reads them."""
    return tuple(
        BasketLine(
            key=line["key"],
            product=line["product"],
            categories=tuple(line.get("categories", ())),
            amount_fen=line["amount_fen"],
            quantity=line["quantity"],
            is_discountable=line["is_discountable"],
        )
        for line in given
    )
