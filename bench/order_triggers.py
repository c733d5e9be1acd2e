"""What each kind of trigger costs those who write orders: on a file's slice, on one order, on what comes back.

Four kinds note in the transaction of a change whose it is: living segments (ADR 54), outcomes of campaigns (ADR 58), moments of
journeys (ADR 57), the nine numbers (ADR 59). All works are done in the server itself, so that nothing hides the triggers, in each
of BENCH_TRIGGER_ROUNDS (9) once in each way, in turns, inside a transaction that is rolled back:

- **off**: the triggers of all four kinds are disabled. The floor.
- **quiet**: all are enabled, nobody watches. The nine numbers watch always.
- one kind alone, watched: its triggers are enabled and what they note is wanted.
- **all**: all are enabled and watched; half of the members are in a campaign that is counted.

The slice is what a file's orders write where there are triggers: orders, points accounts, lots, standings, members' numbers. No
commit and no round trip is in it: through a service the shares are smaller. What folds the notes afterwards is no part of it.
Limits follow from counting what is written (ADR 60), with room for the noise of a machine that others use.
"""

import os
import statistics
import time
from typing import Any, Final

import psycopg

from bench.figures import Figure, Report, spread
from bench.private import FILLER, private_database

_ROUNDS: Final = int(os.environ.get("BENCH_TRIGGER_ROUNDS") or 9)
_MANY: Final = 5_000
_FEW: Final = 300
# Kind, how its triggers are told, and where its notes lie.
_KINDS: Final = {
    "segments": ("tgname ~ '_note_'", "campaigns_segmenttouch"),
    "outcomes": ("tgname ~ '_outcome_'", "campaigns_outcometouch"),
    "journeys": ("tgname ~ '_moment_'", "campaigns_journeymoment"),
    "nine numbers": ("tgname ~ '_touch_'", "sales_memberdaytouch"),
}
_ALWAYS: Final = "nine numbers"
_WAYS: Final = ("off", "quiet", *_KINDS, "all")
_TABLES: Final = (
    "sales_sale", "members_pointsaccount", "members_pointslot", "members_membertier", "sales_membermetrics",
)  # fmt: skip
_TRIGGERS: Final = """
SELECT format('ALTER TABLE %%s %%s TRIGGER %%I', tgrelid::regclass, CASE WHEN {which} THEN 'ENABLE' ELSE 'DISABLE' END, tgname)
FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%(tables)s) AND ({any})
"""
_WATCHING: Final = """
INSERT INTO campaigns_segmentwatch (fact)
SELECT DISTINCT split_part(encode(tgargs, 'escape'), '\\000', 1) FROM pg_trigger WHERE tgname ~ '_note_' AND tgnargs = 2;
INSERT INTO campaigns_journeywatch (event, family) VALUES ('bought', 'sales'), ('tier_at_risk', 'tier_risk');
INSERT INTO campaigns_campaignbook (run_id, opened_at, is_stale, sums, repeat_count, doing, through_id, done_count)
VALUES (1, now(), false, '{}', 0, '', 0, 0);
"""
_QUIET: Final = "DELETE FROM campaigns_segmentwatch; DELETE FROM campaigns_journeywatch; DELETE FROM campaigns_campaignbook"
# Their run is nobody's: what a transaction leaves is never looked at by keys that are checked at its end.
_IN_A_CAMPAIGN: Final = """
INSERT INTO campaigns_campaignmember (run_id, member_id, letter, state, code, try_count)
SELECT 1, id, 'A', 'done', '', 0 FROM members_member WHERE id % 2 = 0
"""
_STORE: Final = """
INSERT INTO guides_region (name, path) VALUES ('all', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's', 'S', 'store', (SELECT min(id) FROM guides_region), '', '', '[]', true
"""
_ORDER: Final = """
INSERT INTO sales_sale (public_id, source, order_no, revision, is_current, digest, member_id, store_id, channel, sold_at,
    business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first, points_round,
    spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome, recorded_at)
SELECT {kind} || id, 'pos', {kind} || id, 0, true, '\\x00', id, 1, 'store', now(), current_date,
       100, 100, 1, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, '', now()
FROM members_member
"""
_MEMBERS: Final = f"FROM members_member ORDER BY id LIMIT {_MANY}"
_EFFECTS: Final = (
    f"""WITH account AS (
    INSERT INTO members_pointsaccount AS mine (member_id, balance, frozen, debt_allowed, opened_at)
    SELECT id, 1, 0, 0, now() {_MEMBERS}
    ON CONFLICT (member_id) DO UPDATE SET balance = mine.balance + excluded.balance RETURNING id), entry AS (
    INSERT INTO members_pointsentry (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT id, id, 'earn', 1, 1, '', 'k:' || id, now(), '', 1 FROM account RETURNING id, account_id)
INSERT INTO members_pointslot (account_id, entry_id, granted, remaining) SELECT account_id, id, 1, 1 FROM entry""",
    f"""INSERT INTO members_membertier (member_id, since) SELECT id, current_date {_MEMBERS}""",
    f"""INSERT INTO sales_membermetrics (member_id, computed_on, order_count, amount_fen, unit_count, year_order_count,
    year_amount_fen, year_unit_count, kept_order_count, kept_amount_fen, basket_fen, categories, stage, interval_tier)
SELECT id, current_date, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{{}}', 'unbought', 'unbought' {_MEMBERS}
ON CONFLICT (member_id) DO UPDATE SET computed_on = excluded.computed_on""",
)
_EACH: Final = f"""
DO $$ DECLARE who bigint; BEGIN
    FOR who IN SELECT id FROM members_member ORDER BY id DESC LIMIT {_FEW} LOOP {{work}}; END LOOP;
END $$
"""
_MANY_OF_THEM: Final = f"id IN (SELECT id FROM sales_sale WHERE order_no < 'b' ORDER BY id LIMIT {_MANY})"
_EACH_OF_THEM: Final = """
DO $$ DECLARE which bigint; BEGIN
    FOR which IN SELECT id FROM sales_sale WHERE order_no > 'b' LOOP {work}; END LOOP;
END $$
"""
_BACK: Final = "UPDATE sales_sale SET returned_fen = 50, returned_unit_count = 1 WHERE "
# Name, how many in it, statements in the order in which each finds what it needs, limits of quiet and all.
_WORKS: Final[dict[str, tuple[str, int, tuple[str, ...], float, float]]] = {
    "slice": (
        f"a slice of {_MANY:,} orders", _MANY,
        (_ORDER.format(kind="'a'") + f"ORDER BY id LIMIT {_MANY}", *_EFFECTS), 1.25, 1.6,
    ),
    "order": ("one order", _FEW, (_EACH.format(work=_ORDER.format(kind="'b'") + "WHERE id = who"),), 1.25, 2.0),
    "returns": (f"{_MANY:,} returns of a batch", _MANY, (_BACK + _MANY_OF_THEM,), 1.25, 1.5),
    "return": ("one return", _FEW, (_EACH_OF_THEM.format(work=_BACK + "id = which"),), 2, 3),
    "rewards": (
        f"points written to {_MANY:,} orders", _MANY,
        ("UPDATE sales_sale SET points_earned = 1 WHERE " + _MANY_OF_THEM,), 1.25, 1.5,
    ),
}  # fmt: skip


def bench() -> Report:
    """On one server of its own. Raises RuntimeError when a way left notes of another kind than it should."""
    found: dict[str, dict[str, list[float]]] = {work: {way: [] for way in _WAYS} for work in _WORKS}
    with private_database() as private, psycopg.connect(private.environment["DATABASE_URL"]) as connection:
        private.connection.execute(_STORE)
        private.connection.execute(FILLER, {"count": 2 * _MANY, "stage": "member"})
        private.connection.execute("VACUUM ANALYZE")
        for number in range(-1, _ROUNDS):
            # Whoever comes first in a round finds the colder pages; the first round is not counted.
            turn = number % len(_WAYS)
            for way in _WAYS[turn:] + _WAYS[:turn]:
                _set(connection, way)
                for work, (_name, count, statements, *_limits) in _WORKS.items():
                    took = _timed(connection, statements)
                    if number >= 0:
                        found[work][way].append(took * 1e6 / count)
                _check(connection, way)
                connection.rollback()
                private.connection.execute(f"VACUUM {', '.join(_TABLES)}")
    return _report(found)


def _set(connection: "psycopg.Connection[Any]", way: str) -> None:
    """Which triggers there are, and who watches, until the transaction is rolled back."""
    kinds = [way] if way in _KINDS else [] if way == "off" else list(_KINDS)
    which = " OR ".join(_KINDS[kind][0] for kind in kinds) or "false"
    any_of = " OR ".join(pattern for pattern, _table in _KINDS.values())
    for (words,) in connection.execute(
        _TRIGGERS.format(which=which, any=any_of), {"tables": list(_TABLES)}
    ).fetchall():
        connection.execute(words)
    connection.execute(_QUIET)
    if way not in ("off", "quiet"):
        connection.execute(_WATCHING)
        connection.execute(_IN_A_CAMPAIGN)


def _timed(connection: "psycopg.Connection[Any]", statements: tuple[str, ...]) -> float:
    """Seconds of the work."""
    began = time.perf_counter()
    for statement in statements:
        connection.execute(statement)
    return time.perf_counter() - began


def _check(connection: "psycopg.Connection[Any]", way: str) -> None:
    for kind, (_pattern, table) in _KINDS.items():
        [notes] = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or [0]
        if bool(notes) != (way in (kind, "all") or (kind == _ALWAYS and way == "quiet")):
            raise RuntimeError(f"{notes} notes for {kind} when {way}")


def _report(found: dict[str, dict[str, list[float]]]) -> Report:
    figures = []
    for work, (name, _count, _statements, quiet, everything) in _WORKS.items():
        for way in _WAYS[1:]:
            pairs = zip(found[work][way], found[work]["off"], strict=True)
            ratio = statistics.median(ours / floor for ours, floor in pairs)
            floor, ours = (spread(found[work][each], 1) for each in ("off", way))
            limit = {"quiet": quiet, "all": everything}.get(way)
            target = "–" if limit is None else f"≤ {limit:g}"
            figures.append(
                Figure(
                    f"{name}, {way}, µs each",
                    floor,
                    ours,
                    ratio,
                    target,
                    None if limit is None else ratio <= limit,
                )
            )
    return Report(tuple(figures), (f"{_ROUNDS} rounds; the floor has the triggers disabled",), found)
