"""What came of a campaign, in numbers and in what may be said of them."""

import dataclasses
import datetime as dt
import operator
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

ProofBy = Literal["variant", "region", "store", "guide", "tier"]
RateKind = Literal["second_purchase", "wake_up", "win_back"]


@dataclasses.dataclass(frozen=True, slots=True)
class ProofNumbers:
    """Outcomes of members of one group, added up. Money in fen; `cost_hundredths` in hundredths of a fen."""

    member_count: int = 0
    done_count: int = 0
    sent_count: int = 0
    delivered_count: int = 0
    seen_count: int = 0
    clicked_count: int = 0
    given_count: int = 0
    redeemed_count: int = 0
    aimed_count: int = 0
    goal_count: int = 0
    buyer_count: int = 0
    order_count: int = 0
    unit_count: int = 0
    amount_fen: int = 0
    amount_squares: int = 0
    discount_fen: int = 0
    cost_hundredths: int = 0
    once_count: int = 0
    second_count: int = 0
    asleep_count: int = 0
    woken_count: int = 0
    lost_count: int = 0
    won_back_count: int = 0

    @property
    def cost_fen(self) -> int:
        """Coupons at what was taken off for them, and text messages; rounded up to the fen."""
        return self.discount_fen - (-self.cost_hundredths // 100)

    def __add__(self, other: "ProofNumbers") -> "ProofNumbers":
        return ProofNumbers(*map(operator.add, _NUMBERS(self), _NUMBERS(other)))


_NUMBERS = operator.attrgetter(*(field.name for field in dataclasses.fields(ProofNumbers)))


@dataclasses.dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison: of `aimed` members `hits` did what counts; `members` spent `amount_fen` among them, the
    squares of each one's amount add up to `squares`."""

    aimed: int
    hits: int
    members: int
    buyers: int
    amount_fen: int
    squares: int

    @property
    def rate(self) -> float:
        return self.hits / self.aimed if self.aimed else 0.0

    @property
    def mean_fen(self) -> float:
        return self.amount_fen / self.members if self.members else 0.0

    @property
    def variance(self) -> float:
        """Of one member's amount; whole numbers until the division, so that nothing is lost by cancelling."""
        if self.members < 2:
            return 0.0
        return (self.squares * self.members - self.amount_fen**2) / (self.members * (self.members - 1))


@dataclasses.dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """A difference, between which bounds it lies, how often luck alone makes one as large, and whether it is none."""

    difference: float
    interval: Interval
    p: float
    is_sure: bool


class Finding(StrEnum):
    """no_control: nobody to compare with. repeated: many were in it again and again. few: too few to tell. open: the window
    is not over. unsure: the difference may be luck. better, worse: it is not."""

    NO_CONTROL = "no_control"
    REPEATED = "repeated"
    FEW = "few"
    OPEN = "open"
    UNSURE = "unsure"
    BETTER = "better"
    WORSE = "worse"


@dataclasses.dataclass(frozen=True, slots=True)
class Uplift:
    """The treated against the control group. `rate` in shares of one, `ratio` relative to the control group, `amount` in fen
    a head; None where it cannot be worked out. `is_amount_sure`: the amounts say it too, beyond luck."""

    treated: Arm
    control: Arm
    rate: Compared | None
    ratio: Compared | None
    amount: Compared | None
    finding: Finding
    is_amount_sure: bool

    @property
    def extra_fen(self) -> int | None:
        """What all the treated bought more than they would have as the control group; None without one."""
        return None if self.amount is None else round(self.amount.difference * self.treated.members)

    @property
    def extra_interval(self) -> tuple[int, int] | None:
        if self.amount is None:
            return None
        low, high = self.amount.interval.low, self.amount.interval.high
        return round(low * self.treated.members), round(high * self.treated.members)


@dataclasses.dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the campaign, for the choice of a report. `is_open`: its window is not over."""

    id: int
    number: int
    launched_at: dt.datetime
    window_ends_at: dt.datetime
    is_open: bool
    is_final: bool
    member_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class ProofProgress:
    """How far the first count of runs is that were just launched: of `member_count` members `begun_count` have their row and
    `counted_count` are counted."""

    member_count: int
    begun_count: int
    counted_count: int

    @property
    def percent(self) -> int:
        return min(99, (self.begun_count + self.counted_count) * 50 // max(1, self.member_count))


@dataclasses.dataclass(frozen=True, slots=True)
class ProofLine:
    """Numbers of one variant, region, store, guide or tier: those who were meant to get something, and the control group. The
    uplift is held to the line's share of the error of all lines that have enough members."""

    key: str
    label: str
    treated: ProofNumbers
    control: ProofNumbers
    uplift: Uplift


@dataclasses.dataclass(frozen=True, slots=True)
class ProofRate:
    """Of those who stood so at launch, how many bought in the window: of the treated and of the control group."""

    kind: RateKind
    uplift: Uplift


@dataclasses.dataclass(frozen=True, slots=True)
class ProofDay:
    """How many had done what the goal asks for by the end of so many days since launch."""

    day: int  # the first is 1
    treated: int
    control: int


@dataclasses.dataclass(frozen=True, slots=True)
class VariantUplift:
    letter: str
    numbers: ProofNumbers
    uplift: Uplift


@dataclasses.dataclass(frozen=True, slots=True)
class ProofReport:
    """One campaign's report, of one run or all. `summed_at`: how fresh it is; None: nothing is counted yet."""

    campaign_id: int
    campaign_name: str
    goal: str
    kind: str
    window_days: int
    runs: Sequence[RunLine]
    run_id: int | None
    summed_at: dt.datetime | None
    is_open: bool
    is_final: bool
    ends_at: dt.datetime | None
    treated: ProofNumbers
    control: ProofNumbers
    uplift: Uplift
    variants: Sequence[VariantUplift]
    rates: Sequence[ProofRate]
    days: Sequence[ProofDay]
    may_judge: bool
    progress: ProofProgress | None


@dataclasses.dataclass(frozen=True, slots=True)
class LeagueQuery:
    """Runs launched on these Shanghai days, both inclusive; `store_ids` None is the whole chain."""

    since: dt.date
    until: dt.date
    kind: str = ""
    goal: str = ""
    scope: str = ""  # chain, region, store: whose campaign it is
    store_ids: frozenset[int] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class LeagueLine:
    """One campaign beside others."""

    campaign_id: int
    name: str
    kind: str
    goal: str
    owner: str
    run_count: int
    is_open: bool
    treated: ProofNumbers
    control: ProofNumbers
    uplift: Uplift


@dataclasses.dataclass(frozen=True, slots=True)
class LeagueSum:
    """What the campaigns of a table brought together: each purchase and each buyer once, however many campaigns count it."""

    buyer_count: int
    order_count: int
    amount_fen: int
