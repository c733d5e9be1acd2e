"""Logging in with the code of `wx.login`."""

import datetime as dt
import re
from typing import Final

from django.db import transaction

from core import clock, crypto
from core.actor import Actor
from guides import selectors as guide_selectors
from guides import services as guide_services
from members import services as member_services
from miniapp.contracts import LoggedIn
from miniapp.services.devices import open_device
from miniapp.services.tokens import issue_tokens
from wechat.contracts import MiniSession
from wechat.services import accounts, mini_program

_SCENE: Final = re.compile(r"[0-9A-Za-z_-]{1,30}")


def log_in(
    *,
    code: str,
    app_id: str = "",
    scene: str = "",
    install_key: str = "",
    device_name: str = "",
    at: dt.datetime | None = None,
) -> LoggedIn:
    """She is known (registered when new), logged in on this device, and has tokens.

    A `scene` that is an open channel code binds her as a scan of it would; the login code, which WeChat takes once,
    is the key of that request. Raises what `exchange_login_code` raises (LoginCodeUnusable, HighRiskUser,
    TooManyLogins, WeChatAway, WeChatRefused) before anything is written, and NoAccount.
    """
    account = accounts.get_mini_program(app_id)
    session = mini_program.exchange_login_code(account_id=account.id, code=code)
    at = at or clock.now()
    scene = scene if _SCENE.fullmatch(scene) else ""
    with transaction.atomic():
        logged_in = _open(session, scene, install_key, device_name, at)
        if scene and guide_selectors.find_open_code(scene, at) is not None:
            guide_services.resolve_scan(
                member_id=logged_in.member_id,
                scene=scene,
                is_new_follower=False,
                is_mini_program=True,
                request_key=f"mini:{crypto.digest(code)}",
                actor=Actor.member(logged_in.member_id),
                at=at,
            )
    return logged_in


def _open(session: MiniSession, scene: str, install_key: str, device_name: str, at: dt.datetime) -> LoggedIn:
    member = member_services.register_mini_visitor(
        app_id=session.app_id,
        openid=session.openid,
        unionid=session.unionid,
        scene=scene,
        actor=Actor.wechat(),
        at=at,
    )
    device = open_device(
        member_id=member.id,
        app_id=session.app_id,
        openid=session.openid,
        session_key=session.session_key,
        install_key=install_key,
        name=device_name,
        actor=Actor.member(member.id),
        at=at,
    )
    return LoggedIn(issue_tokens(device=device, at=at), member.id, is_new=member.registered_at == at)
