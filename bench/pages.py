"""P13 for pages: each against a bare Django view with one query, in one process, and its queries against a budget.

The whole way of a request is gone, as a server calls it: WSGI, middlewares, addresses, templates, compression. No socket:
what a network adds is the same for both. Beside those whom a page shows there are as many other members as
BENCH_MEMBERS_COUNT says (50,000 unless it is set; P13 speaks of a million).
"""

import json
import os
import sys
from typing import Any, Final

from bench.figures import Figure, Report, at_most, spread
from bench.private import FILLER, private_database

MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT") or 50_000)
BUDGET: Final = 12
LIMIT: Final = 4.0


def bench_pages(kind: str, label: str) -> Report:
    """Fill, then visit each page in turns with the floor. Raises RuntimeError when a page did not answer 200."""
    with private_database("bench.mini_profile_settings") as private:
        private.connection.execute(FILLER, {"count": MEMBERS, "stage": "member"})
        private.connection.execute("ANALYZE")
        told = json.loads(private.run(sys.executable, "-m", "bench.page_visits", kind).splitlines()[-1])
    return _report(told, label)


def _report(told: dict[str, Any], label: str) -> Report:
    floor: list[float] = told["floor"]
    figures: list[Figure] = []
    for name, page in told["pages"].items():
        took: list[float] = page["ms"]
        pairs = [mine / theirs for mine, theirs in zip(took, floor, strict=True)]
        title = f"P13 {label}, {name}: ms"
        figures.append(at_most(title, spread(floor, 1), spread(took, 1), pairs, LIMIT))
    for name, page in told["pages"].items():
        count: int = page["queries"]
        figures.append(
            Figure(f"{label}, {name}: queries", "1", str(count), target=f"≤ {BUDGET}", is_met=count <= BUDGET)
        )
    return Report(tuple(figures), (f"{MEMBERS:,} members, {len(floor)} visits of each, in turns",), told)
