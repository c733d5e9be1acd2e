"""Orders on which coupons are used: what is asked with, and what is answered. Money is fen."""

import dataclasses
import datetime as dt

from coupons.contracts.coupons import CouponStateName, TemplateCard, WhyNot
from coupons.contracts.pricing import BasketLine, PricedBasket, PricedLine, Refund


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What is bought, where, by whom. `payable_fen` is what the till expects to be left to pay: another price is
    refused then. `redeemed_at` is the till's time and only given for what was done offline."""

    store_id: int
    order_no: str = ""
    lines: tuple[BasketLine, ...]
    channel: str = "store"
    till: str = ""
    member_id: int | None = None
    guide_id: int | None = None
    use_points: bool = False
    payable_fen: int | None = None
    redeemed_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ToldCoupon:
    """A coupon that a till took by itself, and what it took off for it."""

    code: str
    discount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class BarredCoupon:
    """A candidate that cannot be used here and now whatever is in the basket."""

    code: str
    template: TemplateCard | None  # None: no such coupon
    reasons: tuple[WhyNot, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class PricedOrder:
    """A basket priced with the coupons that can be used at all, and those that cannot. Keys of coupons are codes."""

    basket: PricedBasket
    barred: tuple[BarredCoupon, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class OrderCoupon:
    """One coupon of an order. `returned_fen` is the part of its discount that fell away with returned goods."""

    code: str
    name: str
    discount_fen: int
    gift_name: str
    returned_fen: int
    is_reversed: bool
    state: CouponStateName


@dataclasses.dataclass(frozen=True, slots=True)
class OrderCard:
    """An order on which coupons were used, with every fen on its line."""

    id: int
    public_id: str
    store_id: int
    order_no: str
    member_id: int | None
    amount_fen: int
    discount_fen: int
    points: int
    points_fen: int
    payable_fen: int
    lines: tuple[PricedLine, ...]
    coupons: tuple[OrderCoupon, ...]
    redeemed_at: dt.datetime
    ended_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class ReturnCard:
    """What a return gives back, and what became of the coupons: `usable` are good again, `expired` are not,
    `voided_count` were earned by the order and are void."""

    public_id: str
    order: OrderCard
    refund: Refund
    discount_fen: int
    usable: tuple[str, ...]
    expired: tuple[str, ...]
    voided_count: int
    returned_at: dt.datetime
