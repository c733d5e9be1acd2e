"""What may leave the gateway."""

import dataclasses
import datetime as dt
from typing import Final, Literal, NoReturn

Channel = Literal["template", "subscription", "service", "tagging"]
# WeChat promises ten minutes in which a template message with a known `client_msg_id` is not sent a second time.
REPEAT_SAFE_FOR: Final = dt.timedelta(minutes=9)


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
    """What user/info says of a follower. Nickname and avatar are not given since December 2021. `tag_ids`: WeChat's numbers
    of the tags she carries; None when it did not say."""

    openid: str
    unionid: str | None
    is_following: bool
    tag_ids: tuple[int, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class FollowerStanding:
    """How a person stands to an official account, as far as we know."""

    is_following: bool
    followed_at: dt.datetime | None
    window_until: dt.datetime | None
    acted_at: dt.datetime | None  # wrote, scanned, tapped or followed, at last


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


@dataclasses.dataclass(frozen=True, slots=True)
class SendOutcome:
    """What one attempt to send came to.

    `sent`: WeChat took it; `message_id` is its id where it gave one. `refused`: never again, as it is. `later`: WeChat
    surely does not have it, try from `retry_at`. `uncertain`: it may have gone out; where `is_repeatable`, the same
    `client_msg_id` may be sent again within REPEAT_SAFE_FOR of its first attempt. `halted`: the account's channel is
    stopped, until `retry_at` or (None) until a person lifts it; WeChat does not have it.
    `code` is ours and stable ("" when sent), `field` names the template field that WeChat did not like.
    """

    state: Literal["sent", "refused", "later", "uncertain", "halted"]
    code: str = ""
    errcode: int | None = None
    message_id: str = ""
    retry_at: dt.datetime | None = None
    is_repeatable: bool = False
    field: str = ""


MassKind = Literal["text", "image", "article"]
MassState = Literal["sent", "sending", "failed", "deleted", "unknown"]


@dataclasses.dataclass(frozen=True, slots=True)
class MassContent:
    """What a mass message says: a text, a picture (its name in the default storage) or an article (its media id)."""

    kind: MassKind
    text: str = ""
    picture: str = ""
    media_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class DraftCard:
    """An article that lies in the drafts of an account's console; several articles of one draft go together."""

    media_id: str
    title: str
    article_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class LaneCard:
    """How one account stands on one channel. `halt_errcode` is WeChat's; a halt without end waits for a person."""

    id: int
    account_id: int
    account_name: str
    channel: Channel
    rate_per_s: int
    backoff_until: dt.datetime | None
    halted_at: dt.datetime | None
    halted_until: dt.datetime | None
    halt_code: str
    halt_errcode: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateField:
    """One place to fill: `name` as WeChat calls it (`thing1`), its kind (`thing`) and the words before it."""

    name: str
    kind: str
    label: str
    example: str


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateCard:
    """One template of an account. It is sent over `channel`; when not `is_live`, WeChat has it no more."""

    id: int
    account_id: int
    account_name: str
    app_id: str
    channel: Literal["template", "subscription"]
    template_id: str
    title: str
    content: str
    example: str
    fields: tuple[TemplateField, ...]
    is_lasting: bool
    is_live: bool
    synced_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Mirrored:
    """What a synchronisation changed in rows that mirror WeChat's."""

    total_count: int
    added_count: int
    changed_count: int
    gone_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class FollowerTagCard:
    """A tag of an account's followers. `follower_count` is WeChat's, as of the last synchronisation; `listed_at`: when the
    list of who carries it was last read to its end."""

    id: int
    account_id: int
    app_id: str
    wechat_tag_id: int
    name: str
    follower_count: int
    is_live: bool
    listed_at: dt.datetime | None
    synced_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class TaggingCounts:
    """Of one tag: who carries it as far as we know, who waits to get or lose it, and whom WeChat refused it for."""

    there_count: int
    waiting_count: int
    failed_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class WantedTag:
    """What a new wish for a tag changed: how many are to get it, and to lose it."""

    put_count: int
    taken_count: int
