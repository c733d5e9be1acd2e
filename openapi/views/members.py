"""A member at the till: who she is, what she may use."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coupons import selectors as coupon_selectors
from members import selectors as member_selectors
from members import services as member_services
from members.errors import MemberCodeUnusable
from openapi import services
from openapi.api import KeyView, PageQuery, StrictInput, StrictText, open_cursor, seal_cursor
from openapi.errors import VisitOver
from openapi.schema import ONCE, WRITES, documented
from openapi.services.visits import VISIT_S
from openapi.views.shapes import COUPON, CouponOut, show_coupon, show_member

_FIRST: Final = 20
_STATES: Final = ("usable", "issued", "locked", "gifting", "redeemed", "expired", "voided")


class ReadCodeIn(StrictInput):
    """What the scanner read."""

    code = StrictText(max_length=40, help_text="20 digits that begin with 80, from her screen")


class MemberOut(serializers.Serializer[Any]):
    """A member, masked."""

    name = serializers.CharField(allow_blank=True)
    masked_phone = serializers.CharField(allow_blank=True)
    stage = serializers.ChoiceField(choices=("prospect", "member"))
    tier = serializers.CharField(allow_blank=True)
    points = serializers.IntegerField()


class ReadCodeOut(serializers.Serializer[Any]):
    """Who she is. `visit` stands for her with this key until it is over."""

    visit = serializers.CharField()
    visit_expires_in = serializers.IntegerField(help_text="seconds")
    member = MemberOut()
    coupon_count = serializers.IntegerField(help_text="usable ones")
    coupons = CouponOut(many=True, help_text="the newest twenty of them; members/coupons has all")


class MemberCouponsQuery(PageQuery):
    """Which of her coupons."""

    visit = StrictText(max_length=200)
    state = serializers.ChoiceField(required=False, default="usable", choices=_STATES)


class MemberCouponsOut(serializers.Serializer[Any]):
    """One page, newest first."""

    coupons = CouponOut(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class ReadCodeView(KeyView):
    """`POST members/read`"""

    scope = "members"

    @documented(
        summary="Read a member's code / 读会员码",
        words="Her code is good for a minute and for one reading; visit serves pricing and her coupons afterwards.",
        headers=WRITES,
        body=ReadCodeIn,
        body_example={"code": "80419206385517720943"},
        answer=ReadCodeOut,
        example={
            "visit": "WzEyLDM0NV0:1wEqLm:9b1kq0y4F8oDq8p3u2cZ6rY1sV0tX5wQ7eR4",
            "visit_expires_in": 7200,
            "member": {
                "name": "小**",
                "masked_phone": "138 **** 8000",
                "stage": "member",
                "tier": "金卡",
                "points": 1280,
            },
            "coupon_count": 1,
            "coupons": [COUPON],
        },
        refuses=(*ONCE, MemberCodeUnusable),
    )
    def post(self, request: Request) -> Response:
        given = self.read(ReadCodeIn)

        def run(name: str) -> dict[str, Any]:
            member = member_services.read_member_code(token=given["code"], request_key=name, actor=self.actor)
            tier = member_selectors.list_member_tiers([member.id]).get(member.id)
            page = coupon_selectors.list_member_coupons(member.id, state="usable", limit=_FIRST)
            return {
                "visit": services.seal_visit(caller=self.client, member_id=member.id),
                "visit_expires_in": VISIT_S,
                "member": {
                    **show_member(member),
                    "stage": member.stage,
                    "tier": tier.name if tier else "",
                    "points": member_selectors.get_points_summary(member.id).balance,
                },
                "coupon_count": coupon_selectors.count_usable_coupons(member.id),
                "coupons": [show_coupon(card) for card in page.cards],
            }

        return self.write(run)


class MemberCouponsView(KeyView):
    """`GET members/coupons`"""

    scope = "members"

    @documented(
        summary="A member's coupons / 会员的券",
        query=MemberCouponsQuery,
        answer=MemberCouponsOut,
        example={"coupons": [COUPON], "next_cursor": None},
        refuses=(VisitOver,),
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(MemberCouponsQuery)
        member_id = services.open_visit(caller=self.client, visit=given["visit"])
        cursor = open_cursor(given.get("cursor"), owner=member_id)
        page = coupon_selectors.list_member_coupons(
            member_id, state=given["state"], cursor=cursor, limit=given["limit"]
        )
        return Response(
            {
                "coupons": [show_coupon(card) for card in page.cards],
                "next_cursor": seal_cursor(page.next_cursor, owner=member_id),
            }
        )
