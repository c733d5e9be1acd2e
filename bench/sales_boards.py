"""A board (the first twenty and one's own place) against the SQL written by hand over the orders, and against Redis.

The floor adds up orders, one row each, with the two covering indexes such a query could wish for, and ranks them in one
statement. Redis has a sorted set for each board, filled beforehand. Ours reads totals, which are filled from the same
orders by SQL, and says besides who stands around her and what she lacks. Everything runs in one process and in turns; a
random guide (store, region) asks each time. Two pairs are measured: the statements alone, both prepared and through the
same driver (what P5 speaks of), and the whole call through Python against the floor through Django's cursor; the board
as pages ask for it, with movement and size, is printed beside them.

The orders grow tenfold between the two halves, with 10,000 guides in 2,000 stores, twenty regions below five, and 180
days. BENCH_ORDERS_COUNT is the larger number of orders (500,000; P5 speaks of five million: some minutes and 7 GB of
disk), BENCH_ROUNDS the rounds.
"""

import json
import os
import statistics
import sys
from typing import Any, Final

import psycopg

from bench.figures import Figure, Report, ratios, spread
from bench.private import private_database

_ORDERS: Final = int(os.environ.get("BENCH_ORDERS_COUNT", "500000"))
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 9)
_GUIDES: Final = 10_000
_STORES: Final = 2_000
_TARGETS: Final = {"day": 30.0, "week": 100.0, "month": 500.0}
_GROWTH: Final = 1.3
_CHAIN: Final = f"""
INSERT INTO guides_region (id, name, parent_id, path) VALUES (1, 'root', NULL, '/1/');
INSERT INTO guides_region (id, name, parent_id, path)
SELECT 1 + n, 'r' || n, 1, '/1/' || (1 + n) || '/' FROM generate_series(1, 5) n;
INSERT INTO guides_region (id, name, parent_id, path)
SELECT 6 + n, 'c' || n, 2 + n % 5, '/1/' || (2 + n % 5) || '/' || (6 + n) || '/' FROM generate_series(1, 20) n;
INSERT INTO guides_dealer (id, code, name, contact, is_active)
SELECT n, 'D' || n, 'd', '', true FROM generate_series(1, 50) n;
INSERT INTO guides_store (id, public_id, code, name, region_id, dealer_id, address, phone, opening_hours, is_active)
SELECT n, 's' || n, 'S' || n, 's', 7 + n % 20, CASE WHEN n % 2 = 0 THEN 1 + n % 50 END, '', '', '[]', true
FROM generate_series(1, {_STORES}) n;
INSERT INTO guides_guide (id, public_id, number, name, role, state, joined_on, session_epoch, store_id)
SELECT n, 'g' || n, 'G' || n, 'g', 'guide', 'active', '2025-01-01', 0, 1 + n % {_STORES}
FROM generate_series(1, {_GUIDES}) n;
CREATE TABLE bench_order (id bigint PRIMARY KEY, sold_on date NOT NULL, guide_id bigint NOT NULL, store_id bigint NOT NULL,
                          amount bigint NOT NULL);
"""
# 2026-01-05 is a Monday; one order in twenty is sold in a neighbouring store.
_GROW: Final = f"""
INSERT INTO bench_order
SELECT n, date '2026-01-05' + (n * 7919 %% 180)::int, 1 + guide, CASE WHEN n %% 20 = 0 THEN 1 + (guide + 2) %% {_STORES}
       ELSE 1 + (guide + 1) %% {_STORES} END, 5000 + n * 104729 %% 95000
FROM (SELECT n, hashint8(n)::bigint %% {_GUIDES} AS raw FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) made,
     LATERAL (SELECT abs(raw) AS guide) guides
"""
_INDEXES: Final = (
    "CREATE INDEX bench_order_by_day ON bench_order (sold_on, store_id, guide_id, amount)",
    "CREATE INDEX bench_order_by_store ON bench_order (store_id, sold_on, guide_id, amount)",
)
_TOTALS: Final = """
INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, store_id, value)
SELECT period, starts_on, 'sales_fen', guide_id, store_id, sum(amount) FROM (
    SELECT 'day' AS period, sold_on AS starts_on, guide_id, store_id, amount FROM bench_order
    UNION ALL SELECT 'week', date_trunc('week', sold_on)::date, guide_id, store_id, amount FROM bench_order
    UNION ALL SELECT 'month', date_trunc('month', sold_on)::date, guide_id, store_id, amount FROM bench_order) moved
GROUP BY period, starts_on, guide_id, store_id
"""
_CHAIN_TOTALS: Final = """
INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, store_id, value)
SELECT period, starts_on, metric, guide_id, NULL, sum(value) FROM sales_guidetotal
GROUP BY period, starts_on, metric, guide_id
"""
_STORE_TOTALS: Final = """
INSERT INTO sales_storetotal (period, starts_on, metric, store_id, value)
SELECT period, starts_on, metric, store_id, sum(value) FROM sales_guidetotal WHERE store_id IS NOT NULL
GROUP BY period, starts_on, metric, store_id
"""
_FOLLOW: Final = """
import django; django.setup()
from sales import services
services.sync_places(); services.recount_sizes(); print(services.fold_board_sizes())
"""


def bench() -> Report:
    """P5: the board of a day, week, month and of 90 days, in the chain and in a region, before and after growth."""
    small: dict[str, Any] = {}
    large: dict[str, Any] = {}
    with private_database() as private:
        connection = private.connection
        connection.execute(_CHAIN)
        for first, last, found in ((1, _ORDERS // 10, small), (_ORDERS // 10 + 1, _ORDERS, large)):
            _fill(connection, first, last)
            private.job(_FOLLOW)
            connection.execute("VACUUM ANALYZE")
            printed = private.run(
                sys.executable, "-m", "bench.sales_boards_rounds", str(_ROUNDS), str(_GUIDES)
            )
            found |= json.loads(printed.splitlines()[-1])
            print(f"  {last:,} orders measured", flush=True)
    figures = [
        figure for name in large if name in small for figure in _figures(name, small[name], large[name])
    ]
    notes = (
        f"median of {_ROUNDS} rounds of 10 questions in turns, {_ORDERS:,} orders in 180 days, {_GUIDES:,} guides;"
        " the second line of each is the whole call through Python, the third the board with movement; targets are"
        " P5's for five million orders, in one store: not slower than the SQL",
    )
    return Report(tuple(figures), notes, {"small": small, "large": large})


def _fill(connection: "psycopg.Connection[Any]", first: int, last: int) -> None:
    connection.execute(_GROW, {"first": first, "last": last})
    if first == 1:
        for statement in _INDEXES:
            connection.execute(statement)
    connection.execute("TRUNCATE sales_guidetotal, sales_placetotal, sales_placestore, sales_storetotal")
    for statement in (_TOTALS, _CHAIN_TOTALS, _STORE_TOTALS):
        connection.execute(statement)


def _figures(name: str, small: dict[str, Any], large: dict[str, Any]) -> list[Figure]:
    """One board: how much faster than the floor, how it grew, and how far from Redis. Milliseconds."""

    def faster(floor: str, ours: str) -> float:
        return statistics.median(ratios(large[floor], large[ours]))

    target = 1.0 if name.endswith("a store") else _TARGETS.get(name.split(maxsplit=1)[0])
    if not name.endswith(("in the chain", "in a region", "in a dealer's stores", "in a store")):
        target = None  # boards of stores and regions are read, not judged
    gained, growth = (
        faster("sql floor", "sql"),
        statistics.median(large["sql"]) / statistics.median(small["sql"]),
    )
    is_judged = target is not None and _ORDERS >= 5_000_000
    return [
        Figure(
            f"P5 {name}: SQL, ms", spread(large["sql floor"], 2), spread(large["sql"], 2), gained,
            f"≥ {target:g}" if target else "–", gained >= (target or 0) if is_judged else None,
        ),
        Figure(f"{name}: the call, ms", spread(large["floor"], 2), spread(large["standing"], 2), faster("floor", "standing")),
        Figure(f"{name}: with movement, ms", spread(large["floor"], 2), spread(large["board"], 2), faster("floor", "board")),
        Figure(
            f"P5 {name}: ten times the orders, ms", spread(small["sql"], 2), spread(large["sql"], 2), growth,
            f"≤ {_GROWTH}" if target else "–", growth <= _GROWTH if is_judged else None,
        ),
        Figure(
            f"{name}: sorted set of Redis, ms", spread(large["redis"], 2), spread(large["sql"], 2),
            statistics.median(large["sql"]) / statistics.median(large["redis"]),
        ),
    ]  # fmt: skip
