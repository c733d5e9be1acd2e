"""会员详情: who she is and how she came to her guide."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.member_words import NoteSection, TagSection, build_note_section, build_tag_section
from assistant.pages.shell import Avatar, Shell, member_avatar, say_follow
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import BindingLine, GuideCard


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    is_revealable: bool = False  # shown masked; a button asks for the whole


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryLine:
    """One guide of hers; the live one first."""

    title: str  # 李娜 · 南京东路店
    note: str  # 扫导购码, 原因…
    span: str  # 3月8日 至今
    is_live: bool


@dataclasses.dataclass(frozen=True, slots=True)
class MemberPage:
    shell: Shell
    name: str
    avatar: Avatar
    is_member: bool
    stage_label: str
    follow_text: str
    is_following: bool
    bound_text: str
    facts: tuple[Fact, ...]
    history: tuple[HistoryLine, ...]
    public_id: str
    can_remark: bool  # she has told nobody her name
    tags: TagSection
    notes: NoteSection


def build_member(guide: GuideCard, public_id: str, *, now: dt.datetime | None = None) -> MemberPage:
    """The page of one member of hers. Raises NotFound for an unknown id and for a stranger alike."""
    now = now or clock.now()
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    summary = guide_selectors.summarize_guide(guide.id, at=now)
    history = guide_selectors.list_binding_history(member.id)
    today = clock.business_day(now)
    live = next((line for line in history if line.ended_at is None), None)
    facts = [
        Fact(_("手机"), member.masked_phone or _("还没有留手机"), is_revealable=bool(member.masked_phone)),
        Fact(_("会员码"), _grouped(member.code)),
        Fact(_("来源"), member.source_label),
        Fact(_("加入时间"), phrases.say_time(member.registered_at, now=now)),
    ]
    if member.birthday:
        facts.insert(1, Fact(_("生日"), phrases.say_birthday(member.birthday)))
    return MemberPage(
        shell=Shell.of("members", summary),
        name=member.display_name,
        avatar=member_avatar(member),
        is_member=member.stage == "member",
        stage_label=member.stage_label,
        follow_text=say_follow(member),
        is_following=member.is_following,
        bound_text=_say_bound(live, now=now),
        facts=tuple(facts),
        history=tuple(_history_line(line, today=today) for line in history),
        public_id=member.public_id,
        can_remark=member.is_remarked or not member.is_named,
        tags=build_tag_section(guide, member, now=now),
        notes=build_note_section(guide, member, now=now),
    )


def _say_bound(live: BindingLine | None, *, now: dt.datetime) -> str:
    if live is None:
        return ""
    days = (clock.business_day(now) - clock.business_day(live.bound_at)).days
    if days == 0:
        return _("今天成为%(name)s的会员") % {"name": live.guide_name}
    return _("成为%(name)s的会员已 %(days)d 天") % {"name": live.guide_name, "days": days}


def _history_line(line: BindingLine, *, today: dt.date) -> HistoryLine:
    start = phrases.say_day(clock.business_day(line.bound_at), today=today)
    end = phrases.say_day(clock.business_day(line.ended_at), today=today) if line.ended_at else _("至今")
    notes = [line.source_label, line.reason, line.end_reason if line.ended_at else ""]
    return HistoryLine(
        title=f"{line.guide_name} · {line.store_name}",
        note="，".join(note for note in notes if note),
        span=_("%(start)s 至 %(end)s") % {"start": start, "end": end} if line.ended_at else f"{start} {end}",
        is_live=line.ended_at is None,
    )


def _grouped(code: str) -> str:
    """A code in groups of four, as a person reads it out."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))
