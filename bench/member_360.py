"""P13: the member 360 page: queries and median time of each tab, against a bare Django view with one query.

In one process, through Django's whole request path (middlewares, URLs, templates), beside as many other members as
BENCH_MEMBERS_COUNT says (50,000 unless it is set; P13 speaks of a million); the page's member has something in every
tab. No socket: what a network adds is the same for both.
"""

import json
import os
import statistics
import sys
from typing import Any, Final

from bench.figures import Figure, Report, spread
from bench.private import FILLER, private_database

MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT") or 50_000)
BUDGET: Final = 12


def bench() -> Report:
    """Fill, then load every tab in turns with the floor. Raises RuntimeError when a page did not answer 200."""
    with private_database("bench.mini_profile_settings") as private:
        private.connection.execute(FILLER, {"count": MEMBERS, "stage": "prospect"})
        private.connection.execute("ANALYZE")
        told = json.loads(private.run(sys.executable, "-m", "bench.member_360_visits").splitlines()[-1])
    return _report(told)


def _report(told: dict[str, Any]) -> Report:
    floor: list[float] = told["floor"]
    figures: list[Figure] = []
    for tab, visit in told["tabs"].items():
        pairs = zip(visit["ms"], floor, strict=True)
        figures.append(
            Figure(
                f"member 360, {tab}: ms",
                spread(floor, 1),
                spread(visit["ms"], 1),
                statistics.median(mine / theirs for mine, theirs in pairs),
            )
        )
        figures.append(
            Figure(
                f"member 360, {tab}: queries",
                "1",
                str(visit["queries"]),
                target=f"≤ {BUDGET}",
                is_met=visit["queries"] <= BUDGET,
            )
        )
    return Report(tuple(figures), (f"{MEMBERS:,} members, {len(floor)} visits of each tab, in turns",), told)
