"""The nine numbers' page against the same numbers added up from the orders by hand, and what keeping them costs.

On BENCH_MEMBERS_COUNT members (20,000 unless it is set) with some five orders each over two years, in 500 stores with a guide
each, in turns: twelve periods and the one a year before as the page asks for them, and one GROUP BY over the orders. What the
first pass over all members takes is printed, and what a fold of a thousand members who bought, and of one.
"""

import os
import statistics
import time
from typing import Final

from bench.figures import Figure, Report, ratios, spread
from bench.private import Private, private_database
from bench.sales_metrics import SEED

_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "20000"))
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "5"))
_TARGET: Final = 30
_GUIDES: Final = """
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
began = time.monotonic()
services.work_nine(actor=Actor.system("bench"))
print(time.monotonic() - began)
"""
_FOLD: Final = """
import time, django
django.setup()
from core.actor import Actor
from sales import services
from sales.models import Sale
actor = Actor.system("bench")
def fold(count):
    ids = Sale.objects.order_by("-pk").values("pk")[:count]
    Sale.objects.filter(pk__in=ids).update(returned_fen=100)
    began = time.monotonic()
    services.work_nine(actor=actor)
    taken = time.monotonic() - began
    Sale.objects.filter(pk__in=ids).update(returned_fen=0)
    services.work_nine(actor=actor)
    return taken
fold(1)
print(fold(1), fold(1000))
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


def bench() -> Report:
    """Rounds in turns. Raises RuntimeError when the two ends count differently."""
    with private_database() as private:
        private.environment["STATEMENT_TIMEOUT_MS"] = "600000"
        private.connection.execute(SEED.format(members=_MEMBERS))
        private.connection.execute(_GUIDES)
        private.connection.execute("VACUUM ANALYZE")
        [first] = private.job(_KEEP)
        print(f"  the first pass took {float(first):.0f} s", flush=True)
        private.connection.execute("VACUUM ANALYZE sales_memberday, sales_ninetotal, sales_memberdaytouch")
        one, thousand = map(float, private.job(_FOLD))
        [store] = private.state("SELECT min(id) FROM guides_store")
        asked = [("chain", 0, period) for period in _STEPS] + [("store", store, "month")]
        figures = [_against(private, *question) for question in asked]
        [days, totals] = private.state(
            "SELECT (SELECT count(*) FROM sales_memberday), (SELECT count(*) FROM sales_ninetotal)"
        )
    kept = (
        Figure("the first pass over all members, s", "–", f"{float(first):.1f}"),
        Figure("a fold of one member who returned something, ms", "–", f"{one * 1000:.0f}"),
        Figure("a fold of a thousand orders' members, ms", "–", f"{thousand * 1000:.0f}"),
    )
    note = (
        f"{_MEMBERS:,} members, {_MEMBERS * 5:,} orders, {days:,} days, {totals:,} totals, {_ROUNDS} rounds"
    )
    return Report((*figures, *kept), (note,))


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
