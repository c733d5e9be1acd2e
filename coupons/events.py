"""What `coupons` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class CouponClaimed(Event):
    """She took one herself."""

    coupon_id: int
    member_id: int
    batch_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponIssued(Event):
    """A guide or the system gave her one, or her friends unlocked it."""

    coupon_id: int
    member_id: int
    batch_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class IssueJobConfirmed(Event):
    """A bulk issue waits to be run. Lost, the job that looks for waiting slices finds it."""

    job_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsIssued(Event):
    """A bulk issue is over; its coupons have request keys that begin with `job:<job_id>:`."""

    job_id: int
    batch_id: int
    issued_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponRedeemed(Event):
    coupon_id: int
    redemption_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class RedemptionReversed(Event):
    coupon_id: int
    redemption_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class OrderReturned(Event):
    """Goods of an order with coupons came back, or it was undone; `is_whole` when nothing of it is left."""

    order_id: int
    return_id: int
    is_whole: bool


@dataclasses.dataclass(frozen=True, slots=True)
class VoidJobStarted(Event):
    """The voiding of a batch waits to be run. Lost, the job that looks for waiting slices finds it."""

    job_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsVoided(Event):
    """So many coupons of a batch were made void."""

    batch_id: int
    coupon_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsExpired(Event):
    """The job closed coupons that were past their last day."""

    coupon_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsExpiring(Event):
    """So many coupons of hers are over at the end of that day (ISO date, Shanghai); told once for each coupon."""

    member_id: int
    expires_on: str
    coupon_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class GiftAccepted(Event):
    coupon_id: int
    gift_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class GiftReturned(Event):
    """Nobody took it in time, or she took it back."""

    coupon_id: int
    gift_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class UnlockReached(Event):
    """Enough friends came through her link; her own coupon follows."""

    share_id: int
    member_id: int
    offer_id: int
