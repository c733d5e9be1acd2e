"""Members' numbers: the night's run, what a booking pays, and scores under changed rules.

On BENCH_MEMBERS_COUNT members (20,000 unless it is set) with some five orders each, in turns: the run over all of them
from their documents (into no rows, as the first night); the same for 2 % of them, as bookings do it; DuckDB over a copy
of the same tables, numbers and scores alike; scores of all rows by stored cut-offs after the rules changed, against ntile
over the same rows written by hand.
"""

import os
import time
from typing import Any, Final

import duckdb
import psycopg

from bench.figures import Figure, Report, at_most, spread
from bench.private import LONG_MS, private_database

_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "20000"))
_ROUNDS: Final = int(os.environ.get("BENCH_METRICS_ROUNDS", "3"))
_RESCORE_LIMIT: Final = 0.5
_TOUCHED_LIMIT: Final = 0.15
SEED: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'prospect', '', '{{}}', '', '', '', 'import', '', false, now()
FROM generate_series(1, {members}) n;
INSERT INTO guides_region (name, path) VALUES ('all', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's' || n, 'S' || n, 'store ' || n, (SELECT min(id) FROM guides_region), '', '', '[]', true
FROM generate_series(1, 500) n;
INSERT INTO sales_product (code, name, created_at) VALUES ('P', 'thing', now());
INSERT INTO sales_sale (public_id, source, order_no, revision, is_current, digest, member_id, store_id, channel, sold_at,
    business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first, points_round,
    spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome, recorded_at)
SELECT 's' || n, 'pos', 'O' || n, 0, true, '\\x00', first.member + (power(random(), 2) * {members})::int % {members},
       first.store + n % 500, 'store', at, (at AT TIME ZONE 'Asia/Shanghai')::date, fen, fen, 2, 0, 0, 0, false, 0, 0, 0, 0,
       0, 0, 0, '', at
FROM (SELECT n, now() - interval '1 second' * (power(random(), 2) * 730 * 86400)::int AS at,
             (2000 + random() * 90000)::int AS fen FROM generate_series(1, {members} * 5) n) told,
     (SELECT (SELECT min(id) FROM members_member) AS member, (SELECT min(id) FROM guides_store) AS store) first
ORDER BY n;
INSERT INTO sales_saleline (sale_id, number, product_id, category_code, quantity, list_fen, amount_fen, returned_quantity,
    returned_fen)
SELECT sale.id, number, (SELECT min(id) FROM sales_product), 'c' || (sale.id * 7 + number) % 12, 1, amount_fen / 2,
       amount_fen / 2, 0, 0
FROM sales_sale sale, generate_series(1, 2) number ORDER BY sale.id, number
"""
_NTILE: Final = """
UPDATE sales_membermetrics row SET recency_score = made.r, frequency_score = made.f, money_score = made.m
FROM (SELECT member_id, ntile(5) OVER (ORDER BY last_on, member_id) AS r,
             ntile(5) OVER (ORDER BY year_order_count, member_id) AS f,
             ntile(5) OVER (ORDER BY year_amount_fen, member_id) AS m
      FROM sales_membermetrics WHERE order_count > 0) made
WHERE row.member_id = made.member_id
"""
_JOB: Final = """
import sys, time, dataclasses, django
django.setup()
from django.db import connection, transaction
from core import clock
from core.actor import Actor
from sales import selectors, services
from sales.models import MemberMetrics, MetricsRun
from sales.services.metrics import count_members
actor = Actor.system("bench")
began = time.monotonic()
services.rebuild_member_metrics(actor=actor)
whole = time.monotonic() - began
began = time.monotonic()
services.rebuild_member_metrics(actor=actor)
again = time.monotonic() - began
ids = list(MemberMetrics.objects.order_by("pk").values_list("pk", flat=True)[::50])
began = time.monotonic()
with transaction.atomic():
    count_members(ids, at=clock.now())
touched = time.monotonic() - began
began = time.monotonic()
for one in ids[:200]:
    with transaction.atomic():
        count_members([one], at=clock.now())
single = (time.monotonic() - began) / len(ids[:200])
rules = selectors.get_rfm_rules()
services.change_rfm_rules(rules=dataclasses.replace(rules, recency_cuts=(20 + int(sys.argv[1]), 80, 170, 360)), actor=actor)
began = time.monotonic()
services.work_metrics_runs(actor=actor)
print(whole, again, touched, single, time.monotonic() - began)
"""
# The same numbers over the same tables, by an engine made for this.
_DUCK: Final = """
WITH bought AS (SELECT id, member_id, business_on, store_id, amount_fen - returned_fen AS fen,
        unit_count - returned_unit_count AS units, extract(hour FROM sold_at) AS hour
    FROM sale WHERE is_current AND returned_unit_count < unit_count),
sums AS (SELECT member_id, min(business_on) AS first_on, max(business_on) AS last_on, count(*) AS orders, sum(fen) AS fen,
        sum(units) AS units, count(*) FILTER (business_on > current_date - INTERVAL 1 YEAR) AS year_orders,
        coalesce(sum(fen) FILTER (business_on > current_date - INTERVAL 1 YEAR), 0) AS year_fen FROM bought GROUP BY 1),
gaps AS (SELECT member_id, quantile_disc(gap, 0.5) AS typical FROM (
        SELECT member_id, business_on - lag(business_on) OVER (PARTITION BY member_id ORDER BY business_on) AS gap
        FROM (SELECT DISTINCT member_id, business_on FROM bought)) WHERE gap > 0 GROUP BY 1),
liked AS (SELECT member_id, (list(category_code ORDER BY fen DESC, category_code))[1:3] AS liked FROM (
        SELECT bought.member_id, line.category_code, sum(line.amount_fen - line.returned_fen) AS fen
        FROM bought JOIN line ON line.sale_id = bought.id GROUP BY 1, 2) GROUP BY 1),
places AS (SELECT member_id, arg_max(store_id, n) AS store FROM (
        SELECT member_id, store_id, count(*) AS n FROM bought GROUP BY 1, 2) GROUP BY 1),
hours AS (SELECT member_id, arg_max(hour, n) AS hour FROM (
        SELECT member_id, hour, count(*) AS n FROM bought GROUP BY 1, 2) GROUP BY 1)
SELECT sums.*, typical, liked, store, hour, ntile(5) OVER (ORDER BY last_on), ntile(5) OVER (ORDER BY year_orders),
       ntile(5) OVER (ORDER BY year_fen)
FROM sums LEFT JOIN gaps USING (member_id) LEFT JOIN liked USING (member_id) LEFT JOIN places USING (member_id)
     LEFT JOIN hours USING (member_id)
"""


def bench() -> Report:
    """Rounds in turns on the same documents. Raises RuntimeError when the job and DuckDB count different members."""
    found: dict[str, list[float]] = {
        name: [] for name in ("whole", "again", "touched", "single", "rescore", "ntile", "duck")
    }
    with private_database(statement_timeout_ms=LONG_MS) as private:
        connection = private.connection
        connection.execute(SEED.format(members=_MEMBERS))
        connection.execute("VACUUM ANALYZE")
        duck = duckdb.connect()
        for name, table in (("sale", "sales_sale"), ("line", "sales_saleline")):
            path = private.home / f"{name}.csv"
            with (
                path.open("wb") as file,
                connection.cursor().copy(f"COPY {table} TO STDOUT CSV HEADER") as copy,
            ):
                for block in copy:
                    file.write(block)
            duck.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{path}')")
        for number in range(_ROUNDS):
            connection.execute("TRUNCATE sales_membermetrics, sales_metricsrun, sales_rfmmonth")
            connection.execute("CHECKPOINT")
            words = private.job(_JOB, str(number))
            for name, word in zip(("whole", "again", "touched", "single", "rescore"), words, strict=True):
                found[name].append(float(word))
            connection.execute("CHECKPOINT")
            found["ntile"].append(_timed(lambda: connection.execute(_NTILE)))
            found["duck"].append(_timed(lambda: duck.execute(_DUCK).fetchall()))
        _check(connection, duck)
    return _report(found)


def _check(connection: "psycopg.Connection[Any]", duck: Any) -> None:
    ours = connection.execute(
        "SELECT count(*), sum(amount_fen), sum(typical_days) FROM sales_membermetrics WHERE order_count > 0"
    ).fetchone()
    theirs = duck.execute(f"SELECT count(*), sum(fen), sum(typical) FROM ({_DUCK})").fetchone()
    if ours is None or tuple(map(int, ours)) != tuple(map(int, theirs)):
        raise RuntimeError(f"DuckDB counts something else: {ours} and {theirs}")


def _report(found: dict[str, list[float]]) -> Report:
    def against(ours: str, floor: str) -> list[float]:
        return [one / other for one, other in zip(found[ours], found[floor], strict=True)]

    figures = (
        at_most("scores under new rules against ntile, s", spread(found["ntile"], 2), spread(found["rescore"], 2),
                against("rescore", "ntile"), _RESCORE_LIMIT),
        at_most("2 % of the members against the run, s", spread(found["whole"], 2), spread(found["touched"], 2),
                against("touched", "whole"), _TOUCHED_LIMIT),
        Figure("the first run against DuckDB, s", spread(found["duck"], 2), spread(found["whole"], 2),
               sorted(against("whole", "duck"))[len(found["duck"]) // 2]),
        Figure("a run that finds nothing against DuckDB, s", spread(found["duck"], 2), spread(found["again"], 2),
               sorted(against("again", "duck"))[len(found["duck"]) // 2]),
        Figure("one member at a booking, ms", "–", spread([one * 1000 for one in found["single"]], 1)),
    )  # fmt: skip
    return Report(figures, (f"{_MEMBERS:,} members, {_ROUNDS} rounds, sums equal to DuckDB's",), found)


def _timed(work: Any) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
