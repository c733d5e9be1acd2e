"""Periods and rungs: the arithmetic of tiers, without the database.

All spans are half-open Shanghai days. A sliding period of N months that is looked at on a day ends with that day; a
calendar period is the year or quarter.
"""

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.contracts import TierCard, TierDecisions, TierMeasure, TierSums

Window = tuple[dt.date, dt.date]
ONE_DAY: Final = dt.timedelta(days=1)
MEASURES: Final[tuple[tuple[TierMeasure, str], ...]] = (
    ("spend", "spend_fen"),
    ("orders", "order_count"),
    ("growth", "growth"),
)
MEASURE_WORDS: Final = {"spend": _("消费额"), "orders": _("订单数"), "growth": _("成长值")}
MEASURE_UNITS: Final = {"spend": _("元"), "orders": _("单"), "growth": _("点")}


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later (or earlier); the last of the month where it is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def running_window(decisions: TierDecisions, day: dt.date) -> Window:
    """The period that runs on that day, up to its end: what counts towards the next tier."""
    end = day + ONE_DAY
    if decisions.period == "sliding":
        # The later of two readings: at the end of a short month what was reached a period ago must be out.
        months = -decisions.period_months
        return max(add_months(end, months), add_months(day, months) + ONE_DAY), end
    return _start(decisions, day), end


def assessed_windows(decisions: TierDecisions, day: dt.date) -> tuple[Window, ...]:
    """The periods of which any may give her a tier on that day.

    In calendar periods the last one as well: who reached a tier then has it now, so an order that is told of only
    after New Year, or a rule that is eased, still counts.
    """
    running = running_window(decisions, day)
    if decisions.period == "sliding":
        return (running,)
    return (_start(decisions, running[0] - ONE_DAY), running[0]), running


def keeping_window(decisions: TierDecisions, valid_until: dt.date, checked_on: dt.date) -> Window:
    """What decides whether a tier that holds until `valid_until` is kept, when that is checked on `checked_on`,
    the day itself or the end of the grace. In calendar periods the grace prolongs the period that ended."""
    if decisions.period == "sliding":
        return running_window(decisions, checked_on)
    return _start(decisions, valid_until - ONE_DAY), checked_on


def kept_until(decisions: TierDecisions, day: dt.date) -> dt.date:
    """Until when a tier that is reached or kept on that day holds."""
    periods = 1 if decisions.keeping == "this_period" else 2
    if decisions.period == "sliding":
        return add_months(day, decisions.period_months * periods)
    return add_months(_start(decisions, day), _months(decisions) * periods)


def meets(tier: TierCard, sums: TierSums) -> bool:
    """Whether somebody with these sums has reached the tier. One without thresholds is reached by everybody."""
    asked = [
        getattr(sums, field) >= need
        for _measure, field in MEASURES
        if (need := getattr(tier, field)) is not None
    ]
    return all(asked) if tier.mode == "all" or not asked else any(asked)


def rungs_of(ladder: Sequence[TierCard]) -> tuple[TierCard, ...]:
    """Those that must be reached, from the lowest: somebody's position is 1 for the first, 0 for none of them."""
    return tuple(tier for tier in ladder if not tier.is_everybodys)


def floor_of(ladder: Sequence[TierCard]) -> TierCard | None:
    """What every member has who reached nothing, where the chain has such a tier."""
    return next((tier for tier in ladder if tier.is_everybodys), None)


def position_reached(rungs: Sequence[TierCard], sums: TierSums) -> int:
    """The highest rung that the sums reach, whatever lies below it."""
    return next((n for n in range(len(rungs), 0, -1) if meets(rungs[n - 1], sums)), 0)


def position_of(rungs: Sequence[TierCard], tier_id: int | None) -> int:
    """Where a tier stands among the rungs; 0 for none, and for one that is retired."""
    return next((n for n, tier in enumerate(rungs, 1) if tier.id == tier_id), 0)


def tier_at(rungs: Sequence[TierCard], position: int) -> TierCard | None:
    return rungs[position - 1] if position > 0 else None


def _months(decisions: TierDecisions) -> int:
    return 12 if decisions.period == "year" else 3


def _start(decisions: TierDecisions, day: dt.date) -> dt.date:
    """The first day of the calendar period that holds the day."""
    months = _months(decisions)
    return dt.date(day.year, (day.month - 1) // months * months + 1, 1)
