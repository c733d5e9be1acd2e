"""Coupons are used: all that is written of it in one statement, for one coupon or for those of an order.

A till waits for this while it holds the coupons' locks; step by step it was five statements a coupon.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from core import clock
from core.actor import Actor
from coupons.models import TRANSITIONS, CouponState, Redemption
from coupons.services.history import actor_words

# The counters are locked in the order in which everybody takes several of them (see `closing`), then counted up.
_BOOK: Final = """
WITH asked AS (
    SELECT * FROM unnest(%(coupons)s::bigint[], %(states)s::text[], %(requests)s::text[], %(amounts)s::bigint[],
                         %(discounts)s::bigint[])
    WITH ORDINALITY one (coupon_id, from_state, request_id, amount_fen, discount_fen, place)
), made AS (
    INSERT INTO coupons_redemption (
        coupon_id, request_id, store_id, redeemed_by_guide_id, till, channel, order_no, amount_fen, discount_fen,
        redeemed_at, recorded_at, order_id, returned_fen, returned_discount_fen, reversal_key, reversal_reason)
    SELECT coupon_id, request_id, %(store)s, %(guide)s, %(till)s, %(channel)s, %(order_no)s, amount_fen,
           discount_fen, %(moment)s, %(at)s, %(order)s, 0, 0, '', ''
    FROM asked ORDER BY place
    RETURNING id, coupon_id, amount_fen, discount_fen
), booked AS (
    INSERT INTO coupons_redemptionentry (redemption_id, what, day, at, sales_fen, discount_fen)
    SELECT id, 'redeemed', %(day)s, %(at)s, amount_fen, discount_fen FROM made
), used AS (
    UPDATE coupons_coupon coupon SET state = 'redeemed', lock_key = '', locked_until = NULL
    FROM made WHERE coupon.id = made.coupon_id
    RETURNING coupon.batch_id, coupon.shard, made.amount_fen, made.discount_fen
), told AS (
    INSERT INTO coupons_couponevent (coupon_id, at, from_state, to_state, what, reason, actor)
    SELECT coupon_id, %(at)s, from_state, 'redeemed', 'redeemed', '', %(actor)s FROM asked ORDER BY place
), held AS MATERIALIZED (
    SELECT piece.id, total.* FROM coupons_couponbatchshard piece
    JOIN (SELECT batch_id, shard, count(*) AS n, sum(amount_fen) AS sales, sum(discount_fen) AS discount
          FROM used GROUP BY batch_id, shard) total USING (batch_id, shard)
    ORDER BY piece.batch_id, piece.shard FOR NO KEY UPDATE OF piece
), counted AS (
    UPDATE coupons_couponbatchshard piece
    SET redeemed_count = redeemed_count + held.n, sales_fen = sales_fen + held.sales,
        discount_fen = piece.discount_fen + held.discount
    FROM held WHERE piece.id = held.id
)
SELECT coupon_id, id FROM made
"""


def book_redemptions(*, rows: Sequence[Redemption], actor: Actor) -> None:
    """These redemptions of one order, not stored yet, are stored and have their keys; their coupons, which the caller
    has locked, are used, with events, entries in the book and the batches' counters.

    Raises RuntimeError for a coupon that cannot be used (the caller has refused that in words), and IntegrityError
    for a request that is known.
    """
    first = rows[0]
    for row in rows:
        before = CouponState(row.coupon.state)
        if CouponState.REDEEMED not in TRANSITIONS[before]:
            raise RuntimeError(f"a coupon cannot go from {before} to redeemed")
    values: dict[str, Any] = {
        "coupons": [row.coupon_id for row in rows],
        "states": [row.coupon.state for row in rows],
        "requests": [row.request_id for row in rows],
        "amounts": [row.amount_fen for row in rows],
        "discounts": [row.discount_fen for row in rows],
        "store": first.store_id,
        "guide": first.redeemed_by_guide_id,
        "till": first.till,
        "channel": first.channel,
        "order_no": first.order_no,
        "moment": first.redeemed_at,
        "day": clock.business_day(first.redeemed_at),
        "at": first.recorded_at,
        "order": first.order_id,
        "actor": actor_words(actor=actor),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, values)
        keys: dict[int, int] = dict(cursor.fetchall())
    for row in rows:
        row.pk = keys[row.coupon_id]
        row._state.adding = False
        coupon = row.coupon
        coupon.state, coupon.lock_key, coupon.locked_until = CouponState.REDEEMED, "", None
