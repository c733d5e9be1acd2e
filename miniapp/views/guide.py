"""Her guide, how to reach her, and choosing another."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.crypto import digest
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import GuideCard, MemberGuide, StoreCard
from guides.errors import (
    ChangeReasonUnknown,
    GuideChangedLately,
    GuideHasLeft,
    NoSuchGuide,
    RequestKeyReused,
)
from miniapp.api import MemberView
from miniapp.errors import NoGuideYet
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit

_STORE = {
    "id": "H4TBNW9CAYQ7M2KX",
    "name": "南京东路店",
    "region": "华东大区",
    "address": "南京东路 100 号",
    "phone": "021-6322 0118",
    "opening_hours": ["10:00-22:00"] * 7,
    "latitude": 31.23651,
    "longitude": 121.48172,
    "distance_m": None,
}
_GUIDE = {"id": "M2KXH4TBNW9CAYQ7", "name": "李娜", "role": "guide", "role_label": "导购"}
_MY_GUIDE = {
    **_GUIDE,
    "is_active": True,
    "bound_at": "2026-11-01T10:20:00+08:00",
    "qr_content": "http://weixin.qq.com/q/02abc",
    "change_free_on": None,
    "store": _STORE,
}


class StoreOut(serializers.Serializer[Any]):
    """A store."""

    id = serializers.CharField()
    name = serializers.CharField()
    region = serializers.CharField()
    address = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    opening_hours = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text="Monday first; an empty text is a day off; no list: not known",
    )
    latitude = serializers.FloatField(allow_null=True, help_text="WGS-84")
    longitude = serializers.FloatField(allow_null=True, help_text="WGS-84")
    distance_m = serializers.IntegerField(allow_null=True, help_text="only where a place was given")


class GuideOut(serializers.Serializer[Any]):
    """A guide whom she may choose."""

    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=("guide", "manager"))
    role_label = serializers.CharField()


class MyGuideOut(GuideOut):
    """Her guide with the store, and how to reach her."""

    is_active = serializers.BooleanField(help_text="false: she has left, choose another")
    bound_at = serializers.DateTimeField()
    qr_content = serializers.CharField(
        allow_blank=True, help_text="what the QR of her own code holds; empty: she has none"
    )
    change_free_on = serializers.DateField(
        allow_null=True, help_text="from when another may be chosen; null: now"
    )
    store = StoreOut()


class StoreGuidesOut(serializers.Serializer[Any]):
    """The guides of a store."""

    store = StoreOut()
    guides = GuideOut(many=True)


class StoresOut(serializers.Serializer[Any]):
    """Stores, nearest first."""

    stores = StoreOut(many=True)


class ReasonOut(serializers.Serializer[Any]):
    """One reason."""

    key = serializers.CharField()
    title = serializers.CharField(source="label")


class ReasonsOut(serializers.Serializer[Any]):
    """The reasons to choose from."""

    reasons = ReasonOut(many=True)


class PlaceQuery(StrictInput):
    """Where she is, in WGS-84 degrees (wx.getLocation, type wgs84)."""

    latitude = serializers.FloatField(min_value=-90, max_value=90)
    longitude = serializers.FloatField(min_value=-180, max_value=180)
    limit = serializers.IntegerField(required=False, default=10, min_value=1, max_value=50)


class ChangeGuideIn(StrictInput):
    """Whom she chooses and why. `request_key`: made by the mini-program for this choice, so that repeating the
    request changes nothing."""

    guide_id = StrictText(max_length=16)
    reason = StrictText(max_length=20)
    request_key = serializers.RegexField(r"^[0-9A-Za-z_-]{8,64}$", max_length=64)


def show_store(store: StoreCard) -> dict[str, Any]:
    """The answer's form of a store."""
    return {
        "id": store.public_id,
        "name": store.name,
        "region": store.region_name,
        "address": store.address,
        "phone": store.phone,
        "opening_hours": store.opening_hours,
        "latitude": store.latitude,
        "longitude": store.longitude,
        "distance_m": store.distance_m,
    }


def show_guide(guide: GuideCard) -> dict[str, Any]:
    """The answer's form of a guide; her number is the chain's own affair."""
    return {"id": guide.public_id, "name": guide.name, "role": guide.role, "role_label": guide.role_label}


def _show_mine(mine: MemberGuide | None) -> Response:
    if mine is None:
        raise NoGuideYet
    return Response(
        MyGuideOut(
            {
                **show_guide(mine.guide),
                "is_active": mine.guide.is_active,
                "bound_at": mine.bound_at,
                "qr_content": mine.qr_content,
                "change_free_on": mine.change_free_on,
                "store": show_store(mine.guide.store),
            }
        ).data
    )


class GuideView(MemberView):
    """`GET guide`, `PUT guide`"""

    limits: ClassVar = {"put": (Limit("member", 20, 3600),)}

    @documented(summary="Her guide / 我的导购", answer=MyGuideOut, example=_MY_GUIDE, refuses=(NoGuideYet,))
    def get(self, request: Request) -> Response:
        return _show_mine(guide_selectors.find_member_guide(self.member_id))

    @documented(
        summary="Choose another guide / 更换导购",
        words=(
            "After a choice of her own she waits for the days that the binding policy says, unless that guide has left. "
            "The same request_key again gets the same answer."
        ),
        body=ChangeGuideIn,
        body_example={"guide_id": "M2KXH4TBNW9CAYQ7", "reason": "moved", "request_key": "b2f0c9a4e1"},
        answer=MyGuideOut,
        example=_MY_GUIDE,
        refuses=(ChangeReasonUnknown, NoSuchGuide, GuideHasLeft, GuideChangedLately, RequestKeyReused),
    )
    def put(self, request: Request) -> Response:
        given = self.read(ChangeGuideIn)
        key = digest(f"{self.member_id}:{given['request_key']}")
        guide_services.change_guide(
            member_id=self.member_id,
            guide_public_id=given["guide_id"],
            reason=given["reason"],
            request_key=f"choice:{key}",
            actor=self.actor,
        )
        return _show_mine(guide_selectors.find_member_guide(self.member_id))


class ChangeReasonsView(MemberView):
    """`GET guide/change-reasons`"""

    @documented(
        summary="Why members change their guide / 更换原因",
        answer=ReasonsOut,
        example={"reasons": [{"key": "moved", "title": "我搬家或换了常去的门店"}]},
    )
    def get(self, request: Request) -> Response:
        return Response(ReasonsOut({"reasons": guide_selectors.list_change_reasons()}).data)


class StoresView(MemberView):
    """`GET stores`"""

    @documented(
        summary="The stores nearest to a place / 附近门店",
        words="The place is not kept.",
        query=PlaceQuery,
        answer=StoresOut,
        example={"stores": [{**_STORE, "distance_m": 820}]},
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(PlaceQuery)
        stores = guide_selectors.nearest_stores(given["latitude"], given["longitude"], given["limit"])
        return Response(StoresOut({"stores": [show_store(store) for store in stores]}).data)


class StoreGuidesView(MemberView):
    """`GET stores/{store_id}/guides`"""

    @documented(
        summary="The guides of a store / 门店的导购",
        answer=StoreGuidesOut,
        example={"store": _STORE, "guides": [_GUIDE]},
        refuses=(NotFound,),
    )
    def get(self, request: Request, store_id: str) -> Response:
        store = guide_selectors.find_open_store(store_id)
        if store is None:
            raise NotFound
        found = guide_selectors.list_store_guides(store.id)
        return Response(
            StoreGuidesOut(
                {"store": show_store(store), "guides": [show_guide(guide) for guide in found]}
            ).data
        )
