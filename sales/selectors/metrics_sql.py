"""The one definition of a member's numbers, as SQL: from her documents or from her row, for a few or for a range.

Three parts are put together: *facts* (what she bought), *judged* (scores, groups and stages by the chain's rules), and
what is done with the rows: upsert them, or write those that differ.
"""

import datetime as dt
from typing import Any, Final

from sales.contracts import RfmRules

# What the documents say, whatever the day.
LASTING: Final = (
    "first_on", "last_on", "order_count", "amount_fen", "unit_count", "basket_fen", "categories", "typical_days",
    "next_on", "store_id", "hour",
)  # fmt: skip
_WINDOWED: Final = (
    "year_order_count", "year_amount_fen", "year_unit_count", "kept_order_count", "kept_amount_fen",
)  # fmt: skip
_FACTS: Final = (*LASTING, *_WINDOWED)
_JUDGED: Final = (
    "price_band", "recency_score", "frequency_score", "money_score", "rfm_group", "coming_group", "stage",
    "interval_tier",
)  # fmt: skip
VALUES: Final = (*_FACTS, *_JUDGED)

_WHO: Final = {
    "one": "{key} = %(id)s::bigint",
    "ids": "{key} = ANY(%(ids)s::bigint[])",
    "range": "{key} > %(after)s AND {key} <= %(upto)s",
}
_FROM_DOCUMENTS: Final = """
WITH who AS MATERIALIZED (
    SELECT id AS member_id FROM members_member
    WHERE #member AND merged_into_id IS NULL AND stage <> 'erased'),
bought AS MATERIALIZED (
    SELECT id, member_id, business_on, store_id, amount_fen - returned_fen AS fen,
           unit_count - returned_unit_count AS units,
           extract(hour FROM sold_at AT TIME ZONE 'Asia/Shanghai')::smallint AS hour
    FROM sales_sale
    WHERE #sale AND is_current AND returned_unit_count < unit_count AND business_on <= %(today)s),
sums AS (
    SELECT member_id, min(business_on) AS first_on, max(business_on) AS last_on,
           count(*)::int AS order_count, sum(fen)::bigint AS amount_fen, sum(units)::int AS unit_count,
           (count(*) FILTER (WHERE business_on > %(year_from)s))::int AS year_order_count,
           coalesce(sum(fen) FILTER (WHERE business_on > %(year_from)s), 0)::bigint AS year_amount_fen,
           coalesce(sum(units) FILTER (WHERE business_on > %(year_from)s), 0)::int AS year_unit_count,
           (count(*) FILTER (WHERE business_on > %(kept_from)s))::int AS kept_order_count,
           coalesce(sum(fen) FILTER (WHERE business_on > %(kept_from)s), 0)::bigint AS kept_amount_fen
    FROM bought GROUP BY member_id),
gaps AS (
    SELECT member_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY gap) AS typical_days
    FROM (SELECT member_id, business_on - lag(business_on) OVER (PARTITION BY member_id ORDER BY business_on) AS gap
          FROM (SELECT DISTINCT member_id, business_on FROM bought) days) gap_of
    WHERE gap > 0 GROUP BY member_id),
liked AS (
    SELECT member_id, (array_agg(category_code ORDER BY fen DESC, category_code COLLATE "C"))[1:3] AS categories
    FROM (SELECT bought.member_id, line.category_code, sum(line.amount_fen - line.returned_fen) AS fen
          FROM bought JOIN sales_saleline line ON line.sale_id = bought.id
          WHERE line.category_code <> ''
          GROUP BY 1, 2 HAVING sum(line.amount_fen - line.returned_fen) > 0) worth
    GROUP BY member_id),
places AS (
    SELECT DISTINCT ON (member_id) member_id, store_id FROM bought GROUP BY member_id, store_id
    ORDER BY member_id, count(*) DESC, max(business_on) DESC, store_id),
hours AS (
    SELECT DISTINCT ON (member_id) member_id, hour FROM bought GROUP BY member_id, hour
    ORDER BY member_id, count(*) DESC, hour),
facts AS (
    SELECT who.member_id, first_on, last_on, coalesce(order_count, 0) AS order_count,
           coalesce(amount_fen, 0) AS amount_fen, coalesce(unit_count, 0) AS unit_count,
           coalesce(amount_fen / order_count, 0) AS basket_fen,
           coalesce(categories, '{}')::varchar(40)[] AS categories, typical_days, last_on + typical_days AS next_on,
           store_id, hour, coalesce(year_order_count, 0) AS year_order_count,
           coalesce(year_amount_fen, 0) AS year_amount_fen, coalesce(year_unit_count, 0) AS year_unit_count,
           coalesce(kept_order_count, 0) AS kept_order_count, coalesce(kept_amount_fen, 0) AS kept_amount_fen
    FROM who LEFT JOIN sums USING (member_id) LEFT JOIN gaps USING (member_id) LEFT JOIN liked USING (member_id)
         LEFT JOIN places USING (member_id) LEFT JOIN hours USING (member_id)),
"""
_FROM_ROWS: Final = """
WITH facts AS (
    SELECT member_id, #facts FROM sales_membermetrics #sample WHERE #row AND order_count > 0),
""".replace("#facts", ", ".join(_FACTS))
# The stage of her life in which somebody is on a day who bought first and last on these.
STAGE: Final = """
           CASE WHEN NOT {bought} THEN 'unbought'
                WHEN %(today)s::date - first_on < %(new_days)s THEN 'new'
                ELSE (ARRAY['active', 'dormant_1', 'dormant_3', 'dormant_6', 'lost'])
                    [1 + width_bucket(%(today)s::date - last_on - 1, %(stage_days)s::int[])] END"""
# width_bucket counts the cut-offs that do not exceed a number; "up to so many days" is one day less than that.
_JUDGING: Final = """
scored AS (
    SELECT facts.*, order_count > 0 AS has_bought,
           5 - width_bucket(%(today)s::date - last_on - 1, %(recency_cuts)s::int[]) AS r,
           1 + width_bucket(year_order_count, %(frequency_cuts)s::int[]) AS f,
           1 + width_bucket(year_amount_fen, %(money_cuts)s::bigint[]) AS m,
           5 - width_bucket(%(coming)s::date - last_on - 1, %(recency_cuts)s::int[]) AS coming_r,
           1 + width_bucket(kept_order_count, %(frequency_cuts)s::int[]) AS coming_f,
           1 + width_bucket(kept_amount_fen, %(money_cuts)s::bigint[]) AS coming_m
    FROM facts),
judged AS (
    SELECT member_id, #facts,
           CASE WHEN has_bought THEN
               width_bucket(amount_fen / unit_count, %(price_cuts)s::bigint[]) END::smallint AS price_band,
           CASE WHEN has_bought THEN r END::smallint AS recency_score,
           CASE WHEN has_bought THEN f END::smallint AS frequency_score,
           CASE WHEN has_bought THEN m END::smallint AS money_score,
           CASE WHEN has_bought THEN (m >= %(money_high)s)::int * 4 + (f >= %(frequency_high)s)::int * 2
                + (r >= %(recency_high)s)::int END::smallint AS rfm_group,
           CASE WHEN has_bought THEN (coming_m >= %(money_high)s)::int * 4
                + (coming_f >= %(frequency_high)s)::int * 2 + (coming_r >= %(recency_high)s)::int
                END::smallint AS coming_group,
           #stage AS stage,
           CASE WHEN last_on > %(month_ago)s THEN 'core' WHEN last_on > %(quarter_ago)s THEN 'potential'
                WHEN last_on > %(half_ago)s THEN 'ordinary' ELSE 'unbought' END AS interval_tier
    FROM scored)
""".replace("#facts", ", ".join(_FACTS)).replace("#stage", STAGE.format(bought="has_bought"))

# Whoever writes first in a month notes where she stood at the end of the one before.
_BEFORE: Final = """
    before_group = CASE WHEN {new}.rfm_group IS NULL THEN NULL
        WHEN {old}.group_month_on < %(month_on)s THEN {old}.rfm_group ELSE {old}.before_group END,
    group_month_on = CASE WHEN {new}.rfm_group IS NOT NULL THEN %(month_on)s::date END,
    computed_on = %(today)s"""
_INSERT: Final = """
INSERT INTO sales_membermetrics (member_id, computed_on, group_month_on, #values)
SELECT member_id, %(today)s, CASE WHEN rfm_group IS NOT NULL THEN %(month_on)s::date END, #values
FROM """.replace("#values", ", ".join(VALUES))
_SET_EXCLUDED: Final = ", ".join(f"{name} = excluded.{name}" for name in VALUES)
_SET_FRESH: Final = ", ".join(f"{name} = fresh.{name}" for name in VALUES)

# The caller holds the locks of her members. Every row is written, also one that says the same: a run that looked
# before knows by that, that it looked too early.
_UPSERT: Final = (
    _INSERT
    + "judged ORDER BY member_id ON CONFLICT (member_id) DO UPDATE SET "
    + _SET_EXCLUDED
    + ","
    + _BEFORE.format(new="excluded", old="sales_membermetrics")
)


def _differs(names: tuple[str, ...]) -> str:
    ours, stored = (", ".join(f"{table}.{name}" for name in names) for table in ("judged", "row"))
    return f"ROW({ours}) IS DISTINCT FROM ROW({stored})"


# Rows that say something else than `judged`. Nobody is waited for: a row that somebody holds is being written anew by
# him, and one that was written since this statement looked has another xmin. A row that is missing is added under her
# member's lock, for a booking that is under way holds that. The range stands at every table again: told only that ids are
# those of thousands of `judged`, the planner reads all members' rows for each slice.
_WRITE_DIFFERENT: Final = """
, fresh AS MATERIALIZED (
    SELECT judged.*, row.xmin AS old_xmin, row.member_id IS NULL AS is_missing,
           row.member_id IS NOT NULL AND #lasting
               AND NOT EXISTS (SELECT FROM sales_metricstouch touch WHERE touch.member_id = judged.member_id)
               AS is_wrong
    FROM judged LEFT JOIN sales_membermetrics row ON row.member_id = judged.member_id AND #own
    WHERE row.member_id IS NULL OR #different OR (row.rfm_group IS NOT NULL AND row.group_month_on < %(month_on)s)),
held AS MATERIALIZED (
    SELECT row.member_id FROM sales_membermetrics row JOIN fresh ON fresh.member_id = row.member_id
    WHERE row.xmin = fresh.old_xmin AND #own FOR NO KEY UPDATE OF row SKIP LOCKED),
changed AS (
    UPDATE sales_membermetrics row SET #set
    FROM fresh JOIN held USING (member_id) WHERE row.member_id = fresh.member_id AND #own
    RETURNING fresh.member_id, fresh.is_wrong),
#adding
SELECT (SELECT count(*) FROM judged), (SELECT count(*) FROM added), (SELECT count(*) FROM changed WHERE NOT is_wrong),
       (SELECT count(*) FROM changed WHERE is_wrong),
       (SELECT coalesce(array_agg(member_id), '{}') FROM (
            SELECT member_id FROM changed WHERE is_wrong ORDER BY member_id LIMIT 20) example)
"""
_ADDING: Final = """
living AS MATERIALIZED (
    SELECT id AS member_id FROM members_member
    WHERE id IN (SELECT member_id FROM fresh WHERE is_missing) AND #member AND merged_into_id IS NULL AND stage <> 'erased'
    FOR NO KEY UPDATE SKIP LOCKED),
added AS (#insert fresh JOIN living USING (member_id) ON CONFLICT (member_id) DO NOTHING RETURNING member_id)
""".replace("#insert", _INSERT)
_ADDING_NONE: Final = "added AS (SELECT member_id FROM fresh WHERE is_missing AND false)"


def _writing(adding: str) -> str:
    """The second half of a run's statement, over a range of members."""
    marks = {
        "#adding": adding,
        "#own": _WHO["range"].format(key="row.member_id"),
        "#member": _WHO["range"].format(key="id"),
        "#lasting": _differs(LASTING),
        "#different": _differs(VALUES),
        "#set": _SET_FRESH + "," + _BEFORE.format(new="fresh", old="row"),
    }
    text = _WRITE_DIFFERENT
    for mark, words in marks.items():
        text = text.replace(mark, words)
    return text


def _about(text: str, who: str) -> str:
    for mark, key in (("#member", "id"), ("#sale", "member_id"), ("#row", "member_id")):
        text = text.replace(mark, _WHO[who].format(key=key))
    return text


# One member, from her documents: the plan that serves any is as good as one for her.
REFRESH_ONE: Final = _about(_FROM_DOCUMENTS, "one") + _JUDGING + _UPSERT
# Members by their ids.
REFRESH: Final = _about(_FROM_DOCUMENTS, "ids") + _JUDGING + _UPSERT
# Members of a range of ids, of whom few differ.
REBUILD: Final = _about(_FROM_DOCUMENTS, "range") + _JUDGING + _writing(_ADDING)
RESCORE: Final = _about(_FROM_ROWS.replace("#sample", ""), "range") + _JUDGING + _writing(_ADDING_NONE)
_JUDGE_ROWS: Final = _FROM_ROWS.replace("#row", "true") + _JUDGING
# Rows of members who live on in another row, or nowhere.
DROP: Final = """
DELETE FROM sales_membermetrics row USING members_member member
WHERE member.id = row.member_id AND row.member_id > %(after)s AND row.member_id <= %(upto)s
  AND (member.merged_into_id IS NOT NULL OR member.stage = 'erased')
"""


def judging_rows(sample: str) -> str:
    """What the rows, or a sample of them ("TABLESAMPLE …"), would say under other rules: the table `judged`."""
    return _JUDGE_ROWS.replace("#sample", sample)


def values_of(*, rules: RfmRules, day: dt.date) -> dict[str, Any]:
    """The parameters of every statement here: the rules, and the days the windows begin on."""
    coming = months_on(day, 1)
    return {
        "today": day,
        "coming": coming,
        "month_on": day.replace(day=1),
        "year_from": months_on(day, -12),
        "kept_from": months_on(coming, -12),
        "month_ago": months_on(day, -1),
        "quarter_ago": months_on(day, -3),
        "half_ago": months_on(day, -6),
        "recency_cuts": list(rules.recency_cuts),
        "frequency_cuts": list(rules.frequency_cuts),
        "money_cuts": list(rules.money_cuts),
        "recency_high": rules.recency_high,
        "frequency_high": rules.frequency_high,
        "money_high": rules.money_high,
        "price_cuts": list(rules.price_cuts),
        "new_days": rules.new_days,
        "stage_days": list(rules.stage_days),
    }


def months_on(day: dt.date, months: int) -> dt.date:
    """The same day so many months later or earlier; the last of a month that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    first = dt.date(day.year + years, month + 1, 1)
    following = (first + dt.timedelta(days=31)).replace(day=1)
    return min(first + dt.timedelta(days=day.day - 1), following - dt.timedelta(days=1))
