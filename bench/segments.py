"""Segments: counting and working out by rules, against SQL written by hand and DuckDB, and following members who changed.

On BENCH_MEMBERS_COUNT members (20,000 unless it is set) with five orders each, in turns: three rules are counted as a
page counts them, by hand-written SQL over the same rows, and by DuckDB over a copy; the first one also in the form that
ORM annotations over documents write. Then each is worked out into a segment, against INSERT … SELECT by hand into the same
table, and followed after 1 % of the members changed, against the same worked out whole.
"""

import os
import time
from pathlib import Path
from typing import Any, Final

import duckdb
import psycopg

from bench.figures import Figure, Report, at_most, spread
from bench.private import LONG_MS, private_database
from bench.sales_metrics import SEED
from core import clock

_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "20000"))
_ROUNDS: Final = int(os.environ.get("BENCH_SEGMENT_ROUNDS", "5"))
_COUNT_LIMIT: Final = 1.3
_LIVE_LEAST: Final = 10.0
_MORE: Final = """
INSERT INTO sales_category (code, name) SELECT 'c' || n, '' FROM generate_series(0, 11) n;
INSERT INTO members_taggroup (name, "order", is_exclusive) VALUES ('group', 0, false);
INSERT INTO members_tag (group_id, name, origin, is_active)
SELECT (SELECT id FROM members_taggroup), 'tag ' || n, 'manual', true FROM generate_series(1, 5) n;
INSERT INTO members_membertag (member_id, tag_id, tagged_at, tagged_by, origin, removed_by)
SELECT member.id, tag.id, now(), '', 'manual', '' FROM members_member member, members_tag tag WHERE random() < 0.15;
INSERT INTO sales_membermetrics (member_id, computed_on, first_on, last_on, order_count, amount_fen, unit_count,
    year_order_count, year_amount_fen, year_unit_count, kept_order_count, kept_amount_fen, basket_fen, categories,
    rfm_group, coming_group, stage, interval_tier)
SELECT member_id, current_date, min(business_on), max(business_on), count(*), sum(amount_fen), sum(unit_count), count(*),
       sum(amount_fen), 0, 0, 0, avg(amount_fen), '{}', (random() * 7)::int, 0, 'active', 'core'
FROM sales_sale GROUP BY member_id;
"""
# Rule, SQL by hand over the tables as they are (in PostgreSQL and DuckDB), both with the same members.
_RULES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "metrics": (
        {"all": [
            {"is": "sales.amount", "with": {"amount": {"at_least": 100_000}}},
            {"is": "sales.last", "with": {"when": {"last_days": 90}}},
            {"is": "sales.orders", "with": {"count": {"at_least": 3}}},
        ]},
        "SELECT m.id FROM members_member m JOIN sales_membermetrics x ON x.member_id = m.id"
        " WHERE m.merged_into_id IS NULL AND m.stage <> 'erased' AND x.amount_fen >= 100000 AND x.order_count >= 3"
        " AND x.last_on BETWEEN DAY - 89 AND DAY",
    ),
    "mixed": (
        {"all": [
            {"any": [
                {"is": "members.tag", "with": {"tags": [1, 2]}},
                {"is": "sales.rfm_group", "with": {"groups": [7, 6]}},
            ]},
            {"none": [{"is": "sales.last", "with": {"when": {"last_days": 30}}}]},
        ]},
        "SELECT m.id FROM members_member m LEFT JOIN sales_membermetrics x ON x.member_id = m.id"
        " LEFT JOIN (SELECT DISTINCT member_id FROM members_membertag WHERE removed_at IS NULL AND tag_id IN (1, 2)) t"
        " ON t.member_id = m.id"
        " WHERE m.merged_into_id IS NULL AND m.stage <> 'erased' AND (t.member_id IS NOT NULL OR x.rfm_group IN (6, 7))"
        " AND (x.last_on IS NULL OR x.last_on < DAY - 29)",
    ),
    "orders": (
        {"all": [
            {"is": "sales.purchases", "with": {
                "when": {"last_days": 365}, "categories": ["c3"], "amount": {"at_least": 30_000}}},
            {"none": [{"is": "members.tag", "with": {"tags": [3]}}]},
        ]},
        "SELECT m.id FROM members_member m JOIN (SELECT s.member_id FROM sales_saleline l JOIN sales_sale s ON s.id = l.sale_id"
        " WHERE s.is_current AND s.business_on BETWEEN DAY - 364 AND DAY AND l.category_code = 'c3'"
        " AND l.returned_quantity < l.quantity GROUP BY s.member_id HAVING sum(l.amount_fen - l.returned_fen) >= 30000) b"
        " ON b.member_id = m.id"
        " WHERE m.merged_into_id IS NULL AND m.stage <> 'erased' AND NOT EXISTS (SELECT 1 FROM members_membertag t"
        " WHERE t.member_id = m.id AND t.removed_at IS NULL AND t.tag_id = 3)",
    ),
}  # fmt: skip
# What ORM annotations over the documents write for the first rule.
_LIVE: Final = (
    "SELECT count(*) FROM members_member m WHERE m.merged_into_id IS NULL AND m.stage <> 'erased'"
    " AND (SELECT sum(s.amount_fen - s.returned_fen) FROM sales_sale s WHERE s.member_id = m.id AND s.is_current) >= 100000"
    " AND (SELECT count(*) FROM sales_sale s WHERE s.member_id = m.id AND s.is_current) >= 3"
    " AND (SELECT max(s.business_on) FROM sales_sale s WHERE s.member_id = m.id AND s.is_current) >= DAY - 89"
)
_JOB: Final = """
import json, sys, time, django
django.setup()
from django.db import connection
from campaigns import services
from campaigns.models import Segment, SegmentMember, SegmentTouch
from campaigns.selectors import segments
from campaigns.selectors.segments import people
from core.actor import Actor
people.PATIENCE_MS = 600_000
told = json.load(sys.stdin)
actor, found = Actor.system("bench"), {}
def timed(work):
    began = time.monotonic()
    answer = work()
    return time.monotonic() - began, answer
def run(text):
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()[0] if cursor.description else cursor.rowcount
for number, (name, (rule, hand)) in enumerate(told["rules"].items()):
    tree = segments.read_rule(rule)
    by_hand = f"SELECT count(*) FROM ({hand}) hand"
    sides = {"ours": lambda: segments.count_members(tree).member_count, "floor": lambda: run(by_hand)}
    for work in sides.values():
        work()  # a process that has just begun reads its own words first
    timed_sides = {side: timed(sides[side]) for side in list(sides)[:: 1 if int(told["turn"]) % 2 else -1]}
    (ours, counted), (floor, expected) = timed_sides["ours"], timed_sides["floor"]
    assert counted == expected, (name, counted, expected)
    insert = f"INSERT INTO campaigns_segmentmember (segment_id, member_id, entered_at) SELECT 0, id, now() FROM ({hand}) hand"
    filled_hand, _count = timed(lambda: run(insert))
    run("DELETE FROM campaigns_segmentmember WHERE segment_id = 0")
    row = Segment.objects.filter(name=name).first()
    if row is None:
        services.create_segment(name=name, kind="living", rule=rule, actor=actor)
        row = Segment.objects.get(name=name)
    SegmentMember.objects.filter(segment=row).delete()
    Segment.objects.filter(pk=row.pk).update(due_at="2020-01-01T00:00:00Z", filled_at=None, member_count=0, is_active=True)
    run("VACUUM campaigns_segmentmember")
    filled, _moved = timed(lambda: services.fill_segment(segment_id=row.pk))
    assert SegmentMember.objects.filter(segment=row).count() == expected
    Segment.objects.filter(pk=row.pk).update(due_at=None)
    services.work_segments()
    # One in a hundred bought today, and has another tag.
    some = " WHERE member_id % 100 = " + told["turn"]
    run("UPDATE sales_membermetrics SET amount_fen = amount_fen + 50000, last_on = current_date" + some)
    run("UPDATE members_membertag SET removed_at = now()" + some + " AND tag_id = 1")
    run("UPDATE sales_sale SET returned_fen = 0" + some)
    notes = SegmentTouch.objects.count()
    Segment.objects.update(due_at=None)
    followed, _moved = timed(services.work_segments)
    assert not SegmentTouch.objects.exists()
    again = segments.members_sql(tree)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({again.text}) again", again.params)
        assert cursor.fetchone()[0] == SegmentMember.objects.filter(segment=row).count()
    Segment.objects.filter(pk=row.pk).update(due_at="2020-01-01T00:00:00Z")
    whole, _moved = timed(lambda: services.fill_segment(segment_id=row.pk))
    Segment.objects.filter(pk=row.pk).update(is_active=False)
    found[name] = dict(count=ours, count_hand=floor, fill=filled, fill_hand=filled_hand, follow=followed, whole=whole,
                       members=expected, notes=notes)
found["live"] = timed(lambda: run(told["live"]))[0]
print(json.dumps(found))
"""


def bench() -> Report:
    """Rounds in turns on the same rows. Raises RuntimeError when hand-written SQL or DuckDB find other members."""
    rounds: list[dict[str, Any]] = []
    with private_database(statement_timeout_ms=LONG_MS) as private:
        connection = private.connection
        connection.execute(SEED.format(members=_MEMBERS))
        connection.execute(_MORE)
        connection.execute("VACUUM ANALYZE")
        for turn in range(_ROUNDS):
            duck = _copied(connection, private.home)
            told = {
                "rules": {name: (rule, _today(hand)) for name, (rule, hand) in _RULES.items()},
                "live": _today(_LIVE),
                "turn": str(turn),
            }
            duck_times = {name: _timed(duck, _today(hand)) for name, (_rule, hand) in _RULES.items()}
            found = private.ask(_JOB, told)
            for name, (seconds, count) in duck_times.items():
                # The first rule's round changes rows that the others' copy does not have.
                if name == "metrics" and count != found[name]["members"]:
                    raise RuntimeError(f"DuckDB counts something else: {count} and {found[name]}")
                found[name]["duck"] = seconds
            rounds.append(found)
            connection.execute("VACUUM ANALYZE")
    return _report(rounds)


def _today(text: str) -> str:
    return text.replace("DAY", f"DATE '{clock.today()}'")


def _copied(connection: "psycopg.Connection[Any]", home: Path) -> Any:
    """The same tables in DuckDB."""
    duck = duckdb.connect()
    for table in (
        "members_member",
        "sales_membermetrics",
        "members_membertag",
        "sales_sale",
        "sales_saleline",
    ):
        path = home / f"{table}.csv"
        with path.open("wb") as file, connection.cursor().copy(f"COPY {table} TO STDOUT CSV HEADER") as copy:
            for block in copy:
                file.write(block)
        duck.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}')")
        path.unlink()
    return duck


def _timed(duck: Any, hand: str) -> tuple[float, int]:
    began = time.monotonic()
    [count] = duck.execute(f"SELECT count(*) FROM ({hand}) hand").fetchone()
    return time.monotonic() - began, count


def _report(rounds: list[dict[str, Any]]) -> Report:
    figures: list[Figure] = []
    for name in _RULES:
        found = {key: [one[name][key] for one in rounds] for key in rounds[0][name]}

        def against(ours: str, floor: str, found: dict[str, list[float]] = found) -> list[float]:
            return [one / other for one, other in zip(found[ours], found[floor], strict=True)]

        def line(
            words: str, ours: str, floor: str, limit: float, found: dict[str, list[float]] = found
        ) -> Figure:
            shown = [[each * 1000 for each in found[key]] for key in (floor, ours)]
            return at_most(words, spread(shown[0]), spread(shown[1]), against(ours, floor, found), limit)

        figures += [
            line(f"{name}: count against SQL by hand, ms", "count", "count_hand", _COUNT_LIMIT),
            line(f"{name}: worked out against INSERT by hand, ms", "fill", "fill_hand", _COUNT_LIMIT),
            Figure(
                f"{name}: count against DuckDB, ms",
                spread([each * 1000 for each in found["duck"]]),
                spread([each * 1000 for each in found["count"]]),
                sorted(against("count", "duck"))[len(rounds) // 2],
            ),
            Figure(
                f"{name}: 1 % of members followed against whole, ms",
                spread([each * 1000 for each in found["whole"]]),
                spread([each * 1000 for each in found["follow"]]),
                sorted(against("follow", "whole"))[len(rounds) // 2],
            ),
        ]
    live = sorted(one["live"] / one["metrics"]["count"] for one in rounds)[len(rounds) // 2]
    figures.append(
        Figure(
            "metrics: the form of ORM annotations against the count, ms",
            spread([one["live"] * 1000 for one in rounds]),
            spread([one["metrics"]["count"] * 1000 for one in rounds]),
            live,
            f"≥ {_LIVE_LEAST:g}",
            live >= _LIVE_LEAST,
        )
    )
    sizes = ", ".join(f"{name} {rounds[0][name]['members']:,}" for name in _RULES)
    return Report(tuple(figures), (f"{_MEMBERS:,} members, {_ROUNDS} rounds; {sizes}",), rounds)
