"""How a month will end, by what each weekday is worth. Pure: no row, no clock."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from core.shares import split
from sales.selectors.spans import add_months

WEEK_WEIGHT: Final = 70_000  # of the seven days together
WEEKS: Final = 8  # what the pattern is taken from
# Below so many days with sales a pattern is chance, and the one of the store or region counts.
ENOUGH_DAYS: Final = 14


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """What each weekday weighs, Monday first, and what a week brings as a rule (fen, 0: nobody knows)."""

    weights: tuple[int, ...]
    usual_week_value: int = 0


def pattern_of(weekday_sums: Sequence[int], *, usual_week_value: int = 0) -> Pattern:
    """From what the weekdays of the last eight weeks brought; nothing at all makes all days alike."""
    kept = [max(0, value) for value in weekday_sums]
    weights = split(amount=WEEK_WEIGHT, weights=kept if any(kept) else [1] * 7)
    return Pattern(tuple(weights), usual_week_value)


def weight_between(pattern: Pattern, since: dt.date, until: dt.date) -> int:
    """What the days weigh together, half-open."""
    days = max(0, (until - since).days)
    weeks, rest = divmod(days, 7)
    return weeks * WEEK_WEIGHT + sum(pattern.weights[(since.weekday() + n) % 7] for n in range(rest))


def expected_value(*, target_value: int, month_on: dt.date, today: dt.date, pattern: Pattern) -> int:
    """The part of the target that the days before today were to bring."""
    end = add_months(month_on, 1)
    until = min(max(today, month_on), end)
    whole = weight_between(pattern, month_on, end)
    return target_value * weight_between(pattern, month_on, until) // whole


def forecast_value(
    *, month_on: dt.date, today: dt.date, done_value: int, done_today_value: int, pattern: Pattern
) -> int:
    """What the month will end with. What is done counts; what is left is weighed by its weekdays at the pace of the
    days before today, steadied by one usual week. Never less than what is done, and just that when the month is over.
    """
    end = add_months(month_on, 1)
    if today >= end:
        return done_value
    first_left = max(today, month_on)
    passed = weight_between(pattern, month_on, first_left)
    before = done_value - done_today_value
    worth, weight = max(0, before), passed
    if pattern.usual_week_value:
        worth, weight = worth + pattern.usual_week_value, weight + WEEK_WEIGHT
    if not weight:
        return done_value
    today_weight = pattern.weights[first_left.weekday()] if today >= month_on else 0
    later = weight_between(pattern, first_left, end) - today_weight
    still_today = max(0, worth * today_weight // weight - max(0, done_today_value))
    return done_value + still_today + worth * later // weight
