"""Whether a coupon may be used, and keeping coupons for an order under way."""

import datetime as dt
import hashlib
import re
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from core import clock
from coupons import errors
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import CouponCard, Purchase, RedemptionContext
from members import selectors as member_selectors
from openapi.api import KeyView, StrictText
from openapi.errors import NoSuchStore, StoreMissing, VisitOver
from openapi.schema import ONCE, WRITES, documented
from openapi.views.shapes import (
    COUPON,
    CodeField,
    CouponOut,
    PlaceIn,
    WhyNotOut,
    show_coupon,
    show_member,
    show_reasons,
)

_SHOWN: Final = re.compile(r"81[0-9]{18}")
_PLACE: Final = (NoSuchStore, StoreMissing)
_REASONS: Final = (
    errors.CouponLocked, errors.CouponRedeemed, errors.CouponExpired, errors.CouponVoided, errors.CouponGifting,
    errors.NotYetValid, errors.PartnerCoupon, errors.WrongStore, errors.WrongChannel, errors.WrongTier, errors.WrongTime,
)  # fmt: skip


class VerifyIn(PlaceIn):
    """A code that was typed or scanned."""

    code = CodeField(help_text="16 characters, or the 20 digits from a member's screen that begin with 81")
    channel = StrictText(required=False, default="store", max_length=16)
    amount_fen = serializers.IntegerField(
        required=False, min_value=0, max_value=10**10, help_text="of the goods it is for"
    )
    quantity = serializers.IntegerField(required=False, min_value=1, max_value=100_000)


class OwnerOut(Serializer[Any]):
    """Whose it is, masked."""

    name = serializers.CharField(allow_blank=True)
    masked_phone = serializers.CharField(allow_blank=True)


class VerifyOut(Serializer[Any]):
    """May it be used here and now, and what speaks against it."""

    coupon = CouponOut()
    owner = OwnerOut()
    is_usable = serializers.BooleanField()
    reasons = WhyNotOut(many=True)


class VerifyView(KeyView):
    """`POST coupons/verify`"""

    scope = "verify"

    @documented(
        summary="May this coupon be used / 验券",
        words=(
            "Answers all reasons against it. The digits from a member's screen are good for one reading within a "
            "minute; use the coupon's own code from then on."
        ),
        headers=WRITES,
        body=VerifyIn,
        body_example={"code": "K7PW-2MHT-9XCQ-4RBA", "amount_fen": 52800},
        answer=VerifyOut,
        example={
            "coupon": COUPON,
            "owner": {"name": "小**", "masked_phone": "138 **** 8000"},
            "is_usable": False,
            "reasons": [{"code": "coupons.wrong_time", "words": "现在不在这张券的可用时段"}],
        },
        refuses=(*ONCE, *_PLACE, errors.NoSuchCoupon, errors.CodeUnusable),
    )
    def post(self, request: Request) -> Response:
        given = self.read(VerifyIn)
        store_id = self.store_id(given)

        def run(name: str) -> dict[str, Any]:
            code = given["code"]
            if _SHOWN.fullmatch(code):
                code = coupon_services.read_shown_code(text=code, request_key=name, actor=self.actor).code
            at = clock.now()
            card = coupon_selectors.check_coupon(code, context=RedemptionContext(at=at)).coupon
            check = coupon_selectors.check_coupon(
                code,
                context=RedemptionContext(
                    at=at,
                    store_id=store_id,
                    channel=given["channel"],
                    tier_id=_tier_of(card),
                    amount_fen=given.get("amount_fen"),
                    quantity=given.get("quantity"),
                ),
            )
            return {
                "coupon": show_coupon(check.coupon),
                "owner": show_member(member_selectors.get_member_card(card.member_id)),
                "is_usable": check.is_usable,
                "reasons": show_reasons(check.reasons),
            }

        return self.write(run)


def _tier_of(card: CouponCard) -> int | None:
    """Her tier, asked only where the coupon is for tiers; 0 is that of nobody."""
    if not card.template.terms.tier_ids:
        return None
    tier = member_selectors.list_member_tiers([card.member_id]).get(card.member_id)
    return tier.id if tier else 0


class LockIn(PlaceIn):
    """Coupons for an order under way."""

    order_no = StrictText(max_length=64)
    coupons = serializers.ListField(child=CodeField(), min_length=1, max_length=50)
    channel = StrictText(required=False, default="store", max_length=16)
    visit = StrictText(required=False, max_length=200)
    seconds = serializers.IntegerField(
        required=False, default=900, min_value=30, max_value=7200, help_text="how long; a repeat prolongs it"
    )


class UnlockIn(PlaceIn):
    """Coupons that the order gives up."""

    order_no = StrictText(max_length=64)
    coupons = serializers.ListField(child=CodeField(), min_length=1, max_length=50)


class CouponsOut(Serializer[Any]):
    """The coupons as they are now."""

    coupons = CouponOut(many=True)


def lock_key_of(view: KeyView, order_no: str) -> str:
    """Under which the client's order holds coupons: another client's order of that number is another order."""
    digest = hashlib.sha256(order_no.strip().encode()).hexdigest()[:32]
    return f"api:{view.client.client_id}:{digest}"


class LockView(KeyView):
    """`POST coupons/lock`"""

    scope = "lock"

    @documented(
        summary="Keep coupons for an order / 占用券",
        words="All or none. Only orders/redeem with the same order_no can use them until the time is over.",
        headers=WRITES,
        body=LockIn,
        body_example={"order_no": "20261121-0042", "coupons": ["K7PW2MHT9XCQ4RBA"], "seconds": 600},
        answer=CouponsOut,
        example={"coupons": [COUPON | {"state": "locked", "state_label": "下单占用中",
                                       "locked_until": "2026-11-21T18:15:00+08:00"}]},
        refuses=(*ONCE, *_PLACE, VisitOver, errors.NoSuchCoupon, *_REASONS),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(LockIn)
        purchase = Purchase(
            store_id=self.store_id(given),
            lines=(),
            channel=given["channel"],
            member_id=self.member_id(given),
        )

        def run(name: str) -> dict[str, Any]:
            cards = coupon_services.lock_coupons(
                codes=given["coupons"],
                purchase=purchase,
                lock_key=lock_key_of(self, given["order_no"]),
                lasts=dt.timedelta(seconds=given["seconds"]),
                actor=self.actor,
            )
            return {"coupons": [show_coupon(card) for card in cards]}

        return self.write(run)


class UnlockView(KeyView):
    """`POST coupons/unlock`"""

    scope = "lock"

    @documented(
        summary="Give coupons up / 释放券",
        headers=WRITES,
        body=UnlockIn,
        body_example={"order_no": "20261121-0042", "coupons": ["K7PW2MHT9XCQ4RBA"]},
        answer=CouponsOut,
        example={"coupons": [COUPON]},
        refuses=(*ONCE, *_PLACE, errors.NoSuchCoupon, errors.CouponLocked),
    )
    def post(self, request: Request) -> Response:
        given = self.read(UnlockIn)
        self.store_id(given)

        def run(name: str) -> dict[str, Any]:
            cards = coupon_services.unlock_coupons(
                codes=given["coupons"], lock_key=lock_key_of(self, given["order_no"]), actor=self.actor
            )
            return {"coupons": [show_coupon(card) for card in cards]}

        return self.write(run)
