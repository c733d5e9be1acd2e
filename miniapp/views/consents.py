"""What she is asked to agree to, and what she said."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import selectors as member_selectors
from members import services as member_services
from members.contracts import ConsentCard
from members.errors import (
    ConsentNotGiven,
    ConsentTextOutdated,
    NoSuchConsentKind,
    NoSuchConsentText,
    NoSuchMember,
)
from miniapp.api import MemberView, MiniView
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit

DOOR = "mini_program"
_PRIVACY: dict[str, Any] = {
    "kind": "privacy",
    "title": "隐私政策",
    "is_required": True,
    "is_agreed": True,
    "is_pending": False,
    "version": 2,
    "current_version": 2,
    "changed_at": "2026-11-21T18:05:00+08:00",
    "offers_erasure": False,
}


class ConsentOut(serializers.Serializer[Any]):
    """What she says to one kind now."""

    kind = serializers.CharField()
    title = serializers.CharField()
    is_required = serializers.BooleanField(help_text="without it she is no member")
    is_agreed = serializers.BooleanField()
    is_pending = serializers.BooleanField(
        help_text="show her the text: new to her, changed since, or required"
    )
    version = serializers.IntegerField(
        allow_null=True, help_text="what she agreed to or withdrew from; null: never asked"
    )
    current_version = serializers.IntegerField(
        allow_null=True, help_text="what there is to agree to; null: nothing"
    )
    changed_at = serializers.DateTimeField(allow_null=True)
    offers_erasure = serializers.BooleanField(
        help_text="she withdrew what her data was kept on: offer her data-requests with kind erase"
    )


class ConsentsOut(serializers.Serializer[Any]):
    """All kinds, in the order in which they are shown."""

    consents = ConsentOut(many=True)


class ConsentTextOut(serializers.Serializer[Any]):
    """The current version of one text."""

    kind = serializers.CharField()
    kind_title = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    body = serializers.CharField(help_text="plain text with line breaks")
    published_at = serializers.DateTimeField()
    is_required = serializers.BooleanField()


class ConsentTextsOut(serializers.Serializer[Any]):
    """What there is to agree to now."""

    texts = ConsentTextOut(many=True)


class AgreeIn(StrictInput):
    """Which text she read."""

    kind = StrictText(max_length=20)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class WithdrawIn(StrictInput):
    """What she agrees to no more."""

    kind = StrictText(max_length=20)


def show_consent(consent: ConsentCard) -> dict[str, Any]:
    """The answer's form of what she says to one kind."""
    return {
        "kind": consent.kind,
        "title": consent.title,
        "is_required": consent.is_required,
        "is_agreed": consent.is_agreed,
        "is_pending": consent.is_to_be_shown,
        "version": consent.version,
        "current_version": consent.current_version,
        "changed_at": consent.changed_at,
        "offers_erasure": consent.offers_erasure,
    }


class ConsentsView(MemberView):
    """`GET consents`"""

    @documented(summary="What she agreed to / 我的授权", answer=ConsentsOut, example={"consents": [_PRIVACY]})
    def get(self, request: Request) -> Response:
        said = member_selectors.list_consents(self.member_id)
        return Response(ConsentsOut({"consents": [show_consent(consent) for consent in said]}).data)


class ConsentTextsView(MiniView):
    """`GET consents/texts`"""

    limits: ClassVar = {"get": (Limit("ip", 120, 60),)}

    @documented(
        summary="The texts there are to agree to / 当前的授权文本",
        words="Without login, so that she may read them before.",
        answer=ConsentTextsOut,
        example={
            "texts": [
                {
                    "kind": "privacy",
                    "kind_title": "隐私政策",
                    "version": 2,
                    "title": "素衣会员隐私政策",
                    "body": "我们只在为您服务时使用您的手机号、姓名和购买记录。",
                    "published_at": "2026-11-01T10:00:00+08:00",
                    "is_required": True,
                }
            ]
        },
        is_open=True,
    )
    def get(self, request: Request) -> Response:
        return Response(ConsentTextsOut({"texts": member_selectors.list_current_consent_texts()}).data)


class AgreeView(MemberView):
    """`POST consents/agree`"""

    limits: ClassVar = {"post": (Limit("member", 60, 3600),)}

    @documented(
        summary="Agree to a text / 同意",
        words="`version` is that of the text she was shown; twice is once.",
        body=AgreeIn,
        body_example={"kind": "privacy", "version": 2},
        answer=ConsentOut,
        example=_PRIVACY,
        refuses=(NoSuchConsentKind, NoSuchConsentText, ConsentTextOutdated, NoSuchMember),
    )
    def post(self, request: Request) -> Response:
        given = self.read(AgreeIn)
        said = member_services.agree_consent(
            member_id=self.member_id,
            kind=given["kind"],
            version=given["version"],
            door=DOOR,
            actor=self.actor,
        )
        return Response(ConsentOut(show_consent(said)).data)


class WithdrawView(MemberView):
    """`POST consents/withdraw`"""

    limits: ClassVar = {"post": (Limit("member", 60, 3600),)}

    @documented(
        summary="Agree no more / 撤回同意",
        words="Twice is once. When the answer says `offers_erasure`, ask her whether she wants to be erased.",
        body=WithdrawIn,
        body_example={"kind": "marketing"},
        answer=ConsentOut,
        example={
            **_PRIVACY,
            "kind": "marketing",
            "title": "营销信息",
            "is_required": False,
            "is_agreed": False,
        },
        refuses=(NoSuchConsentKind, ConsentNotGiven, NoSuchMember),
    )
    def post(self, request: Request) -> Response:
        given = self.read(WithdrawIn)
        said = member_services.withdraw_consent(
            member_id=self.member_id, kind=given["kind"], door=DOOR, actor=self.actor
        )
        return Response(ConsentOut(show_consent(said)).data)
