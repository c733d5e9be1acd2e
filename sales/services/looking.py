"""What plain orders rest on: looked at before the locks, and again under them, each time by one statement."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from core.arrays import array_words
from core.compiled import Rows, ask, ask_once
from sales.contracts import OrderDocument
from sales.models import AttributionRule
from sales.services.attributing import RuleTerms
from sales.services.booking import terms_of_rule
from sales.services.reconciling import CLOSE_LOCK

Key = tuple[str, str]  # source, number
FEW: Final = 100  # orders that prepared statements serve; more of them are planned for
# For a few orders a plan that serves any is taken at once: to make one for these costs more than to carry it out.
_FOR_FEW: Final = "set_config('plan_cache_mode', 'force_generic_plan', true)"
# Some ten thousand rows are looked up by their keys in tables that grow with every slice: what the planner takes for
# the price of a page from a disk of its own would make it read all of them instead.
_FOR_MANY: Final = "set_config('random_page_cost', '1.1', true)"
_ASKED: Final = """asked AS MATERIALIZED (
    SELECT source, order_no FROM unnest(%(sources)s::text[], %(numbers)s::text[]) AS given(source, order_no))
"""
_BEFORE: Final = """
WITH <asked>
SELECT coalesce((
           SELECT json_agg(json_build_array(
               sale.source, sale.order_no, sale.revision, encode(sale.digest, 'hex'), sale.member_id, sale.id))
           FROM asked JOIN sales_sale sale ON sale.source = asked.source AND sale.order_no = asked.order_no
               AND sale.is_current), '[]'),
       coalesce((
           SELECT json_agg(json_build_array(source, order_no)) FROM (
               SELECT asked.source, asked.order_no FROM asked JOIN sales_helddocument held
                   ON held.source = asked.source AND held.number = asked.order_no
               WHERE held.state = 'waiting' AND held.kind = 'order'
               UNION
               SELECT asked.source, asked.order_no FROM asked JOIN sales_helddocument held
                   ON held.source = asked.source AND held.order_no = asked.order_no
               WHERE held.state = 'waiting') waited
           WHERE EXISTS (SELECT FROM sales_helddocument WHERE state = 'waiting')), '[]'),
       <plan>
""".replace("<asked>", _ASKED)
_UNDER: Final = """
SELECT coalesce((
           SELECT json_agg(json_build_array(product.code, product.id, product.brand)) FROM sales_product product
           WHERE product.code = ANY(%(codes)s::text[])), '[]'),
       coalesce((
           SELECT json_agg(json_build_array(sale.member_id, sale.sold_at)) FROM sales_sale sale
           WHERE sale.member_id = ANY(%(members)s::bigint[]) AND sale.is_current AND sale.is_first), '[]'),
       coalesce((
           SELECT json_agg(to_json(rule) ORDER BY rule.position) FROM sales_attributionrule rule WHERE is_active), '[]'),
       ARRAY(SELECT nextval((SELECT pg_get_serial_sequence('sales_sale', 'id')::regclass))
             FROM generate_series(1, %(count)s::bigint)),
       ARRAY(SELECT nextval((SELECT pg_get_serial_sequence('sales_attribution', 'id')::regclass))
             FROM generate_series(1, %(count)s::bigint))
"""
# The snapshot is the statement's; the function looks at the closed months anew when it has the lock.
_LAST: Final = """
WITH <asked>
SELECT sales_share_close(%(lock)s::bigint), coalesce((
    SELECT json_agg(json_build_array(asked.source, asked.order_no)) FROM asked JOIN sales_helddocument held
        ON held.source = asked.source AND held.order_no = asked.order_no
    WHERE held.state = 'waiting' AND EXISTS (SELECT FROM sales_helddocument WHERE state = 'waiting')), '[]')
""".replace("<asked>", _ASKED)


class Known(NamedTuple):
    """A current order: its revision and content, whose it is, its row."""

    revision: int
    digest: bytes
    member_id: int | None
    sale_id: int


class Before(NamedTuple):
    """Which orders are in the books, and which wait for a person or are waited for by returns."""

    known: dict[Key, Known]
    awaited: frozenset[Key]


class Settled(NamedTuple):
    """What holds while the members are locked, with row ids for so many orders."""

    products: dict[str, tuple[int, str]]  # row id and brand
    first_sold: dict[int, dt.datetime]  # when each member bought first
    rules: tuple[RuleTerms, ...]
    sale_ids: list[int]
    attribution_ids: list[int]


def look_before(orders: Sequence[OrderDocument]) -> Before:
    """What is known of these orders."""
    plan = _FOR_FEW if len(orders) <= FEW else _FOR_MANY
    [(known, awaited, _plan)] = _ask(len(orders), _BEFORE.replace("<plan>", plan), _keys(orders))
    return Before(
        {
            (source, order_no): Known(revision, bytes.fromhex(digest), member_id, sale_id)
            for source, order_no, revision, digest, member_id, sale_id in known
        },
        frozenset((source, order_no) for source, order_no in awaited),
    )


def look_under_locks(orders: Sequence[OrderDocument], *, member_ids: Iterable[int]) -> Settled:
    """What these orders, whose members are locked, are booked by."""
    codes = {line.product_code for order in orders for line in order.lines}
    values = {"codes": array_words(codes), "members": array_words(member_ids), "count": len(orders)}
    [(products, firsts, rules, sale_ids, attribution_ids)] = _ask(len(orders), _UNDER, values)
    return Settled(
        {code: (pk, brand) for code, pk, brand in products},
        {member_id: dt.datetime.fromisoformat(sold_at) for member_id, sold_at in firsts},
        tuple(terms_of_rule(_rule(row)) for row in rules),
        sorted(sale_ids),
        sorted(attribution_ids),
    )


def look_last(orders: Sequence[OrderDocument]) -> tuple[frozenset[dt.date], list[Key]]:
    """No month is closed or opened until the transaction ends: the first days of those that are closed. And the orders
    for which returns wait since they were looked at before."""
    [(months, awaited)] = _ask(len(orders), _LAST, {**_keys(orders), "lock": CLOSE_LOCK})
    return frozenset(months), [(source, order_no) for source, order_no in awaited]


def _ask(count: int, statement: str, values: dict[str, Any]) -> Rows:
    return (ask if count <= FEW else ask_once)(statement, values)


def _keys(orders: Sequence[OrderDocument]) -> dict[str, Any]:
    return {
        "sources": array_words(order.source for order in orders),
        "numbers": array_words(order.order_no for order in orders),
    }


def _rule(row: dict[str, Any]) -> AttributionRule:
    for name in ("starts_on", "ends_on"):
        row[name] = None if row[name] is None else dt.date.fromisoformat(row[name])
    return AttributionRule(**row)
