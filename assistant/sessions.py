"""Who is logged in: what a session keeps, and the states of logins under way.

A session remembers the guide and the epoch under which it was opened; raising the guide's epoch (she leaves,
or staff end her sessions) ends every session of hers at its next request.

The state of an OAuth round trip lives in a signed cookie of its own, named after the state. It binds the trip
to this browser and is gone after one use. One cookie per trip, not one session row for all: a phone that
restores three tabs at once starts three trips before any session exists, and none may overwrite another.
"""

import dataclasses
import datetime as dt
import secrets
import string
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils.http import url_has_allowed_host_and_scheme

from guides.contracts import GuideCard

LOGIN_PATH: Final = "/a/login/"
STATE_MAX_AGE_S: Final = 600
PENDING_MAX_AGE_S: Final = 1800
_STATES_AT_ONCE: Final = 8
_COOKIE_PREFIX: Final = "login_"
_SALT: Final = "assistant.login"
_GUIDE_KEY: Final = "assistant_guide"
_PENDING_KEY: Final = "assistant_pending"
_STATE_ALPHABET: Final = string.ascii_letters + string.digits


@dataclasses.dataclass(frozen=True, slots=True)
class GuideSession:
    """A guide is logged in; valid while her card says active and the same epoch."""

    guide_id: int
    session_epoch: int


@dataclasses.dataclass(frozen=True, slots=True)
class PendingActivation:
    """WeChat told us who opened the page, and no guide is tied to her yet."""

    app_id: str
    openid: str
    next_path: str


def safe_next(path: str | None, *, default: str) -> str:
    """The path to go to after a login: a local one below /a/, or the default. Never another site."""
    if (
        path
        and path.startswith("/a/")
        and not path.startswith(LOGIN_PATH)
        and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    ):
        return path
    return default


# The guide -------------------------------------------------------------------------------------------------


def open_session(request: HttpRequest, guide: GuideCard) -> None:
    """This browser is the guide from now on, under a new session key (no fixation) and a new CSRF token."""
    request.session.pop(_PENDING_KEY, None)
    request.session.cycle_key()
    request.session[_GUIDE_KEY] = {"guide_id": guide.id, "epoch": guide.session_epoch}
    rotate_token(request)


def find_session(request: HttpRequest) -> GuideSession | None:
    kept = request.session.get(_GUIDE_KEY)
    if not isinstance(kept, dict):
        return None
    return GuideSession(kept["guide_id"], kept["epoch"])


def close_session(request: HttpRequest) -> None:
    """Forget the guide. A staff login of the same browser stays; without one the whole session goes."""
    request.session.pop(_GUIDE_KEY, None)
    request.session.pop(_PENDING_KEY, None)
    if request.session.is_empty() or not list(request.session.keys()):
        request.session.flush()
    else:
        request.session.cycle_key()


# Activation -----------------------------------------------------------------------------------------------


def keep_pending(request: HttpRequest, *, app_id: str, openid: str, next_path: str, at: dt.datetime) -> None:
    request.session.cycle_key()
    request.session[_PENDING_KEY] = {
        "app_id": app_id,
        "openid": openid,
        "next": next_path,
        "until": int(at.timestamp()) + PENDING_MAX_AGE_S,
    }


def find_pending(request: HttpRequest, *, at: dt.datetime) -> PendingActivation | None:
    kept = request.session.get(_PENDING_KEY)
    if not isinstance(kept, dict) or kept["until"] < at.timestamp():
        return None
    return PendingActivation(kept["app_id"], kept["openid"], kept["next"])


# Logins under way -------------------------------------------------------------------------------------------


def new_state() -> str:
    """32 random letters and digits: WeChat takes up to 128 of these (网页授权 page of the official docs)."""
    return "".join(secrets.choice(_STATE_ALPHABET) for _ in range(32))


def keep_state(request: HttpRequest, response: HttpResponse, *, state: str, next_path: str) -> None:
    """Bind the trip to this browser for ten minutes; the oldest of too many trips are dropped."""
    older = [name for name in request.COOKIES if name.startswith(_COOKIE_PREFIX)]
    for name in older[: max(0, len(older) - _STATES_AT_ONCE + 1)]:
        response.delete_cookie(name, path=LOGIN_PATH)
    response.set_cookie(
        f"{_COOKIE_PREFIX}{state}",
        signing.dumps({"state": state, "next": next_path}, salt=_SALT),
        max_age=STATE_MAX_AGE_S,
        path=LOGIN_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def find_state(request: HttpRequest, state: str) -> str | None:
    """The path the trip of this state leads to; None when it is not ours, too old or used."""
    kept = request.COOKIES.get(f"{_COOKIE_PREFIX}{state}")
    if not state or kept is None:
        return None
    try:
        trip = signing.loads(kept, salt=_SALT, max_age=STATE_MAX_AGE_S)
    except signing.BadSignature:
        return None
    return trip["next"] if trip["state"] == state else None


def drop_state(response: HttpResponse, state: str) -> None:
    """The trip is over, however it ended."""
    if state and all(character in _STATE_ALPHABET for character in state):
        response.delete_cookie(f"{_COOKIE_PREFIX}{state}", path=LOGIN_PATH)
