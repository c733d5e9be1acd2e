"""What may leave `guides` of conversations."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.contracts import MemberCard

_KINDS: Final[dict[str, Promise]] = {
    "image": gettext_lazy("［图片］"),
    "voice": gettext_lazy("［语音］"),
    "video": gettext_lazy("［视频］"),
    "shortvideo": gettext_lazy("［小视频］"),
    "location": gettext_lazy("［位置］"),
    "link": gettext_lazy("［链接］"),
    "miniprogrampage": gettext_lazy("［小程序］"),
    "transfer": gettext_lazy("［请求联系导购］"),
}


def say_message(kind: str, words: str) -> str:
    """A message in one text: what kind it is, unless it is plain words, then its words."""
    placeholder = str(_KINDS.get(kind, "" if kind == "text" else _("［其他消息］")))
    return " ".join(part for part in (placeholder, words) if part)


def say_span(span: dt.timedelta) -> str:
    """How long: 5分钟, 3小时, 2天; at least one minute."""
    minutes = max(1, int(span.total_seconds() // 60))
    if minutes < 60:
        return _("%(minutes)d分钟") % {"minutes": minutes}
    if minutes < 24 * 60:
        return _("%(hours)d小时") % {"hours": minutes // 60}
    return _("%(days)d天") % {"days": minutes // (24 * 60)}


def say_window(until: dt.datetime | None, *, now: dt.datetime) -> str:
    """Until when WeChat takes an answer: 还能回复 3 小时 12 分; a window that is over says so."""
    if until is None or until <= now:
        return _("已过窗口，等她再发消息才能回复")
    minutes = int((until - now).total_seconds() // 60)
    if minutes < 1:
        return _("还能回复不到 1 分钟")
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("还能回复 %(minutes)d 分钟") % {"minutes": rest}
    return _("还能回复 %(hours)d 小时 %(minutes)d 分") % {"hours": hours, "minutes": rest}


@dataclasses.dataclass(frozen=True, slots=True)
class WaitingTalk:
    """A member who waits for an answer."""

    member: MemberCard
    waiting_since: dt.datetime
    unread_count: int
    last_words: str
    last_kind: str
    is_orphan: bool  # nobody's, or of a guide who has left: the manager sees to her


@dataclasses.dataclass(frozen=True, slots=True)
class TalkSummary:
    """Who waits for this guide, in numbers."""

    waiting_count: int = 0
    unread_count: int = 0
    waiting_since: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class TalkLine:
    """One thing said. `state` and `outcome` are of an answer; `guide_id` is None of head office's."""

    id: int
    speaker: str
    kind: str
    words: str
    at: dt.datetime
    guide_id: int | None
    name: str  # the guide's or the staff account's
    state: str
    outcome: str


@dataclasses.dataclass(frozen=True, slots=True)
class Talk:
    """A member's conversation, the oldest line first; without lines she never wrote."""

    member: MemberCard
    lines: tuple[TalkLine, ...]
    has_more: bool  # older ones than these
    waiting_since: dt.datetime | None
    unread_count: int
    window_until: dt.datetime | None  # None: as far as we know WeChat takes nothing to her


@dataclasses.dataclass(frozen=True, slots=True)
class QuickReplyLine:
    """A ready answer, its places filled for one member."""

    id: int
    group: str
    title: str
    text: str
