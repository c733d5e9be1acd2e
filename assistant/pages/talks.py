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
from guides.contracts import (
    GuideCard,
    QuickReplyLine,
    Talk,
    TalkLine,
    WaitingTalk,
    say_message,
    say_span,
    say_window,
)
from guides.selectors.conversations import access_talker
from guides.selectors.people import openable_ids
from guides.selectors.quick_replies import list_quick_replies

if TYPE_CHECKING:
    from assistant.pages.member_360.contract import Viewing

LINES: Final = 60
ROWS: Final = 100
_LATE: Final = dt.timedelta(hours=1)
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
class ReplySheet:
    """The dialog 话术: ready answers, filled for this member, grouped as head office did."""

    public_id: str
    name: str
    groups: tuple[tuple[str, tuple[QuickReplyLine, ...]], ...]
    query: str


@dataclasses.dataclass(frozen=True, slots=True)
class TalkPage:
    shell: Shell
    title: str
    part: TalkPart
    may_open: bool  # her page too


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
    return TalkTile(text, _("已等 %(span)s") % {"span": say_span(waited)}, waited >= _LATE)


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
    may_open = talk.member.id in openable_ids(guide.id, [talk.member.id])
    return TalkPage(Shell.around("today", guide.id), part.name, part, may_open)


def build_talk_part(viewing: "Viewing") -> TalkPart:
    """The tab of a member's page."""
    talk = guide_selectors.talk_of(viewing.member, limit=LINES, at=viewing.now)
    return _part(talk, viewing.guide, viewing.now)


def build_live(guide: GuideCard, public_id: str, *, now: dt.datetime | None = None) -> TalkLive:
    """The conversation as it stands. Raises NotFound as `build_talk` does."""
    now = now or clock.now()
    talk = guide_selectors.get_talk(guide_id=guide.id, public_id=public_id, limit=LINES, at=now)
    return _live(talk, guide, now)


def build_reply_sheet(guide: GuideCard, public_id: str, *, query: str = "") -> ReplySheet:
    """Raises NotFound as `build_talk` does."""
    member = access_talker(guide_id=guide.id, public_id=public_id)
    found = list_quick_replies(member=member, guide=guide, query=query)
    groups: dict[str, list[QuickReplyLine]] = {}
    for line in found:
        groups.setdefault(line.group, []).append(line)
    listed = tuple((group, tuple(lines)) for group, lines in groups.items())
    return ReplySheet(member.public_id, member.display_name, listed, query)


def new_key() -> str:
    """For one sending: the same tap twice is one message."""
    return uuid.uuid4().hex


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
    words = say_message(line.kind, line.words)
    if line.speaker == "member":
        return Bubble(words, True, False, when, "")
    is_mine = line.guide_id == guide.id
    who = _("我") if is_mine else line.name
    if line.guide_id is None:
        who = _("后台 %(name)s") % {"name": line.name}
    if line.speaker == "settled":
        return Bubble(_("%(who)s 标记为无需回复") % {"who": who}, False, True, when, "")
    state = str(_STATES.get(line.state, ""))
    foot = " · ".join(part for part in ("" if is_mine else who, when, state) if part)
    return Bubble(words, False, False, foot, line.outcome if line.state in ("dropped", "uncertain") else "")


def _row(talk: WaitingTalk, now: dt.datetime) -> TalkRow:
    waited = now - talk.waiting_since
    return TalkRow(
        public_id=talk.member.public_id,
        name=talk.member.display_name,
        avatar=member_avatar(talk.member),
        words=say_message(talk.last_kind, talk.last_words),
        wait_text=_("已等 %(span)s") % {"span": say_span(waited)},
        is_late=waited >= _LATE,
        unread=_("%(count)d 条未读") % {"count": talk.unread_count} if talk.unread_count else "",
        is_orphan=talk.is_orphan,
    )
