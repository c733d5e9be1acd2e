"""What passes between `sales` and whoever tells it of orders and goods."""

import dataclasses
import datetime as dt


@dataclasses.dataclass(frozen=True, slots=True)
class CouponNote:
    """A coupon of an order; `outcome` is "redeemed", "known" (redeemed before by the till) or a refusal's code."""

    code: str
    discount_fen: int
    outcome: str


@dataclasses.dataclass(frozen=True, slots=True)
class ToldOrder:
    """What became of an order beside what counts for whom."""

    sale_id: int
    store_id: int
    revision: int
    recorded_at: dt.datetime
    points_taken: int
    points_outcome: str  # why they could not be taken
    points_earned: int
    coupons: tuple[CouponNote, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class CategoryEntry:
    code: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class ProductEntry:
    """A product; `category_code` empty: of none. `brand` None: as it was."""

    code: str
    name: str
    category_code: str = ""
    brand: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CatalogOutcome:
    """How many entries were new, changed and the same as before."""

    created_count: int
    changed_count: int
    same_count: int
