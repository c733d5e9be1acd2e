"""Purchases of some members as SQL, for apps above that count them in a statement of their own.

`who` is a query that yields their ids (`SELECT member_id FROM …`). What is a purchase is said once: the current revision of
an order of which something is left, net of its returns.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sales.contracts import RfmRules
from sales.selectors.metrics_sql import STAGE

_STANDS: Final = (
    "sale.is_current AND sale.returned_unit_count < sale.unit_count AND sale.member_id IN ({who})"
)
_WITHIN: Final = "sale.sold_at >= %(from_at)s AND sale.sold_at < %(until_at)s"
_ORDERS: Final = """
SELECT sale.member_id, sale.id AS sale_id, sale.sold_at, sale.amount_fen - sale.returned_fen AS fen,
       sale.unit_count - sale.returned_unit_count AS units
FROM sales_sale sale WHERE {stands} AND {within} AND sale.amount_fen - sale.returned_fen >= %(least_fen)s
"""
_GOODS: Final = """
SELECT sale.member_id, sale.id AS sale_id, sale.sold_at, sum(line.amount_fen - line.returned_fen)::bigint AS fen,
       sum(line.quantity - line.returned_quantity)::bigint AS units
FROM sales_sale sale JOIN sales_saleline line ON line.sale_id = sale.id
    JOIN sales_product product ON product.id = line.product_id
WHERE {stands} AND {within} AND line.returned_quantity < line.quantity
  AND (%(categories)s::text[] IS NULL OR line.category_code = ANY(%(categories)s::text[]))
  AND (%(products)s::text[] IS NULL OR product.code = ANY(%(products)s::text[]))
GROUP BY sale.id HAVING sum(line.amount_fen - line.returned_fen) >= %(least_fen)s
"""
_BEFORE: Final = """
SELECT member_id, order_count, {stage} AS stage
FROM (SELECT sale.member_id, count(*) AS order_count, min(sale.business_on) AS first_on, max(sale.business_on) AS last_on
      FROM sales_sale sale WHERE {stands} AND sale.sold_at < %(from_at)s GROUP BY sale.member_id) bought
"""


def purchases_sql(*, who: str, has_goods: bool) -> str:
    """One row a purchase of theirs from %(from_at)s to before %(until_at)s that is worth %(least_fen)s at least: member_id,
    sale_id, sold_at, fen, units. With goods, of their lines only (%(categories)s, %(products)s: arrays, or NULL)."""
    return (_GOODS if has_goods else _ORDERS).format(stands=_STANDS.format(who=who), within=_WITHIN)


def standing_before_sql(*, who: str) -> str:
    """How many purchases each had before %(from_at)s, and in which stage of her life she was on the day %(today)s: member_id,
    order_count, stage. Who had bought nothing is missing."""
    stage = STAGE.format(bought="true")
    return _BEFORE.format(stage=stage, stands=_STANDS.format(who=who))


def goods_values(categories: Sequence[str], products: Sequence[str], least_fen: int) -> Mapping[str, Any]:
    """The parameters that say which purchases count; nothing named is everything."""
    return {
        "categories": list(categories) or None,
        "products": list(products) or None,
        "least_fen": least_fen,
    }


def stage_values(rules: RfmRules) -> Mapping[str, Any]:
    """The parameters by which stages are told."""
    return {"new_days": rules.new_days, "stage_days": list(rules.stage_days)}
