"""A coupon for a friend: offered by a link, taken once, taken back."""

import datetime as dt
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.errors import (
    CouponExpired,
    CouponGifting,
    CouponLocked,
    CouponRedeemed,
    CouponVoided,
    GiftGone,
    NoSuchCoupon,
    NoSuchGift,
    NotGiftable,
    OwnGift,
)
from members.errors import NoSuchMember
from miniapp.api import MemberView
from miniapp.schema import documented
from miniapp.views.coupon_shapes import (
    CARD,
    COUPON,
    KEY,
    CardOut,
    CouponOut,
    open_coupon_id,
    show_coupon,
    show_template,
)
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit

_TOKEN = "3f0c9a4e1b2f0c9a4e1b2f0c9a4e1b2f0c9a4e1b"  # noqa: S105  (an example)
_LONGEST_H = 168


class GiftIn(StrictInput):
    """`request_key`: made by the mini-program for this offer; the same again gets the same link."""

    request_key = serializers.RegexField(KEY, max_length=64)
    hours = serializers.IntegerField(
        required=False, default=24, min_value=1, max_value=_LONGEST_H, help_text="how long the link is open"
    )


class GiftOut(serializers.Serializer[Any]):
    """A link is made of this token; it is told to her alone."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class TokenIn(StrictInput):
    """The token of a link."""

    token = StrictText(max_length=80)


class GiftPreviewOut(CardOut):
    """What a link offers. Who offers it, is not told."""

    valid_until = serializers.DateTimeField()
    is_own = serializers.BooleanField(help_text="her own offer: she cannot take it, only take it back")


class GiftView(MemberView):
    """`POST coupons/{coupon_id}/gift`"""

    limits: ClassVar = {"post": (Limit("member", 60, 3600),)}

    @documented(
        summary="Offer a coupon to a friend / 转赠",
        words="Until the friend takes it, or it comes back, nobody can use it.",
        body=GiftIn,
        body_example={"request_key": "b2f0c9a4e1", "hours": 24},
        answer=GiftOut,
        example={"token": _TOKEN, "expires_at": "2026-11-22T18:05:00+08:00"},
        refuses=(
            NoSuchCoupon,
            NotGiftable,
            CouponLocked,
            CouponGifting,
            CouponRedeemed,
            CouponExpired,
            CouponVoided,
            NoSuchMember,
        ),
    )
    def post(self, request: Request, coupon_id: str) -> Response:
        given = self.read(GiftIn)
        offer = coupon_services.gift_coupon(
            coupon_id=open_coupon_id(coupon_id),
            member_id=self.member_id,
            request_key=f"mini:{given['request_key']}",
            lasts=dt.timedelta(hours=given["hours"]),
            actor=self.actor,
        )
        return Response(GiftOut(offer).data)


class ReturnGiftView(MemberView):
    """`POST coupons/{coupon_id}/gift/return`"""

    @documented(
        summary="Take an offer back / 收回转赠",
        words="Twice is once.",
        answer=CouponOut,
        example=COUPON,
        refuses=(NoSuchCoupon, NoSuchMember),
    )
    def post(self, request: Request, coupon_id: str) -> Response:
        key = open_coupon_id(coupon_id)
        coupon_services.return_gift(coupon_id=key, member_id=self.member_id, actor=self.actor)
        held = coupon_selectors.get_held_coupon(key, member_id=self.member_id)
        return Response(CouponOut(show_coupon(held)).data)


class PreviewGiftView(MemberView):
    """`POST gifts/preview`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="What a link offers / 赠券预览",
        words="Changes nothing.",
        body=TokenIn,
        body_example={"token": _TOKEN},
        answer=GiftPreviewOut,
        example={**CARD, "valid_until": "2026-11-28T00:00:00+08:00", "is_own": False},
        refuses=(NoSuchGift, GiftGone),
    )
    def post(self, request: Request) -> Response:
        given = self.read(TokenIn)
        card = coupon_services.preview_gift(token=given["token"])
        return Response(
            GiftPreviewOut(
                {
                    **show_template(card.template),
                    "valid_until": card.valid_until,
                    "is_own": card.member_id == self.member_id,
                }
            ).data
        )


class AcceptGiftView(MemberView):
    """`POST gifts/accept`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="Take what a link offers / 领取赠券",
        words="One friend has it; she who has it gets the same answer again.",
        body=TokenIn,
        body_example={"token": _TOKEN},
        answer=CouponOut,
        example={**COUPON, "origin_words": "好友赠送"},
        refuses=(NoSuchGift, GiftGone, OwnGift, NoSuchMember, NoSuchCoupon),
    )
    def post(self, request: Request) -> Response:
        given = self.read(TokenIn)
        card = coupon_services.accept_gift(token=given["token"], member_id=self.member_id, actor=self.actor)
        held = coupon_selectors.get_held_coupon(card.id, member_id=self.member_id)
        return Response(CouponOut(show_coupon(held)).data)
