"""The grid of scores, its groups, and what moved between them."""

import dataclasses
import datetime as dt
from collections.abc import Collection
from typing import Any, Final

from django.db import connection
from django.db.models import Count, QuerySet, Sum

from core.compiled import Given, Part
from sales.contracts import RfmCell, RfmGroupLine, RfmPreview, RfmQuantiles, RfmRules
from sales.models import GROUPS, Category, LifeStage, MemberMetrics, RfmMonth
from sales.selectors.metrics_sql import judging_rows, values_of

# Above this a preview and the quantiles look at a sample of the rows, of about this size.
MOST_LOOKED_AT: Final = 1_000_000
_ROWS: Final = "SELECT reltuples::bigint FROM pg_class WHERE oid = 'sales_membermetrics'::regclass"
_FIFTHS: Final = "percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY "
# Whoever has exactly what the lower fifth has belongs to it: the next one begins above.
_QUANTILES: Final = """
SELECT (SELECT #fifths(%(day)s::date - last_on) FROM bought),
       (SELECT #fifths(year_order_count) FROM bought WHERE year_order_count > 0),
       (SELECT #fifths(year_amount_fen) FROM bought WHERE year_order_count > 0)
""".replace("#fifths(", _FIFTHS)
_BOUGHT: Final = """
WITH bought AS MATERIALIZED (
    SELECT last_on, year_order_count, year_amount_fen FROM sales_membermetrics {sample} WHERE order_count > 0)
"""
_PREVIEW: Final = """
SELECT judged.recency_score, judged.frequency_score, judged.rfm_group, count(*), sum(judged.year_amount_fen)::bigint,
       count(*) FILTER (WHERE judged.rfm_group <> row.rfm_group)
FROM judged JOIN sales_membermetrics row ON row.member_id = judged.member_id
GROUP BY 1, 2, 3
"""


def list_cells(rows: QuerySet[MemberMetrics]) -> tuple[RfmCell, ...]:
    """Members and their twelve months' money for each pair of recency and frequency; pairs nobody has are missing."""
    found = (
        rows.filter(rfm_group__isnull=False)
        .values("recency_score", "frequency_score")
        .annotate(count=Count("pk"), fen=Sum("year_amount_fen"))
        .order_by("recency_score", "frequency_score")
    )
    return tuple(
        RfmCell(row["recency_score"] or 0, row["frequency_score"] or 0, row["count"], int(row["fen"]))
        for row in found
    )


def list_groups(rows: QuerySet[MemberMetrics]) -> tuple[RfmGroupLine, ...]:
    """All groups, the worthiest first: how many are in it now and were at the end of last month, and how many of it
    stand lower in a month if they buy nothing."""
    now: dict[int, tuple[int, int]] = {
        row["rfm_group"] or 0: (row["count"], int(row["fen"]))
        for row in rows.filter(rfm_group__isnull=False)
        .values("rfm_group")
        .annotate(count=Count("pk"), fen=Sum("year_amount_fen"))
        .order_by("rfm_group")
    }
    before = _counts(rows.filter(before_group__isnull=False), "before_group")
    falling = _counts(rows.falling(), "rfm_group")  # type: ignore[attr-defined]
    return tuple(
        RfmGroupLine(group, *now.get(group, (0, 0)), before.get(group, 0), falling.get(group, 0))
        for group in reversed(range(GROUPS))
    )


def list_moves(rows: QuerySet[MemberMetrics]) -> dict[tuple[int | None, int], int]:
    """(group at the end of last month, None for who had not bought; group now) → members."""
    found: Any = rows.filter(rfm_group__isnull=False).values("before_group", "rfm_group").order_by()
    counted: list[Any] = list(found.annotate(count=Count("pk")))
    return {(row["before_group"], row["rfm_group"]): row["count"] for row in counted}


def list_group_months(*, store_ids: Collection[int] | None, since: dt.date) -> dict[dt.date, dict[int, int]]:
    """Month → group → members at its end, of these stores' guides or (None) of the whole chain."""
    rows = RfmMonth.objects.filter(month_on__gte=since)
    if store_ids is not None:
        rows = rows.filter(store__in=store_ids)
    found: dict[dt.date, dict[int, int]] = {}
    for row in rows.values("month_on", "rfm_group").annotate(count=Sum("member_count")).order_by("month_on"):
        found.setdefault(row["month_on"], {})[row["rfm_group"]] = row["count"]
    return found


def preview_rules(*, rules: RfmRules, day: dt.date) -> RfmPreview:
    """How many members each cell and each group would have under these rules, and how many would change their group.
    Of more than MOST_LOOKED_AT rows a sample is counted and scaled up."""
    share, sample = _sample()
    if rules.mode == "quantiles":
        rules = with_quantiles(rules=rules, day=day)
    with connection.cursor() as cursor:
        cursor.execute(judging_rows(sample) + _PREVIEW, values_of(rules=rules, day=day))
        rows: list[Any] = cursor.fetchall()
    cells: dict[tuple[int, int], list[int]] = {}
    groups = [0] * GROUPS
    changed = 0
    for recency, frequency, group, count, fen, moved in rows:
        cell = cells.setdefault((recency, frequency), [0, 0])
        cell[0] += count
        cell[1] += fen
        groups[group] += count
        changed += moved

    def whole(number: int) -> int:
        return round(number / share)

    return RfmPreview(
        cells=tuple(
            RfmCell(*place, whole(count), whole(fen)) for place, (count, fen) in sorted(cells.items())
        ),
        group_counts=tuple(map(whole, groups)),
        changed_count=whole(changed),
        rules=rules,
        is_estimate=share < 1,
    )


def with_quantiles(*, rules: RfmRules, day: dt.date) -> RfmRules:
    """The same rules with the cut-offs that divide the buyers in five; as they are while nobody has bought."""
    found = find_quantiles(day=day)
    if found is None:
        return rules
    return dataclasses.replace(
        rules, recency_cuts=found.recency, frequency_cuts=found.frequency, money_cuts=found.money
    )


def find_quantiles(*, day: dt.date) -> RfmQuantiles | None:
    """The cut-offs that divide today's buyers in five; None while nobody has bought in twelve months."""
    _share, sample = _sample()
    with connection.cursor() as cursor:
        cursor.execute(_BOUGHT.format(sample=sample) + _QUANTILES, {"day": day})
        recency, frequency, money = cursor.fetchone()
    if recency is None or frequency is None:
        return None
    return RfmQuantiles(
        tuple(recency), tuple(number + 1 for number in frequency), tuple(number + 1 for number in money)
    )


def falling_members() -> Part:
    """Ids of members who stand in a lower group a month from now if they buy nothing."""
    return Part(_falling_ids)


def _falling_ids() -> QuerySet[MemberMetrics, Any]:
    return MemberMetrics.objects.falling().values_list("pk", flat=True)


def due_members(*, day: dt.date) -> Part:
    """Ids of members whose usual day to buy again comes within a week, or passed in the last thirty days."""
    return Part(_next_between_ids, {"first": day - dt.timedelta(days=30), "last": day + dt.timedelta(days=7)})


def _next_between_ids(*, first: dt.date | Given, last: dt.date | Given) -> QuerySet[MemberMetrics, Any]:
    return (
        MemberMetrics.objects.buyers()
        .filter(next_on__lte=last, next_on__gte=first)
        .values_list("pk", flat=True)
    )


def _sample() -> tuple[float, str]:
    """The share of the rows that is looked at, and the words that take it."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS)
        [count] = cursor.fetchone()
    if count <= MOST_LOOKED_AT:
        return 1.0, ""
    share = MOST_LOOKED_AT / count
    return share, f"TABLESAMPLE SYSTEM ({share * 100:.4f}) REPEATABLE (7)"


def _counts(rows: QuerySet[MemberMetrics], name: str) -> dict[int, int]:
    return {row[name]: row["count"] for row in rows.values(name).annotate(count=Count("pk")).order_by(name)}


def list_buyer_stages() -> tuple[tuple[str, str], ...]:
    """The life stages of who has bought, with their labels, the liveliest first."""
    return tuple((one.value, str(one.label)) for one in LifeStage if one != LifeStage.UNBOUGHT)


def list_category_names(codes: Collection[str]) -> dict[str, str]:
    """What categories are called, by their codes; one nobody has named is called by its code."""
    names = dict(Category.objects.filter(code__in=list(codes)).values_list("code", "name"))
    return {code: names.get(code) or code for code in codes}
