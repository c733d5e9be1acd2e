"""Logging in, refreshing, logging out."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import selectors as member_selectors
from miniapp import services
from miniapp.api import MemberView, MiniView
from miniapp.contracts import TokenPair
from miniapp.errors import DeviceRevoked, RefreshExpired, RefreshReused, RefreshUnknown
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.throttles import Limit
from wechat.errors import (
    HighRiskUser,
    LoginCodeUnusable,
    NoAccount,
    TooManyLogins,
    WeChatAway,
    WeChatRefused,
)

_TOKENS = {
    "access_token": "xma_9hT0…",
    "expires_in": 1800,
    "refresh_token": "xmr_Vb7k…",
    "refresh_expires_in": 2592000,
    "device_id": "7KQ2MHX4TBNW9CAY",
}


class LoginIn(StrictInput):
    """What `wx.login` gave, and what the mini-program knows of itself."""

    code = StrictText(max_length=256, help_text="from wx.login")
    app_id = StrictText(
        required=False,
        default="",
        max_length=40,
        help_text="the mini-program; needed only when there are several",
    )
    scene = StrictText(
        required=False,
        default="",
        allow_blank=True,
        max_length=64,
        help_text="the decoded `query.scene` of the code she scanned / 扫小程序码进来时的 scene",
    )
    install_key = StrictText(
        required=False,
        default="",
        allow_blank=True,
        max_length=64,
        help_text="random text made when the mini-program first started, kept in storage: the same device again",
    )
    device_name = StrictText(
        required=False,
        default="",
        allow_blank=True,
        max_length=40,
        help_text="for the list of devices, such as the model",
    )


class RefreshIn(StrictInput):
    """The refresh token, which this uses up."""

    refresh_token = StrictText(max_length=100)


class TokensOut(serializers.Serializer[Any]):
    """A pair of tokens. Lives are in seconds."""

    access_token = serializers.CharField()
    expires_in = serializers.IntegerField()
    refresh_token = serializers.CharField()
    refresh_expires_in = serializers.IntegerField()
    device_id = serializers.CharField()


class LoggedInOut(TokensOut):
    """Tokens, and whether she was here for the first time."""

    is_new = serializers.BooleanField(help_text="she was registered by this login")
    pending_consents = serializers.ListField(
        child=serializers.CharField(), help_text="kinds whose text is to be shown to her, see consents"
    )


class LoginView(MiniView):
    """`POST login`"""

    limits: ClassVar = {"post": (Limit("ip", 120, 60),)}

    @documented(
        summary="Log in with the code of wx.login / 登录",
        words=(
            "Registers her as a prospect when she is new. The openid and the session key stay on the server. "
            "Call it once at start and when a token is refused with 401 after refreshing failed."
        ),
        body=LoginIn,
        body_example={
            "code": "0a3bKf…",
            "scene": "K7QX2M9TBNWC4A",
            "install_key": "f3c1…",
            "device_name": "iPhone 15",
        },
        answer=LoggedInOut,
        example={**_TOKENS, "is_new": True, "pending_consents": ["privacy", "charter"]},
        refuses=(LoginCodeUnusable, HighRiskUser, TooManyLogins, WeChatAway, WeChatRefused, NoAccount),
        is_open=True,
    )
    def post(self, request: Request) -> Response:
        given = self.read(LoginIn)
        done = services.log_in(
            code=given["code"],
            app_id=given["app_id"],
            scene=given["scene"],
            install_key=given["install_key"],
            device_name=given["device_name"],
        )
        pending = [text.kind for text in member_selectors.list_pending_consents(done.member_id)]
        return Response({**_pair(done.tokens), "is_new": done.is_new, "pending_consents": pending})


class RefreshView(MiniView):
    """`POST refresh`"""

    limits: ClassVar = {"post": (Limit("ip", 240, 60),)}

    @documented(
        summary="A new pair of tokens / 换新令牌",
        words=(
            "A refresh token works once. If it comes a second time one of the two senders stole it, and the device is "
            "logged out: send one refresh at a time, and log in again when its answer was lost."
        ),
        body=RefreshIn,
        body_example={"refresh_token": "xmr_Vb7k…"},
        answer=TokensOut,
        example=_TOKENS,
        refuses=(RefreshUnknown, RefreshExpired, RefreshReused, DeviceRevoked),
        is_open=True,
    )
    def post(self, request: Request) -> Response:
        given = self.read(RefreshIn)
        return Response(_pair(services.refresh_tokens(refresh_token=given["refresh_token"])))


class LogoutView(MemberView):
    """`POST logout`"""

    @documented(summary="Log this device out / 退出登录", answer=None, status=204)
    def post(self, request: Request) -> Response:
        services.log_out(session=self.session)
        return Response(status=204)


def _pair(tokens: TokenPair) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
        "refresh_expires_in": tokens.refresh_expires_in,
        "device_id": tokens.device_id,
    }
