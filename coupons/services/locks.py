"""An order under way keeps a coupon for itself for some minutes."""

import datetime as dt
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from core.errors import InvalidInput
from coupons.contracts import CouponCard, RedemptionContext
from coupons.errors import CouponExpired, CouponLocked
from coupons.models import Coupon, CouponEvent, CouponState
from coupons.selectors.checks import refusals_of
from coupons.selectors.coupons import coupon_card_of
from coupons.services.history import free_lapsed_lock, lock_by_code, move_coupon
from coupons.services.issuing import usable_request_key

LONGEST_LOCK: Final = dt.timedelta(hours=2)
_SLICE: Final = 1_000


def lock_coupon(
    *,
    code: str,
    lock_key: str,
    lasts: dt.timedelta = dt.timedelta(minutes=15),
    context: RedemptionContext | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> CouponCard:
    """Only the order of `lock_key` can redeem the coupon until the time is over; the same key again prolongs it.

    An order that locked in time may also redeem after the coupon's last midnight, while its lock lasts; it cannot
    prolong it then. `context` is what `check_coupon` takes; its `at` and `lock_key` are these. Refuses whatever would
    refuse the redemption, and a lock above two hours.
    """
    at = at or clock.now()
    usable_request_key(key=lock_key)
    if not dt.timedelta(0) < lasts <= LONGEST_LOCK:
        raise InvalidInput(field="lasts")
    with transaction.atomic():
        coupon = lock_by_code(code=code)
        free_lapsed_lock(coupon=coupon, at=at, actor=actor)
        for refusal in refusals_of(coupon, _at(context, at, lock_key)):
            raise refusal
        if coupon.valid_until <= at:
            raise CouponExpired
        if coupon.state == CouponState.LOCKED:
            coupon.locked_until = at + lasts
            coupon.save(update_fields=["locked_until"])
        else:
            move_coupon(
                coupon=coupon,
                to=CouponState.LOCKED,
                what="locked",
                actor=actor,
                at=at,
                lock_key=lock_key,
                locked_until=at + lasts,
            )
    return coupon_card_of(coupon, at)


def unlock_coupon(*, code: str, lock_key: str, actor: Actor, at: dt.datetime | None = None) -> CouponCard:
    """The order of `lock_key` gives the coupon up. Refuses a coupon that another order holds; one that nobody holds
    stays as it is, so that a repeated call gets the same answer."""
    at = at or clock.now()
    with transaction.atomic():
        coupon = lock_by_code(code=code)
        free_lapsed_lock(coupon=coupon, at=at, actor=actor)
        if coupon.state == CouponState.LOCKED:
            if coupon.lock_key != lock_key:
                raise CouponLocked
            move_coupon(coupon=coupon, to=CouponState.ISSUED, what="unlocked", actor=actor, at=at)
    return coupon_card_of(coupon, at)


def release_lapsed_locks(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Coupons whose lock is over are free again; how many. The rules do not wait for it: a lapsed lock counts for
    nothing anyway, so this only keeps the table tidy."""
    at = at or clock.now()
    freed = 0
    while True:
        with transaction.atomic():
            rows = Coupon.objects.filter(state=CouponState.LOCKED, locked_until__lte=at).claim(_SLICE)
            Coupon.objects.filter(pk__in=[row.pk for row in rows]).update(
                state=CouponState.ISSUED, lock_key="", locked_until=None
            )
            CouponEvent.objects.bulk_create(
                CouponEvent(
                    coupon=row,
                    at=at,
                    from_state=CouponState.LOCKED,
                    to_state=CouponState.ISSUED,
                    what="lock_lapsed",
                    actor=actor.label[:90],
                )
                for row in rows
            )
        freed += len(rows)
        if len(rows) < _SLICE:
            return freed


def _at(context: RedemptionContext | None, at: dt.datetime, lock_key: str) -> RedemptionContext:
    given = context or RedemptionContext(at=at)
    return RedemptionContext(
        at=at,
        lock_key=lock_key,
        store_id=given.store_id,
        channel=given.channel,
        tier_id=given.tier_id,
        member_id=given.member_id,
        amount_fen=given.amount_fen,
        quantity=given.quantity,
    )
