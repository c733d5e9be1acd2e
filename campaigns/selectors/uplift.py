"""What may be said of two groups: how much more one bought than the other, between which bounds, and whether that is luck.

Closed formulas from the literature over the standard library's normal curve: the one library that has them all would bring
a hundred megabytes to every server for three functions. The tests hold them against published values.

- A share against a share: the interval of their difference is Newcombe's (1998, method 10: Wilson's intervals of both,
  put together), the p-value that of the score test (Pearson's chi-square with one degree of freedom). The ratio's interval
  is Katz' on the logarithm.
- An amount per head against one: Welch's t. Amounts are nought for most and large for a few, so neither spread nor size of
  the groups is the same; sums and sums of squares give it for a million members as for a hundred. Its tails are too short
  for such amounts (without any effect it errs in six or seven of a hundred), so it never decides alone.
"""

import math
from statistics import NormalDist
from typing import Final

from campaigns.contracts.proof import Arm, Compared, Finding, Interval, Uplift

CONFIDENCE: Final = 0.95
# Fewer in either group: too few to tell.
LEAST_MEMBERS: Final = 100
# So many would have done it in each group if both were alike; below, the normal curve is no guide.
LEAST_EXPECTED: Final = 5.0
# Amounts are carried by those who bought: so many buyers in each group.
LEAST_BUYERS: Final = 30
_NORMAL: Final = NormalDist()


def compare(
    treated: Arm, control: Arm, *, comparisons: int = 1, is_open: bool = False, may_judge: bool = True
) -> Uplift:
    """What the treated did more than the control group. With several comparisons at once (variants, stores) each is held to
    its share of the error. While the window is open nothing is concluded: whoever looks every day finds luck some day."""
    confidence = 1 - (1 - CONFIDENCE) / comparisons
    rate = compare_rates(treated.hits, treated.aimed, control.hits, control.aimed, confidence=confidence)
    amount = compare_means(treated, control, confidence=confidence)
    finding = _finding(treated, control, rate, is_open=is_open, may_judge=may_judge)
    return Uplift(
        treated=treated,
        control=control,
        rate=rate,
        amount=amount,
        ratio=_ratio(treated, control, confidence),
        finding=finding,
        is_amount_sure=_says_the_same(finding, amount) and _enough_buyers(treated, control),
    )


def has_enough_members(treated: Arm, control: Arm) -> bool:
    """Whether there are enough of them on both sides to be compared at all, whatever they did."""
    return min(treated.aimed, control.aimed) >= LEAST_MEMBERS


def compare_rates(
    hits: int, count: int, other_hits: int, other_count: int, *, confidence: float
) -> Compared | None:
    """The difference of two shares with its interval and p; None when there is nobody on a side."""
    if not count or not other_count:
        return None
    share, other = hits / count, other_hits / other_count
    low, high = wilson(hits, count, confidence)
    other_low, other_high = wilson(other_hits, other_count, confidence)
    difference = share - other
    interval = Interval(
        difference - math.hypot(share - low, other_high - other),
        difference + math.hypot(high - share, other - other_low),
    )
    pooled = (hits + other_hits) / (count + other_count)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / count + 1 / other_count))
    p = 1.0 if spread == 0 else _two_sided(difference / spread)
    return Compared(difference, interval, p, is_sure=not interval.holds(0.0) and p < 1 - confidence)


def wilson(hits: int, count: int, confidence: float) -> tuple[float, float]:
    """Wilson's interval of a share."""
    z = _z(confidence)
    share, square = hits / count, z * z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = z * math.sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def compare_means(treated: Arm, control: Arm, *, confidence: float) -> Compared | None:
    """The difference of two amounts per head, in fen, with its interval and p (Welch). None with fewer than two on a
    side or when neither group's amounts differ."""
    if treated.members < 2 or control.members < 2:
        return None
    squared = treated.variance / treated.members + control.variance / control.members
    if squared <= 0:
        return None
    difference, error = treated.mean_fen - control.mean_fen, math.sqrt(squared)
    parts = ((arm.variance / arm.members) ** 2 / (arm.members - 1) for arm in (treated, control))
    freedom = squared**2 / sum(parts)
    half = t_quantile(0.5 + confidence / 2, freedom) * error
    interval = Interval(difference - half, difference + half)
    return Compared(
        difference, interval, t_two_sided(difference / error, freedom), is_sure=not interval.holds(0.0)
    )


def t_quantile(share: float, freedom: float) -> float:
    """Student's t by the expansion of Cornish and Fisher: right to four digits from twenty degrees of freedom on, and the
    rules here ask for a hundred members."""
    z = _NORMAL.inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def t_two_sided(t: float, freedom: float) -> float:
    """How often luck alone is this far out, by the normal curve that t is bent to (Wallace)."""
    bent = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return 2 * (1 - _NORMAL.cdf(bent))


def _ratio(treated: Arm, control: Arm, confidence: float) -> Compared | None:
    """By what share more did it: 0.12 is 12 % more. None where somebody is missing to divide by."""
    if not treated.hits or not control.hits:
        return None
    ratio = treated.rate / control.rate
    error = math.sqrt(1 / treated.hits - 1 / treated.aimed + 1 / control.hits - 1 / control.aimed)
    if error == 0:
        return None
    half = _z(confidence) * error
    interval = Interval(ratio * math.exp(-half) - 1, ratio * math.exp(half) - 1)
    return Compared(ratio - 1, interval, _two_sided(math.log(ratio) / error), is_sure=not interval.holds(0.0))


def _finding(treated: Arm, control: Arm, rate: Compared | None, *, is_open: bool, may_judge: bool) -> Finding:
    if not control.aimed:
        return Finding.NO_CONTROL
    if not may_judge:
        return Finding.REPEATED
    if rate is None or not _enough(treated, control):
        return Finding.FEW
    if is_open:
        return Finding.OPEN
    if not rate.is_sure:
        return Finding.UNSURE
    return Finding.BETTER if rate.difference > 0 else Finding.WORSE


def _enough(treated: Arm, control: Arm) -> bool:
    counts = (treated.aimed, control.aimed)
    pooled = (treated.hits + control.hits) / max(1, sum(counts))
    return has_enough_members(treated, control) and min(counts) * min(pooled, 1 - pooled) >= LEAST_EXPECTED


def _says_the_same(finding: Finding, amount: Compared | None) -> bool:
    if amount is None or not amount.is_sure:
        return False
    return finding == (Finding.BETTER if amount.difference > 0 else Finding.WORSE)


def _enough_buyers(treated: Arm, control: Arm) -> bool:
    return (
        min(treated.members, control.members) >= LEAST_MEMBERS
        and min(treated.buyers, control.buyers) >= LEAST_BUYERS
    )


def _z(confidence: float) -> float:
    return _NORMAL.inv_cdf(0.5 + confidence / 2)


def _two_sided(z: float) -> float:
    return 2 * (1 - _NORMAL.cdf(abs(z)))
