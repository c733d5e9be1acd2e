"""Whoever records sales tells that goods of an order came back; its coupons follow."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.actor import Actor
from coupons.contracts import ReturnedPart
from coupons.errors import AlreadyReturned, NoSuchOrder
from coupons.models import WHOLE_LINE, Coupon, CouponOrder, CouponState
from coupons.selectors.orders import find_order_id, list_order_lines, list_returned_parts
from coupons.services.closing import hold_counters, void_locked
from coupons.services.returns import adopt_order, return_order

_UNUSED = (CouponState.ISSUED, CouponState.LOCKED, CouponState.GIFTING)


def follow_return(
    *,
    store_id: int,
    order_no: str,
    back_fen: int,
    sold_fen: int,
    is_whole: bool,
    return_key: str,
    reason: str,
    source_keys: Sequence[str] = (),
    actor: Actor,
    at: dt.datetime | None = None,
) -> bool:
    """Of what was sold for `sold_fen` goods for `back_fen` are back, all together; whether anything changed here.

    The whole order: its coupons come back, and those it had earned (`source_keys`) are void where nobody used them. A
    part: of an order whose lines nobody told, the same part of its discount falls. Of one whose lines the till told,
    the till says by `return_order` which of them came back; what it said before is never said again here.
    """
    at = at or clock.now()
    with transaction.atomic():
        parts = None if is_whole else _part_left(store_id, order_no, back_fen, sold_fen)
        if parts is None and not is_whole:
            return False
        try:
            with transaction.atomic():
                return_order(
                    store_id=store_id,
                    order_no=order_no,
                    parts=parts,
                    return_key=return_key,
                    reason=reason,
                    source_keys=source_keys,
                    actor=actor,
                    at=at,
                )
        except (NoSuchOrder, AlreadyReturned):
            return is_whole and _void_gained(source_keys, actor, at)
    return True


def _part_left(store_id: int, order_no: str, back_fen: int, sold_fen: int) -> list[ReturnedPart] | None:
    """So much of the order's one line as is back by now and was not told yet."""
    try:
        order_id = find_order_id(store_id=store_id, order_no=order_no) or adopt_order(
            store_id=store_id, order_no=order_no
        )
    except NoSuchOrder:
        return None
    lines = list_order_lines(order_id)
    if [line.key for line in lines] != [WHOLE_LINE] or not sold_fen:
        return None
    order = CouponOrder.objects.lock(order_id)
    earlier = list_returned_parts(order_id)
    if order.ended_at is not None or any(part.quantity for part in earlier):
        return None
    more = order.amount_fen * back_fen // sold_fen - sum(part.amount_fen for part in earlier)
    return [ReturnedPart(WHOLE_LINE, amount_fen=more)] if more > 0 else None


def _void_gained(source_keys: Sequence[str], actor: Actor, at: dt.datetime) -> bool:
    """Coupons that an order without any had earned."""
    gained = Coupon.objects.filter(source_key__in=list(source_keys), state__in=_UNUSED)
    locked = [coupon.pk for coupon in gained.lock_rows()]
    if not locked:
        return False
    hold_counters(coupon_ids=locked)
    return bool(void_locked(coupon_ids=locked, reason=_("赠券的订单已退货"), actor=actor, at=at))
