"""Facts that nobody told: what the jobs pay that look for them, against SQL written by hand.

A week of bindings that members made themselves, BENCH_FACTS_COUNT of them (20,000 unless it is set), in a chain of two hundred
guides. Three runs of `catch_up_facts` as the job of six hours makes it: none of them is counted yet; all of them are;
and, as the job of each minute makes it, with an hour's look back. The floors: one INSERT … SELECT of the same entries and one of
what they move, in one transaction; and the anti-join that finds that nothing is missing.
"""

import os
import statistics
from typing import Final

from bench.figures import Figure, Report, ratios, spread
from bench.private import FILLER, Private, private_database

_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 3)
_FACTS: Final = int(os.environ.get("BENCH_FACTS_COUNT") or 20_000)
_CHAIN: Final = (
    "INSERT INTO guides_region (name, path) VALUES ('全国', '/1/')",
    """
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's' || n, 'S' || n, '店' || n, (SELECT min(id) FROM guides_region), '', '', '[]', true FROM generate_series(1, 40) n
""",
    """
INSERT INTO guides_guide (public_id, number, name, store_id, role, state, joined_on, session_epoch)
SELECT 'g' || n, 'G' || n, '导购' || n, (SELECT min(id) FROM guides_store) + n % 40, 'guide', 'active', '2020-01-01', 1
FROM generate_series(1, 200) n
""",
)
_BINDINGS: Final = """
INSERT INTO guides_binding (member_id, guide_id, store_id, bound_at, source, bound_by, reason, ended_by, end_reason)
SELECT member.id, guide.id, guide.store_id, now() - interval '1 minute' - member.n * interval '6 days' / {count},
       'scan', '', '', '', ''
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM members_member) member
JOIN guides_guide guide ON guide.id = (SELECT min(id) FROM guides_guide) + member.n % 200
"""
_EMPTY: Final = "TRUNCATE sales_performanceentry, sales_totalmove RESTART IDENTITY CASCADE"
_JOB: Final = """
import sys, time, django
django.setup()
import datetime as dt
from sales import services
began = time.monotonic()
count = services.catch_up_facts(look_back=dt.timedelta(hours=int(sys.argv[1])))
print(count, time.monotonic() - began)
"""
_FLOOR: Final = (
    """
INSERT INTO sales_performanceentry (booked_on, due_on, guide_id, store_id, metric, value, fact_kind, fact_ref, fact_turn, reason,
                                    at)
SELECT day, day, guide_id, store_id, 'new_binding_count', 1, 'binding', id, 0, 'binding', now()
FROM (SELECT *, (bound_at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM guides_binding
      WHERE source = 'scan' AND bound_at >= now() - interval '7 days') won ORDER BY id
""",
    """
INSERT INTO sales_totalmove (booked_on, guide_ref, store_ref, metric, value)
SELECT booked_on, coalesce(guide_id, 0), store_id, metric, sum(value) FROM sales_performanceentry GROUP BY 1, 2, 3, 4
""",
)
_LOOK: Final = """
SELECT count(*) FROM guides_binding won WHERE source = 'scan' AND bound_at >= now() - interval '7 days' AND NOT EXISTS
    (SELECT FROM sales_performanceentry WHERE fact_kind = 'binding' AND fact_ref = won.id)
"""


def bench() -> Report:
    """Rounds in turns. Raises RuntimeError when a run counts another number of facts than there are."""
    measured: dict[str, list[float]] = {name: [] for name in ("ours", "floor", "again", "look", "minute")}
    with private_database() as private:
        for statement in _CHAIN:
            private.connection.execute(statement)
        private.connection.execute(FILLER, {"count": _FACTS, "stage": "member"})
        private.connection.execute(_BINDINGS.format(count=_FACTS))
        private.connection.execute("ANALYZE")
        for _number in range(_ROUNDS):
            private.connection.execute(_EMPTY)
            measured["floor"].append(private.timed(_FLOOR))
            private.connection.execute(_EMPTY)
            measured["ours"].append(_catch_up(private, hours=7 * 24, expected=_FACTS))
            private.connection.execute("ANALYZE sales_performanceentry")
            measured["again"].append(_catch_up(private, hours=7 * 24, expected=0))
            measured["look"].append(private.timed([_LOOK]))
            measured["minute"].append(_catch_up(private, hours=1, expected=0))
    return _report(measured)


def _catch_up(private: Private, *, hours: int, expected: int) -> float:
    count, seconds = private.job(_JOB, str(hours))
    [standing] = private.state("SELECT count(*) FROM sales_performanceentry")
    if int(count) != expected or standing != _FACTS:
        raise RuntimeError(f"{count} facts counted instead of {expected}, {standing} stand")
    return float(seconds)


def _report(measured: dict[str, list[float]]) -> Report:
    over = ratios(measured["ours"], measured["floor"])
    looked = ratios(measured["again"], measured["look"])
    return Report(
        figures=(
            Figure(
                f"catch-up of {_FACTS:,} facts nobody told, over two INSERT … SELECT, s",
                spread(measured["floor"], 2), spread(measured["ours"], 2), statistics.median(over),
            ),
            Figure(
                "a week of which nothing is missing, over the anti-join, s",
                spread(measured["look"], 3), spread(measured["again"], 2), statistics.median(looked),
            ),
            Figure("the minute's look at the last hour, nothing missing, ms", "–",
                   spread([one * 1000 for one in measured["minute"]])),
        ),
        measured=measured,
    )  # fmt: skip
