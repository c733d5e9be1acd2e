"""跟进任务: what a guide has to do for her members, by day; one of them with what to say and what came of it."""

import dataclasses
import datetime as dt
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.shell import Avatar, Link, Shell, Stretch, member_avatar
from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import FollowUpCard, GuideCard
from guides.selectors.follow_ups import FOLLOW_UP_RESULTS, FollowUpTab

PAGE_ROWS: Final = 20
TABS: Final[tuple[FollowUpTab, ...]] = ("due", "later", "done")


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpTile:
    """What is due by today, in one line on 今日."""

    text: str
    late_text: str


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpRow:
    """One follow-up in a list."""

    public_id: str
    name: str
    avatar: Avatar
    title: str
    when_text: str
    is_late: bool
    result_label: str


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpsPage:
    shell: Shell
    tab: FollowUpTab
    tabs: tuple[Link, ...]
    done_text: str
    list: Stretch[FollowUpRow]


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpPage:
    shell: Shell
    public_id: str
    title: str
    script: str
    when_text: str
    is_late: bool
    is_open: bool
    may_undo: bool
    result_label: str
    note: str
    results: tuple[tuple[str, str], ...]
    member_name: str
    member_avatar: Avatar
    member_id: str  # public; empty when she is not this guide's to open
    member_note: str


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpSaid:
    """What doing one, or taking it back, answers with: the page anew, and a sentence."""

    page: FollowUpPage
    text: str
    may_undo: bool


def build_follow_up_tile(guide: GuideCard, *, now: dt.datetime) -> FollowUpTile | None:
    """What is due; None when nothing is."""
    due, overdue = guide_selectors.count_due_follow_ups(guide.id, today=clock.business_day(now))
    if not due:
        return None
    late = _("%(count)d 个逾期") % {"count": overdue} if overdue else ""
    return FollowUpTile(_("%(count)d 个跟进任务今天要做") % {"count": due}, late)


def build_follow_ups(guide: GuideCard, *, tab: FollowUpTab, now: dt.datetime | None = None) -> FollowUpsPage:
    """The list of a tab."""
    now = now or clock.now()
    counts = guide_selectors.count_follow_ups(guide.id, today=clock.business_day(now))
    labels = {
        "due": _("待跟进 %(n)d") % {"n": counts.due_count} if counts.due_count else _("待跟进"),
        "later": _("以后 %(n)d") % {"n": counts.later_count} if counts.later_count else _("以后"),
        "done": _("已完成"),
    }
    return FollowUpsPage(
        shell=Shell.around("me", guide.id),
        tab=tab,
        tabs=tuple(
            Link(labels[each], _url("assistant:follow-ups", tab=each), is_on=each == tab) for each in TABS
        ),
        done_text=_("本月完成 %(n)d 个") % {"n": counts.done_count} if counts.done_count else "",
        list=build_follow_up_rows(guide, tab=tab, cursor=None, now=now),
    )


def build_follow_up_rows(
    guide: GuideCard, *, tab: FollowUpTab, cursor: str | None, now: dt.datetime | None = None
) -> Stretch[FollowUpRow]:
    """The stretch after `cursor`."""
    now = now or clock.now()
    found = guide_selectors.list_follow_ups(
        guide.id, tab=tab, cursor=cursor, limit=PAGE_ROWS, today=clock.business_day(now)
    )
    next_url = ""
    if found.next_cursor:
        next_url = _url("assistant:follow-up-rows", tab=tab, cursor=found.next_cursor)
    return Stretch(tuple(_row(card, now) for card in found.follow_ups), cursor is None, next_url)


def build_follow_up(guide: GuideCard, public_id: str, *, now: dt.datetime | None = None) -> FollowUpPage:
    """One of hers. Raises NotFound for an unknown one and for another's alike."""
    now = now or clock.now()
    card = guide_selectors.access_follow_up(guide.id, public_id)
    member = card.member
    try:
        member = guide_selectors.access_member(guide_id=guide.id, public_id=member.public_id)
        link, note = member.public_id, f"{member.stage_label} · {member.masked_phone or _('还没有留手机')}"
    except NotFound:
        link, note = "", _("不是您的专属会员")
    is_today = card.done_at is not None and clock.business_day(card.done_at) == clock.business_day(now)
    return FollowUpPage(
        shell=Shell.around("me", guide.id),
        public_id=card.public_id,
        title=card.title,
        script=card.script,
        when_text=_say_when(card, now),
        is_late=_is_late(card, now),
        is_open=card.state == "open",
        may_undo=card.state == "done" and is_today,
        result_label=card.result_label,
        note=card.note,
        results=tuple((value, str(label)) for value, label in FOLLOW_UP_RESULTS),
        member_name=card.member.display_name,
        member_avatar=member_avatar(card.member),
        member_id=link,
        member_note=note,
    )


def _row(card: FollowUpCard, now: dt.datetime) -> FollowUpRow:
    return FollowUpRow(
        public_id=card.public_id,
        name=card.member.display_name,
        avatar=member_avatar(card.member),
        title=card.title,
        when_text=_say_when(card, now),
        is_late=_is_late(card, now),
        result_label=card.result_label,
    )


def _is_late(card: FollowUpCard, now: dt.datetime) -> bool:
    return card.state == "open" and card.due_on < clock.business_day(now)


def _say_when(card: FollowUpCard, now: dt.datetime) -> str:
    if card.done_at is not None:
        return _("%(time)s 完成") % {"time": phrases.say_time(card.done_at, now=now)}
    today = clock.business_day(now)
    if card.due_on == today:
        return _("今天截止")
    if card.due_on < today:
        return _("逾期 %(n)d 天") % {"n": (today - card.due_on).days}
    return _("%(day)s截止") % {"day": phrases.say_coming_day(card.due_on, today=today)}


def _url(name: str, **values: object) -> str:
    return f"{reverse(name)}?{urlencode(values)}"
