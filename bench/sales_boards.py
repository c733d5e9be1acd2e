"""A board (the first twenty and one's own place) against the SQL written by hand over the orders, and against Redis.

The floor adds up orders, one row each, with the two covering indexes such a query could wish for, and ranks them in one
statement; it is prepared or planned each time, whichever is quicker. Redis has a sorted set for each board, filled
beforehand. Ours reads totals, which are filled from the same orders by SQL, with a minute of bookings on top that no job
has folded, and says besides who stands around her and what she lacks. Everything runs in one process and in turns; a
random guide (store, region, dealer) asks each time. Measured are the statements alone through the same driver, judged
by the time they take on a core, server and driver together: a busy machine keeps a short statement waiting many times as
long as it takes. Then the whole call through Python against the floor through Django's cursor; the board as pages ask for
it, with movement and size, is printed beside them. Last single orders are booked through the service, with their totals
and without (`bench.sales_boards_booking`).

The orders grow tenfold between the two halves, with 10,000 guides in 2,000 stores, twenty regions below five, and 180
days. BENCH_ORDERS_COUNT is the larger number of orders (500,000; P5 speaks of five million: some minutes and 7 GB of
disk), BENCH_ROUNDS the rounds.
"""

import json
import os
import statistics
import sys
import time
from typing import Any, Final

from bench.figures import Figure, Report, ratios, spread
from bench.private import private_database
from bench.sales_boards_load import GUIDES, STORES, grow, make_chain

_ORDERS: Final = int(os.environ.get("BENCH_ORDERS_COUNT", "500000"))
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 9)
_TARGETS: Final = {"day": 30.0, "week": 100.0, "month": 500.0}
_GROWTH: Final = 1.3


def bench() -> Report:
    """P5: the board of a day, week, month and of 90 days, in the chain and in a region, before and after growth."""
    small: dict[str, Any] = {}
    large: dict[str, Any] = {}
    with private_database() as private:
        make_chain(private.connection)
        for first, last, found in ((1, _ORDERS // 10, small), (_ORDERS // 10 + 1, _ORDERS, large)):
            began = time.monotonic()
            grow(private, first, last)
            print(f"  {last:,} orders loaded in {time.monotonic() - began:.0f} s", flush=True)
            printed = private.run(
                sys.executable, "-m", "bench.sales_boards_rounds", str(_ROUNDS), str(GUIDES)
            )
            found |= json.loads(printed.splitlines()[-1])
            print(f"  {last:,} orders measured in {time.monotonic() - began:.0f} s", flush=True)
        printed = private.run(
            sys.executable, "-m", "bench.sales_boards_booking", str(_ROUNDS), str(GUIDES), str(STORES)
        )
        booking = json.loads(printed.splitlines()[-1])
    figures = [
        figure for name in large if name in small for figure in _figures(name, small[name], large[name])
    ] + _booking_figures(booking)
    notes = (
        f"median of {_ROUNDS} rounds in turns, of each the median of ten questions and the floor's best of two,"
        f" {_ORDERS:,} orders in 180 days, {GUIDES:,} guides;"
        " the third line of each is the whole call through Python, the fourth the board with movement; targets are"
        " P5's for five million orders, in one store not slower than the SQL, and only where twenty rows without a"
        " question would reach them",
    )
    return Report(tuple(figures), notes, {"small": small, "large": large, "booking": booking})


def _booking_figures(booking: dict[str, list[float]]) -> list[Figure]:
    """A single order with its totals over one without, and what it takes that moves of long boards are written down."""
    watched, plain, none = booking["watched"], booking["plain"], booking["none"]
    return [
        Figure(f"single order, {what}, ms", spread(floor, 2), spread(ours, 2), statistics.median(ratios(ours, floor)))
        for what, floor, ours in (
            ("totals over none", none, plain), ("moves of boards written down over not", plain, watched),
        )
    ]  # fmt: skip


def _figures(name: str, small: dict[str, Any], large: dict[str, Any]) -> list[Figure]:
    """One board: how much faster than the floor, how it grew, and how far from Redis. Milliseconds."""

    def faster(floor: str, ours: str) -> float:
        return statistics.median(ratios(large[floor], large[ours]))

    target = 1.0 if name.endswith("a store") else _TARGETS.get(name.split(maxsplit=1)[0])
    if target and faster("core floor", "core bare") < target:
        target = None  # nothing that answers at all could be so quick
    if not name.endswith(("in the chain", "in a region", "in a dealer's stores", "in a store")):
        target = None  # boards of stores and regions are read, not judged
    gained, growth = (
        faster("core floor", "core"),
        statistics.median(large["core"]) / statistics.median(small["core"]),
    )
    is_judged = target is not None and _ORDERS >= 5_000_000
    return [
        Figure(
            f"P5 {name}: SQL, ms on a core", spread(large["core floor"], 2), spread(large["core"], 3), gained,
            f"≥ {target:g}" if target else "–", gained >= (target or 0) if is_judged else None,
        ),
        Figure(
            f"{name}: twenty rows without a question, ms on a core", spread(large["core bare"], 3),
            spread(large["core"], 3), statistics.median(ratios(large["core"], large["core bare"])),
        ),
        Figure(f"{name}: SQL, ms", spread(large["sql floor"], 2), spread(large["sql"], 3), faster("sql floor", "sql")),
        Figure(f"{name}: the call, ms", spread(large["floor"], 2), spread(large["standing"], 2), faster("floor", "standing")),
        Figure(f"{name}: with movement, ms", spread(large["floor"], 2), spread(large["board"], 2), faster("floor", "board")),
        Figure(
            f"P5 {name}: ten times the orders, ms on a core", spread(small["core"], 3), spread(large["core"], 3), growth,
            f"≤ {_GROWTH}" if target else "–", growth <= _GROWTH if is_judged else None,
        ),
        Figure(
            f"{name}: sorted set of Redis, ms", spread(large["redis"], 2), spread(large["sql"], 2),
            statistics.median(large["sql"]) / statistics.median(large["redis"]),
        ),
    ]  # fmt: skip
