"""How a call to WeChat can fail.

These exceptions hold numbers and cleaned text only: no client, no request, no URL, no parameter. They may be
logged, pickled by a worker or shown to staff.
"""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal

from core import clock
from core.logs import redact

Reached = Literal["no", "yes", "unknown"]

_RID: Final = re.compile(r",?\s*\brid:\s*([0-9A-Za-z_-]{1,80})")
_LONGEST_TEXT: Final = 200
_SHORTEST_SECRET: Final = 6


def scrub(text: str, private: Iterable[str]) -> str:
    """The text without the given values, and without anything that looks like a phone, openid or
    credential."""
    for value in sorted({part for part in private if len(part) >= _SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(value, "[hidden]")
    return redact(text)[:_LONGEST_TEXT]


class NotOffered(RuntimeError):
    """A method of wechatpy that this client does not carry out; the message says why or what to use
    instead."""


class WeChatError(Exception):
    """A call that did not succeed.

    `permanent`: the same call will fail again, so repeating is pointless. `reached`: whether the request got
    to WeChat; "unknown" means that WeChat may have acted on it. `retry_after_s`: the earliest sensible
    repeat.
    """

    kind: ClassVar[str] = "failed"

    def __init__(
        self,
        path: str,
        *,
        errcode: int | None = None,
        errmsg: str = "",
        rid: str = "",
        permanent: bool = False,
        reached: Reached = "unknown",
        retry_after_s: int | None = None,
    ) -> None:
        self.path = path
        self.errcode = errcode
        self.errmsg = errmsg
        self.rid = rid
        self.permanent = permanent
        self.reached: Reached = reached
        self.retry_after_s = retry_after_s
        super().__init__(path)

    def __str__(self) -> str:
        code = "" if self.errcode is None else f" {self.errcode}"
        text = f": {self.errmsg}" if self.errmsg else ""
        return f"{self.path} {self.outcome}{code}{text}"

    @property
    def outcome(self) -> str:
        """One word for the call log."""
        return self.kind

    @property
    def surely_not_done(self) -> bool:
        """WeChat cannot have acted on the call."""
        return self.reached == "no"

    def state(self) -> dict[str, Any]:
        """All that the exception holds, as keyword arguments of its class."""
        names = ("errcode", "errmsg", "rid", "permanent", "reached", "retry_after_s")
        return {name: getattr(self, name) for name in names}

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.path, self.state()))


def _rebuild(kind: type[WeChatError], path: str, state: dict[str, Any]) -> WeChatError:
    return kind(path, **state)


class TransportError(WeChatError):
    """No usable HTTP answer: refused, timed out, broken off, or an HTTP status other than 200."""

    def __init__(
        self, path: str, *, how: str = "connection", status: int | None = None, **state: Any
    ) -> None:
        self.how = how
        self.status = status
        super().__init__(path, **state)

    @property
    def outcome(self) -> str:
        return self.how

    def state(self) -> dict[str, Any]:
        return {**super().state(), "how": self.how, "status": self.status}

    @classmethod
    def of_status(cls, path: str, status: int) -> "TransportError":
        """An HTTP status instead of an answer.

        WeChat accepts and refuses with HTTP 200, so another status comes from the machines in front of it,
        which turned the call away; only a gateway time-out (504) leaves open whether it went through.
        """
        may_pass_later = status >= 500 or status in (408, 429)
        return cls(
            path,
            how="http",
            status=status,
            errmsg=f"HTTP {status}",
            permanent=not may_pass_later,
            reached="unknown" if status == 504 else "yes",
        )


class UnreadableAnswer(WeChatError):
    """HTTP 200 with a page, nothing, or something that is not the promised form. WeChat may have acted."""

    kind = "unreadable"


class UnknownHost(WeChatError):
    """The address is not one of WeChat's in settings.WECHAT_HOSTS; nothing was sent."""

    kind = "unknown_host"

    def __init__(self, path: str, **state: Any) -> None:
        super().__init__(path, **{"permanent": True, "reached": "no", **state})


class TokenBusy(WeChatError):
    """Another process is fetching the token and has not finished in time; nothing was sent."""

    kind = "token_busy"

    def __init__(self, path: str, **state: Any) -> None:
        super().__init__(path, **{"reached": "no", **state})


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """What a code means for the caller: lasting or not, when to come back, whether staff must look."""

    permanent: bool = True
    retry_after_s: int | None = None
    is_alert: bool = False


BUSY: Final = -1
TOKEN_TROUBLE: Final = frozenset({40001, 40014, 42001})
# Of a token fetch: wrong appid, wrong secret, address not in the whitelist (two codes are in use), waiting
# for an administrator's confirmation, secret frozen. Repeating cannot help; only a person in WeChat's console
# can.
CONFIGURATION_TROUBLE: Final = frozenset({40013, 40125, 40164, 61004, 89503, 40243})
DAILY_QUOTA: Final = 45009

_LASTING: Final = Policy()
# Official page "global return codes". A code that is not here is taken as lasting.
POLICIES: Final[dict[int, Policy]] = {
    BUSY: Policy(permanent=False, retry_after_s=1),
    **dict.fromkeys(TOKEN_TROUBLE, Policy(permanent=False)),
    **dict.fromkeys(CONFIGURATION_TROUBLE, Policy(is_alert=True)),
    DAILY_QUOTA: Policy(permanent=False, is_alert=True),  # until midnight in Beijing, see ApiError
    45011: Policy(permanent=False, retry_after_s=60),
    45066: Policy(permanent=False, retry_after_s=60),
    48001: Policy(is_alert=True),
    48004: Policy(is_alert=True),
    50002: Policy(is_alert=True),
}
# Calls whose 45009 is a quota per minute.
_QUOTA_PER_MINUTE: Final = frozenset({"/wxa/getwxacodeunlimit", "/wxa/msg_sec_check"})


class ApiError(WeChatError):
    """WeChat read the call and said no; `errcode` is its code."""

    kind = "refused"

    @property
    def is_token_trouble(self) -> bool:
        return self.errcode in TOKEN_TROUBLE

    @property
    def is_alert(self) -> bool:
        """Somebody has to change something in WeChat's console."""
        return POLICIES.get(self.errcode or 0, _LASTING).is_alert

    @property
    def surely_not_done(self) -> bool:
        """A refusal is a promise that nothing happened; "system busy" (−1) is not."""
        return self.errcode != BUSY

    @classmethod
    def of_answer(cls, path: str, errcode: int, errmsg: str, private: Iterable[str] = ()) -> "ApiError":
        """The error for a code, by the table of policies."""
        policy = POLICIES.get(errcode, _LASTING)
        found = _RID.search(errmsg)
        retry_after_s = policy.retry_after_s
        if errcode == DAILY_QUOTA:
            retry_after_s = 60 if path in _QUOTA_PER_MINUTE else _seconds_to_midnight()
        return cls(
            path,
            errcode=errcode,
            errmsg=scrub(_RID.sub("", errmsg), private).strip(),
            rid=found[1] if found else "",
            permanent=policy.permanent,
            reached="yes",
            retry_after_s=retry_after_s,
        )


def _seconds_to_midnight() -> int:
    """Daily quotas are set back at midnight in Beijing."""
    now = clock.now()
    _start, end = clock.day_bounds(clock.business_day(now))
    return int((end - now).total_seconds()) + 1
