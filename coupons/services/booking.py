"""Coupons are used: all that is written of it in one statement, for one coupon or for all of an order with its lines.

A till waits for this while it holds the coupons' locks; step by step it was five statements a coupon and three an order.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from core import clock
from core.actor import Actor
from core.compiled import ask
from coupons.contracts import PricedLine
from coupons.models import TRANSITIONS, CouponOrder, CouponState, Redemption
from coupons.services.history import actor_words

_ORDER: Final = """
ordered AS (
    INSERT INTO coupons_couponorder (
        public_id, request_id, request_digest, store_id, member_id, order_no, amount_fen, discount_fen, points,
        points_fen, payable_fen, redeemed_at)
    VALUES (%(public_id)s, %(request)s, %(digest)s, %(store)s::bigint, %(member)s::bigint, %(order_no)s,
            %(amount)s::bigint, %(discount)s::bigint, %(points)s::bigint, %(points_fen)s::bigint, %(payable)s::bigint,
            %(moment)s::timestamptz)
    RETURNING id
), lined AS (
    INSERT INTO coupons_couponorderline (
        order_id, key, product, quantity, amount_fen, points, points_fen, payable_fen)
    SELECT ordered.id, one.key, one.product, one.quantity, one.amount_fen, one.points, one.points_fen, one.payable_fen
    FROM ordered, unnest(%(line_keys)s::text[], %(line_products)s::text[], %(line_quantities)s::bigint[],
                         %(line_amounts)s::bigint[], %(line_points)s::bigint[], %(line_points_fen)s::bigint[],
                         %(line_payable)s::bigint[])
    WITH ORDINALITY one (key, product, quantity, amount_fen, points, points_fen, payable_fen, place)
    ORDER BY one.place
    RETURNING id, key
), """
_SHARES: Final = """
), shared AS (
    INSERT INTO coupons_redemptionshare (redemption_id, line_id, discount_fen)
    SELECT made.id, lined.id, one.discount_fen
    FROM unnest(%(share_coupons)s::bigint[], %(share_lines)s::text[], %(share_fens)s::bigint[])
         one (coupon_id, key, discount_fen)
    JOIN made USING (coupon_id) JOIN lined USING (key)
"""
# The counters are locked in the order in which everybody takes several of them (see `closing`), then counted up.
_BOOK: Final = """
WITH asked AS (
    SELECT * FROM unnest(%(coupons)s::bigint[], %(states)s::text[], %(requests)s::text[], %(amounts)s::bigint[],
                         %(discounts)s::bigint[])
    WITH ORDINALITY one (coupon_id, from_state, request_id, amount_fen, discount_fen, place)
), <order>made AS (
    INSERT INTO coupons_redemption (
        coupon_id, request_id, store_id, redeemed_by_guide_id, till, channel, order_no, amount_fen, discount_fen,
        redeemed_at, recorded_at, order_id, returned_fen, returned_discount_fen, reversal_key, reversal_reason)
    SELECT coupon_id, request_id, %(store)s::bigint, %(guide)s::bigint, %(till)s, %(channel)s, %(order_no)s,
           amount_fen, discount_fen, %(moment)s::timestamptz, %(at)s::timestamptz, <order id>, 0, 0, '', ''
    FROM asked ORDER BY place
    RETURNING id, coupon_id, amount_fen, discount_fen<shares>
), booked AS (
    INSERT INTO coupons_redemptionentry (redemption_id, what, day, at, sales_fen, discount_fen)
    SELECT id, 'redeemed', %(day)s::date, %(at)s::timestamptz, amount_fen, discount_fen FROM made
), used AS (
    UPDATE coupons_coupon coupon SET state = 'redeemed', lock_key = '', locked_until = NULL
    FROM made WHERE coupon.id = made.coupon_id
    RETURNING coupon.batch_id, coupon.shard, made.amount_fen, made.discount_fen
), told AS (
    INSERT INTO coupons_couponevent (coupon_id, at, from_state, to_state, what, reason, actor)
    SELECT coupon_id, %(at)s::timestamptz, from_state, 'redeemed', 'redeemed', '', %(actor)s FROM asked ORDER BY place
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


def _statement(order: str, shares: str, order_id: str, more: str) -> str:
    text = _BOOK.replace("<order>", order).replace("<shares>", shares).replace("<order id>", order_id)
    return text + more


_BOOK_ALONE: Final = _statement("", "", "NULL::bigint", "")
_BOOK_ORDER: Final = _statement(
    _ORDER, _SHARES, "(SELECT id FROM ordered)", "UNION ALL SELECT NULL, id FROM ordered"
)


def book_redemption(*, row: Redemption, actor: Actor) -> None:
    """This redemption, not stored yet, is stored and has its key; its coupon, which the caller has locked, is used,
    with its event, its entry in the book and the batch's counters.

    Raises RuntimeError for a coupon that cannot be used (the caller has refused that in words), and IntegrityError
    for a request that is known.
    """
    _store([row], ask(_BOOK_ALONE, {**_use_of([row], actor), **_place_of(row)}))


def book_order(
    *,
    order: CouponOrder,
    lines: Iterable[PricedLine],
    products: Mapping[str, str],
    rows: Sequence[Redemption],
    shares: Sequence[tuple[int, str, int]],
    actor: Actor,
) -> None:
    """As `book_redemption`, for a new order with its lines and all its coupons, or none where points pay. `shares`:
    which coupon (its id) took off which line how much."""
    shown = list(lines)
    place = Redemption(
        store_id=order.store_id,
        order_no=order.order_no,
        redeemed_at=order.redeemed_at,
        recorded_at=order.redeemed_at,
    )
    found = ask(
        _BOOK_ORDER,
        {
            **_use_of(rows, actor),
            **_place_of(rows[0] if rows else place),
            "public_id": order.public_id,
            "request": order.request_id,
            "digest": order.request_digest,
            "member": order.member_id,
            "amount": order.amount_fen,
            "discount": order.discount_fen,
            "points": order.points,
            "points_fen": order.points_fen,
            "payable": order.payable_fen,
            "line_keys": [line.key for line in shown],
            "line_products": [products.get(line.key, "") for line in shown],
            "line_quantities": [line.quantity for line in shown],
            "line_amounts": [line.amount_fen for line in shown],
            "line_points": [line.points for line in shown],
            "line_points_fen": [line.points_fen for line in shown],
            "line_payable": [line.payable_fen for line in shown],
            "share_coupons": [coupon_id for coupon_id, _key, _fen in shares],
            "share_lines": [key for _coupon_id, key, _fen in shares],
            "share_fens": [fen for _coupon_id, _key, fen in shares],
        },
    )
    [order.pk] = [pk for coupon_id, pk in found if coupon_id is None]
    order._state.adding = False
    _store(rows, [one for one in found if one[0] is not None])
    for row in rows:
        row.order = order


def _use_of(rows: Sequence[Redemption], actor: Actor) -> dict[str, Any]:
    for row in rows:
        before = CouponState(row.coupon.state)
        if CouponState.REDEEMED not in TRANSITIONS[before]:
            raise RuntimeError(f"a coupon cannot go from {before} to redeemed")
    return {
        "coupons": [row.coupon_id for row in rows],
        "states": [row.coupon.state for row in rows],
        "requests": [row.request_id for row in rows],
        "amounts": [row.amount_fen for row in rows],
        "discounts": [row.discount_fen for row in rows],
        "actor": actor_words(actor=actor),
    }


def _place_of(row: Redemption) -> dict[str, Any]:
    return {
        "store": row.store_id,
        "guide": row.redeemed_by_guide_id,
        "till": row.till,
        "channel": row.channel,
        "order_no": row.order_no,
        "moment": row.redeemed_at,
        "day": clock.business_day(row.redeemed_at),
        "at": row.recorded_at,
    }


def _store(rows: Sequence[Redemption], found: Sequence[tuple[Any, ...]]) -> None:
    keys: dict[int, int] = dict(found)
    for row in rows:
        row.pk = keys[row.coupon_id]
        row._state.adding = False
        coupon = row.coupon
        coupon.state, coupon.lock_key, coupon.locked_until = CouponState.REDEEMED, "", None
