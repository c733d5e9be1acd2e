"""What guides have to settle for a month, added up by the database: the entries that only count together.

Odd ones do not: a reversal, what it takes back, and a return of goods that another month paid for say which line they
come from. An order that has one is left out whole, in all its revisions, and read entry by entry.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final

from django.db import connection

from core.arrays import array_words
from sales.models import Metric
from sales.selectors.commission_sources import Entry, Reach

_ENTRY: Final = "id, due_on, guide_id, store_id, metric, value, sale_ref, return_ref, reversed_entry_id"
_IN_MONTH: Final = "metric = ANY(%(metrics)s) AND booked_on >= %(since)s AND booked_on < %(end)s"
# A month that is open has no lines of its own, so only what came late may be settled already.
_DUE: Final = """
SELECT <entry> FROM sales_performanceentry WHERE {whose} AND <in month>
UNION ALL SELECT <entry> FROM sales_performanceentry WHERE id = ANY(%(late)s::bigint[])
""".replace("<entry>", _ENTRY).replace("<in month>", _IN_MONTH)
# For everybody they are looked for among what is new: those of some are found by their guides.
_LATE: Final = """
SELECT coalesce(array_agg(id), '{{}}') FROM (
    SELECT id, guide_id, metric, booked_on FROM sales_performanceentry WHERE id > %(horizon)s {apart}) entry
WHERE {whose} AND metric = ANY(%(metrics)s) AND booked_on >= %(begin)s AND booked_on < %(since)s
  AND NOT EXISTS (SELECT 1 FROM sales_commissionline line WHERE line.entry_ref = entry.id AND line.is_live)
"""
_WHOSE: Final = "guide_id = ANY(%(guides)s::bigint[])"
_ODD: Final = """
WITH due AS MATERIALIZED (
    SELECT * FROM ({due}) looked_at
    WHERE reversed_entry_id IS NOT NULL OR metric = 'sales_fen' AND return_ref IS NOT NULL),
odd AS (
    SELECT DISTINCT sale_ref FROM due WHERE sale_ref IS NOT NULL AND (
        reversed_entry_id IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM sales_performanceentry sold
            WHERE sold.sale_ref = due.sale_ref AND sold.guide_id = due.guide_id AND sold.store_id = due.store_id
              AND sold.metric = 'sales_fen' AND sold.return_ref IS NULL AND sold.reversed_entry_id IS NULL
              AND sold.booked_on >= %(since)s AND sold.booked_on < %(end)s)
        OR EXISTS (SELECT 1 FROM sales_sale said
            JOIN sales_sale other ON other.source = said.source AND other.order_no = said.order_no
            JOIN sales_commissionline line ON line.sale_ref = other.id AND line.is_live
            WHERE said.id = due.sale_ref)))
SELECT array(SELECT entry.id FROM odd JOIN sales_sale said ON said.id = odd.sale_ref
             JOIN sales_sale other ON other.source = said.source AND other.order_no = said.order_no
             JOIN sales_performanceentry entry ON entry.sale_ref = other.id
             UNION SELECT id FROM due WHERE sale_ref IS NULL
             UNION SELECT reversed_entry_id FROM due WHERE sale_ref IS NULL AND reversed_entry_id IS NOT NULL)
"""
_ENTRIES: Final = "SELECT * FROM ({due}) due WHERE id = ANY(%(doubtful)s::bigint[]) ORDER BY due_on, id"
_PLAIN: Final = "SELECT * FROM ({due}) looked_at WHERE NOT id = ANY(%(odd)s::bigint[])"
_GROUPS: Final = """
SELECT due.guide_id, due.store_id, due.metric, width_bucket({day}, %(cuts)s::date[]) AS part, sum(due.value)::bigint
FROM ({plain}) due {sold} GROUP BY 1, 2, 3, 4
"""
# Where the same rules hold all month: the month's totals and what is not folded into them yet, less the odd ones. Some that
# come to nothing may have none but those.
_FROM_TOTALS: Final = """
WITH sums AS MATERIALIZED (
    SELECT guide_id, store_id, metric, sum(value)::bigint AS value FROM (
        SELECT guide_id, store_id, metric, value FROM sales_guidestoretotal
        WHERE {whose} AND period = 'month' AND starts_on = %(since)s AND metric = ANY(%(metrics)s)
        UNION ALL
        SELECT guide_id, store_ref, metric, value FROM (SELECT *, guide_ref AS guide_id FROM sales_totalmove) waiting
        WHERE {whose} AND guide_id <> 0 AND <in month>
        UNION ALL
        SELECT guide_id, store_id, metric, -value FROM sales_performanceentry
        WHERE id = ANY(%(odd)s::bigint[]) AND <in month>
        UNION ALL
        SELECT guide_id, store_id, metric, value FROM sales_performanceentry
        WHERE id = ANY(%(late)s::bigint[]) AND NOT id = ANY(%(odd)s::bigint[])) parts
    GROUP BY 1, 2, 3)
SELECT guide_id, store_id, metric, 0, value FROM sums WHERE value <> 0
UNION ALL
SELECT guide_id, store_id, metric, 0, 0::bigint FROM sums WHERE value = 0 AND EXISTS (
    SELECT 1 FROM sales_performanceentry entry
    WHERE entry.guide_id = sums.guide_id AND entry.store_id = sums.store_id AND entry.metric = sums.metric
      AND NOT entry.id = ANY(%(odd)s::bigint[])
      AND (entry.id = ANY(%(late)s::bigint[]) OR entry.booked_on >= %(since)s AND entry.booked_on < %(end)s))
""".replace("<in month>", _IN_MONTH)
_SOLD: Final = "LEFT JOIN sales_sale sale ON sale.id = due.sale_ref AND due.metric = 'sales_fen'"
_SOLD_ON: Final = "coalesce(sale.business_on, due.due_on)"
# The parts of the categories that rules name, of orders that have any of them; divided as `core.shares.split` does.
_CATEGORIES: Final = """
WITH due AS MATERIALIZED (
    SELECT due.id, due.guide_id, due.store_id, due.value, due.sale_ref, due.return_ref,
           width_bucket({day}, %(cuts)s::date[]) AS part
    FROM ({plain}) due {sold}
    WHERE due.metric = 'sales_fen' AND EXISTS (SELECT 1 FROM sales_saleline line
        WHERE line.sale_id = due.sale_ref AND line.category_code = ANY(%(codes)s::text[]))),
weighed AS (
    SELECT due.id, line.category_code AS code, sum(line.amount_fen) AS weight
    FROM due JOIN sales_saleline line ON line.sale_id = due.sale_ref WHERE due.return_ref IS NULL GROUP BY 1, 2
    UNION ALL
    SELECT due.id, coalesce(line.category_code, ''), sum(given.amount_fen)
    FROM due JOIN sales_salereturnline given ON given.sale_return_id = due.return_ref
    LEFT JOIN sales_saleline line ON line.sale_id = due.sale_ref AND line.number = given.sale_line_number
    GROUP BY 1, 2),
whole AS (SELECT *, sum(weight) OVER (PARTITION BY id) AS whole FROM weighed),
down AS (
    SELECT due.guide_id, due.store_id, due.part, due.value, whole.id, code,
           div(abs(due.value)::numeric * weight, whole) AS share, mod(abs(due.value)::numeric * weight, whole) AS rest
    FROM due JOIN whole ON whole.id = due.id WHERE whole > 0),
placed AS (
    SELECT *, abs(value) - sum(share) OVER (PARTITION BY id) AS left_over,
           row_number() OVER (PARTITION BY id ORDER BY rest DESC, code COLLATE "C") AS place FROM down)
SELECT guide_id, store_id, part, code, sum(sign(value) * (share + (place <= left_over)::int))::bigint
FROM placed WHERE code = ANY(%(codes)s::text[]) GROUP BY 1, 2, 3, 4
"""
_COUNT: Final = "SELECT count(*) FROM ({due}) due"
_LAST_STORES: Final = """
SELECT DISTINCT ON (guide_id) guide_id, store_id FROM ({due}) due
ORDER BY guide_id, due_on DESC, id DESC
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """What some entries of one guide add up to; `day` is one of those on which the same rules hold."""

    store_id: int
    metric: str
    day: dt.date
    category_code: str
    value: int


class MonthGroups:
    """The month's entries of these guides (None: all) in groups, and the odd ones one by one. `codes` are categories
    that rules name, `cuts` days on which a rule begins or has ended."""

    def __init__(
        self,
        reach: Reach,
        *,
        codes: Collection[str],
        cuts: Collection[dt.date],
        guide_ids: Collection[int] | None = None,
    ) -> None:
        self._cuts = sorted(cuts)
        self._whose, asked = _asked(reach, guide_ids)
        self._asked = {**asked, "cuts": self._cuts, "codes": sorted(codes)}
        self._due = _DUE.format(whose=self._whose)
        with connection.cursor() as cursor:
            cursor.execute(_ODD.format(due=self._due), self._asked)
            [doubtful] = cursor.fetchone()
            cursor.execute(_ENTRIES.format(due=self._due), {**self._asked, "doubtful": array_words(doubtful)})
            self.odd = [Entry(*row) for row in cursor.fetchall()]
        self._asked["odd"] = array_words(entry.id for entry in self.odd)
        self.groups = self._read(reach)

    def _read(self, reach: Reach) -> dict[int, list[Group]]:
        how = {"plain": _PLAIN.format(due=self._due), "sold": "", "day": "due.due_on"}
        if self._cuts:
            how |= {"sold": _SOLD, "day": _SOLD_ON}
        named: dict[tuple[int, int, int], int] = defaultdict(int)
        found: dict[int, list[Group]] = defaultdict(list)
        with connection.cursor() as cursor:
            if self._asked["codes"]:
                cursor.execute(_CATEGORIES.format(**how), self._asked)
                for guide_id, store_id, part, code, value in cursor.fetchall():
                    named[(guide_id, store_id, part)] += value
                    group = Group(store_id, Metric.SALES_FEN, self._day(part, reach), code, value)
                    found[guide_id].append(group)
            groups = _GROUPS.format(**how) if self._cuts else _FROM_TOTALS.format(whose=self._whose)
            cursor.execute(groups, self._asked)
            for guide_id, store_id, metric, part, value in cursor.fetchall():
                rest = value - (named[(guide_id, store_id, part)] if metric == Metric.SALES_FEN else 0)
                found[guide_id].append(Group(store_id, metric, self._day(part, reach), "", rest))
        return found

    def _day(self, part: int, reach: Reach) -> dt.date:
        if not self._cuts:
            return reach.month_on
        return self._cuts[part - 1] if part else self._cuts[0] - dt.timedelta(days=1)


def last_stores(reach: Reach, guide_ids: Collection[int]) -> dict[int, int]:
    """Where each of these guides has the newest of what she has to settle."""
    if not guide_ids:
        return {}
    whose, asked = _asked(reach, guide_ids)
    with connection.cursor() as cursor:
        cursor.execute(_LAST_STORES.format(due=_DUE.format(whose=whose)), asked)
        return dict(cursor.fetchall())


def count_due(reach: Reach, guide_ids: Collection[int]) -> int:
    """How many entries these guides have to settle."""
    whose, asked = _asked(reach, guide_ids)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(due=_DUE.format(whose=whose)), asked)
        return int(cursor.fetchone()[0])


def _asked(reach: Reach, guide_ids: Collection[int] | None) -> tuple[str, dict[str, Any]]:
    """Which entries a statement is about, and its values; what came late is looked for once."""
    asked: dict[str, Any] = {**reach.values(), "late": "{}"}
    whose = "guide_id IS NOT NULL"
    if guide_ids is not None:
        whose, asked["guides"] = _WHOSE, array_words(guide_ids)
    if reach.begin < reach.since:
        with connection.cursor() as cursor:
            cursor.execute(_LATE.format(whose=whose, apart="OFFSET 0" if guide_ids is None else ""), asked)
            asked["late"] = array_words(cursor.fetchone()[0])
    return whose, asked
