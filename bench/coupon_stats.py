"""Folding coupons into numbers, and asking for them.

First, one run of the job over BENCH_COUPONS_COUNT coupons (200,000 unless it is set) with a tenth redeemed, against one
GROUP BY INSERT of the same facts written by hand into one such table with its indexes: no second table, nothing that
adds, no cursor, no horizon. Then
the page's questions (the chain, a guide, a store; a month, a quarter, a year) against a live GROUP BY of the
facts. Last, what a run costs when nothing is new, as it mostly is: it stands beside the claims every few seconds, and
nothing of it stands on their path.
"""

import os
import sys
import time
from typing import Any, Final

import psycopg

from bench.coupon_shop import BATCH, SHARDS, TEMPLATE
from bench.figures import Figure, Report, at_most, percentile, spread
from bench.private import LONG_MS, private_database

LIMIT: Final = 2.0  # the second and third table, which the floor leaves out, are most of it
_ROUNDS: Final = int(os.environ.get("BENCH_STATS_ROUNDS", "3"))
_COUNT: Final = int(os.environ.get("BENCH_COUPONS_COUNT", "200000"))
_SEED: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
VALUES ('b', 'B', 'prospect', '', '{}', '', '', '', 'import', '', false, now());
INSERT INTO guides_region (name, path) VALUES ('all', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's' || n, 'S' || n, 'store ' || n, (SELECT min(id) FROM guides_region), '', '', '[]', true
FROM generate_series(1, 500) n;
INSERT INTO guides_guide (public_id, number, name, role, state, session_epoch, store_id, joined_on)
SELECT 'g' || n, 'G' || n, 'guide', 'guide', 'active', 1, (SELECT min(id) FROM guides_store) + n % 500, now()::date
FROM generate_series(1, 5000) n
"""
# A year of coupons: half claimed, half given by guides; every tenth redeemed three days later.
_COUPONS: Final = """
INSERT INTO coupons_coupon (
    code, batch_id, shard, member_id, received_by, ordinal, state, valid_from, valid_until, request_key, source_key,
    door, issued_by_guide_id, issued_store_id, issued_at, partner_code, lock_key, gifted_count)
SELECT coupons_code_of(uuid_send(gen_random_uuid())), %(batch)s, n %% 16, (SELECT min(id) FROM members_member),
       1, n, CASE WHEN n %% 10 = 0 THEN 'redeemed' ELSE 'issued' END, day, day + interval '30 days', 'k' || n, '',
       CASE WHEN n %% 2 = 0 THEN 'claim' ELSE 'guide' END, CASE WHEN n %% 2 = 1 THEN guide.id END,
       CASE WHEN n %% 2 = 1 THEN guide.store_id END, day, '', '', 0
FROM (SELECT n, now() - interval '365 days' * (1 - n::float / %(count)s) AS day,
             (SELECT min(id) FROM guides_guide) + (n * 7919) %% 5000 AS guide_id
      FROM generate_series(1, %(count)s) n) fact
LEFT JOIN guides_guide guide ON guide.id = fact.guide_id
ORDER BY n
"""
_REDEEMED: Final = """
INSERT INTO coupons_redemption (coupon_id, request_id, store_id, till, channel, order_no, amount_fen, discount_fen,
                                redeemed_at, recorded_at, reversal_key, reversal_reason, returned_fen,
                                returned_discount_fen)
SELECT id, 'r' || id, coalesce(issued_store_id, (SELECT min(id) FROM guides_store) + id %% 500), '', 'store', id, 20000, 3000,
       issued_at + interval '3 days', issued_at + interval '3 days', '', '', 0, 0
FROM coupons_coupon WHERE state = 'redeemed' ORDER BY id;
INSERT INTO coupons_couponevent (coupon_id, at, from_state, to_state, what, reason, actor)
SELECT coupon_id, redeemed_at, 'issued', 'redeemed', 'redeemed', '', '' FROM coupons_redemption ORDER BY id;
INSERT INTO coupons_redemptionentry (redemption_id, what, day, at, sales_fen, discount_fen)
SELECT id, 'redeemed', (redeemed_at AT TIME ZONE 'Asia/Shanghai')::date, recorded_at, amount_fen, discount_fen
FROM coupons_redemption ORDER BY id
"""
_FLOOR_TABLE: Final = """
DROP TABLE IF EXISTS bench_floor; CREATE TABLE bench_floor (LIKE coupons_couponday INCLUDING ALL)
"""
_FLOOR: Final = """
INSERT INTO bench_floor (day, batch_id, door, guide_id, issued_store_id, redeemed_store_id, redeemed_guide_id,
                         issued_count, redeemed_count, reversed_count, voided_count, expired_count, discount_fen, sales_fen)
SELECT day, batch_id, door, guide_id, issued_store_id, store_id, 0, sum(issued), sum(redeemed), 0, 0, 0, sum(discount),
       sum(sales)
FROM (
    SELECT (issued_at AT TIME ZONE 'Asia/Shanghai')::date AS day, batch_id, door,
           coalesce(issued_by_guide_id, 0) AS guide_id, coalesce(issued_store_id, 0) AS issued_store_id,
           0::bigint AS store_id, 1 AS issued, 0 AS redeemed, 0 AS discount, 0 AS sales
    FROM coupons_coupon
    UNION ALL
    SELECT (redeemed_at AT TIME ZONE 'Asia/Shanghai')::date, batch_id, door, coalesce(issued_by_guide_id, 0),
           coalesce(issued_store_id, 0), store_id, 0, 1, discount_fen, amount_fen
    FROM coupons_redemption redemption JOIN coupons_coupon coupon ON coupon.id = redemption.coupon_id
) fact GROUP BY 1, 2, 3, 4, 5, 6
"""
_LIVE: Final = """
SELECT coupon.{key}, count(*), count(*) FILTER (WHERE redemption.id IS NOT NULL), sum(redemption.discount_fen),
       sum(redemption.amount_fen)
FROM coupons_coupon coupon LEFT JOIN coupons_redemption redemption ON redemption.coupon_id = coupon.id
WHERE coupon.issued_at >= now() - interval '{days} days' AND {where} GROUP BY 1
"""
_JOB: Final = """
import sys, time, datetime as dt, django
django.setup()
from core.actor import Actor
from coupons import selectors, services
from coupons.contracts import StatsQuery
actor = Actor.system("bench")
began = time.monotonic()
services.fold_stats(actor=actor)
print(time.monotonic() - began)
began = time.monotonic()
for _number in range(20):
    services.fold_stats(actor=actor)
print((time.monotonic() - began) / 20)
today = dt.date.today()
guide, store = int(sys.argv[1]), int(sys.argv[2])
queries = (
    (StatsQuery(since=today - dt.timedelta(days=365)), "batch"),
    (StatsQuery(since=today - dt.timedelta(days=30), guide_id=guide), "batch"),
    (StatsQuery(since=today - dt.timedelta(days=90)), "store"),
    (StatsQuery(since=today - dt.timedelta(days=365)), "store"),
    (StatsQuery(since=today - dt.timedelta(days=365)), "guide"),
    (StatsQuery(since=today - dt.timedelta(days=365), store_id=store), "door"),
)
for query, by in queries:
    times = []
    for _number in range(5):
        began = time.monotonic()
        selectors.list_stats(query, by=by)
        times.append(time.monotonic() - began)
    print(sorted(times)[2])
print(services.prove_stats(actor=actor).wrong_count)
"""
_TABLES: Final = ("couponday", "coupondaytotal", "couponmonth", "coupondue", "factcursor")
_NAMES: Final = (
    "a year of the chain by batch, ms", "a month of one guide, ms", "a quarter by store, ms", "a year by store, ms",
    "a year by guide, ms", "a year of one store by door, ms",
)  # fmt: skip


def bench() -> Report:
    """Rounds of both on the same facts. Raises RuntimeError when the numbers are not those of the facts."""
    floors, ours, idle = [], [], []
    live: list[list[float]] = [[] for _name in _NAMES]
    asked: list[list[float]] = [[] for _name in _NAMES]
    with private_database(statement_timeout_ms=LONG_MS) as private:
        connection = private.connection
        guide, store = _fill(connection)
        for _number in range(_ROUNDS):
            connection.execute(_FLOOR_TABLE)
            floors.append(_timed(connection, _FLOOR))
            connection.execute("TRUNCATE " + ", ".join(f"coupons_{name}" for name in _TABLES))
            connection.execute("CHECKPOINT")
            found = [
                float(word)
                for word in private.run(sys.executable, "-c", _JOB, str(guide), str(store)).split()
            ]
            ours.append(found[0])
            idle.append(found[1])
            _check(connection, found[-1])
            for place, (key, days, where) in enumerate(
                (("batch_id", 365, "true"), ("batch_id", 30, f"coupon.issued_by_guide_id = {guide}"),
                 ("issued_store_id", 90, "true"), ("issued_store_id", 365, "true"),
                 ("issued_by_guide_id", 365, "true"), ("door", 365, f"coupon.issued_store_id = {store}"))
            ):  # fmt: skip
                asked[place].append(found[2 + place])
                live[place].append(_timed(connection, _LIVE.format(key=key, days=days, where=where)))
    return _report(floors, ours, idle, live, asked)


def _fill(connection: "psycopg.Connection[Any]") -> tuple[int, int]:
    connection.execute(_SEED)
    [template] = connection.execute(TEMPLATE).fetchone() or [0]
    [batch] = connection.execute(BATCH, {"template": template, "quota": _COUNT}).fetchone() or [0]
    connection.execute(SHARDS, {"batch": batch, "quota": _COUNT, "is_single": False})
    connection.execute(_COUPONS, {"batch": batch, "count": _COUNT})
    connection.execute(_REDEEMED.replace("%%", "%"))
    connection.execute("VACUUM ANALYZE")
    [guide, store] = connection.execute(
        "SELECT id, store_id FROM guides_guide ORDER BY id LIMIT 1 OFFSET 7"
    ).fetchone() or [0, 0]
    return int(guide), int(store)


def _timed(connection: "psycopg.Connection[Any]", statement: str) -> float:
    began = time.monotonic()
    cursor = connection.execute(statement)
    if cursor.description:
        cursor.fetchall()
    return time.monotonic() - began


def _check(connection: "psycopg.Connection[Any]", wrong: float) -> None:
    rows = connection.execute(
        "SELECT (SELECT sum(issued_count) FROM coupons_couponday), (SELECT sum(redeemed_count) FROM coupons_couponday), "
        "(SELECT sum(issued_count) FROM bench_floor), (SELECT sum(redeemed_count) FROM bench_floor)"
    ).fetchone()
    if wrong or rows is None or rows[:2] != rows[2:]:
        raise RuntimeError(f"the numbers are not those of the facts: {wrong} wrong, {rows}")


def _report(
    floors: list[float],
    ours: list[float],
    idle: list[float],
    live: list[list[float]],
    asked: list[list[float]],
) -> Report:
    values = [our / floor for floor, our in zip(floors, ours, strict=True)]
    figures = [
        at_most(f"folding {_COUNT:,} coupons, s", spread(floors, 2), spread(ours, 2), values, LIMIT),
        Figure("folding one coupon, µs", "–", f"{percentile(ours, 0.5) / _COUNT * 1e6:,.1f}"),
        Figure("a run with nothing new, ms", "–", f"{percentile(idle, 0.5) * 1000:,.1f}"),
    ]
    for name, slow, quick in zip(_NAMES, live, asked, strict=True):
        gain = percentile([one / other for one, other in zip(slow, quick, strict=True)], 0.5)
        shown = [spread([second * 1000 for second in seconds], 1) for seconds in (slow, quick)]
        figures.append(Figure(name, shown[0], shown[1], gain, "–", None))
    measured = {"floors": floors, "ours": ours, "idle": idle, "live": live, "asked": asked}
    return Report(tuple(figures), (f"{_ROUNDS} rounds, numbers equal to the facts",), measured)
