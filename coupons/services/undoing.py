"""A redemption is taken back, alone or with its order: the coupon is good again, or over, and the counters follow."""

import datetime as dt
from collections.abc import Iterable

from core import audit, events
from core.actor import Actor
from coupons.events import RedemptionReversed
from coupons.models import Coupon, CouponState, Redemption
from coupons.services.entries import note_reversal
from coupons.services.history import count_up, move_coupon

Counts = tuple[Coupon, dict[str, int]]


def undo_use(
    *, row: Redemption, coupon: Coupon, key: str, reason: str, actor: Actor, at: dt.datetime
) -> Counts:
    """The live redemption of the locked coupon is reversed; what its counters move by, for `count_all`."""
    row.reversed_at, row.reversal_key, row.reversal_reason = at, key, reason
    row.save(update_fields=["reversed_at", "reversal_key", "reversal_reason"])
    is_over = coupon.valid_until <= at
    to = CouponState.EXPIRED if is_over else CouponState.ISSUED
    move_coupon(coupon=coupon, to=to, what="reversed", actor=actor, at=at, reason=reason)
    note_reversal(redemption=row, at=at)
    audit.record(action="coupons.redemption_reversed", subject=row, actor=actor, at=at)
    events.publish(RedemptionReversed(coupon.pk, row.pk))
    # Of what came back before, the counters know already.
    return coupon, {
        "redeemed_count": -1,
        "discount_fen": row.returned_discount_fen - row.discount_fen,
        "sales_fen": row.returned_fen - row.amount_fen,
        "expired_count": int(is_over),
        "reserved_fen": -coupon.batch.cost_fen if is_over else 0,
    }


def count_all(*, counts: Iterable[Counts]) -> None:
    """The counters of several coupons move, in the order of their rows, as everybody takes them."""
    moves = sorted(counts, key=lambda move: (move[0].batch_id, move[0].shard, move[0].pk))
    for coupon, deltas in moves:
        count_up(coupon=coupon, **deltas)
