"""What she tells of herself, and the code she shows at a till."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import ProfileCard
from members.errors import (
    AddressUnusable,
    BirthdayChangedLately,
    BirthdayUnusable,
    GenderUnusable,
    NameUnusable,
    NoSuchMember,
)
from miniapp.api import MemberView
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit

GENDERS = ("female", "male")
EXAMPLE: dict[str, Any] = {
    "id": "Q7M2KXH4TBNW9CAY",
    "display_name": "小美",
    "name": "小美",
    "gender": "female",
    "birthday": "1995-05-20",
    "birthday_free_on": None,
    "masked_phone": "138 **** 8000",
    "stage": "member",
    "registered_at": "2026-11-01T10:20:00+08:00",
    "is_complete": True,
    "missing": [],
}


_ADDRESS = {
    "province": "上海市",
    "city": "上海市",
    "district": "静安区",
    "street": "南京西路 1038 号",
    "changed_at": "2026-11-21T18:05:00+08:00",
}


class ProfileIn(StrictInput):
    """What she changes; fields left out stay."""

    name = StrictText(required=False, max_length=60)
    gender = serializers.ChoiceField(required=False, choices=GENDERS, allow_blank=True)
    birthday = serializers.DateField(required=False, input_formats=["%Y-%m-%d"])


class ProfileOut(serializers.Serializer[Any]):
    """Her profile."""

    id = serializers.CharField(help_text="public id")
    display_name = serializers.CharField(help_text="her name, or a made-up one")
    name = serializers.CharField(allow_blank=True)
    gender = serializers.ChoiceField(choices=GENDERS, allow_blank=True)
    birthday = serializers.DateField(allow_null=True)
    birthday_free_on = serializers.DateField(
        allow_null=True, help_text="from when she may change it again; null: now"
    )
    masked_phone = serializers.CharField(allow_blank=True)
    stage = serializers.ChoiceField(choices=("prospect", "member"))
    registered_at = serializers.DateTimeField()
    is_complete = serializers.BooleanField()
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=("name", "gender", "birthday", "phone")),
        help_text="what a complete profile still lacks",
    )


class AddressIn(StrictInput):
    """Her whole address; what is left out is emptied."""

    province = StrictText(required=False, default="", allow_blank=True, max_length=40)
    city = StrictText(required=False, default="", allow_blank=True, max_length=40)
    district = StrictText(required=False, default="", allow_blank=True, max_length=40)
    street = StrictText(
        required=False, default="", allow_blank=True, max_length=200, help_text="at most 120 characters"
    )


class AddressOut(serializers.Serializer[Any]):
    """Her address; all empty: she told none."""

    province = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)
    district = serializers.CharField(allow_blank=True)
    street = serializers.CharField(allow_blank=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class MemberCodeOut(serializers.Serializer[Any]):
    """The rotating code: draw `text` as a QR code or Code 128, and fetch the next before it ends."""

    text = serializers.CharField(help_text="20 digits")
    expires_at = serializers.DateTimeField()
    expires_in = serializers.IntegerField(help_text="seconds")


def show_profile(profile: ProfileCard) -> dict[str, Any]:
    """The answer's form of a profile, written by hand: ProfileOut would take as long as the queries do."""
    member = profile.member
    return {
        "id": member.public_id,
        "display_name": member.display_name,
        "name": profile.name,
        "gender": member.gender,
        "birthday": member.birthday,
        "birthday_free_on": profile.birthday_free_on,
        "masked_phone": member.masked_phone,
        "stage": member.stage,
        "registered_at": member.registered_at.astimezone(clock.SHANGHAI).isoformat(),
        "is_complete": profile.is_complete,
        "missing": list(profile.missing),
    }


class ProfileView(MemberView):
    """`GET profile`, `PATCH profile`"""

    limits: ClassVar = {"patch": (Limit("member", 30, 3600),)}

    @documented(summary="Her profile / 我的资料", answer=ProfileOut, example=EXAMPLE, refuses=(NoSuchMember,))
    def get(self, request: Request) -> Response:
        profile = member_selectors.get_profile(self.member_id)
        return Response(show_profile(profile))

    @documented(
        summary="Change her profile / 修改资料",
        words="The birthday may be set, changed once, and then once a year.",
        body=ProfileIn,
        body_example={"name": "小美", "gender": "female", "birthday": "1995-05-20"},
        answer=ProfileOut,
        example=EXAMPLE,
        refuses=(NameUnusable, GenderUnusable, BirthdayUnusable, BirthdayChangedLately, NoSuchMember),
    )
    def patch(self, request: Request) -> Response:
        given = self.read(ProfileIn)
        profile = member_services.change_profile(
            member_id=self.member_id,
            name=given.get("name"),
            gender=given.get("gender"),
            birthday=given.get("birthday"),
            actor=self.actor,
        )
        return Response(show_profile(profile))


class AddressView(MemberView):
    """`GET profile/address`, `PUT profile/address`"""

    limits: ClassVar = {"put": (Limit("member", 30, 3600),)}

    @documented(summary="Her address / 我的地址", answer=AddressOut, example=_ADDRESS)
    def get(self, request: Request) -> Response:
        return Response(AddressOut(member_selectors.get_address(self.member_id)).data)

    @documented(
        summary="Change her address / 修改地址",
        words=(
            "Places as wx.chooseAddress or a region picker gives them; they come back by their full names. "
            "All four empty forget the address."
        ),
        body=AddressIn,
        body_example={
            "province": "上海市",
            "city": "上海市",
            "district": "静安区",
            "street": "南京西路 1038 号",
        },
        answer=AddressOut,
        example=_ADDRESS,
        refuses=(AddressUnusable, NoSuchMember),
    )
    def put(self, request: Request) -> Response:
        given = self.read(AddressIn)
        address = member_services.change_address(
            member_id=self.member_id,
            province=given["province"],
            city=given["city"],
            district=given["district"],
            street=given["street"],
            actor=self.actor,
        )
        return Response(AddressOut(address).data)


class MemberCodeView(MemberView):
    """`POST member-code`"""

    limits: ClassVar = {"post": (Limit("member", 30, 60),)}

    @documented(
        summary="A fresh code to show at a till / 会员码",
        words="Good for a minute and for one scan. A code that was photographed is worthless soon after.",
        answer=MemberCodeOut,
        example={
            "text": "80419206385517720943",
            "expires_at": "2026-11-21T18:06:00+08:00",
            "expires_in": 60,
        },
    )
    def post(self, request: Request) -> Response:
        code = member_services.issue_member_code(member_id=self.member_id, actor=self.actor)
        life = int(member_services.MEMBER_CODE_LIFE.total_seconds())
        return Response(
            MemberCodeOut({"text": code.text, "expires_at": code.expires_at, "expires_in": life}).data
        )
