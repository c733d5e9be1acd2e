"""A campaign as she finds it when she opens its message; the first opening counts."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.errors import NoSuchCampaignPage
from campaigns.selectors.campaign_pages import CampaignPage, get_campaign_page
from campaigns.services import running
from coupons import selectors as coupon_selectors
from coupons.errors import NoSuchCoupon
from miniapp.api import MemberView
from miniapp.schema import documented
from miniapp.views.coupon_shapes import COUPON, CouponOut, show_coupon
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit

_CAMPAIGN: Final[dict[str, Any]] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "name": "秋季上新",
    "title": "秋装上新，先看为快",
    "text": "您的专属券已经到账，月底前来店里试试。",
    "page": "pages/products/autumn",
    "ends_at": "2026-12-31T23:59:59+08:00",
    "coupon": COUPON,
}


class CampaignOut(serializers.Serializer[Any]):
    """One campaign as it is for her."""

    id = serializers.CharField(help_text="tell it as `campaign` of the behaviour campaign_viewed")
    name = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    page = serializers.CharField(
        allow_blank=True, help_text="the page its message leads to; empty: the campaign's own"
    )
    ends_at = serializers.DateTimeField(allow_null=True, help_text="nothing of it is given out after that")
    coupon = CouponOut(allow_null=True, help_text="the coupon it gave her, while it is hers")


class OpenCampaignIn(StrictInput):
    """What the link of the message carried."""

    token = StrictText(max_length=20, help_text="`c` of the page's address")


def _show(page: CampaignPage, member_id: int) -> dict[str, Any]:
    coupon = None
    if page.coupon_id is not None:
        try:
            coupon = show_coupon(coupon_selectors.get_held_coupon(page.coupon_id, member_id=member_id))
        except NoSuchCoupon:
            coupon = None  # she gave it to a friend
    return {
        "id": page.public_id,
        "name": page.name,
        "title": page.title,
        "text": page.text,
        "page": page.page,
        "ends_at": page.ends_at,
        "coupon": coupon,
    }


class OpenCampaignView(MemberView):
    """`POST campaigns/open`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="She opened a campaign's message / 打开活动消息",
        words="The first opening counts, hers only: a forwarded message answers as one that is not there.",
        body=OpenCampaignIn,
        body_example={"token": "AAAAAAAqxk2d1vMk9QeT"},
        answer=CampaignOut,
        example=_CAMPAIGN,
        refuses=(NoSuchCampaignPage,),
    )
    def post(self, request: Request) -> Response:
        token = self.read(OpenCampaignIn)["token"]
        page = get_campaign_page(member_id=self.member_id, token=token)
        running.note_click(token=token, member_id=self.member_id)
        return Response(CampaignOut(_show(page, self.member_id)).data)


class CampaignView(MemberView):
    """`GET campaigns/{id}`"""

    @documented(
        summary="A campaign that gave her something / 活动页",
        words="Counts nothing; a campaign that gave her nothing answers as one that is not there.",
        answer=CampaignOut,
        example=_CAMPAIGN,
        refuses=(NoSuchCampaignPage,),
    )
    def get(self, request: Request, campaign_id: str) -> Response:
        page = get_campaign_page(member_id=self.member_id, public_id=campaign_id)
        return Response(CampaignOut(_show(page, self.member_id)).data)
