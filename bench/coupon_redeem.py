"""Redeeming at many tills at once, against the bare SQL of the same transaction in pgbench.

First each till redeems coupons of its own, one after the other; then all tills ask for the same coupon at once, over and
over, of which each must be redeemed exactly once. The floor does to the rows what the service does and nothing else: it
locks the coupon, looks at its state, writes redemption, its entry in the book, state, event and audit entry, and
counts. It asks no rule of time and place, checks no amount and makes no answer. Rounds take turns, each on a fresh
batch. BENCH_REDEEM_ROUNDS and BENCH_REDEEM_CALLS (of each till) lengthen or shorten it.
"""

import os
import statistics
import sys
from typing import Final

from bench.coupon_shop import PROCESSES, Round, Shop, running_shop
from bench.figures import Figure, Report, spread

_ROUNDS: Final = int(os.environ.get("BENCH_REDEEM_ROUNDS") or 5)
_CALLS: Final = int(os.environ.get("BENCH_REDEEM_CALLS") or 60)
_TILLS: Final = 32

_STORE: Final = """
import django
django.setup()
from core.actor import Actor
from guides import services
actor = Actor.system("bench")
region = services.open_region(name="bench", actor=actor)
print(services.open_store(code="B1", name="bench", region_id=region.id, actor=actor).id)
"""
_COUPONS: Final = """
WITH made AS (
    INSERT INTO coupons_coupon (
        code, batch_id, shard, member_id, received_by, ordinal, state, valid_from, valid_until, request_key, source_key,
        door, issued_at, partner_code, lock_key, gifted_count)
    SELECT coupons_code_of(uuid_send(gen_random_uuid())), %(batch)s, n %% 16, first.id + n, first.id + n, 1, 'issued',
           now() - interval '1 minute', now() + interval '7 days', n || ':k', '', 'claim', now(), '', '', 0
    FROM generate_series(0, %(count)s - 1) n, (SELECT min(id) AS id FROM members_member) first
    RETURNING id, code
), counted AS (
    UPDATE coupons_couponbatchshard SET issued_count = quota, reserved_fen = quota * 3000 WHERE batch_id = %(batch)s
)
INSERT INTO bench_coupon (place, id, code) SELECT row_number() OVER (ORDER BY id) - 1, id, code FROM made
"""
_SCRIPT: Final = r"""
\set n :n + 1
\set place {place}
BEGIN;
SELECT coupon.id AS coupon, coupon.shard AS shard, coupon.state = 'issued' AS free
FROM coupons_coupon coupon JOIN bench_coupon own ON own.id = coupon.id
WHERE own.place = :place FOR NO KEY UPDATE OF coupon \gset
\if :free
INSERT INTO coupons_redemption (coupon_id, request_id, store_id, till, channel, order_no, amount_fen, discount_fen,
    redeemed_at, recorded_at, reversal_key, reversal_reason, returned_fen, returned_discount_fen)
VALUES (:coupon, 'p{batch}-' || :client_id || '-' || :n, {store}, '', 'store', 'S1', 20000, 3000, now(), now(), '', '', 0, 0)
RETURNING id AS redemption \gset
INSERT INTO coupons_redemptionentry (redemption_id, what, day, at, sales_fen, discount_fen)
VALUES (:redemption, 'redeemed', current_date, now(), 20000, 3000);
UPDATE coupons_coupon SET state = 'redeemed' WHERE id = :coupon;
INSERT INTO coupons_couponevent (coupon_id, at, from_state, to_state, what, reason, actor)
VALUES (:coupon, now(), 'issued', 'redeemed', 'redeemed', '', 'bench');
INSERT INTO core_auditentry (at, actor_kind, actor_label, action, subject_kind, subject_id, details)
VALUES (now(), 'system', 'bench', 'coupons.redeemed', 'coupons.redemption', :redemption, '{{}}');
UPDATE coupons_couponbatchshard SET redeemed_count = redeemed_count + 1, discount_fen = discount_fen + 3000,
    sales_fen = sales_fen + 20000 WHERE batch_id = {batch} AND shard = :shard;
\endif
COMMIT;
"""
_CLIENT: Final = """
def redeem(code, key):
    order = services.Order(store_id=given["store"], order_no="S1", amount_fen=20_000, discount_fen=3_000)
    services.redeem_coupon(code=code, order=order, request_id=f"{given['batch']}-{key}", actor=actor)
def warm(place):
    redeem(given["codes"][given["count"] + place], f"warm-{place}")
def call(place, number):
    redeem(given["codes"][number if given["is_one"] else place * calls + number], f"{place}-{number}")
"""
_STATE: Final = """
SELECT (SELECT count(*) FROM coupons_coupon WHERE batch_id = %(batch)s AND state = 'redeemed'),
       (SELECT count(*) FROM coupons_redemption one JOIN coupons_coupon coupon ON coupon.id = one.coupon_id
        WHERE coupon.batch_id = %(batch)s AND one.reversed_at IS NULL),
       (SELECT sum(redeemed_count) FROM coupons_couponbatchshard WHERE batch_id = %(batch)s),
       (SELECT sum(discount_fen) / 3000 FROM coupons_couponbatchshard WHERE batch_id = %(batch)s)
"""


def bench() -> Report:
    """Both parts on one server of its own. Raises RuntimeError when a coupon is used twice, not at all or not counted."""
    with running_shop(_TILLS * (_CALLS + 1)) as shop:
        shop.connection.execute("CREATE TABLE bench_coupon (place bigint PRIMARY KEY, id bigint, code text)")
        store = int(shop.run(sys.executable, "-c", _STORE).splitlines()[-1])
        figures: list[Figure] = []
        measured: dict[str, list[tuple[Round, Round]]] = {}
        for name, is_one in (("coupons of their own", False), ("one coupon for all", True)):
            rounds = [_round(shop, store, is_one=is_one) for _number in range(_ROUNDS)]
            figures += _figures(f"redeem, {name}", rounds)
            measured[name] = rounds
        notes = (
            f"{_ROUNDS} rounds of {_TILLS} tills with {_CALLS} requests each, {PROCESSES} processes of ours",
            "after each round: every coupon asked for is used once and counted once",
        )
        return Report(tuple(figures), notes, measured)


def _round(shop: Shop, store: int, *, is_one: bool) -> tuple[Round, Round]:
    """pgbench, then the service."""
    batch = _fill(shop)
    place = ":n" if is_one else f":client_id * {_CALLS} + :n"
    script = _SCRIPT.format(batch=batch, store=store, place=place)
    floor = shop.by_pgbench(script, clients=_TILLS, calls=_CALLS, start={"n": -1})
    _check(shop, batch, _CALLS if is_one else _TILLS * _CALLS)
    batch = _fill(shop)
    codes = [code for (code,) in shop.connection.execute("SELECT code FROM bench_coupon ORDER BY place")]
    given = {
        "batch": batch, "store": store, "codes": codes, "count": _TILLS * _CALLS, "is_one": is_one,
    }  # fmt: skip
    ours = shop.by_service(_CLIENT, clients=_TILLS, calls=_CALLS, given=given)
    used = _CALLS if is_one else _TILLS * _CALLS
    refused = {"coupons.coupon_redeemed": _TILLS * _CALLS - used} if is_one else {}
    if ours.answers != {"ok": used, **refused}:
        raise RuntimeError(f"answers of the tills: {ours.answers}")
    _check(shop, batch, used + _TILLS)
    return floor, ours


def _fill(shop: Shop) -> int:
    """A batch whose coupons are all issued, a few more than will be asked for."""
    count = _TILLS * (_CALLS + 1)
    batch = shop.batch(count)
    shop.connection.execute("TRUNCATE bench_coupon")
    shop.connection.execute(_COUPONS, {"batch": batch, "count": count})
    shop.connection.execute("VACUUM ANALYZE coupons_coupon, bench_coupon")
    return batch


def _check(shop: Shop, batch: int, used: int) -> None:
    found = shop.connection.execute(_STATE, {"batch": batch}).fetchone()
    if found != (used,) * 4:
        raise RuntimeError(f"{used} coupons should be used once; coupons, rows, counted, discounts: {found}")


def _figures(name: str, rounds: list[tuple[Round, Round]]) -> list[Figure]:
    floors, ours = [floor for floor, _our in rounds], [our for _floor, our in rounds]
    slower = statistics.median(our.p99_s / floor.p99_s for floor, our in rounds)
    p99 = (spread([one.p99_s * 1000 for one in floors], 1), spread([one.p99_s * 1000 for one in ours], 1))
    rate = (spread([one.rate for one in floors]), spread([one.rate for one in ours]))
    return [Figure(f"{name}: p99, ms", *p99, slower), Figure(f"{name}: requests a second", *rate)]
