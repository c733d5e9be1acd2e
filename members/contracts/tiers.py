"""Tiers, and what counts towards them."""

import dataclasses
import datetime as dt
from typing import Literal

TierMeasure = Literal["spend", "orders", "growth"]


@dataclasses.dataclass(frozen=True, slots=True)
class TierCard:
    """One rung of the ladder. A threshold is None where the tier does not ask for that measure; `spend_fen` is
    in fen, `multiplier_bp` in basis points. The gifts are names that other apps look up."""

    id: int
    rank: int
    name: str
    color: str
    mode: Literal["any", "all"]
    spend_fen: int | None
    order_count: int | None
    growth: int | None
    multiplier_bp: int
    benefits: tuple[str, ...]
    birthday_gift: str
    upgrade_gift: str
    is_active: bool

    @property
    def thresholds(self) -> "tuple[int | None, int | None, int | None]":
        return self.spend_fen, self.order_count, self.growth

    @property
    def is_everybodys(self) -> bool:
        """Nothing has to be done for it: every member without a higher one has it."""
        return self.thresholds == (None, None, None)


@dataclasses.dataclass(frozen=True, slots=True)
class TierTerms:
    """How a rung is reached and what it is worth, as staff type it."""

    rank: int
    name: str
    color: str = "#8C8C8C"
    mode: Literal["any", "all"] = "any"
    spend_fen: int | None = None
    order_count: int | None = None
    growth: int | None = None
    multiplier_bp: int = 10_000
    benefits: str = ""
    birthday_gift: str = ""
    upgrade_gift: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class TierDecisions:
    """The chain's decisions about tiers (the columns of TierSettings)."""

    period: Literal["sliding", "year", "quarter"] = "sliding"
    period_months: int = 12
    keeping: Literal["this_period", "next_period"] = "this_period"
    grace_days: int = 0
    descent: Literal["one_step", "straight"] = "straight"
    notice_days: int = 30


@dataclasses.dataclass(frozen=True, slots=True)
class TierSums:
    """What somebody did in a span of days."""

    spend_fen: int = 0
    order_count: int = 0
    growth: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class TierGoal:
    """One measure of the next tier: what she has in the running period and what it needs (fen, orders, growth).
    Where `next_tier.mode` is "any", one goal reached is enough."""

    next_tier: TierCard
    measure: TierMeasure
    measure_label: str
    have: int
    need: int
    unit: str


@dataclasses.dataclass(frozen=True, slots=True)
class TierStanding:
    """Where a member stands: her tier (None while she has none), since when, and the day from which it holds no
    more (None when it has no end); what the next one needs; the lines of what hers gives."""

    tier: TierCard | None
    since: dt.date | None
    until: dt.date | None
    is_manual: bool
    progress: tuple[TierGoal, ...]
    benefits: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TierChangeLine:
    """One line of a member's tier history. Tiers are None where she had none; `sums` and the half-open span they
    were taken over only where sums decided."""

    id: int
    member_id: int
    from_tier: TierCard | None
    to_tier: TierCard | None
    is_upgrade: bool
    cause: str
    cause_label: str
    note: str
    until: dt.date | None
    sums: TierSums | None
    window_from: dt.date | None
    window_until: dt.date | None
    at: dt.datetime
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class ActivityOutcome:
    """What an entry did: her tier now, and whether she rose by it."""

    member_id: int
    tier: TierCard | None
    is_upgraded: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ReassessmentNumbers:
    """What assessing everybody by today's rules would do. `seen_count` are those with a tier or with activity."""

    seen_count: int
    risen_count: int
    fallen_count: int

    @property
    def same_count(self) -> int:
        return self.seen_count - self.risen_count - self.fallen_count


@dataclasses.dataclass(frozen=True, slots=True)
class ReassessmentCard:
    """A reassessment that staff asked for, under way or done."""

    id: int
    may_fall: bool
    is_done: bool
    seen_count: int
    risen_count: int
    fallen_count: int
    requested_at: dt.datetime
    done_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class TierRun:
    """What one run of the nightly job did."""

    ended_count: int  # tiers given by staff whose end had come
    kept_count: int
    graced_count: int
    fallen_count: int
