"""The chain, orders and totals of `bench.sales_boards`, written set by set without their indexes, which are built afterwards:
five million orders and their totals take minutes so, and would take an hour through the services.

The totals are those that bookings of the same orders would have left, by the definitions of `sales.services.totals`.
"""

from typing import Any, Final

import psycopg

from bench.private import Private

GUIDES: Final = 10_000
STORES: Final = 2_000
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
FROM generate_series(1, {STORES}) n;
INSERT INTO guides_guide (id, public_id, number, name, role, state, joined_on, session_epoch, store_id)
SELECT n, 'g' || n, 'G' || n, 'g', 'guide', 'active', '2025-01-01', 0, 1 + n % {STORES}
FROM generate_series(1, {GUIDES}) n;
CREATE UNLOGGED TABLE bench_order (id bigint NOT NULL, sold_on date NOT NULL, guide_id bigint NOT NULL,
                                   store_id bigint NOT NULL, amount bigint NOT NULL);
"""
# 2026-01-05 is a Monday; one order in twenty is sold in a neighbouring store.
_GROW: Final = f"""
INSERT INTO bench_order
SELECT n, date '2026-01-05' + (n * 7919 %% 180)::int, 1 + guide, CASE WHEN n %% 20 = 0 THEN 1 + (guide + 2) %% {STORES}
       ELSE 1 + (guide + 1) %% {STORES} END, 5000 + n * 104729 %% 95000
FROM (SELECT n, hashint8(n)::bigint %% {GUIDES} AS raw FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) made,
     LATERAL (SELECT abs(raw) AS guide) guides
"""
_DAYS: Final = """
INSERT INTO sales_guidestoretotal (period, starts_on, metric, guide_id, store_id, value)
SELECT 'day', sold_on, 'sales_fen', guide_id, store_id, sum(amount) FROM bench_order GROUP BY sold_on, guide_id, store_id
ORDER BY sold_on
"""
_LONGER: Final = """
INSERT INTO {table} (period, starts_on, metric, {keys}, value)
SELECT '{period}', date_trunc('{period}', starts_on)::date, metric, {keys}, sum(value) FROM {table}
WHERE period = 'day' GROUP BY 2, metric, {keys} ORDER BY 2
"""
_PLACES: Final = """
INSERT INTO sales_placestore (place, store_id)
SELECT region.id, store.id FROM guides_store store JOIN guides_region own ON own.id = store.region_id
JOIN guides_region region ON own.path LIKE region.path || '%' AND region.parent_id IS NOT NULL
UNION ALL SELECT -dealer_id, id FROM guides_store WHERE dealer_id IS NOT NULL
"""
_OF_STORES: Final = """
INSERT INTO sales_storetotal (period, starts_on, metric, store_id, value)
SELECT period, starts_on, metric, store_id, sum(value) FROM sales_guidestoretotal WHERE period = 'day'
GROUP BY period, starts_on, metric, store_id ORDER BY starts_on
"""
_OF_PLACES: Final = """
INSERT INTO sales_placetotal (period, starts_on, metric, guide_id, place, value)
SELECT period, starts_on, metric, guide_id, place, sum(value)
FROM sales_guidestoretotal JOIN sales_placestore USING (store_id) WHERE period = 'day'
GROUP BY period, starts_on, metric, guide_id, place ORDER BY starts_on
"""
_OF_CHAIN: Final = """
INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, value)
SELECT period, starts_on, metric, guide_id, sum(value) FROM sales_guidestoretotal
GROUP BY period, starts_on, metric, guide_id ORDER BY period, starts_on
"""
_TOTALS: Final = ("sales_guidetotal", "sales_guidestoretotal", "sales_placetotal", "sales_storetotal")
_LOADED: Final = (
    _DAYS,
    _OF_STORES,
    _PLACES,
    _OF_PLACES,
    *(
        _LONGER.format(table=table, keys=keys, period=period)
        for table, keys in (
            ("sales_guidestoretotal", "guide_id, store_id"),
            ("sales_placetotal", "guide_id, place"),
            ("sales_storetotal", "store_id"),
        )
        for period in ("week", "month")
    ),
    _OF_CHAIN,
)
# What a hand would index for boards over orders: by day, and for one store.
_ORDER_INDEXES: Final = (
    "ALTER TABLE bench_order ADD CONSTRAINT bench_order_key PRIMARY KEY (id)",
    "CREATE INDEX bench_order_by_day ON bench_order (sold_on, store_id, guide_id, amount)",
    "CREATE INDEX bench_order_by_store ON bench_order (store_id, sold_on, guide_id, amount)",
)
_NO_ORDER_INDEXES: Final = (
    "ALTER TABLE bench_order DROP CONSTRAINT IF EXISTS bench_order_key",
    "DROP INDEX IF EXISTS bench_order_by_day, bench_order_by_store",
)
_INDEXES: Final = """
SELECT class.relname, pg_get_indexdef(indexrelid), constraints.conname, constraints.conrelid::regclass::text,
       pg_get_constraintdef(constraints.oid)
FROM pg_index JOIN pg_class class ON class.oid = indexrelid
LEFT JOIN pg_constraint constraints ON conindid = indexrelid AND contype IN ('u', 'p')
WHERE indrelid = ANY(%s::regclass[])
"""
_FOLLOW: Final = """
import django; django.setup()
from sales import services
print(services.sync_places())
services.recount_sizes(); services.fold_board_sizes()
"""


def make_chain(connection: "psycopg.Connection[Any]") -> None:
    """Regions, dealers, stores, guides, and an empty table of orders."""
    connection.execute(_CHAIN)


def grow(private: Private, first: int, last: int) -> None:
    """These orders come to those that are there, and the totals follow. Raises RuntimeError when places do not."""
    connection = private.connection
    connection.execute("SET work_mem = '256MB'")
    connection.execute("SET maintenance_work_mem = '512MB'")
    connection.execute("SET session_replication_role = replica")  # foreign keys hold by construction
    for statement in _NO_ORDER_INDEXES:
        connection.execute(statement)
    connection.execute("DELETE FROM bench_order WHERE id < 0")  # those that were sold while boards were read
    connection.execute(_GROW, {"first": first, "last": last})
    for statement in _ORDER_INDEXES:
        connection.execute(statement)
    connection.execute(f"TRUNCATE {', '.join(_TOTALS)}, sales_placestore, sales_boardmove")
    found = connection.execute(_INDEXES, [list(_TOTALS)]).fetchall()
    for name, _index, constraint, table, _text in found:
        connection.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {name}"
        )
    connection.execute("ANALYZE bench_order")
    for statement in _LOADED:
        connection.execute(statement)
    for _name, index, constraint, table, text in found:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {text}" if constraint else index)
    connection.execute("VACUUM ANALYZE")
    if private.job(_FOLLOW) != ["0"]:
        raise RuntimeError("the places loaded are not those of the tree")
    connection.execute("VACUUM ANALYZE sales_boardsize")
