"""Where she comes to coupons by herself: the claim centre, a batch's link, an exchange code."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import IssuedCoupon
from coupons.errors import (
    BatchEnded,
    BatchNotStarted,
    BatchPaused,
    BatchSoldOut,
    BudgetSpent,
    ExchangeCodeUsed,
    ExchangeCodeVoided,
    ExchangeCodeWrong,
    ExchangeEnded,
    ExchangeNotStarted,
    ExchangeUsedUp,
    NoSuchBatch,
    NoSuchCoupon,
    OverDailyLimit,
    OverMemberLimit,
    RequestReused,
    TooManyTries,
    WrongDoor,
    WrongTier,
)
from members import selectors as member_selectors
from members.errors import NoSuchMember
from miniapp.api import MemberView
from miniapp.schema import documented
from miniapp.views.coupon_shapes import BATCH, COUPON, KEY, BatchOut, ClaimedOut, show_batch, show_coupon
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit
from rest.views import address_of

# What a batch may answer to whoever wants one of its coupons.
REFUSED = (
    BatchNotStarted,
    BatchPaused,
    BatchEnded,
    BatchSoldOut,
    BudgetSpent,
    OverMemberLimit,
    OverDailyLimit,
    WrongTier,
    NoSuchMember,
)
_CLAIMED = {"is_new": True, "coupon": {**COUPON, "origin_words": "自己领取"}}


class BatchesOut(serializers.Serializer[Any]):
    """What can be claimed, those that close first before others; at most a hundred."""

    batches = BatchOut(many=True)


class ClaimIn(StrictInput):
    """`request_key`: made by the mini-program for this claim, so that repeating it gives no second coupon. The others say
    what led her here; what is unknown is ignored."""

    request_key = serializers.RegexField(KEY, max_length=64)
    scene = StrictText(
        required=False,
        default="",
        allow_blank=True,
        max_length=64,
        help_text="the channel code of a guide or store",
    )
    sharer = StrictText(
        required=False,
        default="",
        allow_blank=True,
        max_length=16,
        help_text="`id` of the profile of who shared it",
    )
    article = serializers.RegexField(
        r"^[0-9A-Za-z_-]{1,40}$", required=False, default="", help_text="which article it stood in"
    )


class ExchangeIn(StrictInput):
    """A code as she typed it; blanks, dashes and lower case do not matter."""

    code = StrictText(max_length=80)
    request_key = serializers.RegexField(KEY, max_length=64)


class BatchesView(MemberView):
    """`GET coupon-batches`"""

    @documented(
        summary="The claim centre / 领券中心",
        words="What is open now or will be, with why she cannot claim one.",
        answer=BatchesOut,
        example={"batches": [BATCH]},
    )
    def get(self, request: Request) -> Response:
        lines = coupon_selectors.list_claimable_batches(self.member_id, tier_id=_tier_of(self.member_id))
        return Response(BatchesOut({"batches": [show_batch(line) for line in lines]}).data)


class BatchView(MemberView):
    """`GET coupon-batches/{batch_id}`"""

    @documented(
        summary="The batch of a link / 领券页",
        words="Also when it is over, with why.",
        answer=BatchOut,
        example=BATCH,
        refuses=(NoSuchBatch,),
    )
    def get(self, request: Request, batch_id: str) -> Response:
        line = coupon_selectors.get_claimable_batch(
            batch_id, member_id=self.member_id, tier_id=_tier_of(self.member_id)
        )
        return Response(BatchOut(show_batch(line)).data)


class ClaimView(MemberView):
    """`POST coupon-batches/{batch_id}/claim`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="Claim a coupon / 领券",
        words="The same request_key again gets the same coupon, also when all are gone since.",
        body=ClaimIn,
        body_example={"request_key": "b2f0c9a4e1", "scene": "GX7K2QH4TBNW9C"},
        answer=ClaimedOut,
        example=_CLAIMED,
        refuses=(NoSuchBatch, WrongDoor, *REFUSED),
    )
    def post(self, request: Request, batch_id: str) -> Response:
        given = self.read(ClaimIn)
        issued = coupon_services.claim_from_link(
            batch_public_id=batch_id,
            member_id=self.member_id,
            request_key=f"mini:{given['request_key']}",
            scene=given["scene"],
            sharer_public_id=given["sharer"],
            article=given["article"],
            actor=self.actor,
        )
        return claimed(self.member_id, issued)


class ExchangeView(MemberView):
    """`POST coupons/exchange`"""

    limits: ClassVar = {"post": (Limit("member", 30, 60), Limit("ip", 300, 60))}

    @documented(
        summary="Exchange a code / 兑换码换券",
        words=(
            "Wrong codes are counted, for her and for the address she calls from: `details.tries_left` says how many she "
            "has this hour."
        ),
        body=ExchangeIn,
        body_example={"code": "7K2Q-H4TB-NW9C-AYM2", "request_key": "b2f0c9a4e1"},
        answer=ClaimedOut,
        example={**_CLAIMED, "coupon": {**COUPON, "origin_words": "兑换码兑换"}},
        refuses=(
            ExchangeCodeWrong,
            ExchangeCodeUsed,
            ExchangeCodeVoided,
            ExchangeNotStarted,
            ExchangeEnded,
            ExchangeUsedUp,
            TooManyTries,
            RequestReused,
            WrongDoor,
            *REFUSED,
        ),
    )
    def post(self, request: Request) -> Response:
        given = self.read(ExchangeIn)
        issued = coupon_services.exchange_code(
            code=given["code"],
            member_id=self.member_id,
            request_key=f"mini:{given['request_key']}",
            address=address_of(request),
            actor=self.actor,
        )
        return claimed(self.member_id, issued)


def claimed(member_id: int, issued: IssuedCoupon) -> Response:
    """The answer of every door: the coupon as it is in her list."""
    try:
        coupon = show_coupon(coupon_selectors.get_held_coupon(issued.id, member_id=member_id))
    except NoSuchCoupon:
        if issued.is_new:
            raise
        coupon = None
    return Response(ClaimedOut({"is_new": issued.is_new, "coupon": coupon}).data)


def _tier_of(member_id: int) -> int | None:
    tier = member_selectors.list_member_tiers([member_id]).get(member_id)
    return None if tier is None else tier.id
