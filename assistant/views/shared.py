"""What a guide shared, for whoever opens her link: no login, and the same answer for all that is not to be seen."""

import logging
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from assistant import qr, readers, sessions
from assistant.pages.shared import SharedPage, build_shared, get_guide_code, get_mini_code
from assistant.screens import is_in_wechat, open_screen, show
from assistant.views.wechat_pages import answer_signature
from campaigns.contracts.materials import ReaderMark
from campaigns.errors import NoSuchMaterial
from campaigns.services.material_openings import note_opening
from core import clock
from core.errors import Refusal
from wechat.errors import NoAccount
from wechat.services import accounts, oauth

logger = logging.getLogger(__name__)

# Back from WeChat; for so long nobody is sent there again, whatever the phone does with cookies.
_WENT: Final = "w"
_WENT_S: Final = 120


@require_safe
@open_screen
def material(request: HttpRequest, token: str) -> HttpResponse:
    """The page. Inside WeChat the first one of a phone goes by WeChat, which says whose it is without asking her."""
    try:
        page = build_shared(token, is_wechat=is_in_wechat(request))
    except NoSuchMaterial as refusal:
        return _gone(request, refusal)
    reader = readers.find_reader(request)
    if reader is None and page.is_wechat and not readers.is_robot(request) and not _just_went(request):
        away = _ask_wechat(token)
        if away is not None:
            return away
    response = _show(request, page)
    if reader is None:
        readers.keep_reader(response, readers.new_browser(), for_a_day=page.is_wechat)
    return response


@require_safe
@open_screen
def back(request: HttpRequest, token: str) -> HttpResponse:
    """WeChat sent her back. Whatever went wrong, she reads on: then as a browser that nobody knows."""
    response = redirect(
        f"{reverse('shared:material', args=[token])}?{urlencode({_WENT: int(clock.now().timestamp())})}"
    )
    if readers.is_on_trip(request, state=request.GET.get("state", ""), token=token):
        reader = _whom_wechat_tells(request.GET.get("code", ""))
        readers.keep_reader(response, reader or readers.new_browser(), for_a_day=reader is None)
        readers.end_trip(response)
    return response


@csrf_exempt
@require_POST
@open_screen
def seen(request: HttpRequest, token: str) -> HttpResponse:
    """The page came before somebody's eyes: told by its script, which machines that look at links do not run. The answer
    never says whether it counts. Takes no CSRF token: it changes nothing for whoever is made to send it, and the cookie
    that it needs is not sent along from other sites."""
    reader = readers.find_reader(request)
    if reader is not None and not readers.is_robot(request) and not _is_ours(request):
        try:
            note_opening(token=token, reader=reader)
        except NoSuchMaterial:
            logger.info("assistant.shared_gone")
    return HttpResponse(status=204)


@require_safe
@open_screen
def guide_code(request: HttpRequest, token: str) -> HttpResponse:
    """The QR of the guide, as a picture: WeChat reads it on a long press."""
    response = HttpResponse(qr.draw_png(get_guide_code(token), size=480), content_type="image/png")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_safe
@open_screen
def mini_code(request: HttpRequest, token: str) -> HttpResponse:
    """The code of the mini-program; without one the page hides the picture."""
    response = HttpResponse(get_mini_code(token), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_safe
@open_screen
def signature(request: HttpRequest) -> HttpResponse:
    """What `wx.config` needs, so that passing the page on shows its card; for pages of guides' links only."""
    if not request.GET.get("url", "").startswith(f"{settings.PUBLIC_BASE_URL}/m/"):
        return HttpResponse(status=404)
    return answer_signature(request)


def _show(request: HttpRequest, page: SharedPage) -> HttpResponse:
    return show(request, "assistant/shared.html", page)


def _gone(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    response = render(request, "assistant/shared_gone.html", {"brand": settings.BRAND_NAME}, status=404)
    response["X-Refusal"] = refusal.code
    return response


def _just_went(request: HttpRequest) -> bool:
    went = request.GET.get(_WENT, "")
    return (
        went.isascii()
        and went.isdecimal()
        and len(went) < 12
        and 0 <= clock.now().timestamp() - int(went) < _WENT_S
    )


def _ask_wechat(token: str) -> HttpResponse | None:
    """On to WeChat; None where the chain has no official account."""
    try:
        account = accounts.get_default_official()
    except NoAccount:
        return None
    state = sessions.new_state()
    response = redirect(
        oauth.authorize_url(
            account_id=account.id,
            redirect_uri=f"{settings.PUBLIC_BASE_URL}{reverse('shared:back', args=[token])}",
            state=state,
            scope="snsapi_base",
        )
    )
    readers.begin_trip(response, state=state, token=token)
    return response


def _whom_wechat_tells(code: str) -> ReaderMark | None:
    """Her WeChat account; None when WeChat does not answer, or shows a preview under a made-up one."""
    try:
        account = accounts.get_default_official()
        identity = oauth.exchange_code(account_id=account.id, code=code)
    except Refusal as refusal:
        logger.info("assistant.reader_unknown", extra={"code": refusal.code})
        return None
    return ReaderMark("wechat", identity.openid, identity.app_id)


def _is_ours(request: HttpRequest) -> bool:
    """A guide's phone or a desk of staff: neither is a customer."""
    return sessions.find_session(request) is not None or request.user.is_authenticated
