"""Sharing to unlock: beginning a link, seeing how far it is, helping a friend."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.errors import (
    AlreadyHelped,
    NoSuchOffer,
    NoSuchShare,
    NotNewMember,
    OfferEnded,
    OfferNotStarted,
    OfferPaused,
    OwnShare,
    ShareOver,
    WrongDoor,
)
from members.errors import NoSuchMember
from miniapp.api import MemberView
from miniapp.schema import documented
from miniapp.views.claims import REFUSED, claimed
from miniapp.views.coupon_shapes import (
    COUPON,
    OFFER,
    ClaimedOut,
    OfferOut,
    seal_coupon_id,
    show_offer,
    show_why_not,
)
from rest.throttles import Limit


class OffersOut(serializers.Serializer[Any]):
    """Offers that are on and those she is in, the newest first; at most fifty."""

    offers = OfferOut(many=True)


class VisitOut(serializers.Serializer[Any]):
    """A link as she finds it. Whose it is, is not told."""

    offer = OfferOut()
    is_own = serializers.BooleanField()
    coupon_id = serializers.CharField(
        allow_null=True, help_text="her own coupon from this link, if she has helped"
    )
    why_not = serializers.CharField(allow_blank=True, help_text="why she cannot help")
    why_not_words = serializers.CharField(allow_blank=True)


class OffersView(MemberView):
    """`GET unlocks`"""

    @documented(
        summary="Share to unlock: offers / 分享裂变活动", answer=OffersOut, example={"offers": [OFFER]}
    )
    def get(self, request: Request) -> Response:
        offers = coupon_selectors.list_unlock_offers(self.member_id)
        return Response(OffersOut({"offers": [show_offer(offer) for offer in offers]}).data)


class OfferView(MemberView):
    """`GET unlocks/{offer_id}`"""

    @documented(
        summary="One offer and how far she is / 活动与我的进度",
        answer=OfferOut,
        example=OFFER,
        refuses=(NoSuchOffer,),
    )
    def get(self, request: Request, offer_id: str) -> Response:
        found = coupon_selectors.get_unlock_offer(offer_id, member_id=self.member_id)
        return Response(OfferOut(show_offer(found)).data)


class StartView(MemberView):
    """`POST unlocks/{offer_id}/start`"""

    limits: ClassVar = {"post": (Limit("member", 30, 60),)}

    @documented(
        summary="Begin a link / 发起助力",
        words="Asking again gets the same link until its time is over; put `share.id` into the link she shares.",
        answer=OfferOut,
        example=OFFER,
        refuses=(NoSuchOffer, OfferPaused, OfferNotStarted, OfferEnded, NoSuchMember),
    )
    def post(self, request: Request, offer_id: str) -> Response:
        coupon_services.start_unlock(offer_public_id=offer_id, member_id=self.member_id, actor=self.actor)
        found = coupon_selectors.get_unlock_offer(offer_id, member_id=self.member_id)
        return Response(OfferOut(show_offer(found)).data)


class ShareView(MemberView):
    """`GET unlock-shares/{share_id}`"""

    @documented(
        summary="The link of a friend, or her own / 助力页",
        answer=VisitOut,
        example={"offer": OFFER, "is_own": False, "coupon_id": None, "why_not": "", "why_not_words": ""},
        refuses=(NoSuchShare,),
    )
    def get(self, request: Request, share_id: str) -> Response:
        visit = coupon_selectors.visit_unlock_share(share_id, member_id=self.member_id)
        return Response(
            VisitOut(
                {
                    "offer": show_offer(visit.offer),
                    "is_own": visit.is_own,
                    "coupon_id": None if visit.coupon_id is None else seal_coupon_id(visit.coupon_id),
                    **show_why_not(visit.why_not),
                }
            ).data
        )


class HelpView(MemberView):
    """`POST unlock-shares/{share_id}/help`"""

    limits: ClassVar = {"post": (Limit("member", 30, 60),)}

    @documented(
        summary="Help a friend and have a coupon / 助力并领券",
        words=(
            "Once for an offer; asking again gets the first answer. The friend who completes the link unlocks the sharer's "
            "coupon; who comes later still gets her own."
        ),
        answer=ClaimedOut,
        example={"is_new": True, "coupon": {**COUPON, "origin_words": "好友助力"}},
        refuses=(
            NoSuchShare,
            OwnShare,
            AlreadyHelped,
            ShareOver,
            NotNewMember,
            OfferPaused,
            WrongDoor,
            *REFUSED,
        ),
    )
    def post(self, request: Request, share_id: str) -> Response:
        helped = coupon_services.help_unlock(
            share_public_id=share_id, member_id=self.member_id, actor=self.actor
        )
        return claimed(self.member_id, helped.coupon)
