"""What members hold: one member's coupons in the order of their end, and what soon ends among a guide's members."""

import datetime as dt
import functools
from typing import Any, Final

from django.db.models import QuerySet, Value

from core import clock
from core.compiled import Compiled, Given, compiled
from coupons.contracts import CouponCard, CouponsOfMember
from coupons.models import Coupon
from coupons.selectors.coupons import coupon_cards_of, in_state, newest_in_state, page_of
from guides import selectors as guide_selectors

_USABLE: Final = "usable"
_REDEEMED: Final = "redeemed"
_EXPIRED: Final = "expired"


def list_usable_coupons(
    member_id: int, *, limit: int = 50, at: dt.datetime | None = None
) -> tuple[CouponCard, ...]:
    """What she may use now or later, the first to end first."""
    at = at or clock.now()
    return coupon_cards_of(_usable(limit)(member_id=member_id, at=at), at)


def list_coupons_of_member(
    member_id: int, *, past: int, limit: int = 50, at: dt.datetime | None = None
) -> CouponsOfMember:
    """`list_usable_coupons` and the first pages, of `past` cards, of what she used and what is over; in two queries."""
    at = at or clock.now()
    rows = _at_a_glance(limit, past)(member_id=member_id, at=at)
    cards: dict[str, list[CouponCard]] = {_USABLE: [], _REDEEMED: [], _EXPIRED: []}
    for row, card in zip(rows, coupon_cards_of(rows, at), strict=True):
        cards[row.part].append(card)
    for part in (_REDEEMED, _EXPIRED):
        cards[part].sort(key=lambda card: -card.id)
    return CouponsOfMember(
        usable=tuple(sorted(cards[_USABLE], key=lambda card: (card.valid_until, card.id))),
        redeemed=page_of(tuple(cards[_REDEEMED]), past),
        expired=page_of(tuple(cards[_EXPIRED]), past),
    )


@functools.lru_cache(maxsize=64)
def _at_a_glance(limit: int, past: int) -> Compiled[Any]:
    def at_a_glance(*, member_id: Given, at: Given) -> QuerySet[Any, Any]:
        rows = {
            _USABLE: _first_to_end(member_id, at)[:limit],
            _REDEEMED: newest_in_state(_REDEEMED, member_id, at)[: past + 1],
            _EXPIRED: newest_in_state(_EXPIRED, member_id, at)[: past + 1],
        }
        usable, *others = (found.annotate(part=Value(part)) for part, found in rows.items())
        return usable.union(*others, all=True)

    return compiled(at_a_glance)


@functools.lru_cache(maxsize=64)
def _usable(limit: int) -> Compiled[Coupon]:
    def usable(*, member_id: Given, at: Given) -> QuerySet[Coupon]:
        return _first_to_end(member_id, at)[:limit]

    return compiled(usable)


def _first_to_end(member_id: Given, at: Given) -> QuerySet[Coupon]:
    return Coupon.objects.filter(in_state(_USABLE, at), member_id=member_id).order_by("valid_until", "pk")


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
