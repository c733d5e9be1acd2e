"""Proving a phone: by WeChat's phone code, by the older encrypted data, by a text message."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import phones
from members import selectors as member_selectors
from members.contracts import MemberCard
from members.errors import PhoneUnusable
from miniapp import services
from miniapp.api import MemberView
from miniapp.errors import NotFromWeChat, SmsCodeUnusable, SmsCodeWrong, SmsTooSoon
from miniapp.schema import documented
from miniapp.views.profile import EXAMPLE, ProfileOut, show_profile
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit
from sms.errors import SmsNotSetUp
from wechat.errors import (
    MiniSessionStale,
    NoAccount,
    PhoneCodeUnusable,
    WatermarkWrong,
    WeChatAway,
    WeChatRefused,
)

_PROFILE = EXAMPLE


class PhoneCodeIn(StrictInput):
    """What the event of `<button open-type="getPhoneNumber">` gave."""

    code = StrictText(max_length=256)


class PhoneDataIn(StrictInput):
    """What older versions of WeChat give in that event."""

    encrypted_data = StrictText(max_length=16_384)
    iv = StrictText(max_length=64)


class SmsRequestIn(StrictInput):
    """Where the text goes."""

    phone = StrictText(max_length=24)


class SmsConfirmIn(StrictInput):
    """What the text said."""

    phone = StrictText(max_length=24)
    code = serializers.RegexField(r"^[0-9]{6}$", max_length=6)


class SmsRequestOut(serializers.Serializer[Any]):
    """A text is on its way."""

    masked_phone = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds")
    again_in = serializers.IntegerField(help_text="seconds until another may be asked for")


class PhoneCodeView(MemberView):
    """`POST phone/code`"""

    limits: ClassVar = {"post": (Limit("member", 10, 3600),)}

    @documented(
        summary="Her phone by WeChat's phone code / 微信授权手机号",
        words=(
            "The code must be hers: one that another person's phone got is refused. A number that is another member's "
            "is the same person: the two are merged, and the answer is who she is from now on. Only a number that two "
            "WeChat accounts proved long after each other moves to her alone."
        ),
        body=PhoneCodeIn,
        body_example={"code": "e31968a7f94cc5ee…"},
        answer=ProfileOut,
        example=_PROFILE,
        refuses=(PhoneCodeUnusable, WatermarkWrong, PhoneUnusable, NoAccount, WeChatAway, WeChatRefused),
    )
    def post(self, request: Request) -> Response:
        given = self.read(PhoneCodeIn)
        return _show(services.prove_phone_by_code(session=self.session, code=given["code"]))


class PhoneDataView(MemberView):
    """`POST phone/encrypted`"""

    limits: ClassVar = {"post": (Limit("member", 10, 3600),)}

    @documented(
        summary="Her phone by encryptedData / 旧方式的手机号",
        words="For WeChat versions whose event has no code. Data older than ten minutes is refused.",
        body=PhoneDataIn,
        body_example={"encrypted_data": "CiyLU1Aw2Kjv…", "iv": "r7BXXKkLb8qrSNn05n0qiA=="},
        answer=ProfileOut,
        example=_PROFILE,
        refuses=(
            MiniSessionStale,
            WatermarkWrong,
            NotFromWeChat,
            PhoneUnusable,
            NoAccount,
            WeChatAway,
            WeChatRefused,
        ),
    )
    def post(self, request: Request) -> Response:
        given = self.read(PhoneDataIn)
        return _show(
            services.prove_phone_by_data(
                session=self.session, encrypted_data=given["encrypted_data"], iv=given["iv"]
            )
        )


class SmsRequestView(MemberView):
    """`POST phone/sms`"""

    limits: ClassVar = {"post": (Limit("member", 10, 3600), Limit("ip", 60, 3600), Limit("phone", 5, 3600))}

    @documented(
        summary="Send a code by text message / 发短信验证码",
        words="The answer does not say whether the number is somebody's.",
        body=SmsRequestIn,
        body_example={"phone": "13800138000"},
        answer=SmsRequestOut,
        example={"masked_phone": "138 **** 8000", "expires_in": 300, "again_in": 60},
        refuses=(PhoneUnusable, SmsTooSoon, SmsNotSetUp),
    )
    def post(self, request: Request) -> Response:
        given = self.read(SmsRequestIn)
        self.count(request, "post", phone=phones.digits_of(given["phone"]))
        ticket = services.request_sms_code(session=self.session, phone=given["phone"])
        return Response(SmsRequestOut(ticket).data)


class SmsConfirmView(MemberView):
    """`POST phone/sms/confirm`"""

    limits: ClassVar = {"post": (Limit("member", 30, 3600), Limit("phone", 30, 3600))}

    @documented(
        summary="Her phone by the code of the text / 验证短信",
        words="Five tries, five minutes, once; from the device that asked for it.",
        body=SmsConfirmIn,
        body_example={"phone": "13800138000", "code": "402816"},
        answer=ProfileOut,
        example=_PROFILE,
        refuses=(SmsCodeWrong, SmsCodeUnusable),
    )
    def post(self, request: Request) -> Response:
        given = self.read(SmsConfirmIn)
        self.count(request, "post", phone=phones.digits_of(given["phone"]))
        return _show(
            services.confirm_sms_code(session=self.session, phone=given["phone"], code=given["code"])
        )


def _show(member: MemberCard) -> Response:
    return Response(show_profile(member_selectors.get_profile(member.id)))
