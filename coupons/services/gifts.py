"""A coupon is offered to a friend by a link, taken once, and comes back when nobody takes it."""

import datetime as dt
from typing import Final

from django.db import transaction

from core import clock, crypto, events
from core.actor import Actor
from core.errors import InvalidInput, Refusal
from coupons import errors
from coupons.contracts import CouponCard, GiftOffer
from coupons.events import GiftAccepted, GiftReturned
from coupons.models import Coupon, CouponGift, CouponState, GiftState
from coupons.selectors.checks import state_at
from coupons.selectors.coupons import coupon_card_of, may_gift
from coupons.services.history import free_lapsed_lock, lock_by_id, move_coupon
from coupons.services.issuing import usable_request_key
from members import services as member_services

LONGEST_OFFER: Final = dt.timedelta(days=7)
_TOKEN_CONTEXT: Final = "coupons.gifts"  # noqa: S105  (a place, not a secret)
_PAGE: Final = 500
_IN_THE_WAY: Final[dict[str, type[Refusal]]] = {
    CouponState.LOCKED: errors.CouponLocked,
    CouponState.GIFTING: errors.CouponGifting,
    CouponState.REDEEMED: errors.CouponRedeemed,
    CouponState.EXPIRED: errors.CouponExpired,
    CouponState.VOIDED: errors.CouponVoided,
}


def gift_coupon(
    *,
    coupon_id: int,
    member_id: int,
    request_key: str,
    lasts: dt.timedelta = dt.timedelta(hours=24),
    actor: Actor,
    at: dt.datetime | None = None,
) -> GiftOffer:
    """She offers her coupon; until it is taken or comes back nobody can use it. The same `request_key` again gets
    the same link, whatever became of the offer.

    Refuses a coupon that is not hers as an unknown one, one whose terms forbid it, and one that is not in her hands.
    """
    at = at or clock.now()
    usable_request_key(key=request_key)
    if not dt.timedelta(0) < lasts <= LONGEST_OFFER:
        raise InvalidInput(field="lasts")
    with transaction.atomic():
        living_id = member_services.lock_member(member_id)
        coupon = _lock_own(coupon_id, living_id)
        # From a secret, the coupon and the request: the repeat can tell the link again, which is kept nowhere.
        token = crypto.blind_index(f"{coupon.pk}:{request_key}", context=_TOKEN_CONTEXT)[:40]
        gift = CouponGift.objects.filter(coupon=coupon, request_key=request_key).first()
        if gift is not None:
            return GiftOffer(gift.pk, token, gift.expires_at)
        free_lapsed_lock(coupon=coupon, at=at, actor=actor)
        state = state_at(coupon, at)
        if state in _IN_THE_WAY:
            raise _IN_THE_WAY[state]
        if not may_gift(coupon):
            raise errors.NotGiftable
        gift = CouponGift.objects.create(
            coupon=coupon,
            from_member_id=living_id,
            token_digest=crypto.digest(token),
            request_key=request_key,
            offered_at=at,
            expires_at=min(at + lasts, coupon.valid_until),
        )
        move_coupon(coupon=coupon, to=CouponState.GIFTING, what="offered", actor=actor, at=at)
    return GiftOffer(gift.pk, token, gift.expires_at)


def accept_gift(*, token: str, member_id: int, actor: Actor, at: dt.datetime | None = None) -> CouponCard:
    """The coupon of the link is hers. Of two who open it at once one has it; she who has it gets the same answer
    again.

    Refuses an unknown link, her own, and one that was taken, taken back or is too late. Limits of the batch count
    who it was issued to, not who takes it over.
    """
    at = at or clock.now()
    found = CouponGift.objects.filter(token_digest=crypto.digest(token[:80])).first()
    if found is None:
        raise errors.NoSuchGift
    with transaction.atomic():
        living_id = member_services.lock_member(member_id)
        coupon = lock_by_id(coupon_id=found.coupon_id)
        gift = CouponGift.objects.lock(found.pk)
        if gift.state == GiftState.ACCEPTED and gift.to_member_id == living_id:
            return coupon_card_of(coupon, at)
        if gift.from_member_id == living_id:
            raise errors.OwnGift
        if gift.state != GiftState.OPEN or gift.expires_at <= at:
            raise errors.GiftGone
        gift.state, gift.to_member_id, gift.ended_at = GiftState.ACCEPTED, living_id, at
        gift.save(update_fields=["state", "to_member_id", "ended_at"])
        move_coupon(
            coupon=coupon,
            to=CouponState.ISSUED,
            what="accepted",
            actor=actor,
            at=at,
            member_id=living_id,
            gifted_count=coupon.gifted_count + 1,
        )
        events.publish(GiftAccepted(coupon.pk, gift.pk))
    return coupon_card_of(coupon, at)


def return_gift(*, coupon_id: int, member_id: int, actor: Actor, at: dt.datetime | None = None) -> CouponCard:
    """She takes her offer back. Refuses a coupon that is not hers (any more) as an unknown one; with no offer open it
    changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        coupon = _lock_own(coupon_id, member_services.lock_member(member_id))
        _return(coupon, actor, at)
    return coupon_card_of(coupon, at)


def return_untaken_gifts(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Offers nobody took in time have come back to who made them; how many."""
    at = at or clock.now()
    returned = 0
    while True:
        due = CouponGift.objects.filter(state=GiftState.OPEN, expires_at__lte=at)
        coupon_ids = list(due.order_by("expires_at").values_list("coupon_id", flat=True)[:_PAGE])
        for coupon_id in coupon_ids:
            with transaction.atomic():
                coupon = lock_by_id(coupon_id=coupon_id)
                if CouponGift.objects.filter(
                    coupon=coupon, state=GiftState.OPEN, expires_at__lte=at
                ).exists():
                    returned += _return(coupon, actor, at)
        if len(coupon_ids) < _PAGE:
            return returned


def preview_gift(*, token: str, at: dt.datetime | None = None) -> CouponCard:
    """What the link offers, for its page; changes nothing. Refuses an unknown link and one that is no longer open."""
    at = at or clock.now()
    gift = CouponGift.objects.filter(token_digest=crypto.digest(token[:80])).first()
    if gift is None:
        raise errors.NoSuchGift
    if gift.state != GiftState.OPEN or gift.expires_at <= at:
        raise errors.GiftGone
    return coupon_card_of(Coupon.objects.select_related("batch__template").get(pk=gift.coupon_id), at)


def _lock_own(coupon_id: int, member_id: int) -> Coupon:
    coupon = lock_by_id(coupon_id=coupon_id)
    if coupon.member_id != member_id:
        raise errors.NoSuchCoupon
    return coupon


def _return(coupon: Coupon, actor: Actor, at: dt.datetime) -> int:
    gift = CouponGift.objects.filter(coupon=coupon, state=GiftState.OPEN).first()
    if gift is None or coupon.state != CouponState.GIFTING:
        return 0
    gift.state, gift.ended_at = GiftState.RETURNED, at
    gift.save(update_fields=["state", "ended_at"])
    move_coupon(coupon=coupon, to=CouponState.ISSUED, what="returned", actor=actor, at=at)
    events.publish(GiftReturned(coupon.pk, gift.pk))
    return 1
