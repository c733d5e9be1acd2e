"""What a rule for purchases would have given: the orders that earn its coupon, counted in one statement."""

import datetime as dt
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from django.db import connection

from core import clock
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors

LOOKED_BACK: Final = dt.timedelta(days=30)
# As `coupons.services.standing_purchases` looks at one order: what is left of it, of the categories alone where some are
# named. By store and day, for which there is an index.
_COUNT: Final = """
WITH bought AS (
    SELECT sale.id, sale.member_id, sale.amount_fen - sale.returned_fen AS left_fen FROM sales_sale sale
    WHERE sale.store_id = ANY(%s::bigint[]) AND sale.business_on > %s AND sale.business_on <= %s
      AND sale.is_current AND sale.member_id IS NOT NULL AND (sale.is_first OR NOT %s)),
counted AS (
    SELECT bought.member_id, CASE WHEN %s THEN bought.left_fen ELSE (
        SELECT coalesce(sum(line.amount_fen - line.returned_fen), 0) FROM sales_saleline line
        WHERE line.sale_id = bought.id AND line.category_code = ANY(%s::text[])) END AS left_fen
    FROM bought)
SELECT count(*), count(DISTINCT found.member_id) FROM counted found
WHERE found.left_fen > 0 AND found.left_fen >= %s AND {conditions}
"""


class WouldEarn(NamedTuple):
    """Orders of members, and how many members that are."""

    order_count: int
    member_count: int


def count_would_earn(
    rule_id: int, *, store_ids: Collection[int] | None = None, at: dt.datetime | None = None
) -> WouldEarn:
    """How many orders of the last 30 days, today with them, earn the rule's coupon as they stand now, in these stores
    (None: everywhere). Raises NoSuchRule."""
    terms = coupon_selectors.get_standing_rule(rule_id).terms
    stores = set(guide_selectors.list_store_labels())
    if terms.store_ids or terms.region_ids:
        stores &= guide_selectors.stores_within(store_ids=terms.store_ids, region_ids=terms.region_ids)
    if store_ids is not None:
        stores &= set(store_ids)
    until = clock.business_day(at or clock.now())
    conditions, asked_of_members = coupon_selectors.get_member_condition(rule_id)
    values: list[Any] = [
        sorted(stores), until - LOOKED_BACK, until, terms.is_first_only, not terms.category_codes,
        list(terms.category_codes), terms.least_fen, *asked_of_members,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(conditions=conditions), values)
        return WouldEarn(*cursor.fetchone())
