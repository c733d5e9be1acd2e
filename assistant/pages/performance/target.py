"""The ring of the month: how much of the target is done, and whether that is on the way."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.performance.asked import METRICS, say_value
from core import clock
from core.errors import NotFound
from guides.contracts import GuideCard
from sales import selectors as sale_selectors
from sales.contracts import MetricName, TargetKey, TargetProgress

RADIUS: Final = 30
ROUND: Final = 188  # its circumference in the drawing's units


@dataclasses.dataclass(frozen=True, slots=True)
class TargetPart:
    percent: str
    dash: int  # how much of the ring is drawn
    headline: str  # 目标 ¥5万，还差 ¥1.2万
    pace: str  # 比进度快 ¥800
    is_behind: bool
    forecast: str
    round: int = ROUND
    radius: int = RADIUS


@dataclasses.dataclass(frozen=True, slots=True)
class GoalLine:
    """A target of something else than sales."""

    label: str  # 新增会员
    text: str  # 12 / 20
    share: int  # percent, for the bar
    is_done: bool


@dataclasses.dataclass(frozen=True, slots=True)
class GoalPage:
    target: TargetPart | None
    lines: tuple[GoalLine, ...]


def has_target(key: TargetKey, day: dt.date) -> bool:
    """Whether there is anything to fetch: it asks the database more than the rest of the page."""
    return bool(sale_selectors.list_targets_of(key, day.replace(day=1)))


def build_goal(guide: GuideCard, *, is_store: bool, now: dt.datetime | None = None) -> GoalPage:
    """Her own ring, or that of the store she manages."""
    if is_store and guide.role != "manager":
        raise NotFound
    key = TargetKey("store", guide.store.id) if is_store else TargetKey("guide", guide.id)
    now = now or clock.now()
    today = clock.business_day(now)
    targets = sale_selectors.list_targets_of(key, today.replace(day=1))
    ring = build_target(key, now=now) if "sales_fen" in targets else None
    return GoalPage(ring, _lines(key, targets, today))


def _lines(key: TargetKey, targets: Mapping[MetricName, int], today: dt.date) -> tuple[GoalLine, ...]:
    others = {metric: value for metric, value in targets.items() if metric != "sales_fen" and value}
    if not others:
        return ()
    read = sale_selectors.sum_store if key.kind == "store" else sale_selectors.sum_guide
    done = read(key.subject_id, sale_selectors.span_of("month", today))
    return tuple(
        GoalLine(
            label=str(words),
            text=f"{say_value(metric, done[metric])} / {say_value(metric, others[metric])}",
            share=min(100, max(0, done[metric] * 100 // others[metric])),
            is_done=done[metric] >= others[metric],
        )
        for metric, words in METRICS.items()
        if metric in others
    )


def build_target(key: TargetKey, *, now: dt.datetime) -> TargetPart | None:
    """The target of this month; None while nobody set one."""
    found = sale_selectors.list_target_progress([key], clock.business_day(now), at=now)
    if not found or found[0].target_fen is None or found[0].attainment_bp is None:
        return None
    return _part(found[0])


def _part(progress: TargetProgress) -> TargetPart:
    attained = progress.attainment_bp or 0
    target = phrases.say_money(progress.target_fen or 0)
    gap = progress.gap_fen or 0
    if gap:
        headline = _("目标 %(target)s，还差 %(gap)s") % {"target": target, "gap": phrases.say_money(gap)}
    else:
        headline = _("目标 %(target)s，已经完成") % {"target": target}
    ahead = progress.done_fen - (progress.expected_fen or 0)
    amount = phrases.say_money(abs(ahead))
    pace = _("比进度快 %(amount)s") if ahead >= 0 else _("比进度慢 %(amount)s")
    forecast = _("照这样月底约 %(amount)s") % {
        "amount": phrases.say_money(progress.forecast_fen // 100 * 100)
    }
    if progress.needed_daily_fen and gap:
        forecast += _("，每天要卖 %(amount)s") % {
            "amount": phrases.say_money(-(-progress.needed_daily_fen // 100) * 100)
        }
    return TargetPart(
        percent=f"{attained / 100:.0f}%",
        dash=round(ROUND * min(max(attained, 0), 10_000) / 10_000),
        headline=headline,
        pace=pace % {"amount": amount},
        is_behind=ahead < 0,
        forecast=forecast,
    )
