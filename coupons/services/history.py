"""Every change of a coupon's state goes through here: allowed by the table, written down, counted."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import F

from core import codes
from core.actor import Actor
from core.compiled import Given, compiled_lock, texts_of
from coupons.errors import NoSuchCoupon, ReasonMissing
from coupons.models import TRANSITIONS, Coupon, CouponBatchShard, CouponEvent, CouponState
from coupons.models.coupons import CouponQuerySet
from coupons.selectors.coupons import CODE_LENGTH, fetched


@compiled_lock
def _of_code(*, code: Given) -> CouponQuerySet:
    return fetched().filter(code=code)


@compiled_lock
def _of_codes(*, codes: Given) -> CouponQuerySet:
    return fetched().filter(code__in=texts_of(codes))


def lock_by_code(*, code: str) -> Coupon:
    """The coupon of a code, its row locked, with batch and template. Raises NoSuchCoupon."""
    code = codes.normalize(code[:40])
    if not codes.is_code(code, CODE_LENGTH):
        raise NoSuchCoupon
    coupon = _of_code.first(code=code)
    if coupon is None:
        raise NoSuchCoupon
    return coupon


def lock_by_codes(*, codes: Sequence[str]) -> list[Coupon]:
    """The coupons of these codes, as they stand on their rows, that exist; locked in the order of their keys."""
    if len(codes) == 1:
        return _of_code(code=codes[0])
    return _of_codes(codes=list(codes)) if codes else []


def lock_by_id(*, coupon_id: int) -> Coupon:
    """The same by the row's id."""
    rows = fetched().lock_all([coupon_id])
    if not rows:
        raise NoSuchCoupon
    return rows[0]


def free_lapsed_lock(*, coupon: Coupon, at: dt.datetime, actor: Actor) -> None:
    """A lock that is over is gone, under an event of its own, before anything else is decided."""
    if coupon.state == CouponState.LOCKED and coupon.locked_until is not None and coupon.locked_until <= at:
        move_coupon(coupon=coupon, to=CouponState.ISSUED, what="lock_lapsed", actor=actor, at=at)


def move_coupon(
    *,
    coupon: Coupon,
    to: CouponState,
    what: str,
    actor: Actor,
    at: dt.datetime,
    reason: str = "",
    **columns: Any,
) -> None:
    """The locked coupon is in this state, with an event. Whatever locked it before, it is locked only in LOCKED.

    Raises RuntimeError for a change that is not in TRANSITIONS: the caller has refused that in words.
    """
    before = CouponState(coupon.state)
    if to not in TRANSITIONS[before]:
        raise RuntimeError(f"a coupon cannot go from {before} to {to}")
    values = {"state": to, "lock_key": "", "locked_until": None, **columns}
    for name, value in values.items():
        setattr(coupon, name, value)
    coupon.save(update_fields=list(values))
    CouponEvent.objects.create(
        coupon=coupon,
        at=at,
        from_state=before,
        to_state=to,
        what=what,
        reason=reason,
        actor=actor_words(actor=actor),
    )


def count_up(*, coupon: Coupon, **deltas: int) -> None:
    """The counters of the coupon's shard move; the last thing a transaction does, as its row is a hot one."""
    CouponBatchShard.objects.filter(batch_id=coupon.batch_id, shard=coupon.shard).update(
        **{name: F(name) + delta for name, delta in deltas.items()}
    )


def usable_reason(*, reason: str) -> str:
    """Why, in 1 to 120 characters. Raises ReasonMissing."""
    reason = " ".join(reason.replace("\0", "").split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    return reason


def actor_words(*, actor: Actor) -> str:
    """Who, for the events: the label where there is one, else the kind."""
    return (actor.label or actor.kind)[:90]
