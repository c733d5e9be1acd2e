"""An order under way keeps a coupon for itself for some minutes."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection, transaction

from core import clock
from core.actor import Actor
from core.arrays import array_words
from core.errors import InvalidInput, Refusal
from coupons.contracts import CouponCard, Purchase, RedemptionContext
from coupons.errors import CouponExpired, CouponLocked, NoSuchCoupon, NothingToRedeem, TooManyCoupons
from coupons.models import Coupon, CouponEvent, CouponState
from coupons.selectors.checks import find_refusal
from coupons.selectors.coupons import coupon_card_of, fetched
from coupons.selectors.orders import holder_tiers
from coupons.services.history import free_lapsed_lock, lock_by_code, move_coupon
from coupons.services.issuing import usable_request_key
from coupons.services.order_pricing import context_of, living, usable_code
from coupons.services.pricing_input import MOST_COUPONS

LONGEST_LOCK: Final = dt.timedelta(hours=2)
_SLICE: Final = 1_000
_COUNTERS: Final = """
SELECT piece.id FROM coupons_couponbatchshard piece
JOIN unnest(%s::bigint[], %s::int[]) AS asked(batch_id, shard) USING (batch_id, shard)
ORDER BY piece.batch_id, piece.shard FOR NO KEY UPDATE OF piece
"""


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
    _check_lock(lock_key, lasts)
    with transaction.atomic():
        coupon = lock_by_code(code=code)
        _hold(coupon, _at(context, at, lock_key), lasts, actor)
    return coupon_card_of(coupon, at)


def lock_coupons(
    *,
    codes: Sequence[str],
    purchase: Purchase,
    lock_key: str,
    lasts: dt.timedelta = dt.timedelta(minutes=15),
    actor: Actor,
    at: dt.datetime | None = None,
) -> tuple[CouponCard, ...]:
    """As `lock_coupon`, for all coupons of an order or none; what the purchase says of store, channel and member is
    checked, its lines are not. A refusal names its coupon."""
    at = at or clock.now()
    purchase = living(purchase=purchase)
    _check_lock(lock_key, lasts)
    with transaction.atomic():
        coupons = _lock_all(codes)
        tiers = holder_tiers(coupons)
        for coupon in coupons:
            context = context_of(purchase=purchase, coupon=coupon, tiers=tiers, at=at, lock_key=lock_key)
            try:
                _hold(coupon, context, lasts, actor)
            except Refusal as refusal:
                refusal.details["coupon"] = coupon.code
                raise
    return tuple(coupon_card_of(coupon, at) for coupon in coupons)


def unlock_coupons(
    *, codes: Sequence[str], lock_key: str, actor: Actor, at: dt.datetime | None = None
) -> tuple[CouponCard, ...]:
    """As `unlock_coupon`, for all coupons of an order or none."""
    at = at or clock.now()
    with transaction.atomic():
        coupons = _lock_all(codes)
        for coupon in coupons:
            _release(coupon, lock_key, actor, at)
    return tuple(coupon_card_of(coupon, at) for coupon in coupons)


def _check_lock(lock_key: str, lasts: dt.timedelta) -> None:
    usable_request_key(key=lock_key)
    if not dt.timedelta(0) < lasts <= LONGEST_LOCK:
        raise InvalidInput(field="lasts")


def _lock_all(codes: Sequence[str]) -> list[Coupon]:
    """The coupons of these codes, locked in pk order. Raises NoSuchCoupon naming the first that nobody has."""
    wanted = {usable_code(code=code) for code in codes}
    if not wanted:
        raise NothingToRedeem
    if len(wanted) > MOST_COUPONS:
        raise TooManyCoupons(most=MOST_COUPONS)
    coupons = fetched().filter(code__in=wanted).lock_rows()
    missing = sorted(wanted - {coupon.code for coupon in coupons})
    if missing:
        raise NoSuchCoupon(coupon=missing[0])
    return coupons


def _hold(coupon: Coupon, context: RedemptionContext, lasts: dt.timedelta, actor: Actor) -> None:
    """The locked row is kept for the order of the context's key."""
    at = context.at
    free_lapsed_lock(coupon=coupon, at=at, actor=actor)
    if (refusal := find_refusal(coupon, context)) is not None:
        raise refusal
    if coupon.valid_until <= at:
        raise CouponExpired
    if coupon.state == CouponState.LOCKED:
        coupon.locked_until = at + lasts
        coupon.save(update_fields=["locked_until"])
        return
    move_coupon(
        coupon=coupon,
        to=CouponState.LOCKED,
        what="locked",
        actor=actor,
        at=at,
        lock_key=context.lock_key,
        locked_until=at + lasts,
    )


def _release(coupon: Coupon, lock_key: str, actor: Actor, at: dt.datetime) -> None:
    free_lapsed_lock(coupon=coupon, at=at, actor=actor)
    if coupon.state == CouponState.LOCKED:
        if coupon.lock_key != lock_key:
            raise CouponLocked(coupon=coupon.code)
        move_coupon(coupon=coupon, to=CouponState.ISSUED, what="unlocked", actor=actor, at=at)


def hold_rows(*, codes: Iterable[str]) -> None:
    """The rows of these coupons, and of their batches' counters, are the caller's until the transaction ends.

    For whoever moves coupons of several orders in one transaction: one by one, each with its counter in turn, two such
    batches would wait for each other. Coupons come in pk order and counters after them, as everywhere.
    """
    wanted = sorted({usable_code(code=code) for code in codes})
    if not wanted:
        return
    rows = Coupon.objects.filter(code__any_of=wanted).lock_rows()
    pairs = sorted({(row.batch_id, row.shard) for row in rows})
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTERS,
            [array_words(one for one, _shard in pairs), array_words(shard for _one, shard in pairs)],
        )


def unlock_coupon(*, code: str, lock_key: str, actor: Actor, at: dt.datetime | None = None) -> CouponCard:
    """The order of `lock_key` gives the coupon up. Refuses a coupon that another order holds; one that nobody holds
    stays as it is, so that a repeated call gets the same answer."""
    at = at or clock.now()
    with transaction.atomic():
        coupon = lock_by_code(code=code)
        _release(coupon, lock_key, actor, at)
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
