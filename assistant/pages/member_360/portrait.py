"""画像: what she is to the chain, her tags, her basics, and how she came to her guide."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.member_360.browsing import Browsing, build_browsing
from assistant.pages.member_360.contract import Viewing
from assistant.pages.member_360.habits import Habits, build_habits
from assistant.pages.member_words import TagSection, build_tag_section
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import BindingLine
from members import selectors as member_selectors
from members.contracts import MemberCard, TierGoal, TierStanding


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    is_revealable: bool = False  # shown masked; a button asks for the whole


@dataclasses.dataclass(frozen=True, slots=True)
class Goal:
    """One measure of the next tier, as a bar: `have` of `need`, and what is missing in words."""

    have: int
    need: int
    text: str  # 本期已消费 ¥680，还差 ¥320
    is_reached: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TierBox:
    name: str
    until_text: str  # 有效至 12月31日
    next_name: str  # empty on the highest tier
    hint: str  # 满足任意一项即可
    goals: tuple[Goal, ...]
    benefits: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryLine:
    """One guide of hers; the live one first."""

    title: str  # 李娜 · 南京东路店
    note: str  # 扫导购码, 原因…
    span: str  # 3月8日 至今
    is_live: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Portrait:
    public_id: str
    tier_name: str  # empty while she has none
    tier: TierBox | None
    habits: Habits | None  # before she has bought: none
    browsing: Browsing | None
    tags: TagSection
    facts: tuple[Fact, ...]
    history: tuple[HistoryLine, ...]


def build_portrait(viewing: Viewing) -> Portrait:
    """The first tab."""
    member, now = viewing.member, viewing.now
    today = clock.business_day(now)
    history = guide_selectors.list_binding_history(member.id)
    standing = member_selectors.tier_standing_of(member, at=now)
    return Portrait(
        public_id=member.public_id,
        tier_name="" if standing.tier is None else standing.tier.name,
        tier=_tier_box(standing, today=today),
        habits=build_habits(member.id, today=today),
        browsing=build_browsing(member.id, now=now),
        tags=build_tag_section(viewing.guide, member, now=now),
        facts=_facts(member, now=now),
        history=tuple(_history_line(line, today=today) for line in history),
    )


def _facts(member: MemberCard, *, now: dt.datetime) -> tuple[Fact, ...]:
    facts = [
        Fact(_("手机"), member.masked_phone or _("还没有留手机"), is_revealable=bool(member.masked_phone)),
        Fact(_("会员码"), _grouped(member.code)),
        Fact(_("来源"), member.source_label),
        Fact(_("加入时间"), phrases.say_time(member.registered_at, now=now)),
    ]
    if member.birthday:
        facts.insert(1, Fact(_("生日"), phrases.say_birthday(member.birthday)))
    return tuple(facts)


def _tier_box(standing: TierStanding, *, today: dt.date) -> TierBox | None:
    """Nothing where the chain has no tiers, or she has none and there is none to reach."""
    if standing.tier is None and not standing.progress:
        return None
    following = standing.progress[0].next_tier if standing.progress else None
    until = standing.until
    is_any = following is not None and following.mode == "any" and len(standing.progress) > 1
    return TierBox(
        name=_("暂无等级") if standing.tier is None else standing.tier.name,
        until_text=_("有效至 %(day)s") % {"day": phrases.say_day(until - dt.timedelta(days=1), today=today)}
        if until
        else "",
        next_name="" if following is None else following.name,
        hint=_("满足任意一项即可") if is_any else "",
        goals=tuple(_goal(goal) for goal in standing.progress),
        benefits=standing.benefits,
    )


def _goal(goal: TierGoal) -> Goal:
    missing = max(0, goal.need - goal.have)
    values = {"measure": goal.measure_label, "have": say_amount(goal, goal.have)}
    if missing:
        text = _("%(measure)s已有 %(have)s，还差 %(missing)s") % (
            values | {"missing": say_amount(goal, missing)}
        )
    else:
        text = _("%(measure)s已有 %(have)s，已达标") % values
    return Goal(have=max(0, min(goal.have, goal.need)), need=goal.need, text=text, is_reached=not missing)


def say_amount(goal: TierGoal, amount: int) -> str:
    """An amount of the goal's measure: ¥320, 3 单, 1,200 成长值."""
    if goal.measure == "spend":
        return phrases.say_money(amount)
    return f"{phrases.say_count(amount)} {goal.unit}".strip()


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
