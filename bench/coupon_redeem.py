"""Redeeming at many tills at once: where the time goes, from bare SQL to a signed request.

- The service alone against the bare SQL of the same transaction in pgbench: each till redeems coupons of its own, one after
  the other; then all tills ask for the same coupon at once, over and over, of which each must be redeemed exactly once.
- The open API (`POST orders/redeem`: signature, nonce, idempotency key, kept answer, log, limits, pricing) against a bare
  signed Django view that writes the same rows (bench/coupon_api_urls.py), both through WSGI in the clients' processes,
  behind the same middlewares: no socket, as a network adds the same to both.
- The open API against the bare SQL, which is all of it together.

The bare SQL does to the rows what the service does and nothing else: it locks the coupon, looks at its state, writes
redemption, its entry in the book, state, event and audit entry, and counts. It asks no rule of time and place, checks no
amount and makes no answer. Halves take turns, each on a fresh batch. BENCH_REDEEM_ROUNDS and BENCH_REDEEM_CALLS (of each
till) lengthen or shorten it.
"""

import json
import os
import statistics
import sys
from typing import Any, Final

from bench.coupon_shop import PROCESSES, TILL, Round, Shop, running_shop
from bench.figures import Figure, Report, spread

SLOWER: Final = 3.0  # p99 in times of the floor's
SHARE: Final = 0.4  # of the floor's requests
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
_KEYS: Final = """
import json, sys, django
django.setup()
from core.actor import Actor
from openapi import services
from openapi.contracts import ClientTerms
made = []
for number in range(int(sys.argv[2])):
    terms = ClientTerms(
        name=f"bench {number}", kind="till", scopes=("redeem",), store_id=int(sys.argv[1]), per_minute=60_000)
    one = services.create_client(terms=terms, actor=Actor.system("bench"))
    made.append([one.key_id, one.secret])
print(json.dumps(made))
"""
# Every till signs its requests before the clock starts.
_API_CLIENT: Final = (
    TILL
    + """
import secrets
ready = {}
def signed(place, number, code):
    name = f"{given['batch']}-{place}-{number}"
    lines = [{"key": "1", "product": "p1", "amount_fen": 12_000}, {"key": "2", "product": "p2", "amount_fen": 8_000}]
    content = {"order_no": name, "coupons": [code], "lines": lines}
    return request(given["keys"][place], given["path"], name, secrets.token_urlsafe(18), content)
def send(environ):
    status, body = ask(environ)
    if status[:3] != "200":
        raise RuntimeError((status, body))
def warm(place):
    send(signed(place, "warm", given["codes"][given["count"] + place]))
    for number in range(calls):
        ready[place, number] = signed(place, number, given["codes"][place * calls + number])
def call(place, number):
    send(ready[place, number])
"""
)
_API: Final = "/openapi/v1/orders/redeem"
_BARE: Final = "/bench/redeem/"
_STATE: Final = """
SELECT (SELECT count(*) FROM coupons_coupon WHERE batch_id = %(batch)s AND state = 'redeemed'),
       (SELECT count(*) FROM coupons_redemption one JOIN coupons_coupon coupon ON coupon.id = one.coupon_id
        WHERE coupon.batch_id = %(batch)s AND one.reversed_at IS NULL),
       (SELECT sum(redeemed_count) FROM coupons_couponbatchshard WHERE batch_id = %(batch)s),
       (SELECT sum(discount_fen) / 3000 FROM coupons_couponbatchshard WHERE batch_id = %(batch)s)
"""


def bench() -> Report:
    """All on one server of its own. Raises RuntimeError when a coupon is used twice, not at all or not counted."""
    with running_shop(_TILLS * (_CALLS + 1)) as shop:
        shop.environment["DJANGO_SETTINGS_MODULE"] = "bench.coupon_api_settings"
        shop.connection.execute("CREATE TABLE bench_coupon (place bigint PRIMARY KEY, id bigint, code text)")
        counter = _Counter(shop)
        own: list[dict[str, Round]] = []
        one: list[dict[str, Round]] = []
        for _number in range(_ROUNDS):
            own.append(
                {
                    "sql": counter.by_sql(is_one=False),
                    "service": counter.by_service(is_one=False),
                    "bare": counter.by_request(_BARE),
                    "api": counter.by_request(_API),
                }
            )
            one.append({"sql": counter.by_sql(is_one=True), "service": counter.by_service(is_one=True)})
        figures = (
            *_against("service, own coupons / bare SQL", own, "sql", "service"),
            *_against("service, one coupon for all / bare SQL", one, "sql", "service", is_judged=False),
            *_against("open API / a bare signed view", own, "bare", "api"),
            *_against("open API / bare SQL", own, "sql", "api", is_judged=False),
        )
        notes = (
            f"{_ROUNDS} rounds of {_TILLS} tills with {_CALLS} requests each, {PROCESSES} processes of ours",
            "after each half: every coupon asked for is used once and counted once",
        )
        return Report(figures, notes, {"own": own, "one": one})


class _Counter:
    """A store with tills; each half of a round on a fresh batch."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.store = int(shop.run(sys.executable, "-c", _STORE).splitlines()[-1])
        told = shop.run(sys.executable, "-c", _KEYS, str(self.store), str(_TILLS))
        self.keys = json.loads(told.splitlines()[-1])

    def by_sql(self, *, is_one: bool) -> Round:
        batch = _fill(self.shop)
        place = ":n" if is_one else f":client_id * {_CALLS} + :n"
        script = _SCRIPT.format(batch=batch, store=self.store, place=place)
        done = self.shop.by_pgbench(script, clients=_TILLS, calls=_CALLS, start={"n": -1})
        _check(self.shop, batch, _CALLS if is_one else _TILLS * _CALLS)
        return done

    def by_service(self, *, is_one: bool) -> Round:
        return self._by(_CLIENT, {"is_one": is_one}, _CALLS if is_one else _TILLS * _CALLS)

    def by_request(self, path: str) -> Round:
        return self._by(_API_CLIENT, {"path": path, "keys": self.keys}, _TILLS * _CALLS)

    def _by(self, client: str, given: dict[str, Any], used: int) -> Round:
        batch = _fill(self.shop)
        codes = [
            code for (code,) in self.shop.connection.execute("SELECT code FROM bench_coupon ORDER BY place")
        ]
        whole = _TILLS * _CALLS
        given = {"batch": batch, "store": self.store, "codes": codes, "count": whole, **given}
        done = self.shop.by_service(client, clients=_TILLS, calls=_CALLS, given=given)
        refused = {} if used == whole else {"coupons.coupon_redeemed": whole - used}
        if done.answers != {"ok": used, **refused}:
            raise RuntimeError(f"answers of the tills: {done.answers}")
        _check(self.shop, batch, used + _TILLS)
        return done


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


def _against(
    name: str, rounds: list[dict[str, Round]], floor: str, ours: str, *, is_judged: bool = True
) -> list[Figure]:
    """p99 and requests a second, each with the median of the rounds' ratios."""
    floors, owns = [one[floor] for one in rounds], [one[ours] for one in rounds]
    slower = statistics.median(own.p99_s / other.p99_s for other, own in zip(floors, owns, strict=True))
    share = statistics.median(own.rate / other.rate for other, own in zip(floors, owns, strict=True))
    p99 = (spread([one.p99_s * 1000 for one in floors], 1), spread([one.p99_s * 1000 for one in owns], 1))
    rate = (spread([one.rate for one in floors]), spread([one.rate for one in owns]))
    if not is_judged:
        return [
            Figure(f"{name}: p99, ms", *p99, slower),
            Figure(f"{name}: requests a second", *rate, share),
        ]
    return [
        Figure(f"{name}: p99, ms", *p99, slower, f"≤ {SLOWER:g}", slower <= SLOWER),
        Figure(f"{name}: requests a second", *rate, share, f"≥ {SHARE:g}", share >= SHARE),
    ]
