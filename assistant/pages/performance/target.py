"""The ring of the month: how much of the target is done, and whether that is on the way."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.performance.asked import METRICS, MONEY, say_value
from assistant.pages.performance.listed import Whose
from core import clock
from core.errors import NotFound
from guides.contracts import GuideCard
from sales import selectors as sale_selectors
from sales.contracts import TargetKey, TargetProgress

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
    pace: str  # 还差 8，每天要 2，照这样月底约 17
    is_behind: bool


@dataclasses.dataclass(frozen=True, slots=True)
class GoalPage:
    target: TargetPart | None
    lines: tuple[GoalLine, ...]


def has_target(key: TargetKey, day: dt.date) -> bool:
    """Whether there is anything to fetch: it asks the database more than the rest of the page."""
    return bool(sale_selectors.list_targets_of(key, day.replace(day=1)))


def build_goal(guide: GuideCard, *, whose: Whose, now: dt.datetime | None = None) -> GoalPage:
    """Her own ring, that of the store she manages, or that of a guide who works there now: who has moved away has
    another's target. Raises NotFound for such a one."""
    if whose.of is not None:
        if whose.of.store.id != guide.store.id:
            raise NotFound
        key = TargetKey("guide", whose.of.id)
    else:
        key = TargetKey("store", guide.store.id) if whose.is_store else TargetKey("guide", guide.id)
    now = now or clock.now()
    today = clock.business_day(now)
    found = sale_selectors.list_targets_progress(key, today, at=now)
    ring = found.pop("sales_fen", None)
    return GoalPage(
        _part(ring) if ring is not None and ring.attainment_bp is not None else None,
        tuple(
            _line(metric, str(words), found[metric])
            for metric, words in METRICS.items()
            if metric in found and found[metric].target_value
        ),
    )


def _line(metric: str, label: str, progress: TargetProgress) -> GoalLine:
    target, done = progress.target_value or 0, progress.done_value
    return GoalLine(
        label=label,
        text=f"{say_value(metric, done)} / {say_value(metric, target)}",
        share=min(100, max(0, done * 100 // target)) if target else 100,
        is_done=done >= target,
        pace=_pace(metric, progress),
        is_behind=bool(progress.gap_value) and done < (progress.expected_value or 0),
    )


def _pace(metric: str, progress: TargetProgress) -> str:
    """What is missing, what each day must bring, and where the month ends as it goes; of one that is reached only that."""
    forecast = progress.forecast_value // 100 * 100 if metric in MONEY else progress.forecast_value
    words = [_("照这样月底约 %(n)s") % {"n": say_value(metric, forecast)}]
    if progress.gap_value:
        words.insert(0, _("还差 %(n)s") % {"n": say_value(metric, progress.gap_value)})
        if progress.needed_daily_value:
            words.insert(1, _("每天要 %(n)s") % {"n": say_value(metric, progress.needed_daily_value)})
    return _("，").join(words)


def _part(progress: TargetProgress) -> TargetPart:
    attained = progress.attainment_bp or 0
    target = phrases.say_money(progress.target_value or 0)
    gap = progress.gap_value or 0
    if gap:
        headline = _("目标 %(target)s，还差 %(gap)s") % {"target": target, "gap": phrases.say_money(gap)}
    else:
        headline = _("目标 %(target)s，已经完成") % {"target": target}
    ahead = progress.done_value - (progress.expected_value or 0)
    amount = phrases.say_money(abs(ahead))
    pace = _("比进度快 %(amount)s") if ahead >= 0 else _("比进度慢 %(amount)s")
    forecast = _("照这样月底约 %(amount)s") % {
        "amount": phrases.say_money(progress.forecast_value // 100 * 100)
    }
    if progress.needed_daily_value and gap:
        forecast += _("，每天要卖 %(amount)s") % {
            "amount": phrases.say_money(-(-progress.needed_daily_value // 100) * 100)
        }
    return TargetPart(
        percent=f"{attained / 100:.0f}%",
        dash=round(ROUND * min(max(attained, 0), 10_000) / 10_000),
        headline=headline,
        pace=pace % {"amount": amount},
        is_behind=ahead < 0,
        forecast=forecast,
    )
