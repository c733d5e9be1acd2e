"""Numbers of coupons, and what is owed between owners of stores."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Literal

StatsSide = Literal["issued", "redeemed"]
StatsBy = Literal["day", "template", "batch", "door", "region", "dealer", "store", "guide"]


@dataclasses.dataclass(frozen=True, slots=True)
class FoldRun:
    """How many facts a run took in; `is_whole` when no writer had to be left to the next run."""

    fact_count: int
    is_whole: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ProofReport:
    """How many rows were compared with the facts, how many had to be repaired, and the first of these."""

    row_count: int
    wrong_count: int
    wrong_rows: tuple[Mapping[str, object], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StatsQuery:
    """Which part of the numbers. Days are Shanghai's, both inclusive, None for ever.

    `side` says whose store, guide, region and dealer is meant: who issued the coupon, or who redeemed it.
    `store_ids` is the part of the chain that may be seen; None is all of it.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    template_id: int | None = None
    batch_id: int | None = None
    door: str = ""
    side: StatsSide = "issued"
    region_id: int | None = None
    dealer_id: int | None = None
    store_id: int | None = None
    guide_id: int | None = None
    store_ids: frozenset[int] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CouponNumbers:
    """Counts, and fen. `redeemed_count`, `discount_fen` and `sales_fen` are what is left after what was taken back in
    the same span; `expiring_count` are unused coupons whose last day is within a week, whatever the span."""

    issued_count: int = 0
    claimed_count: int = 0
    redeemed_count: int = 0
    reversed_count: int = 0
    voided_count: int = 0
    expired_count: int = 0
    discount_fen: int = 0
    sales_fen: int = 0
    expiring_count: int = 0

    @property
    def redeemed_bp(self) -> int | None:
        """Redeemed in the span for 10,000 issued in it; None where nothing was issued."""
        return self.redeemed_count * 10_000 // self.issued_count if self.issued_count > 0 else None

    @property
    def cost_bp(self) -> int | None:
        """Discount for 10,000 fen sold; None where nothing was sold."""
        return self.discount_fen * 10_000 // self.sales_fen if self.sales_fen > 0 else None

    @property
    def return_hundredths(self) -> int | None:
        """Fen sold for each fen of discount, times 100; None where nothing was given away."""
        return self.sales_fen * 100 // self.discount_fen if self.discount_fen > 0 else None


@dataclasses.dataclass(frozen=True, slots=True)
class StatsLine:
    """The numbers of one value of a dimension. `key` is what a query filters by, "0" for none."""

    key: str
    label: str
    numbers: CouponNumbers


@dataclasses.dataclass(frozen=True, slots=True)
class EntryLine:
    """One redemption, return or reversal behind a number; `redeemed_on` is the day of the redemption it belongs to."""

    day: dt.date
    what: str
    what_label: str
    redemption_id: int
    redeemed_on: dt.date
    code: str
    batch_name: str
    store_id: int
    issued_store_id: int | None
    order_no: str
    sales_fen: int
    discount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class IssuedLine:
    """One coupon behind a number."""

    coupon_id: int
    issued_at: dt.datetime
    code: str
    batch_name: str
    door_label: str
    issued_store_id: int | None
    issued_guide_id: int | None
    state_label: str


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyTerms:
    """Who bears a discount, in basis points that make up the whole."""

    issuer_bp: int
    redeemer_bp: int
    chain_bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class OwnerSum:
    """What one owner owes another; None is the chain. Negative when more was taken back than given."""

    debtor_id: int | None
    creditor_id: int | None
    line_count: int
    owed_fen: int
    correction_fen: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoreSum:
    """One store's part of a month: what its till gave away, who pays for it, and what it bears for others."""

    store_id: int
    redeemed_count: int
    discount_fen: int
    own_fen: int
    due_fen: int
    owes_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class MonthRun:
    """What settling, closing or recomputing did to a month."""

    month: dt.date
    line_count: int
    changed_count: int
    owed_fen: int
