"""From money to points: arithmetic in whole numbers, without the database."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from members.contracts import (
    EarningLine,
    EarningRuleCard,
    MultiplierCard,
    QuotedPart,
    QuotedPoints,
)
from members.errors import AmountsUnusable

ONE: Final = 10_000  # basis points


def quote_earned_points(
    *,
    lines: Sequence[EarningLine],
    rules: Sequence[EarningRuleCard],
    multipliers: Sequence[MultiplierCard],
    on: dt.date,
    birthday: dt.date | None = None,
    tier_multiplier_bp: int = ONE,
) -> QuotedPoints:
    """What the lines earn on that day, with the share of every rule.

    Each line goes to one rule: the highest priority that covers its category; at equal priority one for the
    category before one for all, then the newer. The money of one rule is added up first and rounded down once,
    so ten small lines earn what one large line does.

    Of all multipliers that hold (dated, birthday, her tier's) the greatest applies alone. Multiplying them would
    let three harmless decisions of different people make six-fold points. Below one they are never applied.
    Refuses negative amounts.
    """
    if any(line.amount_fen < 0 for line in lines):
        raise AmountsUnusable(field="lines")
    ordered = sorted(rules, key=lambda rule: (-rule.priority, not rule.category, -rule.id))
    covered: dict[int, int] = {}
    unearning = 0
    for line in lines:
        rule = next((rule for rule in ordered if rule.category in ("", line.category)), None)
        if rule is None:
            unearning += line.amount_fen
        else:
            covered[rule.id] = covered.get(rule.id, 0) + line.amount_fen
    factor, name = _greatest(multipliers, on, birthday, tier_multiplier_bp)
    parts = tuple(
        QuotedPart(rule.name, covered[rule.id], _points(covered[rule.id], rule, factor))
        for rule in ordered
        if rule.id in covered
    )
    return QuotedPoints(sum(part.points for part in parts), parts, factor, name, unearning)


def _points(amount_fen: int, rule: EarningRuleCard, factor: int) -> int:
    return amount_fen * rule.multiplier_bp * factor // (rule.fen_per_point * ONE * ONE)


def _greatest(
    multipliers: Sequence[MultiplierCard], on: dt.date, birthday: dt.date | None, tier_bp: int
) -> tuple[int, str]:
    factor, name = ONE, ""
    if tier_bp > factor:
        factor, name = tier_bp, _("会员等级")
    for multiplier in multipliers:
        if multiplier.multiplier_bp > factor and _holds(multiplier, on, birthday):
            factor, name = multiplier.multiplier_bp, multiplier.name
    return factor, name


def _holds(multiplier: MultiplierCard, on: dt.date, birthday: dt.date | None) -> bool:
    if multiplier.kind == "dated":
        return True
    if birthday is None:
        return False
    if multiplier.kind == "birthday_month":
        return birthday.month == on.month
    return is_birthday(birthday, on)


def is_birthday(birthday: dt.date, on: dt.date) -> bool:
    """Who was born on 29 February has her day on the 28th in years without one."""
    if (birthday.month, birthday.day) == (2, 29) and (on.month, on.day) == (2, 28):
        return (on + dt.timedelta(days=1)).month == 3
    return (birthday.month, birthday.day) == (on.month, on.day)
