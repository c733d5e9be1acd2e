"""What every view of the assistant is wrapped in: the guide, the refusals, the headers.

`open_screen` is for pages anybody may see (login and its troubles), `guide_screen` for all others: it hands
the view the logged-in guide's card, or sends the browser to the login.
"""

import functools
import json
import logging
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import sessions
from assistant.errors import DatabaseAway
from core.databases import is_away
from core.errors import NotFound, Refusal
from guides import selectors as guide_selectors
from guides.contracts import GuideCard

logger = logging.getLogger(__name__)
_gzip = GZipMiddleware(lambda request: HttpResponse())

P = ParamSpec("P")
OpenView = Callable[Concatenate[HttpRequest, P], HttpResponse]
GuideView = Callable[Concatenate[HttpRequest, GuideCard, P], HttpResponse]

# htmx runs without eval (see the htmx-config in base.html), so scripts come from this site only; WeUI's icons
# are data: images, and the QR is inline SVG without styles.
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


# The page of the scanner reads codes with WebAssembly where the browser cannot itself; nothing else may compile.
CAMERA_POLICY: Final = CONTENT_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
# What a page may ask the phone for: nothing, but the scanner the camera.
_PERMISSIONS: Final = "camera=({camera}), microphone=(), geolocation=(), payment=(), usb=()"


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def is_in_wechat(request: HttpRequest) -> bool:
    """Opened inside WeChat (or WeCom, which says so too), as far as the browser tells."""
    return "MicroMessenger" in request.headers.get("User-Agent", "")


def open_screen(view: OpenView[P]) -> OpenView[P]:
    """A page for anybody: refusals become pages or toasts, nothing is stored by browser or proxy."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Refusal as refusal:
            response = answer_refusal(request, refusal)
        except (DatabaseError, InterfaceError) as error:
            if not is_away(error):
                raise
            logger.warning("assistant.database_away", exc_info=True)
            response = answer_refusal(request, DatabaseAway())
        return _dress(request, response)

    return wrapped


def guide_screen(view: GuideView[P]) -> OpenView[P]:
    """A page of the logged-in guide. Her session ends here when she has left or her epoch was raised."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        session = sessions.find_session(request)
        if session is None:
            return _to_login(request)
        guide = _find_guide(session.guide_id)
        if guide is None or not guide.is_active:
            sessions.close_session(request)
            return _say_ended(request)
        if guide.session_epoch != session.session_epoch:
            sessions.close_session(request)
            return _to_login(request)
        return view(request, guide, *args, **kwargs)

    return open_screen(guarded)


def answer_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The same refusal as a toast for htmx (the page keeps what was typed), else as a page."""
    if is_htmx(request):
        response = HttpResponse(status=refusal.http_status)
        response["HX-Trigger"] = json.dumps({"refused": {"code": refusal.code, "text": refusal.message}})
        response["X-Refusal"] = refusal.code
        return response
    return message_page(
        title=_("没有找到") if isinstance(refusal, NotFound) else _("暂时不能继续"),
        text=refusal.message,
        status=refusal.http_status,
        code=refusal.code,
        retry_path=request.get_full_path() if request.method == "GET" and refusal.http_status >= 500 else "",
    )


def message_page(
    *, title: str, text: str, status: int, code: str = "", retry_path: str = "", retry_label: str = ""
) -> HttpResponse:
    """A page that says what happened and offers the way on. Needs no session and no database."""
    content = render_to_string(
        "assistant/message.html",
        {"title": title, "text": text, "code": code, "retry_path": retry_path, "retry_label": retry_label},
    )
    response = HttpResponse(content, status=status)
    if code:
        response["X-Refusal"] = code
    return response


def allow_camera(response: HttpResponse) -> HttpResponse:
    """This page, and no other, may use the camera."""
    response["Content-Security-Policy"] = CAMERA_POLICY
    response["Permissions-Policy"] = _PERMISSIONS.format(camera="self")
    return response


def show(request: HttpRequest, template: str, page: object, status: int = 200) -> HttpResponse:
    """Render one composed page object."""
    return render(request, template, {"page": page}, status=status)


def _find_guide(guide_id: int) -> GuideCard | None:
    try:
        return guide_selectors.get_guide_card(guide_id)
    except NotFound:
        return None


def _to_login(request: HttpRequest) -> HttpResponse:
    path = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    if is_htmx(request):
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        path = f"{page.path}?{page.query}" if page.query else page.path
    next_path = sessions.safe_next(path, default=reverse("assistant:home"))
    login = f"{reverse('assistant:login')}?{urlencode({'next': next_path})}"
    return _go(request, login)


def _say_ended(request: HttpRequest) -> HttpResponse:
    if is_htmx(request):
        return _go(request, reverse("assistant:ended"))
    return ended_page()


def ended_page() -> HttpResponse:
    """What a guide who has left sees."""
    return message_page(
        title=_("您的账号已停用"),
        text=_("请联系店长，重新入职后可以再次开通"),
        status=403,
        code="assistant.ended",
    )


def _go(request: HttpRequest, path: str) -> HttpResponse:
    if not is_htmx(request):
        return redirect(path)
    response = HttpResponse(status=200)
    response["HX-Redirect"] = path
    return response


def _dress(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Nobody keeps a page, nothing foreign runs in it, and it travels compressed (shops have poor signal).

    Django pads compressed pages at random and masks the CSRF token, which takes BREACH its measure.
    """
    response.setdefault("Cache-Control", "private, no-store")
    response.setdefault("Content-Security-Policy", CONTENT_POLICY)
    response.setdefault("Permissions-Policy", _PERMISSIONS.format(camera=""))
    response.setdefault("Referrer-Policy", "same-origin")
    if response.get("Content-Type", "").startswith("text/html"):
        _gzip.process_response(request, response)
    return response
