"""Coupons as a guide works with them: what she may give, what she gave, what she redeems at the counter."""

import dataclasses
import datetime as dt

from coupons.contracts.coupons import (
    BatchCard,
    CouponCard,
    CouponCheck,
    IssuedCoupon,
    RedemptionCard,
    TemplateCard,
    WhyNot,
)
from members.contracts import MemberCard


@dataclasses.dataclass(frozen=True, slots=True)
class DirectedLine:
    """What became of one member of a directed issue: her coupon, or why not. What `is_passing` may work later."""

    member_id: int
    coupon: IssuedCoupon | None
    why_not: WhyNot | None = None
    is_passing: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class DirectedIssueCard:
    """One directed issue with the answer for each member, in the order of asking."""

    public_id: str
    batch: BatchCard
    template: TemplateCard
    asked_at: dt.datetime
    lines: tuple[DirectedLine, ...]

    @property
    def given_count(self) -> int:
        return sum(line.coupon is not None for line in self.lines)


@dataclasses.dataclass(frozen=True, slots=True)
class GivenCoupon:
    """A coupon that a guide gave. `received_by` is whom she gave it to, which stays when it is handed on; the
    redemption is the live one."""

    coupon: CouponCard
    received_by: int
    redemption: RedemptionCard | None


@dataclasses.dataclass(frozen=True, slots=True)
class GivenPage:
    lines: tuple[GivenCoupon, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class GivenSummary:
    """How many a guide gave since a moment, and how many of these were used."""

    given_count: int
    used_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class StoreRedemption:
    """A redemption in a store; `may_undo`: the store may take it back now."""

    redemption: RedemptionCard
    template: TemplateCard
    member_id: int
    guide_id: int | None
    reversal_reason: str
    may_undo: bool


@dataclasses.dataclass(frozen=True, slots=True)
class StoreRedemptionPage:
    lines: tuple[StoreRedemption, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class StoreDay:
    """The redemptions of a store on one day, those that were taken back not counted."""

    redeemed_count: int
    discount_fen: int
    sales_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class CounterCheck:
    """A coupon as it lies on the counter of a store: may it be used there now, and whose is it."""

    check: CouponCheck
    owner: MemberCard
    tier_id: int  # 0 where she has none: a coupon for tiers is then not for her
    tier_name: str
