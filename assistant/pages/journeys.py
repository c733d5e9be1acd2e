"""旅程: which journeys a member is on, in a guide's words; and who of hers is on one."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.shell import Avatar, Shell, Stretch, member_avatar
from campaigns.contracts.journeys import EXIT_REASONS, Step
from campaigns.errors import NoSuchJourney
from campaigns.selectors.guide_journeys import (
    GuideJourney,
    MemberJourney,
    list_guide_journey_members,
    list_guide_journeys,
    list_member_journeys,
)
from campaigns.selectors.journeys import Coming, coming_after, moment_names
from core import clock
from guides.contracts import GuideCard
from members.contracts import Choice, MemberCard

PAGE_ROWS: Final = 20
_PLACE_OPEN: Final = "{"


@dataclasses.dataclass(frozen=True, slots=True)
class JourneyBox:
    """One journey of hers. `lines`: 现在, 接下来, 得到过, each with its words."""

    public_id: str
    name: str
    state_text: str
    is_live: bool
    lines: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class JourneySection:
    """On her page."""

    public_id: str
    boxes: tuple[JourneyBox, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ExitSheet:
    """Why she is to be taken out."""

    public_id: str
    journey_id: str
    name: str
    journey_name: str
    reasons: tuple[Choice, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ExitSaid:
    section: JourneySection
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class JourneyRow:
    """One journey beside the campaigns."""

    public_id: str
    name: str
    state_text: str
    is_running: bool
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class JourneyMemberRow:
    url: str
    name: str
    avatar: Avatar
    now_text: str
    next_text: str


@dataclasses.dataclass(frozen=True, slots=True)
class JourneyMembersPage:
    shell: Shell
    name: str
    note: str
    list: Stretch[JourneyMemberRow]


def build_journey_section(member: MemberCard, *, now: dt.datetime) -> JourneySection:
    """Those that she is on, and those that ended of late."""
    found = list_member_journeys(member.id, at=now)
    names = _moments(found)
    return JourneySection(member.public_id, tuple(_box(one, names, now) for one in found))


def build_exit_sheet(member: MemberCard, journey_id: str, *, now: dt.datetime | None = None) -> ExitSheet:
    """The question. Raises NoSuchJourney when she is not on it."""
    found = list_member_journeys(member.id, at=now or clock.now())
    one = next((one for one in found if one.public_id == journey_id and one.is_live), None)
    if one is None:
        raise NoSuchJourney
    reasons = tuple(Choice(key, str(label)) for key, label in EXIT_REASONS.items())
    return ExitSheet(member.public_id, one.public_id, member.display_name, one.name, reasons)


def build_journey_rows(guide: GuideCard) -> tuple[JourneyRow, ...]:
    """Journeys that members of hers are on."""
    return tuple(_row(one, guide) for one in list_guide_journeys(guide))


def build_journey_members(
    guide: GuideCard, public_id: str, *, after_id: int = 0, now: dt.datetime | None = None
) -> JourneyMembersPage:
    """A stretch of her members on it. Raises NoSuchJourney when there are none, and for an unknown one."""
    now = now or clock.now()
    journey, found = list_guide_journey_members(guide, public_id, after_id=after_id, limit=PAGE_ROWS)
    if journey is None:
        raise NoSuchJourney
    shown = found[:PAGE_ROWS]
    next_url = ""
    if len(found) > len(shown):
        rows_url = reverse("assistant:journey-rows", args=[journey.public_id])
        next_url = f"{rows_url}?{urlencode({'after': shown[-1][0]})}"
    names = _moments([one for _place, _card, one in shown])
    rows = tuple(_member_row(card, one, names, now) for _place, card, one in shown)
    return JourneyMembersPage(
        Shell.around("me", guide.id), journey.name, journey.note, Stretch(rows, not after_id, next_url)
    )


def _row(one: GuideJourney, guide: GuideCard) -> JourneyRow:
    whose = _("本店会员") if guide.role == "manager" else _("我的会员")
    words = _("%(whose)s %(n)s 位在途") % {"whose": whose, "n": phrases.say_count(one.member_count)}
    if one.achieved_count:
        words = _("%(words)s，%(n)s 位已达成") % {"words": words, "n": phrases.say_count(one.achieved_count)}
    state = _("进行中") if one.is_running else _("暂停中")
    return JourneyRow(one.public_id, one.name, state, one.is_running, words)


def _member_row(
    card: MemberCard, one: MemberJourney, names: Mapping[str, Any], now: dt.datetime
) -> JourneyMemberRow:
    lines = dict(_coming_lines(one, names, now))
    return JourneyMemberRow(
        url=f"{reverse('assistant:member', args=[card.public_id])}?tab=dealings",
        name=card.display_name,
        avatar=member_avatar(card),
        now_text=_now_words(one, names, now),
        next_text=next((f"{label}：{words}" for label, words in lines.items()), ""),
    )


def _box(one: MemberJourney, names: Mapping[str, Any], now: dt.datetime) -> JourneyBox:
    lines: list[tuple[str, str]] = []
    if one.is_live:
        lines = [(_("现在"), _now_words(one, names, now)), *_coming_lines(one, names, now)]
    got = [
        _("%(what)s（%(when)s）")
        % {"what": _act_words(step, is_done=True), "when": phrases.say_time(at, now=now)}
        for at, step in one.got
    ]
    lines.append((_("得到过"), "；".join(got) if got else _("还没有")))
    return JourneyBox(one.public_id, one.name, _state_words(one, now), one.is_live, tuple(lines))


def _state_words(one: MemberJourney, now: dt.datetime) -> str:
    if one.is_live:
        return _("进行中") if one.is_running else _("暂停中")
    labels = {"done": _("走完"), "achieved": _("达成目标"), "exited": _("已退出")}
    when = phrases.say_time(one.ended_at, now=now) if one.ended_at is not None else ""
    return _("%(when)s%(state)s") % {"when": when, "state": labels.get(one.state, "")}


def _now_words(one: MemberJourney, names: Mapping[str, Any], now: dt.datetime) -> str:
    steps = list(one.definition.steps)
    place = _("第 %(n)s 步，共 %(all)s 步") % {
        "n": steps.index(one.step) + 1 if one.step in steps else 1,
        "all": len(steps),
    }
    if one.state == "failed":
        return _("%(place)s：遇到问题停住了，等总部处理") % {"place": place}
    if not one.is_running:
        return _("%(place)s：总部暂停了这个旅程") % {"place": place}
    step = one.definition.steps.get(one.step)
    words = "" if step is None else _wait_words(step, names)
    return _("%(place)s：%(words)s") % {"place": place, "words": words} if words else place


def _coming_lines(
    one: MemberJourney, names: Mapping[str, Any], now: dt.datetime
) -> Iterator[tuple[str, str]]:
    if one.state == "failed":
        return
    when = phrases.say_appointment(max(one.due_at, now), now=now)
    step = one.definition.steps.get(one.step)
    event = "" if step is None else str(names.get(step.values.get("event", ""), ""))
    for coming in coming_after(one.definition, one.step):
        labels = {
            "timeout": _("到 %(when)s 还没有") % {"when": when},
            "event": _("“%(event)s”发生了") % {"event": event},
            "": _("接下来 %(when)s") % {"when": when},
        }
        yield labels[coming.on], _coming_words(coming, names)


def _coming_words(coming: Coming, names: Mapping[str, Any]) -> str:
    said = [words for step in coming.acts if (words := _act_words(step))]
    if coming.then is None:
        return _("，然后").join(said) if said else _("旅程走完，不再打扰")
    if not said:
        said = [_wait_words(coming.then, names)]
    return _("，然后").join(said)


def _act_words(step: Step, *, is_done: bool = False) -> str:
    """An act in a guide's words; nothing for what is done behind her."""
    values = step.values
    if step.kind == "reach":
        return (_("收到消息“%(title)s”") if is_done else _("发消息“%(title)s”")) % {
            "title": _plain(values["title"])
        }
    if step.kind == "coupon":
        return _("一张优惠券") if is_done else _("送她一张优惠券")
    if step.kind == "points":
        points = phrases.say_count(values["points"])
        return (_("%(n)s 积分") if is_done else _("送她 %(n)s 积分")) % {"n": points}
    if step.kind == "follow_up":
        words = _("跟进任务“%(title)s”") if is_done else _("请专属导购跟进“%(title)s”")
        return words % {"title": _plain(values["title"])}
    return ""


def _wait_words(step: Step, names: Mapping[str, Any]) -> str:
    values = step.values
    if step.kind == "wait_event":
        return _("等她“%(event)s”") % {"event": names.get(values["event"], values["event"])}
    if step.kind == "wait_until":
        return _("等到 %(at)s") % {"at": values["at"]}
    if step.kind == "wait":
        return _("过一段时间再继续")
    if step.kind.startswith("branch"):
        return _("看她的情况再决定")
    return _act_words(step) or _("由系统处理")


def _moments(found: Sequence[MemberJourney]) -> Mapping[str, Any]:
    """What the moments that they wait for are called, asked once."""
    events = {
        str(step.values["event"])
        for one in found
        for step in one.definition.steps.values()
        if "event" in step.values
    }
    return moment_names(events)


def _plain(title: str) -> str:
    """A title without what is filled in when it is sent."""
    if _PLACE_OPEN not in title:
        return title
    head, *rest = title.split(_PLACE_OPEN)
    return head + "".join("…" + part.partition("}")[2] for part in rest)
