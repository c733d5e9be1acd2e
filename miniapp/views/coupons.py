"""Her coupons: the list, one of them with its terms and stores, and the code for the till."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.barcodes import code128_svg, qr_svg, svg_uri
from core.errors import InvalidInput
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.errors import CouponExpired, CouponRedeemed, CouponVoided, NoSuchCoupon
from guides import selectors as guide_selectors
from miniapp.api import MemberView, open_cursor, seal_cursor
from miniapp.schema import documented
from miniapp.views.coupon_shapes import COUPON, STATES, CouponOut, open_coupon_id, show_coupon
from miniapp.views.guide import StoreOut, show_store
from rest.bodies import StrictInput
from rest.pages import PageQuery
from rest.throttles import Limit

_STORES: Final = 20
_LISTS: Final = ("usable", "redeemed", "over", *STATES)
_STORE: Final = {
    "id": "H4TBNW9CAYQ7M2KX",
    "name": "南京东路店",
    "region": "华东大区",
    "address": "南京东路 100 号",
    "phone": "021-6322 0118",
    "opening_hours": ["10:00-22:00"] * 7,
    "latitude": 31.23651,
    "longitude": 121.48172,
    "distance_m": 820,
}


class CouponsQuery(PageQuery):
    """Which of her coupons."""

    state = serializers.ChoiceField(
        choices=_LISTS,
        required=False,
        default="usable",
        help_text="usable: in her hands, the first to be over first; over: expired or void; or one state",
    )


class CountsOut(serializers.Serializer[Any]):
    """How many she has, for the tabs."""

    usable = serializers.IntegerField(source="usable_count")
    expiring = serializers.IntegerField(source="expiring_count", help_text="usable ones over within 3 days")
    redeemed = serializers.IntegerField(source="redeemed_count")
    over = serializers.IntegerField(source="over_count")


class CouponsOut(serializers.Serializer[Any]):
    """One page."""

    coupons = CouponOut(many=True)
    counts = CountsOut()
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class PlaceQuery(StrictInput):
    """Where she is, in WGS-84 degrees; both or neither. The place is not kept."""

    latitude = serializers.FloatField(required=False, min_value=-90, max_value=90)
    longitude = serializers.FloatField(required=False, min_value=-180, max_value=180)


class TermOut(serializers.Serializer[Any]):
    """One of the terms in words."""

    title = serializers.CharField()
    words = serializers.CharField()


class StepOut(TermOut):
    """One thing that happened."""

    at = serializers.DateTimeField()
    words = serializers.CharField(allow_blank=True)


class CouponDetailOut(CouponOut):
    """One coupon with all she has to know."""

    partner_code = serializers.CharField(
        allow_blank=True,
        help_text="a partner's own code, shown as it is; such a coupon has no code for our tills",
    )
    terms = TermOut(many=True)
    stores = StoreOut(
        many=True, help_text="open stores where it counts, the nearest first where a place is given"
    )
    store_count = serializers.IntegerField(help_text="how many there are; at most twenty are listed")
    steps = StepOut(many=True, help_text="what happened to it in her hands, the oldest first")


class CodeIn(StrictInput):
    """Whether she wants the pictures as well."""

    pictures = serializers.BooleanField(required=False, default=False)


class CodeOut(serializers.Serializer[Any]):
    """A code that a till reads once within a minute."""

    text = serializers.CharField(help_text="20 digits; draw them as QR or Code 128")
    expires_at = serializers.DateTimeField(help_text="fetch the next some seconds earlier")
    qr = serializers.CharField(allow_blank=True, help_text="source of an image (SVG)")
    barcode = serializers.CharField(allow_blank=True, help_text="source of an image (SVG)")


class CouponsView(MemberView):
    """`GET coupons`"""

    @documented(
        summary="Her coupons / 我的券",
        query=CouponsQuery,
        answer=CouponsOut,
        example={
            "coupons": [COUPON],
            "counts": {"usable": 1, "expiring": 0, "redeemed": 0, "over": 0},
            "next_cursor": None,
        },
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(CouponsQuery)
        cursor = open_cursor(given.get("cursor"), owner=self.member_id)
        page = coupon_selectors.list_held_coupons(
            self.member_id, state=given["state"], cursor=cursor, limit=given["limit"]
        )
        return Response(
            CouponsOut(
                {
                    "coupons": [show_coupon(held) for held in page.coupons],
                    "counts": coupon_selectors.count_held_coupons(self.member_id),
                    "next_cursor": seal_cursor(page.next_cursor, owner=self.member_id),
                }
            ).data
        )


class CouponView(MemberView):
    """`GET coupons/{coupon_id}`"""

    @documented(
        summary="One coupon / 券详情",
        query=PlaceQuery,
        answer=CouponDetailOut,
        example={
            **COUPON,
            "partner_code": "",
            "terms": [{"title": "使用门槛", "words": "满 300 元可用"}],
            "stores": [_STORE],
            "store_count": 1,
            "steps": [{"at": COUPON["issued_at"], "title": "得到这张券", "words": "导购李娜赠送"}],
        },
        refuses=(NoSuchCoupon,),
    )
    def get(self, request: Request, coupon_id: str) -> Response:
        given = self.read_query(PlaceQuery)
        if len(given) == 1:
            missing = "longitude" if "latitude" in given else "latitude"
            raise InvalidInput(fields={missing: ["required"]})
        held = coupon_selectors.get_held_coupon(open_coupon_id(coupon_id), member_id=self.member_id)
        terms = held.card.template.terms
        stores, count = guide_selectors.list_stores_within(
            store_ids=terms.store_ids,
            region_ids=terms.region_ids,
            dealer_ids=terms.dealer_ids,
            place=(given["latitude"], given["longitude"]) if given else None,
            limit=_STORES,
        )
        return Response(
            CouponDetailOut(
                {
                    **show_coupon(held),
                    "partner_code": held.card.partner_code,
                    "terms": coupon_selectors.list_term_lines(terms),
                    "stores": [show_store(store) for store in stores],
                    "store_count": count,
                    "steps": coupon_selectors.list_coupon_steps(held),
                }
            ).data
        )


class CouponCodeView(MemberView):
    """`POST coupons/{coupon_id}/code`"""

    limits: ClassVar = {"post": (Limit("member", 60, 60),)}

    @documented(
        summary="A code for the till / 动态券码",
        words=(
            "Good for a minute and for one reading; fetch the next while the page is open. With `pictures` the answer has "
            "both codes as sources of image elements."
        ),
        body=CodeIn,
        body_example={"pictures": False},
        answer=CodeOut,
        example={
            "text": "81402816402816402816",
            "expires_at": "2026-11-21T18:06:00+08:00",
            "qr": "",
            "barcode": "",
        },
        refuses=(NoSuchCoupon, CouponRedeemed, CouponExpired, CouponVoided),
    )
    def post(self, request: Request, coupon_id: str) -> Response:
        given = self.read(CodeIn)
        shown = coupon_services.show_coupon(
            coupon_id=open_coupon_id(coupon_id), member_id=self.member_id, actor=self.actor
        )
        drawn = given["pictures"]
        return Response(
            CodeOut(
                {
                    "text": shown.text,
                    "expires_at": shown.expires_at,
                    "qr": svg_uri(qr_svg(shown.text)) if drawn else "",
                    "barcode": svg_uri(code128_svg(shown.text)) if drawn else "",
                }
            ).data
        )
