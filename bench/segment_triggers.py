"""What noting changes for living segments costs those who change: the triggers of ADR 54, off, on, and on with a watcher.

Four works in the server itself, so that nothing hides the triggers: claims by their function, a bulk issue's rows, an order
file's rows, a member's row. In each of BENCH_TRIGGER_ROUNDS (15) all are done three ways in turns, inside a transaction that
is rolled back: with the triggers disabled (the floor), enabled while no living segment rests on the fact, and enabled while
one does, so that every change leaves a note. No commit and no round trip is in it: through a service the shares are smaller.
What follows the notes afterwards is no part of it: that is `segments`.
"""

import os
import statistics
import time
from typing import Any, Final

import psycopg

from bench.coupon_shop import BATCH, SHARDS, Shop, running_shop
from bench.figures import Figure, Report, spread

_ROUNDS: Final = int(os.environ.get("BENCH_TRIGGER_ROUNDS", "15"))
_ONE_BY_ONE: Final = 200
_AT_ONCE: Final = 5_000
_KINDS: Final = ("off", "quiet", "watched")
# Those that note members for segments name the fact.
_NOTING: Final = """
FROM pg_trigger tg JOIN pg_proc pr ON pr.oid = tg.tgfoid
WHERE pr.proname LIKE 'campaigns_note%%' AND tg.tgnargs = 2 AND NOT tg.tgisinternal AND tg.tgparentid = 0
"""
_TRIGGERS: Final = (
    "SELECT 'ALTER TABLE ' || tg.tgrelid::regclass || ' ' || %(how)s || ' TRIGGER ' || quote_ident(tg.tgname)"
    + _NOTING
)
_WATCH: Final = (
    "INSERT INTO campaigns_segmentwatch (fact) SELECT DISTINCT split_part(encode(tg.tgargs, 'escape'), '\\000', 1)"
    + _NOTING.replace("%%", "%")
)
_EACH: Final = """
DO $$ DECLARE who bigint; BEGIN
    FOR who IN SELECT id FROM members_member ORDER BY id LIMIT {count} LOOP {work}; END LOOP;
END $$
"""
_CLAIM: Final = """PERFORM coupons_issue({batch}, who, who || ':k', 'claim', left(md5(random()::text), 16), NULL, NULL, '',
    NULL, now())"""
_ISSUE: Final = """
INSERT INTO coupons_coupon (code, batch_id, shard, member_id, received_by, ordinal, state, valid_from, valid_until,
    request_key, source_key, door, issued_at, partner_code, lock_key, gifted_count)
SELECT left(md5(id::text), 16), {batch}, id % 16, id, id, 1, 'issued', now(), now() + interval '7 days', 'job:1:' || id, '',
       'system', now(), '', '', 0
FROM members_member ORDER BY id LIMIT {count}
"""
_STORE: Final = """
INSERT INTO guides_region (name, path) VALUES ('all', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's', 'S', 'store', (SELECT min(id) FROM guides_region), '', '', '[]', true
"""
_ORDERS: Final = """
INSERT INTO sales_sale (public_id, source, order_no, revision, is_current, digest, member_id, store_id, channel, sold_at,
    business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first, points_round,
    spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome, recorded_at)
SELECT 's' || id, 'pos', 'O' || id, 0, true, '\\x00', id, (SELECT min(id) FROM guides_store), 'store', now(), current_date,
       100, 100, 1, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, '', now()
FROM members_member ORDER BY id LIMIT {count}
"""
_MEMBER: Final = "UPDATE members_member SET is_following = NOT is_following WHERE id = who"
# What is fair follows from what is written, whatever a run has shown. While nobody watches, a statement pays for one look into
# a table of a dozen rows: beside thousands of rows that must be lost in the noise (a tenth), beside one row it is one function
# more where an update runs through the planner, the heap, an index and the log (a quarter). While somebody watches, each member
# leaves one row more, in a table with one index. A member's row is one such write itself, so it may take twice as long;
# a claim, a coupon and an order write a row with half a dozen indexes and counters beside it, of which a note may be half.
_QUIET_MANY, _QUIET_ONE, _WATCHED_MANY, _WATCHED_ONE = 1.1, 1.25, 1.5, 2.0
# Name, how often, what nobody's watching and somebody's may cost.
_WORKS: Final = {
    "claim": ("a claim, µs", _ONE_BY_ONE, _QUIET_MANY, _WATCHED_MANY),
    "issue": (f"a bulk issue's {_AT_ONCE:,} rows, µs each", _AT_ONCE, _QUIET_MANY, _WATCHED_MANY),
    "orders": (f"a file's {_AT_ONCE:,} orders, µs each", _AT_ONCE, _QUIET_MANY, _WATCHED_MANY),
    "member": ("a member's row, µs", _ONE_BY_ONE, _QUIET_ONE, _WATCHED_ONE),
}


def bench() -> Report:
    """On one server of its own. Raises RuntimeError when a work left other notes than it should."""
    found: dict[str, dict[str, list[float]]] = {work: {kind: [] for kind in _KINDS} for work in _WORKS}
    with running_shop(2 * _AT_ONCE) as shop:
        shop.connection.execute(_STORE)
        texts = _texts(shop)
        with psycopg.connect(shop.engines.database_url) as connection:
            for number in range(-1, _ROUNDS):
                # Whoever comes first in a round finds the colder pages; the first round is not counted.
                for kind in _KINDS[number % 3 :] + _KINDS[: number % 3]:
                    _set(connection, kind)
                    for work, text in texts.items():
                        took = _timed(connection, text, is_noted=kind == "watched")
                        if number >= 0:
                            found[work][kind].append(took * 1e6 / _WORKS[work][1])
                    connection.rollback()
    return _report(found)


def _texts(shop: Shop) -> dict[str, str]:
    batch = int(shop.value(BATCH, {"template": shop.template, "quota": _AT_ONCE}))
    shop.connection.execute(SHARDS, {"batch": batch, "quota": _AT_ONCE, "is_single": False})
    return {
        "claim": _EACH.format(count=_ONE_BY_ONE, work=_CLAIM.format(batch=batch)),
        "issue": _ISSUE.format(batch=batch, count=_AT_ONCE),
        "orders": _ORDERS.format(count=_AT_ONCE),
        "member": _EACH.format(count=_ONE_BY_ONE, work=_MEMBER),
    }


def _set(connection: "psycopg.Connection[Any]", kind: str) -> None:
    how = "DISABLE" if kind == "off" else "ENABLE"
    for (words,) in connection.execute(_TRIGGERS, {"how": how}).fetchall():
        connection.execute(words)
    connection.execute("DELETE FROM campaigns_segmentwatch")
    if kind == "watched":
        connection.execute(_WATCH)


def _timed(connection: "psycopg.Connection[Any]", text: str, *, is_noted: bool) -> float:
    """Seconds of the work, of which nothing is left."""
    connection.execute("SAVEPOINT before")
    began = time.perf_counter()
    connection.execute(text)
    took = time.perf_counter() - began
    [notes] = connection.execute("SELECT count(*) FROM campaigns_segmenttouch").fetchone() or [0]
    if bool(notes) != is_noted:
        raise RuntimeError(f"{notes} notes after {text[:60]}")
    connection.execute("ROLLBACK TO before")
    return took


def _report(found: dict[str, dict[str, list[float]]]) -> Report:
    figures = []
    for work, (name, _count, *limits) in _WORKS.items():
        for kind, limit in zip(_KINDS[1:], limits, strict=True):
            pairs = zip(found[work][kind], found[work]["off"], strict=True)
            ratio = statistics.median(ours / floor for ours, floor in pairs)
            floor, ours = (spread(found[work][each]) for each in ("off", kind))
            figures.append(Figure(f"{name}, {kind}", floor, ours, ratio, f"≤ {limit:g}", ratio <= limit))
    return Report(tuple(figures), (f"{_ROUNDS} rounds; the floor has the triggers disabled",), found)
