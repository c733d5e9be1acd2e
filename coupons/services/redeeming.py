"""A coupon is used for an order, once; and taken back."""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import Refusal
from coupons import errors
from coupons.contracts import RedemptionCard, RedemptionContext
from coupons.events import CouponRedeemed
from coupons.models import Coupon, CouponOrder, Redemption
from coupons.selectors.checks import find_refusal
from coupons.selectors.coupons import redemption_card_of
from coupons.selectors.templates import most_off_fen, terms_of
from coupons.services.booking import book_redemption
from coupons.services.history import (
    free_lapsed_lock,
    lock_by_code,
    lock_by_id,
    usable_reason,
)
from coupons.services.issuing import usable_request_key
from coupons.services.undoing import count_all, undo_use

# How far a till's clock may run ahead of ours, and how late a till that was offline may report.
CLOCK_SKEW: Final = dt.timedelta(minutes=5)
OFFLINE_SPAN: Final = dt.timedelta(hours=24)
MOST_FEN: Final = 1_000_000_000  # ten million yuan


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a coupon is redeemed for. `amount_fen` is the price of the lines it counts for, before the discount;
    `redeemed_at` is the till's time and only given for what was done offline."""

    store_id: int
    order_no: str
    amount_fen: int
    discount_fen: int
    channel: str = "store"
    till: str = ""
    quantity: int | None = None
    tier_id: int | None = None
    member_id: int | None = None
    guide_id: int | None = None
    redeemed_at: dt.datetime | None = None


def redeem_coupon(
    *,
    code: str,
    order: Order,
    request_id: str,
    lock_key: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> RedemptionCard:
    """The coupon is used for this order. The same `request_id` again gets the first answer.

    Refuses, each with its own code, whatever `check_coupon` would list (the gravest first); a discount above what the
    coupon can give; a till's time that is ahead of ours by more than five minutes or a day old; and a `request_id`
    that meant another redemption. Of two tills at once the second finds it redeemed.
    """
    at = at or clock.now()
    usable_request_key(key=request_id)
    moment = usable_moment(redeemed_at=order.redeemed_at, at=at)
    check_order(order=order)
    try:
        with transaction.atomic():
            coupon = lock_by_code(code=code)
            try:
                _admit(coupon, order, _context(order, moment, lock_key), actor, at)
            except Refusal:
                # A repeat finds the coupon used: that it is one is asked only where something is in the way.
                first = _find_first(request_id)
                if first is None:
                    raise
                return _answer_again(first, coupon.code, order)
            row = _redeem(coupon, order, request_id, moment, actor, at)
    except IntegrityError as error:
        if violated(error) != "redemption_once_per_request":
            raise
        # The key of another coupon, or of this one before it was taken back. The other transaction has ended.
        first = _find_first(request_id)
        if first is None:
            raise
        return _answer_again(first, coupon.code, order)
    return redemption_card_of(row)


def reverse_redemption(
    *, request_id: str, reversal_key: str, reason: str, actor: Actor, at: dt.datetime | None = None
) -> RedemptionCard:
    """The redemption is taken back: the coupon is good again until its last day, or expired when that is over. The
    same `reversal_key` again gets the first answer. Refuses a redemption that was reversed already, and one of several
    coupons of an order: `reverse_order` takes them back together."""
    return _reverse(request_id, reversal_key, reason, actor, at or clock.now(), store_id=None)


def undo_redemption(
    *,
    request_id: str,
    reversal_key: str,
    reason: str,
    store_id: int,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RedemptionCard:
    """As `reverse_redemption`, for the store that redeemed and on the same day (Shanghai). Refuses another store's
    redemption as an unknown one, and yesterday's."""
    return _reverse(request_id, reversal_key, reason, actor, at or clock.now(), store_id=store_id)


def _admit(coupon: Coupon, order: Order, context: RedemptionContext, actor: Actor, at: dt.datetime) -> None:
    free_lapsed_lock(coupon=coupon, at=at, actor=actor)
    if (refusal := find_refusal(coupon, context)) is not None:
        raise refusal
    if order.discount_fen > most_off_fen(terms_of(coupon.batch.template), order.amount_fen):
        raise errors.AmountUnusable(field="discount_fen")


def _redeem(
    coupon: Coupon, order: Order, request_id: str, moment: dt.datetime, actor: Actor, at: dt.datetime
) -> Redemption:
    row = Redemption(
        coupon=coupon,
        request_id=request_id,
        store_id=order.store_id,
        redeemed_by_guide_id=order.guide_id,
        till=order.till,
        channel=order.channel,
        order_no=order.order_no.strip(),
        amount_fen=order.amount_fen,
        discount_fen=order.discount_fen,
        redeemed_at=moment,
        recorded_at=at,
    )
    book_redemption(row=row, actor=actor)
    audit.record(action="coupons.redeemed", subject=row, actor=actor, at=at, coupon_id=coupon.pk)
    events.publish(CouponRedeemed(coupon.pk, row.pk))
    return row


def _find_first(request_id: str) -> Redemption | None:
    return Redemption.objects.select_related("coupon").filter(request_id=request_id).first()


def _answer_again(first: Redemption, code: str, order: Order) -> RedemptionCard:
    now_asked: tuple[Any, ...] = (
        code, order.store_id, order.order_no.strip(), order.amount_fen, order.discount_fen,
    )  # fmt: skip
    before = (first.coupon.code, first.store_id, first.order_no, first.amount_fen, first.discount_fen)
    if now_asked != before:
        raise errors.RequestReused
    return redemption_card_of(first)


def _reverse(
    request_id: str, reversal_key: str, reason: str, actor: Actor, at: dt.datetime, *, store_id: int | None
) -> RedemptionCard:
    usable_request_key(key=reversal_key)
    reason = usable_reason(reason=reason)
    found = Redemption.objects.filter(request_id=request_id.replace("\0", "")[:80]).first()
    if found is None or store_id not in {None, found.store_id}:
        raise errors.NoSuchRedemption
    with transaction.atomic():
        coupon = lock_by_id(coupon_id=found.coupon_id)
        row = Redemption.objects.lock(found.pk)
        row.coupon = coupon
        if row.reversed_at is not None:
            if row.reversal_key != reversal_key:
                raise errors.AlreadyReversed
            return redemption_card_of(row)
        if store_id is not None and clock.business_day(row.recorded_at) != clock.business_day(at):
            raise errors.UndoTooLate
        order = None if row.order_id is None else _lone_order(row)
        move = undo_use(row=row, coupon=coupon, key=reversal_key, reason=reason, actor=actor, at=at)
        if order is not None:
            order.ended_at = at
            order.save(update_fields=["ended_at"])
        count_all(counts=[move])
    return redemption_card_of(row)


def _lone_order(row: Redemption) -> CouponOrder:
    """The locked order of a redemption that has no other coupon and no points."""
    order = CouponOrder.objects.lock(row.order_id or 0)
    if order.points or Redemption.objects.filter(order=order).exclude(pk=row.pk).exists():
        raise errors.PartOfOrder
    return order


def _context(order: Order, moment: dt.datetime, lock_key: str) -> RedemptionContext:
    return RedemptionContext(
        at=moment,
        store_id=order.store_id,
        channel=order.channel,
        tier_id=order.tier_id,
        member_id=order.member_id,
        amount_fen=order.amount_fen,
        quantity=order.quantity,
        lock_key=lock_key,
    )


def usable_moment(*, redeemed_at: dt.datetime | None, at: dt.datetime) -> dt.datetime:
    """Ours, or the till's within the bounds; a clock that runs ahead a little does not reach into the future."""
    if redeemed_at is None:
        return at
    if redeemed_at.tzinfo is None or not at - OFFLINE_SPAN <= redeemed_at <= at + CLOCK_SKEW:
        raise errors.RedeemedAtUnusable(field="redeemed_at")
    return min(redeemed_at, at)


def check_order(*, order: Order) -> None:
    """Refuse a number, a till or an amount that cannot be."""
    check_place(order_no=order.order_no, till=order.till, channel=order.channel)
    check_amount(field="amount_fen", fen=order.amount_fen, most=MOST_FEN)
    check_amount(field="discount_fen", fen=order.discount_fen, most=order.amount_fen)


def check_place(*, order_no: str, till: str, channel: str) -> None:
    """Refuse an order number, a till's name or a channel that no row can hold. Raises OrderUnusable."""
    for field, text, least, most in (
        ("order_no", order_no.strip(), 1, 64),
        ("till", till, 0, 40),
        ("channel", channel, 1, 16),
    ):
        if not least <= len(text) <= most or "\0" in text:
            raise errors.OrderUnusable(field=field)


def check_amount(*, field: str, fen: int, most: int) -> None:
    """Refuse what is no whole number of fen from 0 to `most`. Raises AmountUnusable."""
    if not isinstance(fen, int) or isinstance(fen, bool) or not 0 <= fen <= most:
        raise errors.AmountUnusable(field=field)
