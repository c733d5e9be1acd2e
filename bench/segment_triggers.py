"""What noting changes for living segments costs the hot paths: the triggers of ADR 54, off, on, and on with a watcher.

Four works, each in rounds of three kinds in turns: with the triggers disabled (the floor), enabled while no living segment
rests on the fact, and enabled while one does, so that every change leaves a note. Claims are pgbench calling the function of
a claim; a bulk issue is the service in a process of its own; orders are INSERT … SELECT of sales and of metrics in statements
of a thousand rows, as files are booked; a member is one UPDATE of her row. What follows the notes afterwards is no part of it:
that is `segments`. BENCH_COUPONS_COUNT sets the size (20,000 unless it is set), BENCH_TRIGGER_ROUNDS the rounds (5).
"""

import os
import statistics
import sys
import time
from typing import Final

from bench.coupon_issue import JOB
from bench.coupon_shop import Shop, running_shop
from bench.figures import Figure, Report, spread

_COUNT: Final = int(os.environ.get("BENCH_COUPONS_COUNT", "20000"))
_ROUNDS: Final = int(os.environ.get("BENCH_TRIGGER_ROUNDS", "5"))
_CLIENTS: Final = 16
_CALLS: Final = 200
# Nobody watches; somebody does.
_QUIET_LIMIT: Final = 1.05
_WATCHED_LIMIT: Final = 1.3
_KINDS: Final = ("off", "quiet", "watched")
_TRIGGERS: Final = """
SELECT 'ALTER TABLE ' || tgrelid::regclass || ' ' || %(how)s || ' TRIGGER ' || quote_ident(tgname) FROM pg_trigger
WHERE tgfoid = 'campaigns_note_changed'::regproc AND NOT tgisinternal AND tgparentid = 0
"""
_WATCH: Final = """
INSERT INTO campaigns_segmentwatch (fact)
SELECT DISTINCT split_part(encode(tgargs, 'escape'), '\\000', 1) FROM pg_trigger
WHERE tgfoid = 'campaigns_note_changed'::regproc AND NOT tgisinternal
"""
_CLAIM: Final = (
    "SELECT issued.* FROM (SELECT nextval('bench_member') AS id OFFSET 0) member, LATERAL coupons_issue({batch}, member.id,"
    " member.id || ':k', 'claim', left(md5(random()::text), 16), NULL, NULL, '', NULL, now()) issued;"
)
_STORE: Final = """
INSERT INTO guides_region (name, path) VALUES ('all', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's', 'S', 'store', (SELECT min(id) FROM guides_region), '', '', '[]', true
"""
_SALES: Final = """
INSERT INTO sales_sale (public_id, source, order_no, revision, is_current, digest, member_id, store_id, channel, sold_at,
    business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first, points_round,
    spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome, recorded_at)
SELECT 's' || id, 'pos', 'O' || id, 0, true, '\\x00', id, (SELECT min(id) FROM guides_store), 'store', now(), current_date,
       100, 100, 1, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, '', now()
FROM members_member WHERE id > %(after)s ORDER BY id LIMIT 1000
"""
_METRICS: Final = """
INSERT INTO sales_membermetrics (member_id, computed_on, first_on, last_on, order_count, amount_fen, unit_count,
    year_order_count, year_amount_fen, year_unit_count, kept_order_count, kept_amount_fen, basket_fen, categories,
    rfm_group, coming_group, stage, interval_tier)
SELECT id, current_date, current_date, current_date, 1, 100, 1, 1, 100, 1, 1, 100, 100, '{}', 0, 0, 'active', 'core'
FROM members_member WHERE id > %(after)s ORDER BY id LIMIT 1000
"""


def bench() -> Report:
    """All on one server of its own. Raises RuntimeError when a round left other notes than it should."""
    found: dict[str, dict[str, list[float]]] = {
        work: {kind: [] for kind in _KINDS} for work in ("claim", "issue", "orders", "member")
    }
    with running_shop(max(_COUNT, _CLIENTS * _CALLS)) as shop:
        shop.connection.execute("CREATE SEQUENCE bench_member")
        shop.connection.execute(_STORE)
        for number in range(_ROUNDS):
            # Whoever comes first in a round finds the colder pages.
            for kind in _KINDS[number % 3 :] + _KINDS[: number % 3]:
                _set(shop, kind)
                for work, run in (
                    ("claim", _claims),
                    ("issue", _issue),
                    ("orders", _orders),
                    ("member", _members),
                ):
                    shop.connection.execute("TRUNCATE campaigns_segmenttouch")
                    found[work][kind].append(run(shop))
                    notes = shop.value("SELECT count(*) FROM campaigns_segmenttouch")
                    if bool(notes) != (kind == "watched"):
                        raise RuntimeError(f"{work}, {kind}: {notes} notes")
    return _report(found)


def _set(shop: Shop, kind: str) -> None:
    how = "DISABLE" if kind == "off" else "ENABLE"
    for (words,) in shop.connection.execute(_TRIGGERS, {"how": how}).fetchall():
        shop.connection.execute(words)
    shop.connection.execute("TRUNCATE campaigns_segmentwatch")
    if kind == "watched":
        shop.connection.execute(_WATCH)


def _claims(shop: Shop) -> float:
    """Seconds a claim."""
    _empty(shop)
    batch = shop.batch(_CLIENTS * _CALLS)
    shop.connection.execute("SELECT setval('bench_member', 1, false)")
    return 1 / shop.by_pgbench(_CLAIM.format(batch=batch), clients=_CLIENTS, calls=_CALLS).rate


def _issue(shop: Shop) -> float:
    _empty(shop)
    batch = shop.batch(_COUNT)
    return float(shop.run(sys.executable, "-c", JOB, str(batch)).split()[-1])


def _orders(shop: Shop) -> float:
    shop.connection.execute("TRUNCATE sales_sale, sales_membermetrics CASCADE")
    began, after = time.monotonic(), 0
    while True:
        if shop.connection.execute(_SALES, {"after": after}).rowcount < 1000:
            return time.monotonic() - began
        shop.connection.execute(_METRICS, {"after": after})
        after = int(shop.value("SELECT max(member_id) FROM sales_membermetrics"))


def _members(shop: Shop) -> float:
    """One member at a time."""
    first = int(shop.value("SELECT min(id) FROM members_member"))
    began = time.monotonic()
    for place in range(1000):
        shop.connection.execute(
            "UPDATE members_member SET is_following = NOT is_following WHERE id = %s", [first + place]
        )
    return time.monotonic() - began


def _empty(shop: Shop) -> None:
    tables = ("coupon", "couponevent", "issueslice", "issuejob", "couponbatchshard", "couponbatch")
    shop.connection.execute("TRUNCATE " + ", ".join(f"coupons_{name}" for name in tables) + " CASCADE")
    shop.connection.execute("VACUUM ANALYZE members_member")


def _report(found: dict[str, dict[str, list[float]]]) -> Report:
    figures = []
    words = {
        "claim": (f"a claim, {_CLIENTS} clients, µs", 1e6),
        "issue": (f"bulk issue of {_COUNT:,}, ms", 1e3),
        "orders": (f"orders and metrics of {_COUNT:,} by thousands, ms", 1e3),
        "member": ("a member's row a thousand times, ms", 1e3),
    }
    for work, (name, unit) in words.items():
        shown = {kind: spread([each * unit for each in found[work][kind]]) for kind in _KINDS}
        for kind, limit in (("quiet", _QUIET_LIMIT), ("watched", _WATCHED_LIMIT)):
            pairs = zip(found[work][kind], found[work]["off"], strict=True)
            ratio = statistics.median(ours / floor for ours, floor in pairs)
            figures.append(
                Figure(f"{name}, {kind}", shown["off"], shown[kind], ratio, f"≤ {limit:g}", ratio <= limit)
            )
    return Report(tuple(figures), (f"{_ROUNDS} rounds; the floor has the triggers disabled",), found)
