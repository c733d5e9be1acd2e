"""The nine numbers' page against the same numbers added up from the orders by hand, and what keeping them costs.

On BENCH_MEMBERS_COUNT members (20,000 unless it is set) with some five orders each over two years, in 500 stores with a guide
each, in turns: twelve periods and the one a year before as the page asks for them, and one GROUP BY over the orders; what a
member costs in a fold of one, a hundred, a thousand and ten thousand of whom an order changed, and in a statement that only
adds up what those bought. What the first pass over all members takes is printed, and what a proof does. Two cells are counted as
segments, against the days grouped by member by hand: medians of fifteen each in one process, after three that are not counted.
"""

import os
import statistics
import time
from typing import Final

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.private import LONG_MS, Private, private_database
from bench.sales_metrics import SEED

_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "20000"))
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "5"))
_TARGET: Final = 30
_FOLDED: Final = (1, 100, 1_000, 10_000)
GUIDES: Final = """
INSERT INTO guides_guide (public_id, number, name, store_id, role, state, joined_on, session_epoch)
SELECT 'g' || id, 'G' || id, 'guide ' || id, id, 'guide', 'active', current_date, 1 FROM guides_store;
INSERT INTO guides_binding (member_id, guide_id, store_id, bound_at, source, bound_by, reason, ended_by, end_reason)
SELECT member.id, guide.id, guide.store_id, now() - interval '1 year', 'scan', '', '', '', ''
FROM members_member member JOIN guides_guide guide ON guide.store_id = (SELECT min(id) FROM guides_store) + member.id % 500
WHERE member.id % 10 < 7
"""
# Who bought in a period, and when before it: the last day of the period in which she bought last.
_BY_HAND: Final = """
SELECT starts_on, CASE WHEN before IS NULL THEN 'new' WHEN starts_on - before <= 30 THEN 'returning' ELSE 'dormant' END,
       count(*), sum(orders)::bigint, sum(fen)::bigint
FROM (SELECT member_id, date_trunc('{period}', business_on)::date AS starts_on,
             count(*){here} AS orders, sum(amount_fen - returned_fen){here} AS fen,
             lag(max(business_on)) OVER (PARTITION BY member_id ORDER BY date_trunc('{period}', business_on)::date) AS before
      FROM sales_sale
      WHERE is_current AND returned_unit_count < unit_count AND member_id IS NOT NULL {who} GROUP BY 1, 2) bought
WHERE orders > 0 AND starts_on IN (
    SELECT date_trunc('{period}', (now() AT TIME ZONE 'Asia/Shanghai')::date - n * interval '1 {step}')::date
    FROM generate_series(0, {last}, {by}) n)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_STEPS: Final = {
    "day": ("day", 11, 1),
    "week": ("week", 11, 1),
    "month": ("month", 11, 1),
    "quarter": ("month", 33, 3),
}
_KEEP: Final = """
import time, django
django.setup()
from core.actor import Actor
from sales import services
from sales.models import MemberDayTouch, NineFold
actor = Actor.system("bench")
began = time.monotonic()
while not NineFold.objects.filter(cursor__isnull=True).exists() or MemberDayTouch.objects.exists():
    services.work_nine(actor=actor)
taken = time.monotonic() - began
began = time.monotonic()
services.prove_nine(actor=actor)
print(taken, time.monotonic() - began)
"""
# The newest order of each of these members is returned in part.
_FOLD: Final = """
import sys, time, django
django.setup()
from django.db import connection
from core.actor import Actor
from sales import services
from sales.models import MemberDayTouch
actor, ids = Actor.system("bench"), [int(word) for word in sys.argv[1].split(",")]
def fold(fen):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sales_sale SET returned_fen = %s WHERE id IN (SELECT max(id) FROM sales_sale"
                       " WHERE member_id = ANY(%s) GROUP BY member_id)", [fen, ids])
    began = time.monotonic()
    while MemberDayTouch.objects.exists():
        services.work_nine(actor=actor)
    return time.monotonic() - began
fold(100)
print(fold(50))
"""
# What those members' days add up to, in each kind of period, of the chain and of each store: the least there is to know.
_RECOUNT: Final = """
SELECT count(*) FROM (
    SELECT period, starts_on, store_id, count(DISTINCT member_id), sum(orders), sum(fen), count(before)
    FROM (SELECT member_id, store_id, business_on, count(*) AS orders, sum(amount_fen - returned_fen) AS fen,
                 lag(business_on) OVER (PARTITION BY member_id ORDER BY business_on) AS before
          FROM sales_sale
          WHERE is_current AND member_id = ANY('{{{ids}}}'::bigint[])
          GROUP BY 1, 2, 3) bought
    CROSS JOIN LATERAL (VALUES ('day', business_on), ('week', date_trunc('week', business_on)::date),
        ('month', date_trunc('month', business_on)::date), ('quarter', date_trunc('quarter', business_on)::date)
        ) span (period, starts_on)
    GROUP BY GROUPING SETS ((period, starts_on), (period, starts_on, store_id))) summed
"""
_ASK: Final = """
import sys, time, datetime as dt, django
django.setup()
from django.db import connection
from core import clock
from sales import selectors
scope, ref, period = sys.argv[1], int(sys.argv[2]), sys.argv[3]
span = selectors.span_of(period, clock.today())
selectors.get_nine(scope=scope, ref=ref, span=span)
began = time.monotonic()
for _number in range(50):
    board = selectors.get_nine(scope=scope, ref=ref, span=span)
taken = (time.monotonic() - began) / 50
whole = [column.whole for column in board.trend]
print(taken, sum(one.buyer_count for one in whole), sum(one.order_count for one in whole), sum(one.net_fen for one in whole))
"""
# The members of a cell as the rule of a segment, and by hand from the days.
_CELL: Final = """
import json, statistics, sys, time, datetime as dt, django
django.setup()
from django.db import connection
from campaigns.selectors import segments
from campaigns.selectors.segments import people
from core import clock
from sales import selectors
people.PATIENCE_MS = 600_000
told = json.load(sys.stdin)
span = selectors.span_of(told["period"], clock.today())
when = {"from": span.starts_on.isoformat(), "until": (span.ends_on - dt.timedelta(days=1)).isoformat()}
tree = segments.read_rule({"is": "sales.came", "with": told["values"] | {"when": when}})
def by_hand():
    with connection.cursor() as cursor:
        asleep = span.starts_on - dt.timedelta(days=30)
        cursor.execute(told["hand"], {"first": span.starts_on, "end": span.ends_on, "asleep": asleep})
        return cursor.fetchone()[0]
wanted = segments.members_sql(tree)
def statement():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({wanted.text}) AS wanted", wanted.params)
        return cursor.fetchone()[0]
def whole():
    return segments.count_members(tree).member_count
sides = {"floor": by_hand, "ours": statement, "whole": whole}
taken, said = {name: [] for name in sides}, {}
for number in range(-3, told["times"]):
    for name in list(sides)[:: 1 if (number + told["turn"]) % 2 else -1]:
        began = time.monotonic()
        said[name] = sides[name]()
        if number >= 0:  # before that the process and the server read their own words and the pages
            taken[name].append(time.monotonic() - began)
assert len(set(said.values())) == 1, said
taken = {name: statistics.median(times) for name, times in taken.items()}
print(json.dumps(taken | {"members": said["ours"]}))
"""
_CELL_HAND: Final = """
SELECT count(*) FROM (
    SELECT member_id FROM sales_memberday WHERE day >= %(first)s AND day < %(end)s {who}
    GROUP BY 1 HAVING min(coalesce(previous_on, date '0001-01-01')) {stood} {bought}) came
JOIN members_member m ON m.id = came.member_id AND m.merged_into_id IS NULL AND m.stage <> 'erased'
"""
_CELL_LIMIT: Final = 1.3
_CELL_TIMES: Final = 15


def bench() -> Report:
    """Rounds in turns. Raises RuntimeError when the two ends count differently."""
    with private_database(statement_timeout_ms=LONG_MS) as private:
        private.connection.execute(SEED.format(members=_MEMBERS))
        private.connection.execute(GUIDES)
        private.connection.execute("VACUUM ANALYZE")
        first, proof = map(float, private.job(_KEEP))
        print(f"  the first pass took {first:.0f} s, a proof {proof:.0f} s", flush=True)
        private.connection.execute("VACUUM ANALYZE sales_memberday, sales_ninetotal, sales_memberdaytouch")
        folds = [_folded(private, count) for count in _FOLDED if count <= _MEMBERS // 2]
        [store] = private.state("SELECT min(id) FROM guides_store")
        cells = [figure for cell in _cells(private) for figure in _cell(private, *cell)]
        asked = [("chain", 0, period) for period in _STEPS] + [("store", store, "month")]
        figures = [_against(private, *question) for question in asked]
        [days, totals] = private.state(
            "SELECT (SELECT count(*) FROM sales_memberday), (SELECT count(*) FROM sales_ninetotal)"
        )
    kept = (
        Figure("the first pass over all members, s", "–", f"{first:.1f}"),
        Figure("a proof of this quarter and the last, s", "–", f"{proof:.1f}"),
    )
    note = (
        f"{_MEMBERS:,} members, {_MEMBERS * 5:,} orders, {days:,} days, {totals:,} totals, {_ROUNDS} rounds"
    )
    return Report((*figures, *cells, *folds, *kept), (note,))


def _cells(private: Private) -> list[tuple[str, str, dict[str, object], str]]:
    """Name, period, values of the condition, SQL by hand: who slept and came this quarter, anywhere; who bought in a store."""
    [code, store] = private.state("SELECT code, id FROM guides_store ORDER BY id LIMIT 1")
    asleep = _CELL_HAND.format(who="", stood="BETWEEN date '0001-01-02' AND %(asleep)s::date - 1", bought="")
    bought = _CELL_HAND.format(
        who=f"AND member_id IN (SELECT member_id FROM sales_memberday WHERE store_ref = {store} AND day >= %(first)s)",
        stood=">= %(asleep)s",
        bought=f"AND coalesce(sum(order_count) FILTER (WHERE store_ref = {store}), 0) > 0",
    )
    return [
        ("sleepers who came in the quarter", "quarter", {"stood": ["dormant"]}, asleep),
        (
            "returning ones who bought in a store in the month",
            "month",
            {"stood": ["returning"], "did": "bought", "stores": [code]},
            bought,
        ),
    ]


def _cell(
    private: Private, name: str, period: str, values: dict[str, object], hand: str
) -> tuple[Figure, Figure]:
    """The statement of the segment against the one by hand; and what a count takes besides, however many are counted: the
    rule is compiled, shops are looked up, and the statement is given a time limit."""
    told = {"period": period, "values": values, "hand": hand, "times": _CELL_TIMES}
    rounds = [private.ask(_CELL, told | {"turn": turn}) for turn in range(_ROUNDS)]
    floors, ours = ([1000 * one[side] for one in rounds] for side in ("floor", "ours"))
    found = [one / floor for one, floor in zip(ours, floors, strict=True)]
    label = f"{rounds[0]['members']:,} {name} as a segment"
    besides = [1000 * (one["whole"] - one["ours"]) for one in rounds]
    return (
        at_most(f"{label}, ms", spread(floors, 1), spread(ours, 1), found, _CELL_LIMIT),
        Figure(f"{label}, ms of a count besides its statement", "–", spread(besides, 1)),
    )


def _folded(private: Private, count: int) -> Figure:
    """What a member costs in a fold of so many, from all over the table: that must not grow."""
    [ids] = private.state(
        "SELECT string_agg(member_id::text, ',') FROM (SELECT member_id FROM (SELECT DISTINCT member_id FROM sales_sale) bought"
        f" ORDER BY hashint8(member_id) LIMIT {count}) chosen"
    )
    floors, ours = [], []
    for number in range(_ROUNDS):
        for is_ours in (False, True) if number % 2 == 0 else (True, False):
            if is_ours:
                [taken] = private.job(_FOLD, ids)
                ours.append(float(taken))
            else:
                floors.append(private.timed([_RECOUNT.format(ids=ids)]))
    print(f"  a fold of {count:,} members took {statistics.median(ours):.2f} s", flush=True)
    return Figure(
        f"a member of a fold of {count:,}, ms",
        spread([one * 1000 / count for one in floors], 3), spread([one * 1000 / count for one in ours], 3),
        statistics.median(ratios(floors, ours)), "–", None,
    )  # fmt: skip


def _against(private: Private, scope: str, ref: int, period: str) -> Figure:
    step, last, by = _STEPS[period]
    here = f" FILTER (WHERE store_id = {ref})" if scope == "store" else ""
    who = f"AND member_id IN (SELECT member_id FROM sales_sale WHERE store_id = {ref})" if here else ""
    statement = _BY_HAND.format(period=period, step=step, last=last, by=by, here=here, who=who)
    floors, ours = [], []
    for number in range(_ROUNDS):
        for is_ours in (False, True) if number % 2 == 0 else (True, False):
            if is_ours:
                taken, *said = private.job(_ASK, scope, str(ref), period)
                ours.append(float(taken))
            else:
                began = time.monotonic()
                rows = private.connection.execute(statement).fetchall()
                floors.append(time.monotonic() - began)
                counted = [sum(int(row[column]) for row in rows) for column in (2, 3, 4)]
        if counted != [int(word) for word in said]:
            raise RuntimeError(f"{scope} by {period}: by hand {counted}, ours {said}")
    found = ratios(floors, ours)
    ratio = statistics.median(found)
    return Figure(
        f"twelve periods of the {scope} by {period}, ms",
        spread([one * 1000 for one in floors], 1), spread([one * 1000 for one in ours], 2),
        ratio, f"≥ {_TARGET}" if _MEMBERS >= 1_000_000 else "–",
        ratio >= _TARGET if _MEMBERS >= 1_000_000 else None,
    )  # fmt: skip
