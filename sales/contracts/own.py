"""What a member is shown of her own purchases. Amounts in fen."""

import dataclasses
import datetime as dt


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """One of her orders, as a line of a list; `goods` are the names of the first lines."""

    public_id: str
    order_no: str
    channel: str
    sold_at: dt.datetime
    store_id: int
    store_name: str
    list_fen: int
    amount_fen: int
    returned_fen: int
    unit_count: int
    returned_unit_count: int
    points_earned: int
    points_spent: int
    goods: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class OwnOrderPage:
    """`next_place` is None on the last page."""

    orders: tuple[OwnOrder, ...]
    next_place: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class OwnGoods:
    """One line of goods; what of it came back."""

    name: str
    code: str
    quantity: int
    list_fen: int
    amount_fen: int
    returned_quantity: int
    returned_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class OwnPayment:
    method: str
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class OwnCoupon:
    """A coupon the order names; `counts`: it was redeemed for it."""

    code_tail: str
    discount_fen: int
    counts: bool


@dataclasses.dataclass(frozen=True, slots=True)
class OwnReturn:
    """Goods of the order that came back, and where."""

    return_no: str
    returned_at: dt.datetime
    store_name: str
    amount_fen: int
    unit_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class OwnOrderCard:
    """One order with all there is to say of it."""

    order: OwnOrder
    lines: tuple[OwnGoods, ...]
    payments: tuple[OwnPayment, ...]
    coupons: tuple[OwnCoupon, ...]
    returns: tuple[OwnReturn, ...]
