"""Which purchase of a member was her first."""

from collections.abc import Iterable
from typing import Final

from django.db import connection

# Of all her orders the one that was sold first; equal instants by number, so that the order of arrival decides nothing.
_FIRSTS: Final = """
WITH first AS (
    SELECT DISTINCT ON (member_id) member_id, id FROM sales_sale
    WHERE member_id = ANY(%s) AND is_current ORDER BY member_id, sold_at, source, order_no)
UPDATE sales_sale sale SET is_first = (sale.id = first.id)
FROM first WHERE sale.member_id = first.member_id AND sale.is_current
    AND sale.is_first IS DISTINCT FROM (sale.id = first.id)
RETURNING sale.id
"""


def move_firsts(member_ids: Iterable[int]) -> list[int]:
    """The first purchase of each member is marked; the sales whose mark changed. The members are locked."""
    known = sorted(set(member_ids))
    if not known:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_FIRSTS, [known])
        return [row[0] for row in cursor.fetchall()]
