"""A month of commission of the whole chain, against the SQL written by hand for the same rules.

Every guide of BENCH_GUIDES_COUNT (1,000; issue 5 speaks of 10,000) sold 33 orders of up to two lines in the month, each
three entries of the ledger; one order in twenty came back within the month, one of last month's in the next. Last month is
closed. The floor knows these rules and adds up entries: steps over the month's net sum of a guide, another rate for one
category, a bounty. Ours reads the rules, as the sums of a month's list and the trial of a rule do, and what a statement
a guide would be prepared. A page of the list is a hundred guides, and whose statements there are.
"""

import json
import os
import sys
from typing import Any, Final

from bench.figures import Figure, Report, at_most, spread
from bench.private import private_database

_GUIDES: Final = int(os.environ.get("BENCH_GUIDES_COUNT", "1000"))
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
_ORDERS: Final = 33
_LIMIT: Final = 12.0
_CHAIN: Final = f"""
INSERT INTO guides_region (id, name, parent_id, path) VALUES (1, 'root', NULL, '/1/');
INSERT INTO guides_store (id, public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT n, 's' || n, 'S' || n, 'store ' || n, 1, '', '', '[]', true FROM generate_series(1, {_GUIDES // 5}) n;
INSERT INTO guides_guide (id, public_id, number, name, role, state, joined_on, session_epoch, store_id)
SELECT n, 'g' || n, 'G' || n, 'g', 'guide', 'active', '2025-01-01', 0, 1 + n % {_GUIDES // 5}
FROM generate_series(1, {_GUIDES}) n;
INSERT INTO guides_guideposting (guide_id, store_id, role, started_at)
SELECT id, store_id, role, '2025-01-01' FROM guides_guide;
INSERT INTO sales_product (id, code, name, created_at) VALUES (1, 'P', 'thing', now());
INSERT INTO sales_commissionrule (position, name, kind, mode, steps, bounty_metric, bounty_fen, category_codes, region_ids,
                                  dealer_ids, role, is_active)
VALUES (1, 'shoes', 'sales', 'progressive', '[[0, 500, 0]]', '', 0, '{{c3}}', '{{}}', '{{}}', '', true),
       (2, 'all', 'sales', 'progressive', '[[0, 200, 0], [1000000, 300, 0]]', '', 0, '{{}}', '{{}}', '{{}}', '', true),
       (3, 'new', 'bounty', 'progressive', '[]', 'first_purchase_count', 500, '{{}}', '{{}}', '{{}}', '', true);
"""
# Two months: orders n of the first month, then of the second.
_SALES: Final = """
INSERT INTO sales_sale (id, public_id, source, order_no, revision, is_current, digest, store_id, serving_guide_id, channel,
    sold_at, business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first,
    points_round, spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome,
    recorded_at)
SELECT n, 's' || n, 'pos', 'O' || n, 0, true, '\\x00', 1 + guide % {stores}, guide, 'store', day, day, fen, fen, 1 + n % 2, 0,
       0, 0, false, 0, 0, 0, 0, 0, 0, 0, '', day
FROM (SELECT n, 1 + n % {guides} AS guide, date '{month}' + (n * 7919 % 28)::int AS day, 5000 + n * 104729 % 95000 AS fen
      FROM generate_series({first}::bigint, {last}::bigint) n) told;
INSERT INTO sales_saleline (sale_id, number, product_id, category_code, quantity, list_fen, amount_fen, returned_quantity,
    returned_fen)
SELECT id, 1, 1, 'c' || id % 12, 1, amount_fen - coalesce(second, 0), amount_fen - coalesce(second, 0), 0, 0
FROM (SELECT id, amount_fen, CASE WHEN id % 2 = 1 THEN amount_fen / 3 END AS second FROM sales_sale
      WHERE id BETWEEN {first} AND {last}) sold;
INSERT INTO sales_saleline (sale_id, number, product_id, category_code, quantity, list_fen, amount_fen, returned_quantity,
    returned_fen)
SELECT id, 2, 1, 'c' || (id / 12) % 12, 1, amount_fen / 3, amount_fen / 3, 0, 0
FROM sales_sale WHERE id BETWEEN {first} AND {last} AND id % 2 = 1;
INSERT INTO sales_performanceentry (booked_on, due_on, guide_id, store_id, metric, value, sale_ref, fact_kind, reason, at)
SELECT business_on, business_on, serving_guide_id, store_id, metric,
       CASE metric WHEN 'sales_fen' THEN amount_fen WHEN 'unit_count' THEN unit_count ELSE 1 END, id, '', 'sale', recorded_at
FROM sales_sale, unnest(ARRAY['sales_fen', 'order_count', 'unit_count', 'first_purchase_count']) metric
WHERE id BETWEEN {first} AND {last} AND (metric <> 'first_purchase_count' OR id % 10 = 0)
"""
_RETURNS: Final = """
INSERT INTO sales_salereturn (id, public_id, source, return_no, digest, order_no, sale_id, store_id, returned_at,
    business_on, amount_fen, unit_count, recorded_at)
SELECT id, 'r' || id, 'pos', 'R' || id, '\\x00', order_no, id, store_id, date '{month}' + 28, date '{month}' + 28,
       amount_fen, unit_count, now()
FROM sales_sale WHERE id BETWEEN {first} AND {last} AND id % 20 = {rest};
INSERT INTO sales_salereturnline (sale_return_id, number, sale_line_number, product_id, quantity, amount_fen)
SELECT given.id, line.number, line.number, 1, 1, line.amount_fen
FROM sales_salereturn given JOIN sales_saleline line ON line.sale_id = given.id
WHERE given.id BETWEEN {first} AND {last} AND given.id % 20 = {rest};
INSERT INTO sales_performanceentry (booked_on, due_on, guide_id, store_id, metric, value, sale_ref, return_ref, fact_kind,
    reason, at)
SELECT given.business_on, given.business_on, sale.serving_guide_id, sale.store_id, 'sales_fen', -given.amount_fen, sale.id,
       given.id, '', 'return', given.recorded_at
FROM sales_salereturn given JOIN sales_sale sale ON sale.id = given.sale_id
WHERE given.id BETWEEN {first} AND {last} AND given.id % 20 = {rest}
"""
_TOTALS: Final = """
INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, value)
SELECT 'month', date_trunc('month', booked_on)::date, metric, guide_id, sum(value) FROM sales_performanceentry
GROUP BY 2, 3, 4;
INSERT INTO sales_guidestoretotal (period, starts_on, metric, guide_id, store_id, value)
SELECT 'month', date_trunc('month', booked_on)::date, metric, guide_id, store_id, sum(value) FROM sales_performanceentry
GROUP BY 2, 3, 4, 5
"""
# What these rules owe each guide for the month, and what last month's returns take back; no line, no reason.
_FLOOR: Final = """
WITH due AS MATERIALIZED (
    SELECT entry.guide_id, entry.metric, entry.value, entry.sale_ref, entry.return_ref FROM sales_performanceentry entry
    WHERE entry.booked_on >= '{month}' AND entry.booked_on < '{next}' AND entry.guide_id IS NOT NULL
      AND entry.metric IN ('sales_fen', 'first_purchase_count', 'new_member_count', 'new_binding_count')),
shoes AS (SELECT line.sale_id, sum(line.amount_fen) AS fen FROM sales_saleline line
          WHERE line.category_code = 'c3' GROUP BY 1),
owed AS (SELECT due.guide_id,
        sum(coalesce(sign(due.value) * shoes.fen, 0)) FILTER (WHERE due.sale_ref > {orders}) AS shoes,
        sum(due.value - coalesce(sign(due.value) * shoes.fen, 0)) FILTER (WHERE due.sale_ref > {orders}) AS rest,
        sum(due.value) FILTER (WHERE due.sale_ref <= {orders}) AS back
    FROM due LEFT JOIN shoes ON shoes.sale_id = due.sale_ref WHERE due.metric = 'sales_fen' GROUP BY 1),
news AS (SELECT guide_id, sum(value) * 500 AS fen FROM due WHERE metric = 'first_purchase_count' GROUP BY 1),
taken AS (SELECT sum(line.fen) AS fen FROM sales_commissionline line
          WHERE line.is_live AND line.sale_ref IN (SELECT sale_ref FROM due WHERE sale_ref <= {orders}))
SELECT count(*), sum(rest + shoes + coalesce(back, 0)),
       sum(round(shoes * 0.05) + round(least(rest, 1000000) * 0.02 + greatest(rest - 1000000, 0) * 0.03)),
       (SELECT sum(fen) FROM news), (SELECT fen FROM taken)
FROM owed
"""


def bench() -> Report:
    """Rounds in turns. Raises RuntimeError when the list and the statement add up to something else."""
    orders = _GUIDES * _ORDERS
    with private_database() as private:
        connection = private.connection
        connection.execute(_CHAIN)
        for number, month in enumerate(("2026-09-01", "2026-10-01")):
            span = {"first": number * orders + 1, "last": (number + 1) * orders, "month": month}
            connection.execute(_SALES.format(guides=_GUIDES, stores=_GUIDES // 5, **span))
            connection.execute(_RETURNS.format(rest=5, **span))
        connection.execute(_RETURNS.format(first=1, last=orders, month="2026-10-01", rest=11))
        connection.execute(_TOTALS)
        for table in ("guides_guide", "guides_store", "sales_sale", "sales_salereturn", "sales_product"):
            connection.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
        connection.execute("VACUUM ANALYZE")
        entries = private.state(
            "SELECT count(*) FROM sales_performanceentry WHERE booked_on >= '2026-10-01'"
        )[0]
        print(f"  {entries:,} entries in the month", flush=True)
        floor = _FLOOR.format(month="2026-10-01", next="2026-11-01", orders=orders)
        words = private.run(sys.executable, "-m", "bench.commission_rounds", str(_ROUNDS), floor)
    found: dict[str, Any] = json.loads(words.splitlines()[-1])
    return _report(found, entries)


def _report(found: dict[str, Any], entries: int) -> Report:
    ratio = [our / floor for our, floor in zip(found["list"], found["floor"], strict=True)]
    tried = [our / floor for our, floor in zip(found["trial"], found["floor"], strict=True)]
    floor = spread(found["floor"], 2)
    figures = (
        Figure("commission, a page of a month, s", floor, spread(found["page"], 2)),
        at_most("commission, what a month comes to, s", floor, spread(found["list"], 2), ratio, _LIMIT),
        at_most("commission, a rule tried, s", floor, spread(found["trial"], 2), tried, _LIMIT),
        Figure("commission, statements prepared, s", floor, spread(found["prepare"], 1)),
        Figure("commission, a page of a prepared month, s", "–", spread(found["stored"], 2)),
        Figure("commission, a closed month opened again by a worker, s", "–", spread(found["retire"], 1)),
        Figure("commission, its proof, s", "–", spread(found["proof"], 2)),
    )
    notes = (f"{_GUIDES:,} guides, {entries:,} entries in the month, median of {_ROUNDS} rounds in turns",)
    return Report(figures, notes, found)
