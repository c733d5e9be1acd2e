"""What may leave `coupons`, and what pricing is asked with. Money is fen, rates are basis points."""

import dataclasses
import datetime as dt
from typing import Literal

CouponKind = Literal["exchange", "fixed_price", "cash_off", "percent", "gift"]

CouponReason = Literal[
    "used",
    "below_min_spend",
    "below_min_quantity",
    "no_goods_in_scope",
    "goods_not_discountable",
    "group_taken",
    "exclusive",
    "over_max_per_order",
    "no_value_left",
    "not_better",
    "not_chosen",
]


@dataclasses.dataclass(frozen=True, slots=True)
class BasketLine:
    """One line of a basket: `amount_fen` is the money for all its units before coupons. `categories` are the codes
    on the path of its category, from the root down, so that a coupon for shoes covers running shoes. Neither
    coupons nor points touch a line that is not discountable, and it counts towards no threshold."""

    key: str
    product: str
    categories: tuple[str, ...]
    amount_fen: int
    quantity: int = 1
    is_discountable: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class CouponTerms:
    """What pricing knows of a coupon. Each kind reads its own fields:

    - `exchange`: `units` of the goods in scope are free, up to `cap_fen` each;
    - `fixed_price`: `units` of the goods in scope cost `price_fen` each;
    - `cash_off`: `off_fen` once, or for each full `per_fen`, up to `cap_fen` in all;
    - `percent`: `rate_bp` of the price is paid (8,800 is 8.8 折), up to `cap_fen` off in all;
    - `gift`: `gift_name`, worth `gift_value_fen`; the price stays.

    No include means all goods; a product or category that is excluded is out whatever includes it. Thresholds are
    measured on the goods in scope before any coupon. Of one `stacking_group` ("" is one too) a basket takes the
    coupons of one template, `max_per_order` of them; a coupon without `template_key` is a template by itself. An
    exclusive coupon is used alone.
    """

    key: str
    name: str
    kind: CouponKind
    off_fen: int = 0
    per_fen: int = 0
    rate_bp: int = 10_000
    cap_fen: int | None = None
    units: int = 0
    price_fen: int = 0
    gift_name: str = ""
    gift_value_fen: int = 0
    min_spend_fen: int = 0
    min_quantity: int = 0
    include_products: frozenset[str] = frozenset()
    include_categories: frozenset[str] = frozenset()
    exclude_products: frozenset[str] = frozenset()
    exclude_categories: frozenset[str] = frozenset()
    stacking_group: str = ""
    is_exclusive: bool = False
    template_key: str = ""
    max_per_order: int = 1
    valid_until: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsTerms:
    """The points she may pay with: whole steps of `step` points, worth `fen_per_step` fen each, for at most
    `max_share_bp` of what coupons leave of the discountable lines, and at most `max_points` in one order."""

    balance: int
    step: int = 1
    fen_per_step: int = 1
    max_share_bp: int = 10_000
    max_points: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CouponShare:
    """What one coupon took off one line, or off what came back of it."""

    coupon_key: str
    discount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class PricedLine:
    """A line after pricing: `amount_fen` = the coupons' shares + `points_fen` + `payable_fen`, to the fen."""

    key: str
    quantity: int
    amount_fen: int
    coupon_shares: tuple[CouponShare, ...]
    points: int
    points_fen: int
    payable_fen: int

    @property
    def discount_fen(self) -> int:
        return sum(share.discount_fen for share in self.coupon_shares)


@dataclasses.dataclass(frozen=True, slots=True)
class CouponVerdict:
    """Whether a coupon is used, and why not. `short_fen` and `short_count` are what the basket lacks, `against` the
    key of the coupon that stands in its way."""

    key: str
    name: str
    reason: CouponReason
    words: str
    discount_fen: int = 0
    gift_name: str = ""
    gift_value_fen: int = 0
    short_fen: int = 0
    short_count: int = 0
    against: str = ""

    @property
    def is_used(self) -> bool:
        return self.reason == "used"


@dataclasses.dataclass(frozen=True, slots=True)
class PricedPoints:
    """The points that pay, and the most that could."""

    points: int = 0
    off_fen: int = 0
    most_points: int = 0
    most_off_fen: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class PricedBasket:
    """A priced basket; lines and coupons in the order they came. No combination is cheaper by more than `bound_fen`
    before points, which is zero when the search was complete."""

    lines: tuple[PricedLine, ...]
    coupons: tuple[CouponVerdict, ...]
    points: PricedPoints
    original_fen: int
    discount_fen: int
    payable_fen: int
    bound_fen: int

    @property
    def is_exact(self) -> bool:
        return self.bound_fen == 0

    @property
    def used_keys(self) -> tuple[str, ...]:
        return tuple(verdict.key for verdict in self.coupons if verdict.is_used)


@dataclasses.dataclass(frozen=True, slots=True)
class ReturnedPart:
    """What comes back of a line: a number of units, or money of its price before coupons. One of the two."""

    line_key: str
    quantity: int = 0
    amount_fen: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class RefundLine:
    """What one line gives back: `amount_fen` = `refund_fen` + the coupons' shares + `points_fen`."""

    line_key: str
    amount_fen: int
    refund_fen: int
    coupon_shares: tuple[CouponShare, ...]
    points: int
    points_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class Refund:
    """What a return gives back: money, points, and the part of each coupon's discount that falls away."""

    lines: tuple[RefundLine, ...]
    refund_fen: int
    points: int
    coupon_shares: tuple[CouponShare, ...]
