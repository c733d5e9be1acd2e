"""Logging in through WeChat, the first-time activation, and logging out."""

import unicodedata
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assistant import sessions
from assistant.errors import ActivationCodeMissing, LoginDenied, LoginStale
from assistant.screens import ended_page, message_page, open_screen
from core import clock
from core.errors import Refusal
from guides import selectors as guide_selectors
from guides import services as guide_services
from wechat.contracts import OAuthIdentity
from wechat.services import accounts, oauth

_LONGEST_CODE: Final = 40


@require_safe
@open_screen
def login(request: HttpRequest) -> HttpResponse:
    """Send the browser to WeChat, which sends it back to `login_callback` with a code."""
    next_path = sessions.safe_next(request.GET.get("next"), default=reverse("assistant:home"))
    account = accounts.get_default_official()
    state = sessions.new_state()
    response = redirect(
        oauth.authorize_url(
            account_id=account.id,
            redirect_uri=f"{settings.PUBLIC_BASE_URL}{reverse('assistant:login-callback')}",
            state=state,
            scope="snsapi_base",
        )
    )
    sessions.keep_state(request, response, state=state, next_path=next_path)
    return response


@require_safe
@open_screen
def login_callback(request: HttpRequest) -> HttpResponse:
    """WeChat sent her back. Refuses foreign and used states, snapshot users and used codes."""
    state = request.GET.get("state", "")
    home = reverse("assistant:home")
    next_path = sessions.find_state(request, state)
    if next_path is None:
        # After 后退 the used address is asked again; whoever is logged in just goes on.
        if sessions.find_session(request) is not None:
            return redirect(home)
        return _login_trouble(LoginStale(), next_path=home)
    try:
        response = _finish_login(request, _exchange(request), sessions.safe_next(next_path, default=home))
    except Refusal as refusal:
        response = _login_trouble(refusal, next_path=next_path)
    sessions.drop_state(response, state)
    return response


def _exchange(request: HttpRequest) -> OAuthIdentity:
    code = request.GET.get("code", "")
    if not code:
        raise LoginDenied
    account = accounts.get_default_official()
    return oauth.exchange_code(account_id=account.id, code=code)


def _finish_login(request: HttpRequest, identity: OAuthIdentity, next_path: str) -> HttpResponse:
    guide = guide_selectors.find_guide_by_login(identity.app_id, identity.openid)
    if guide is None:
        sessions.keep_pending(
            request, app_id=identity.app_id, openid=identity.openid, next_path=next_path, at=clock.now()
        )
        return redirect("assistant:activate")
    sessions.open_session(request, guide)
    return redirect(next_path)


def _login_trouble(refusal: Refusal, *, next_path: str) -> HttpResponse:
    return message_page(
        title=_("没能登录"),
        text=refusal.message,
        status=refusal.http_status,
        code=refusal.code,
        retry_path=f"{reverse('assistant:login')}?{urlencode({'next': next_path})}",
        retry_label=_("重新登录"),
    )


@require_http_methods(["GET", "POST"])
@open_screen
def activate(request: HttpRequest) -> HttpResponse:
    """First time: tie the WeChat account that opened the page to a guide, by head office's code."""
    pending = sessions.find_pending(request, at=clock.now())
    if pending is None:
        return redirect("assistant:home")  # logged in already, or the login starts again
    if request.method == "GET":
        return _activation_form(request)
    typed = request.POST.get("code", "")[:_LONGEST_CODE]
    try:
        guide = guide_services.activate_guide(
            app_id=pending.app_id, openid=pending.openid, code=_clean_code(typed), at=clock.now()
        )
    except Refusal as refusal:
        return _activation_form(request, typed=typed, refusal=refusal)
    sessions.open_session(request, guide)
    return redirect(pending.next_path)


def _clean_code(typed: str) -> str:
    """Blanks, dashes, lower case and the full-width letters of a Chinese keyboard do not matter."""
    narrow = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(character for character in narrow if character.isalnum())
    if not code:
        raise ActivationCodeMissing
    return code


def _activation_form(
    request: HttpRequest, *, typed: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    context = {"typed": typed, "refusal": refusal, "brand": settings.BRAND_NAME}
    response = render(
        request, "assistant/activate.html", context, status=refusal.http_status if refusal else 200
    )
    if refusal:
        response["X-Refusal"] = refusal.code
    return response


@require_POST
@open_screen
def logout(request: HttpRequest) -> HttpResponse:
    sessions.close_session(request)
    return redirect("assistant:signed-out")


@require_safe
@open_screen
def signed_out(request: HttpRequest) -> HttpResponse:
    """Logged out stays logged out until she says otherwise: WeChat would log her in again without asking."""
    return message_page(
        title=_("已退出"),
        text=_("下次打开导购助手，点下面的按钮就能回来"),
        status=200,
        retry_path=reverse("assistant:login"),
        retry_label=_("重新登录"),
    )


@require_safe
@open_screen
def ended(request: HttpRequest) -> HttpResponse:
    """Where a page that was open is sent when the guide behind it has left."""
    return ended_page()
