"""What follows the orders of a file, against the same rows written by hand.

Ours is `work_purchase_care` in a process of its own, as a worker runs it: every order looked at under its lock, an invitation
to rate it, and an occasion of a standing rule noted (its batch is paused, so that no coupon is issued: coupon_issue measures
that). The floor is one hand-written INSERT … SELECT for each of the two tables, in one transaction. A second line is a file
of last year, of which nothing may follow: its floor is one hand-written SELECT that finds that there is nothing to do.

BENCH_ORDERS_COUNT sets the size (20,000 unless it is set), BENCH_ROUNDS the rounds.
"""

import os
import statistics
from typing import Final

from bench.figures import Figure, Report, ratios, spread
from bench.private import FILLER, Private, private_database

_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 3)
_ORDERS: Final = int(os.environ.get("BENCH_ORDERS_COUNT") or 20_000)
_CHAIN: Final = """
INSERT INTO guides_region (name, path) VALUES ('全国', '/1/');
INSERT INTO guides_store (public_id, code, name, region_id, address, phone, opening_hours, is_active)
SELECT 's1', 'S1', '店', min(id), '', '', '[]', true FROM guides_region;
INSERT INTO guides_guide (public_id, number, name, store_id, role, state, joined_on, session_epoch)
SELECT 'g1', 'G1', '导购', min(id), 'guide', 'active', '2020-01-01', 1 FROM guides_store;
INSERT INTO sales_product (code, name, created_at) VALUES ('A1', '针织衫', now());
INSERT INTO sales_purchasecare (id, news_hours, is_notice_on, is_return_notice_on, is_review_on, review_after_hours,
                                review_open_days, review_store_ids, review_region_ids, low_score, low_score_kind)
VALUES (1, 48, true, true, true, 24, 14, '{}', '{}', 2, '');
"""
_SALES: Final = """
INSERT INTO sales_sale (public_id, source, order_no, revision, is_current, digest, member_id, store_id, channel, sold_at,
    business_on, list_fen, amount_fen, unit_count, points_spent, returned_fen, returned_unit_count, is_first, points_round,
    spent_round, activity_round, points_earned, counted_fen, counted_orders, points_taken, points_outcome, recorded_at)
SELECT left(md5('{age}' || n), 16), 'pos', '{age}' || n, 0, true, '', member.id, (SELECT min(id) FROM guides_store), 'store',
    now() - interval '{age}', current_date, 10000, 10000, 1, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, '', now()
FROM generate_series(1, {count}) n JOIN members_member member ON member.public_id = 'b' || n
"""
_LINES: Final = """
INSERT INTO sales_saleline (sale_id, number, product_id, category_code, quantity, list_fen, amount_fen, returned_quantity,
                            returned_fen)
SELECT id, 1, (SELECT min(id) FROM sales_product), 'tops', 1, 10000, 10000, 0, 0 FROM sales_sale
"""
_OWNERS: Final = """
INSERT INTO sales_attribution (sale_id, rule_words, made_at, made_by, reason, request_key)
SELECT id, '', now(), '', '', '' FROM sales_sale
"""
_SHARES: Final = """
INSERT INTO sales_attributionshare (attribution_id, place, role, guide_id, store_id, share_bp)
SELECT id, 0, 'serving', (SELECT min(id) FROM guides_guide), (SELECT min(id) FROM guides_store), 10000 FROM sales_attribution
"""
_EMPTY: Final = "TRUNCATE sales_review, coupons_standingissue, sales_carecursor RESTART IDENTITY CASCADE"
_RULE: Final = """
import django
django.setup()
import datetime as dt
from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, StandingTerms, TemplateTerms
boss, at = Actor.system("bench"), clock.now() - dt.timedelta(days=3)
terms = TemplateTerms(title="券", kind="cash_off", off_fen=100, validity="from_today", valid_days=7)
template = services.create_template(terms=terms, actor=boss, at=at)
few = BatchTerms(name="批", quota=10, doors=("system",))
batch = services.create_batch(template_id=template.id, terms=few, actor=boss, at=at)
services.open_batch(batch_id=batch.id, actor=boss, at=at)
rule = services.create_standing_rule(
    terms=StandingTerms(name="购后", occasion="purchase", batch_id=batch.id, least_fen=5000), actor=boss, at=at)
services.switch_rule_on(rule_id=rule.id, actor=boss, at=at)
services.pause_batch(batch_id=batch.id, actor=boss)
print("done")
"""
_JOB: Final = """
import time, django
django.setup()
from core.actor import Actor
from sales import services
began = time.monotonic()
count = services.work_purchase_care(actor=Actor.system("bench"))
print(count, time.monotonic() - began)
"""
_NEWS: Final = """
is_current AND member_id IS NOT NULL AND sold_at > now() - interval '48 hours' AND returned_unit_count < unit_count
"""
_FLOOR: Final = (
    f"""
INSERT INTO sales_review (public_id, order_key, sale_id, member_id, store_id, guide_id, state, due_at, expires_at, words,
                          request_outcome)
SELECT left(md5(sale.id::text), 16), 'sale:' || left(md5(source || order_no), 30), sale.id, member_id, sale.store_id,
       share.guide_id, 'planned', sold_at + interval '1 day', sold_at + interval '15 days', '', ''
FROM sales_sale sale JOIN sales_attribution owner ON owner.sale_id = sale.id AND owner.ended_at IS NULL
JOIN sales_attributionshare share ON share.attribution_id = owner.id WHERE {_NEWS}
""",
    f"""
INSERT INTO coupons_standingissue (rule_id, member_id, occasion_key, state, reason, noted_at, withdrawal)
SELECT (SELECT min(id) FROM coupons_standingrule), member_id, 'sale:' || left(md5(source || order_no), 30), 'waiting',
       '', now(), ''
FROM sales_sale sale WHERE {_NEWS} AND amount_fen - returned_fen >= 5000
""",
)  # fmt: skip
_LOOK: Final = f"SELECT count(*) FROM sales_sale WHERE {_NEWS}"


def bench() -> Report:
    """Old orders first, then new ones. Raises RuntimeError when a run leaves another state than it should."""
    measured: dict[str, list[float]] = {"old": [], "look": [], "ours": [], "floor": []}
    with private_database() as private:
        for statement in filter(str.strip, _CHAIN.split(";")):
            private.connection.execute(statement)
        private.connection.execute(FILLER, {"count": _ORDERS, "stage": "member"})
        private.job(_RULE)
        _sell(private, "1 year")
        for _round in range(_ROUNDS):
            measured["old"].append(_care(private, 0))
            measured["look"].append(private.timed([_LOOK]))
        private.connection.execute("TRUNCATE sales_sale CASCADE")
        _sell(private, "1 hour")
        for number in range(_ROUNDS):
            measured["ours"].append(_care(private, _ORDERS))
            private.connection.execute(_EMPTY)
            measured["floor"].append(private.timed(_FLOOR))
            private.connection.execute(_EMPTY)
            print(
                f"  round {number + 1} of {_ROUNDS}: care {measured['ours'][-1]:.1f} s, by hand "
                f"{measured['floor'][-1]:.1f} s",
                flush=True,
            )
    return _report(measured)


def _sell(private: Private, age: str) -> None:
    for statement in (_SALES.format(age=age, count=_ORDERS), _LINES, _OWNERS, _SHARES, "ANALYZE"):
        private.connection.execute(statement)


def _care(private: Private, expected: int) -> float:
    private.connection.execute(_EMPTY)
    count, seconds = private.job(_JOB)
    [reviews, issues] = private.state(
        "SELECT (SELECT count(*) FROM sales_review), (SELECT count(*) FROM coupons_standingissue)"
    )
    if {int(count), reviews, issues} != {expected}:
        raise RuntimeError(f"{expected} orders, but {count} cared for, {reviews} reviews, {issues} occasions")
    return float(seconds)


def _report(measured: dict[str, list[float]]) -> Report:
    size = f"{_ORDERS:,} orders"
    over = ratios(measured["ours"], measured["floor"])
    return Report(
        figures=(
            Figure(
                f"care of {size}: review and gift noted, over two INSERT … SELECT, s",
                spread(measured["floor"], 2), spread(measured["ours"], 2), statistics.median(over),
            ),
            Figure("orders cared for a second", "–", f"{_ORDERS / statistics.median(measured['ours']):,.0f}"),
            Figure(f"a file of last year, {size}: nothing follows, s", spread(measured["look"], 3), spread(measured["old"], 2)),
            Figure("old orders passed over a second", "–", f"{_ORDERS / statistics.median(measured['old']):,.0f}"),
        ),
        measured=measured,
    )  # fmt: skip
