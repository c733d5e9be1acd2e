"""What members hold: one member's coupons in the order of their end, and what soon ends among a guide's members."""

import datetime as dt
import functools
from itertools import islice

from django.db.models import QuerySet

from core import clock
from core.compiled import Compiled, Given, compiled
from coupons.contracts import CouponCard, CouponsOfMember
from coupons.models import Coupon
from coupons.selectors.coupons import coupon_cards_of, in_state, newest_in_state, page_of
from guides import selectors as guide_selectors


def list_usable_coupons(
    member_id: int, *, limit: int = 50, at: dt.datetime | None = None
) -> tuple[CouponCard, ...]:
    """What she may use now or later, the first to end first."""
    at = at or clock.now()
    return coupon_cards_of(_usable(limit)(member_id=member_id, at=at), at)


def list_coupons_of_member(
    member_id: int, *, past: int, limit: int = 50, at: dt.datetime | None = None
) -> CouponsOfMember:
    """`list_usable_coupons` and the first pages, of `past` cards, of what she used and what is over; in four queries."""
    at = at or clock.now()
    usable = _usable(limit)(member_id=member_id, at=at)
    redeemed = newest_in_state(member_id, state="redeemed", limit=past, at=at)
    expired = newest_in_state(member_id, state="expired", limit=past, at=at)
    cards = iter(coupon_cards_of([*usable, *redeemed, *expired], at))
    return CouponsOfMember(
        usable=tuple(islice(cards, len(usable))),
        redeemed=page_of(tuple(islice(cards, len(redeemed))), past),
        expired=page_of(tuple(cards), past),
    )


@functools.lru_cache(maxsize=64)
def _usable(limit: int) -> Compiled[Coupon]:
    def usable(*, member_id: Given, at: Given) -> QuerySet[Coupon]:
        rows = Coupon.objects.filter(in_state("usable", at), member_id=member_id)
        return rows.order_by("valid_until", "pk")[:limit]

    return compiled(usable)


def list_expiring_coupons(
    guide_id: int, *, within: dt.timedelta, limit: int = 50, at: dt.datetime | None = None
) -> tuple[CouponCard, ...]:
    """The unused coupons of this guide's members that end within so long, the first to end first."""
    at = at or clock.now()
    return coupon_cards_of(_expiring(limit)(guide_id=guide_id, at=at, until=at + within), at)


@functools.lru_cache(maxsize=64)
def _expiring(limit: int) -> Compiled[Coupon]:
    def expiring(*, guide_id: Given, at: Given, until: Given) -> QuerySet[Coupon]:
        members = guide_selectors.bound_member_ids(guide_id)
        rows = Coupon.objects.filter(
            in_state("usable", at), member_id__in=members, valid_from__lte=at, valid_until__lte=until
        )
        return rows.order_by("valid_until", "pk")[:limit]

    return compiled(expiring)
