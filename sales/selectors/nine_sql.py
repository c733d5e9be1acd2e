"""The one definition of who came, how she stood, and what it adds up to, as SQL: for a few members, a range, or a period.

Days (`fresh`) are worked out from documents and traces. Totals are a sum over members, so a few members' days that
change move them by what those members are afterwards less what they were before (`FOLD`); and the totals of a period
are a sum over its days (`RECOUNT`).
"""

from typing import Final

NEVER: Final = "date '0001-01-01'"
_DAY: Final = "({at} AT TIME ZONE 'Asia/Shanghai')::date"
_END: Final = "((came.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')"
_WHO: Final = {
    "ids": "{key} = ANY(%(ids)s::bigint[])",
    "range": "{key} > %(after)s AND {key} <= %(upto)s",
}
# An order that came back whole brought her to us, and is no purchase. What she did in the mini-program counts in the store
# of her guide, as long as behaviours are kept.
_FRESH: Final = """
WITH who AS MATERIALIZED (
    SELECT id AS member_id FROM members_member
    WHERE #member AND merged_into_id IS NULL AND stage <> 'erased' AND id <> ALL(%(without)s::bigint[])),
traces AS (
    SELECT member_id, business_on AS day, store_id AS store_ref, 1 AS trace,
           (returned_unit_count < unit_count)::int AS orders,
           CASE WHEN returned_unit_count < unit_count THEN amount_fen - returned_fen ELSE 0 END AS fen
    FROM sales_sale WHERE #sale AND is_current
    UNION ALL
    SELECT scan.member_id, #scanned, code.store_id, 2, 0, 0
    FROM guides_channelscan scan LEFT JOIN guides_channelcode code ON code.id = scan.channel_code_id WHERE #scan
    UNION ALL
    SELECT coupon.member_id, #redeemed, redemption.store_id, 4, 0, 0
    FROM coupons_redemption redemption JOIN coupons_coupon coupon ON coupon.id = redemption.coupon_id
    WHERE #coupon AND redemption.reversed_at IS NULL
    UNION ALL
    SELECT DISTINCT member_id, #happened, NULL::bigint, 8, 0, 0
    FROM members_behaviour WHERE #behaviour AND happened_at >= %(kept_from)s),
guided AS MATERIALIZED (
    SELECT DISTINCT ON (came.member_id, came.day) came.member_id, came.day, binding.guide_id, binding.store_id
    FROM (SELECT DISTINCT member_id, day FROM traces JOIN who USING (member_id)) came
    LEFT JOIN guides_binding binding ON binding.member_id = came.member_id AND binding.bound_at < #end
        AND (binding.ended_at IS NULL OR binding.ended_at >= #end)
    ORDER BY came.member_id, came.day, binding.bound_at DESC NULLS LAST, binding.id DESC),
sums AS (
    SELECT trace.member_id, trace.day, coalesce(trace.store_ref, guided.store_id, 0) AS store_ref,
           coalesce(max(guided.guide_id), 0) AS guide_ref, bit_or(trace.trace)::smallint AS traces,
           sum(trace.orders)::int AS order_count, sum(trace.fen)::bigint AS net_fen
    FROM traces trace JOIN guided USING (member_id, day)
    GROUP BY 1, 2, 3),
fresh AS MATERIALIZED (
    SELECT sums.*, max(day) FILTER (WHERE order_count > 0) OVER (
               PARTITION BY member_id ORDER BY day GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS previous_on
    FROM sums),
old AS MATERIALIZED (SELECT * FROM sales_memberday WHERE #day)
"""
_VALUES: Final = ("guide_ref", "traces", "order_count", "net_fen", "previous_on")
_KEY: Final = ("member_id", "day", "store_ref")
_DIFFERS: Final = "ROW({ours}) IS DISTINCT FROM ROW({stored})".format(
    ours=", ".join(f"fresh.{name}" for name in _VALUES), stored=", ".join(f"old.{name}" for name in _VALUES)
)
_WRITE: Final = """
, gone AS (
    DELETE FROM sales_memberday row USING old WHERE #same
      AND NOT EXISTS (SELECT FROM fresh WHERE (#fresh) = (#old))
    RETURNING row.member_id),
put AS (
    INSERT INTO sales_memberday (#key, #values)
    SELECT #fresh, #freshvalues FROM fresh LEFT JOIN old USING (#key) WHERE old.member_id IS NULL OR #differs
    ON CONFLICT (#key) DO UPDATE SET #set
    RETURNING member_id)
"""
_PERIODS: Final = """
(VALUES ('day', #day, #day + 1),
        ('week', date_trunc('week', #day)::date, date_trunc('week', #day)::date + 7),
        ('month', date_trunc('month', #day)::date, (date_trunc('month', #day) + interval '1 month')::date),
        ('quarter', date_trunc('quarter', #day)::date, (date_trunc('quarter', #day) + interval '3 months')::date))
    span (period, starts_on, ends_on)
"""
# Of members whose days differ all their days in the periods that hold one of those, as they were and as they are.
_MOVED: Final = """
, affected AS MATERIALIZED (
    SELECT DISTINCT member_id, period, starts_on, ends_on
    FROM (SELECT member_id, day FROM fresh FULL JOIN old USING (#key)
          WHERE fresh.order_count IS NULL OR old.order_count IS NULL OR #differs) different
    CROSS JOIN LATERAL #periods),
signed AS (
    SELECT -1 AS sign, #key, guide_ref, order_count, net_fen, previous_on FROM old
    UNION ALL SELECT 1, #key, guide_ref, order_count, net_fen, previous_on FROM fresh),
held AS MATERIALIZED (
    SELECT sign, period, starts_on, member_id, store_ref, guide_ref, order_count, net_fen,
           min(coalesce(previous_on, #never)) OVER (PARTITION BY sign, period, starts_on, member_id) AS stood_on
    FROM affected JOIN signed USING (member_id) WHERE day >= starts_on AND day < ends_on)
"""
_OF_PERIODS: Final = """
WITH held AS MATERIALIZED (
    SELECT 1 AS sign, period, starts_on, member_id, store_ref, guide_ref, order_count, net_fen,
           min(coalesce(previous_on, #never)) OVER (PARTITION BY starts_on, member_id) AS stood_on
    FROM sales_memberday row CROSS JOIN LATERAL #periods
    WHERE day >= %(since)s AND day < %(until)s AND period = %(period)s)
"""
# Her standing is hers in the period, wherever she came; in a place she counts once, however often she came.
_SUMMED: Final = """
, judged AS (
    SELECT sign, period, starts_on, member_id, store_ref, guide_ref, order_count, net_fen,
           CASE WHEN stood_on = #never THEN 'new' WHEN starts_on - stood_on <= %(active_days)s THEN 'returning'
                ELSE 'dormant' END AS stood
    FROM held),
placed AS (
    SELECT judged.*, 'chain' AS scope, 0::bigint AS ref FROM judged
    UNION ALL SELECT judged.*, 'store', store_ref FROM judged WHERE store_ref <> 0
    UNION ALL SELECT judged.*, 'guide', guide_ref FROM judged WHERE guide_ref <> 0
    UNION ALL SELECT judged.*, place.scope, place.ref FROM judged JOIN sales_nineplace place USING (store_ref)),
once AS (
    SELECT sign, scope, ref, period, starts_on, stood, member_id, sum(order_count) AS orders, sum(net_fen) AS fen
    FROM placed GROUP BY 1, 2, 3, 4, 5, 6, 7),
summed AS MATERIALIZED (
    SELECT scope, ref, period, starts_on, stood, sum(sign)::int AS came_count,
           sum(sign * (orders > 0)::int)::int AS buyer_count, sum(sign * orders)::int AS order_count,
           sum(sign * fen)::bigint AS net_fen
    FROM once GROUP BY 1, 2, 3, 4, 5)
"""
_TOTAL_KEY: Final = "scope, ref, period, starts_on, stood"
_NUMBERS: Final = ("came_count", "buyer_count", "order_count", "net_fen")
_ADD: Final = """
, moved AS (
    INSERT INTO sales_ninetotal AS row (#totalkey, #numbers)
    SELECT #totalkey, #numbers FROM summed WHERE (#numbers) <> (0, 0, 0, 0) ORDER BY #totalkey
    ON CONFLICT (#totalkey) DO UPDATE SET #add
    RETURNING 1)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
"""
_REPLACE: Final = """
, dropped AS (
    DELETE FROM sales_ninetotal row
    WHERE period = %(period)s AND starts_on >= %(since)s AND starts_on < %(until)s
      AND NOT EXISTS (SELECT FROM summed WHERE (summed.scope, summed.ref, summed.starts_on, summed.stood)
                                             = (row.scope, row.ref, row.starts_on, row.stood))
    RETURNING #anything),
replaced AS (
    INSERT INTO sales_ninetotal AS row (#totalkey, #numbers)
    SELECT #totalkey, #numbers FROM summed ORDER BY #totalkey
    ON CONFLICT (#totalkey) DO UPDATE SET #replace
        WHERE (#stored) IS DISTINCT FROM (#excluded)
    RETURNING 1 AS wrong)
SELECT (SELECT coalesce(sum(wrong), 0) FROM dropped) + (SELECT count(*) FROM replaced)
"""


def _listed(names: tuple[str, ...], table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


_MARKS: Final = {
    "#periods": _PERIODS.replace("#day", "day"),
    "#scanned": _DAY.format(at="scan.scanned_at"),
    "#redeemed": _DAY.format(at="redemption.redeemed_at"),
    "#happened": _DAY.format(at="happened_at"),
    "#end": _END,
    "#never": NEVER,
    "#same": "(" + _listed(_KEY, "row") + ") = (" + _listed(_KEY, "old") + ")",
    "#freshvalues": _listed(_VALUES, "fresh"),
    "#fresh": _listed(_KEY, "fresh"),
    "#old": _listed(_KEY, "old"),
    "#key": ", ".join(_KEY),
    "#values": ", ".join(_VALUES),
    "#differs": _DIFFERS,
    "#set": ", ".join(f"{name} = excluded.{name}" for name in _VALUES),
    "#totalkey": _TOTAL_KEY,
    "#numbers": ", ".join(_NUMBERS),
    "#add": ", ".join(f"{name} = row.{name} + excluded.{name}" for name in _NUMBERS),
    "#replace": ", ".join(f"{name} = excluded.{name}" for name in _NUMBERS),
    "#stored": _listed(_NUMBERS, "row"),
    "#excluded": _listed(_NUMBERS, "excluded"),
    # A row of noughts that fewer members left behind is no error.
    "#anything": "(row.came_count <> 0)::int AS wrong",
}
_KEYS: Final = {
    "#member": "id",
    "#sale": "member_id",
    "#scan": "scan.member_id",
    "#coupon": "coupon.member_id",
    "#behaviour": "member_id",
}


def _text(who: str, *parts: str) -> str:
    text = "".join(parts)
    for mark, words in _MARKS.items():
        text = text.replace(mark, words)
    for mark, key in _KEYS.items():
        text = text.replace(mark, _WHO[who].format(key=key))
    return text.replace("#day", _WHO[who].format(key="member_id"))


# Some members, with the totals their days are in. Nobody else folds meanwhile.
FOLD: Final = _text("ids", _FRESH, _WRITE, _MOVED, _SUMMED, _ADD)
# A range of members, without the totals: the first pass, whose totals are counted when it is through.
FILL: Final = _text(
    "range", _FRESH, _WRITE, "SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)"
)
# The totals of all periods of one kind that begin within a span (of which it holds whole ones).
RECOUNT: Final = _text("ids", _OF_PERIODS, _SUMMED, _REPLACE)
# Behaviours before that day are kept no longer, and so are the days that only they tell of. Totals stay: they name nobody.
FORGET: Final = """
WITH gone AS (DELETE FROM sales_memberday WHERE day < %(kept_on)s AND traces = 8 RETURNING 1)
UPDATE sales_memberday SET traces = traces & 7 WHERE day < %(kept_on)s AND traces & 8 > 0 AND traces <> 8
"""
