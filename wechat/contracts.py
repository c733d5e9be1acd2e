"""What may leave the gateway."""

import dataclasses
import datetime as dt
from typing import Literal, NoReturn


@dataclasses.dataclass(frozen=True, slots=True)
class AccountCard:
    """One account we serve; no secret in it."""

    id: int
    slug: str
    name: str
    kind: Literal["official", "mini_program"]
    app_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class FollowerInfo:
    """What user/info says of a follower. Nickname and avatar are not given since December 2021."""

    openid: str
    unionid: str | None
    is_following: bool


@dataclasses.dataclass(frozen=True, slots=True)
class QrTicket:
    """A parametric code: `url` is what the QR image must hold."""

    ticket: str
    url: str
    expires_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class OAuthIdentity:
    app_id: str
    openid: str
    unionid: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class MiniSession:
    """Who logged in to a mini-program. The session key opens her data and stays on the server: whoever keeps
    it seals it; it is not shown, and the whole cannot be pickled into a queue or a cache.
    """

    app_id: str
    openid: str
    unionid: str | None
    session_key: str = dataclasses.field(repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session holds a key and is not pickled")


@dataclasses.dataclass(frozen=True, slots=True)
class JsSignature:
    """For `wx.config`; `timestamp` is Unix seconds."""

    app_id: str
    timestamp: int
    nonce_str: str
    signature: str


@dataclasses.dataclass(frozen=True, slots=True)
class CodeBudget:
    """Permanent codes of an account: WeChat never gives one back."""

    cap: int
    spent_count: int

    @property
    def remaining(self) -> int:
        return self.cap - self.spent_count
