"""What members hold: one member's coupons in the order of their end, and what soon ends among a guide's members."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from core import clock
from coupons.contracts import CouponCard
from coupons.selectors.coupons import coupon_card_of, fetched, in_state


def list_usable_coupons(
    member_id: int, *, limit: int = 50, at: dt.datetime | None = None
) -> tuple[CouponCard, ...]:
    """What she may use now or later, the first to end first."""
    at = at or clock.now()
    rows = fetched().filter(in_state("usable", at), member_id=member_id).order_by("valid_until", "pk")
    return tuple(coupon_card_of(row, at) for row in rows[:limit])


def list_expiring_coupons(
    member_ids: QuerySet[Any, int], *, within: dt.timedelta, limit: int = 50, at: dt.datetime | None = None
) -> tuple[CouponCard, ...]:
    """The unused coupons in these hands that end within so long, the first to end first."""
    at = at or clock.now()
    rows = fetched().filter(
        in_state("usable", at), member_id__in=member_ids, valid_from__lte=at, valid_until__lte=at + within
    )
    return tuple(coupon_card_of(row, at) for row in rows.order_by("valid_until", "pk")[:limit])
