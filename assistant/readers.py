"""Who reads what guides share: a sealed cookie says which WeChat account or which browser it is.

It is looked at below /m/ only. Where WeChat told who it is, the cookie keeps that for a year; a browser that WeChat did not
speak for, although the page was opened there, is asked again on the next day.
"""

import datetime as dt
import json
import re
import secrets
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from campaigns.contracts.materials import ReaderMark
from core.crypto import CannotOpen, seal, unseal

_COOKIE: Final = "reader"
_TRIP: Final = "reader_trip"
_PATH: Final = "/m/"
_CONTEXT: Final = "assistant.reader"
_SALT: Final = "assistant.reader_trip"
_YEAR: Final = dt.timedelta(days=365)
_DAY: Final = dt.timedelta(days=1)
_TRIP_AGE_S: Final = 600
# Machines that look at links: crawlers, and the previews that messengers make.
_ROBOT: Final = re.compile(
    r"bot|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|headless|python|curl|wget|java/|go-http|okhttp|httpclient",
    re.IGNORECASE,
)


def find_reader(request: HttpRequest) -> ReaderMark | None:
    """Whom the cookie names; None without one, and for one that is not ours."""
    kept = request.COOKIES.get(_COOKIE, "")
    if not kept:
        return None
    try:
        kind, app_id, value = json.loads(unseal(kept, context=_CONTEXT))
    except (CannotOpen, ValueError):
        return None
    return ReaderMark(kind, value, app_id)


def keep_reader(response: HttpResponse, reader: ReaderMark, *, for_a_day: bool = False) -> None:
    """This browser is this reader's from now on."""
    sealed = seal(json.dumps([reader.kind, reader.app_id, reader.value]), context=_CONTEXT)
    _set(response, _COOKIE, sealed, int((_DAY if for_a_day else _YEAR).total_seconds()))


def new_browser() -> ReaderMark:
    """A browser that nobody knows."""
    return ReaderMark("browser", secrets.token_urlsafe(16))


def is_robot(request: HttpRequest) -> bool:
    """Whether nobody looks at it, as far as the request tells."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    agent = request.headers.get("User-Agent", "")
    return not agent or _ROBOT.search(agent) is not None or "prefetch" in purpose


def begin_trip(response: HttpResponse, *, state: str, token: str) -> None:
    """She goes to WeChat and comes back with this state, within ten minutes, in this browser."""
    _set(response, _TRIP, signing.dumps([state, token], salt=_SALT), _TRIP_AGE_S)


def is_on_trip(request: HttpRequest, *, state: str, token: str) -> bool:
    """Whether this browser set out with this state for this link."""
    kept = request.COOKIES.get(_TRIP, "")
    try:
        return bool(state) and signing.loads(kept, salt=_SALT, max_age=_TRIP_AGE_S) == [state, token]
    except signing.BadSignature:
        return False


def end_trip(response: HttpResponse) -> None:
    response.delete_cookie(_TRIP, path=_PATH)


def _set(response: HttpResponse, name: str, value: str, max_age: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
