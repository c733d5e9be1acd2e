"""会话: who waits for an answer, and what one member and her guides wrote to each other."""

import dataclasses
import datetime as dt
import uuid
import zlib
from typing import TYPE_CHECKING, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assistant import phrases
from assistant.pages.shell import Avatar, Shell, member_avatar
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, Talk, TalkLine, WaitingTalk

if TYPE_CHECKING:
    from assistant.pages.member_360.contract import Viewing

LINES: Final = 60
ROWS: Final = 100
_LATE: Final = dt.timedelta(hours=1)
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
_STATES: Final[dict[str, Promise]] = {
    "queued": gettext_lazy("发送中"),
    "sent": gettext_lazy("已发送"),
    "dropped": gettext_lazy("未送达"),
    "uncertain": gettext_lazy("不确定是否送达"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class TalkTile:
    """Who waits, in one line on 今日."""

    text: str
    wait_text: str
    is_late: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TalkRow:
    """One member who waits."""

    public_id: str
    name: str
    avatar: Avatar
    words: str
    wait_text: str
    is_late: bool
    unread: str
    is_orphan: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TalksPage:
    shell: Shell
    rows: tuple[TalkRow, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Bubble:
    """One thing said; `foot` tells who and when, and of a guide's words what became of them."""

    words: str
    is_hers: bool  # the member's
    is_note: bool
    foot: str
    trouble: str  # why it did not arrive


@dataclasses.dataclass(frozen=True, slots=True)
class TalkLive:
    """What changes by itself: the bubbles, who waits, until when she can be answered."""

    public_id: str
    bubbles: tuple[Bubble, ...]
    has_more: bool
    is_waiting: bool
    window_text: str
    is_open: bool
    last_id: int
    has_unread: bool
    seen: str  # what of all this the page shows


@dataclasses.dataclass(frozen=True, slots=True)
class TalkPart:
    """The conversation with its form, on the member's page and on a page of its own."""

    live: TalkLive
    name: str
    request_key: str


@dataclasses.dataclass(frozen=True, slots=True)
class TalkPage:
    shell: Shell
    title: str
    part: TalkPart


def build_talk_tile(guide: GuideCard, *, now: dt.datetime) -> TalkTile | None:
    """None when nobody waits."""
    summary = guide_selectors.summarize_talks(guide)
    if not summary.waiting_count or summary.waiting_since is None:
        return None
    words = {"members": summary.waiting_count, "unread": summary.unread_count}
    text = _("%(members)d 位会员等您回复") % words
    if summary.unread_count:
        text = _("%(members)d 位会员等您回复，%(unread)d 条未读") % words
    waited = now - summary.waiting_since
    return TalkTile(text, _("已等 %(span)s") % {"span": phrases.say_span(waited)}, waited >= _LATE)


def build_talks(guide: GuideCard, *, now: dt.datetime | None = None) -> TalksPage:
    """Everybody who waits, the longest first."""
    now = now or clock.now()
    waiting = guide_selectors.list_waiting_talks(guide, limit=ROWS)
    return TalksPage(Shell.around("today", guide.id), tuple(_row(talk, now) for talk in waiting))


def build_talk(guide: GuideCard, public_id: str, *, now: dt.datetime | None = None) -> TalkPage:
    """One conversation. Raises NotFound for a member this guide may not answer."""
    now = now or clock.now()
    talk = guide_selectors.get_talk(guide_id=guide.id, public_id=public_id, limit=LINES, at=now)
    part = _part(talk, guide, now)
    return TalkPage(Shell.around("today", guide.id), part.name, part)


def build_talk_part(viewing: "Viewing") -> TalkPart:
    """The tab of a member's page."""
    talk = guide_selectors.talk_of(viewing.member, limit=LINES, at=viewing.now)
    return _part(talk, viewing.guide, viewing.now)


def build_live(guide: GuideCard, public_id: str, *, now: dt.datetime | None = None) -> TalkLive:
    """The conversation as it stands. Raises NotFound as `build_talk` does."""
    now = now or clock.now()
    talk = guide_selectors.get_talk(guide_id=guide.id, public_id=public_id, limit=LINES, at=now)
    return _live(talk, guide, now)


def new_key() -> str:
    """For one sending: the same tap twice is one message."""
    return uuid.uuid4().hex


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


def _part(talk: Talk, guide: GuideCard, now: dt.datetime) -> TalkPart:
    return TalkPart(_live(talk, guide, now), talk.member.display_name, new_key())


def _live(talk: Talk, guide: GuideCard, now: dt.datetime) -> TalkLive:
    bubbles = tuple(_bubble(line, guide, now) for line in talk.lines)
    window = say_window(talk.window_until, now=now) if talk.lines else ""
    is_open = talk.window_until is not None and talk.window_until > now
    shown = repr((bubbles, window, talk.waiting_since is not None)).encode()
    return TalkLive(
        public_id=talk.member.public_id,
        bubbles=bubbles,
        has_more=talk.has_more,
        is_waiting=talk.waiting_since is not None,
        window_text=window,
        is_open=is_open,
        last_id=talk.lines[-1].id if talk.lines else 0,
        has_unread=talk.unread_count > 0,
        seen=f"{zlib.crc32(shown):08x}",
    )


def _bubble(line: TalkLine, guide: GuideCard, now: dt.datetime) -> Bubble:
    when = phrases.say_appointment(line.at, now=now)
    placeholder = str(_KINDS.get(line.kind, "" if line.kind == "text" else _("［其他消息］")))
    words = " ".join(part for part in (placeholder, line.words) if part)
    if line.speaker == "member":
        return Bubble(words, True, False, when, "")
    who = _("我") if line.guide_name == guide.name else line.guide_name
    if line.speaker == "settled":
        return Bubble(_("%(who)s 标记为无需回复") % {"who": who}, False, True, when, "")
    state = str(_STATES.get(line.state, ""))
    foot = " · ".join(part for part in ("" if who == _("我") else who, when, state) if part)
    return Bubble(words, False, False, foot, line.outcome if line.state in ("dropped", "uncertain") else "")


def _row(talk: WaitingTalk, now: dt.datetime) -> TalkRow:
    placeholder = str(_KINDS.get(talk.last_kind, "" if talk.last_kind == "text" else _("［其他消息］")))
    waited = now - talk.waiting_since
    return TalkRow(
        public_id=talk.member.public_id,
        name=talk.member.display_name,
        avatar=member_avatar(talk.member),
        words=" ".join(part for part in (placeholder, talk.last_words) if part),
        wait_text=_("已等 %(span)s") % {"span": phrases.say_span(waited)},
        is_late=waited >= _LATE,
        unread=_("%(count)d 条未读") % {"count": talk.unread_count} if talk.unread_count else "",
        is_orphan=talk.is_orphan,
    )
