"""服务请求: what members asked for, in three tabs; one of them with its history, and what can be done next."""

import dataclasses
import datetime as dt
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.shell import Avatar, Shell, member_avatar
from core import clock
from core.errors import NotFound
from core.phones import mask_within
from guides import selectors as guide_selectors
from guides.contracts import (
    GuideCard,
    GuideRequestLine,
    RequestActName,
    RequestCard,
    RequestStepLine,
    RequestSummary,
    RequestTab,
    say_span,
)
from members.contracts import MemberCard

PAGE_ROWS: Final = 20
MOST_ROWS: Final = 100
TABS: Final[tuple[RequestTab, ...]] = ("open", "doing", "finished")


@dataclasses.dataclass(frozen=True, slots=True)
class RequestRow:
    """One request in a list."""

    public_id: str
    kind: str
    name: str  # the member's
    avatar: Avatar
    words: str
    when_text: str
    state_label: str
    late_text: str  # 超时 3小时; empty when it is not
    guide_text: str  # who has it, where several people's requests are shown
    is_waiting: bool  # not accepted


@dataclasses.dataclass(frozen=True, slots=True)
class RequestRows:
    """One stretch of the list; `shown` rows stand on the page with it."""

    rows: tuple[RequestRow, ...]
    tab: RequestTab
    is_first: bool
    shown: int
    next_url: str

    @property
    def is_empty(self) -> bool:
        return self.is_first and not self.rows


@dataclasses.dataclass(frozen=True, slots=True)
class TabLink:
    tab: RequestTab
    label: str
    waiting_count: int
    url: str
    is_on: bool


@dataclasses.dataclass(frozen=True, slots=True)
class RequestsPage:
    shell: Shell
    title: str
    late_text: str
    tabs: tuple[TabLink, ...]
    list: RequestRows


@dataclasses.dataclass(frozen=True, slots=True)
class RequestTile:
    """What waits, in one line on 今日."""

    text: str
    late_text: str
    tab: RequestTab


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; the newest first, and marked as the state of now."""

    title: str
    words: str
    note: str
    foot: str  # 今天 10:32 · 导购 李娜 T001
    is_newest: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Button:
    """One thing to do: at once, or in a dialog of its own."""

    act: str  # as in the address
    label: str
    is_main: bool = False
    has_sheet: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class RequestPage:
    shell: Shell
    public_id: str
    kind: str
    state_label: str
    is_running: bool
    late_text: str
    due_text: str
    words: str
    member_name: str
    member_avatar: Avatar
    member_id: str  # public; empty when she is not this guide's to open
    member_note: str
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...]
    buttons: tuple[Button, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class RequestSaid:
    """What an act answers with: the page anew, no dialog, and a sentence."""

    page: RequestPage
    text: str


def build_requests(
    guide: GuideCard, *, tab: RequestTab, limit: int = PAGE_ROWS, now: dt.datetime | None = None
) -> RequestsPage:
    """The list of a tab; a manager's is her store's."""
    now = now or clock.now()
    shell = Shell.around("me", guide.id)
    summary = guide_selectors.summarize_requests(guide.id, at=now)
    counts = {"open": summary.open_count, "doing": summary.doing_count, "finished": 0}
    labels = {"open": _("待处理"), "doing": _("进行中"), "finished": _("已完成")}
    return RequestsPage(
        shell=shell,
        title=_("本店的服务请求") if guide.role == "manager" else _("服务请求"),
        late_text=say_late_count(summary),
        tabs=tuple(
            TabLink(each, labels[each], counts[each], _url("assistant:requests", tab=each), each == tab)
            for each in TABS
        ),
        list=build_request_rows(guide, tab=tab, cursor=None, shown=0, limit=limit, now=now),
    )


def build_request_rows(
    guide: GuideCard,
    *,
    tab: RequestTab,
    cursor: str | None,
    shown: int,
    limit: int = PAGE_ROWS,
    now: dt.datetime | None = None,
) -> RequestRows:
    """The stretch after `cursor`; `shown` rows stand above it already."""
    now = now or clock.now()
    found = guide_selectors.list_guide_requests(guide.id, tab=tab, cursor=cursor, limit=limit, at=now)
    total = shown + len(found.lines)
    next_url = ""
    if found.next_cursor:
        next_url = _url("assistant:request-rows", tab=tab, cursor=found.next_cursor, shown=total)
    rows = tuple(request_row(line, now=now) for line in found.lines)
    return RequestRows(rows, tab, cursor is None, total, next_url)


def build_request_tile(guide: GuideCard, *, now: dt.datetime) -> RequestTile | None:
    """What waits for her; None when nothing does."""
    summary = guide_selectors.summarize_requests(guide.id, at=now)
    if summary.open_count:
        text = _("%(count)d 个服务请求待接单") % {"count": summary.open_count}
        return RequestTile(text, say_late_count(summary), "open")
    if summary.doing_count:
        text = _("%(count)d 个服务请求在进行") % {"count": summary.doing_count}
        return RequestTile(text, say_late_count(summary), "doing")
    return None


def say_late_count(summary: RequestSummary) -> str:
    """How many are overdue; empty for none."""
    return _("%(count)d 个超时") % {"count": summary.overdue_count} if summary.overdue_count else ""


def build_member_requests(
    guide: GuideCard, member: MemberCard, *, now: dt.datetime
) -> tuple[RequestRow, ...]:
    """What one member asked for, on her page."""
    lines = [
        GuideRequestLine(
            request=request,
            member=member,
            is_overdue=guide_selectors.is_request_overdue(request.state, request.due_at, now),
            is_mine=request.guide_id == guide.id,
        )
        for request in guide_selectors.list_requests_of_member_for_guide(guide.id, member.id)
    ]
    return tuple(request_row(line, now=now) for line in lines)


def build_request(guide: GuideCard, public_id: str, *, now: dt.datetime | None = None) -> RequestPage:
    """One request. Raises NotFound for an unknown one and for one that is not hers to see alike."""
    now = now or clock.now()
    line, steps = guide_selectors.access_guide_request(guide.id, public_id, at=now)
    request, member = line.request, line.member
    shell = Shell.around("me", guide.id)
    try:
        member = guide_selectors.access_member(guide_id=guide.id, public_id=member.public_id)
        link, note = member.public_id, f"{member.stage_label} · {member.masked_phone or _('还没有留手机')}"
    except NotFound:
        link, note = "", _("不是您的专属会员")
    return RequestPage(
        shell=shell,
        public_id=request.public_id,
        kind=request.kind.name,
        state_label=request.state_label,
        is_running=request.state in ("open", "accepted", "in_progress"),
        late_text=_say_late(line, now),
        due_text="" if line.is_overdue else _say_due(request, now),
        words=mask_within(request.words),
        member_name=member.display_name,
        member_avatar=member_avatar(member),
        member_id=link,
        member_note=note,
        facts=_facts(request, now),
        steps=tuple(_step(step, now, is_newest=place == 0) for place, step in enumerate(reversed(steps))),
        buttons=_buttons(request.acts),
    )


def request_row(line: GuideRequestLine, *, now: dt.datetime) -> RequestRow:
    """One request for a list."""
    request = line.request
    if request.scheduled_at is not None:
        when = _("约在 %(time)s") % {"time": phrases.say_appointment(request.scheduled_at, now=now)}
    elif request.wanted_at is not None:
        when = _("希望 %(time)s") % {"time": phrases.say_appointment(request.wanted_at, now=now)}
    else:
        when = _("%(time)s 提交") % {"time": phrases.say_time(request.opened_at, now=now)}
    return RequestRow(
        public_id=request.public_id,
        kind=request.kind.name,
        name=line.member.display_name,
        avatar=member_avatar(line.member),
        words=mask_within(request.words).replace("\n", " "),
        when_text=when,
        state_label=request.state_label,
        late_text=_say_late(line, now),
        guide_text="" if line.is_mine else request.guide_name or _("全店可接"),
        is_waiting=request.state == "open",
    )


def _say_late(line: GuideRequestLine, now: dt.datetime) -> str:
    if not line.is_overdue or line.request.due_at is None:
        return ""
    return _("超时 %(span)s") % {"span": say_span(now - line.request.due_at)}


def _say_due(request: RequestCard, now: dt.datetime) -> str:
    if request.due_at is None:
        return ""
    time = phrases.say_appointment(request.due_at, now=now)
    if request.state == "open":
        return _("请在 %(time)s 前接单") % {"time": time}
    if request.state == "done":
        return _("会员没有确认的话，%(time)s 自动结束") % {"time": time}
    return _("请在 %(time)s 前完成") % {"time": time}


def _facts(request: RequestCard, now: dt.datetime) -> tuple[Fact, ...]:
    facts = [Fact(_("提交时间"), phrases.say_time(request.opened_at, now=now))]
    if request.wanted_at is not None:
        facts.append(Fact(_("希望时间"), phrases.say_appointment(request.wanted_at, now=now)))
    if request.scheduled_at is not None:
        facts.append(Fact(_("约定时间"), phrases.say_appointment(request.scheduled_at, now=now)))
    facts.append(Fact(_("门店"), request.store_name))
    facts.append(Fact(_("导购"), request.guide_name or _("还没有人接单")))
    return tuple(facts)


def _step(step: RequestStepLine, now: dt.datetime, *, is_newest: bool) -> Step:
    title = step.title
    if step.act == "scheduled" and step.scheduled_at is not None:
        title = _("约在 %(time)s") % {"time": phrases.say_appointment(step.scheduled_at, now=now)}
    elif step.act in ("handed_over", "followed"):
        title = _("转给%(who)s") % {"who": step.guide_name or step.store_name}
    elif step.act == "store_changed":
        title = _("改在%(store)s") % {"store": step.store_name}
    foot = f"{phrases.say_time(step.at, now=now)} · {step.done_by}"
    # Whoever types a number into words has not revealed it to a guide: that is asked for, and kept.
    return Step(title, mask_within(step.words), mask_within(step.note), foot, is_newest)


def _buttons(acts: frozenset[RequestActName]) -> tuple[Button, ...]:
    """What may be done, the next step first and large."""
    offered: tuple[tuple[RequestActName, Button], ...] = (
        ("accepted", Button("accept", _("接单"), is_main=True, has_sheet=False)),
        ("finished", Button("finish", _("完成"), is_main=True)),
        ("scheduled", Button("time", _("约时间"))),
        ("started", Button("start", _("开始处理"), has_sheet=False)),
        ("said", Button("words", _("给会员留言"))),
        ("handed_over", Button("hand-over", _("转交"))),
        ("refused", Button("refuse", _("不受理"))),
    )
    return tuple(button for act, button in offered if act in acts)


def _url(name: str, **values: object) -> str:
    return f"{reverse(name)}?{urlencode(values)}"
