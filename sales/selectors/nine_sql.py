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
# Nothing that is worked out here is joined to anything else that is: of neither side is it known how long it is, and two
# lists without statistics are compared each with each. Members go in as an array, so tables are read by their indexes;
# lists are put under one another and told apart by groups and windows.
# An order that came back whole brought her to us, and is no purchase. What she did in the mini-program counts in the store
# of her guide, as long as behaviours are kept.
_FRESH: Final = """
WITH who AS MATERIALIZED (
    SELECT id FROM members_member
    WHERE #member AND merged_into_id IS NULL AND stage <> 'erased' AND id <> ALL(%(without)s::bigint[])),
traces AS (
    SELECT member_id, business_on AS day, store_id AS store_ref, 1 AS trace,
           (returned_unit_count < unit_count)::int AS orders,
           CASE WHEN returned_unit_count < unit_count THEN amount_fen - returned_fen ELSE 0 END AS fen
    FROM sales_sale WHERE member_id = #who AND is_current
    UNION ALL
    SELECT scan.member_id, #scanned, (SELECT store_id FROM guides_channelcode WHERE id = scan.channel_code_id), 2, 0, 0
    FROM guides_channelscan scan WHERE scan.member_id = #who
    UNION ALL
    SELECT coupon.member_id, #redeemed, redemption.store_id, 4, 0, 0
    FROM coupons_coupon coupon JOIN coupons_redemption redemption ON redemption.coupon_id = coupon.id
    WHERE coupon.member_id = #who AND redemption.reversed_at IS NULL
    UNION ALL
    SELECT DISTINCT member_id, #happened, NULL::bigint, 8, 0, 0
    FROM members_behaviour WHERE member_id = #who AND happened_at >= %(kept_from)s),
came AS (
    SELECT member_id, day, store_ref, bit_or(trace) AS traces, sum(orders) AS orders, sum(fen) AS fen
    FROM traces GROUP BY 1, 2, 3),
sums AS (
    SELECT came.member_id, came.day, coalesce(came.store_ref, hers.store_id, 0) AS store_ref,
           coalesce(max(hers.guide_id), 0) AS guide_ref, bit_or(came.traces)::smallint AS traces,
           sum(came.orders)::int AS order_count, sum(came.fen)::bigint AS net_fen
    FROM came LEFT JOIN LATERAL (
        SELECT guide_id, store_id FROM guides_binding
        WHERE member_id = came.member_id AND bound_at < #end AND (ended_at IS NULL OR ended_at >= #end)
        ORDER BY bound_at DESC, id DESC LIMIT 1) hers ON true
    GROUP BY 1, 2, 3),
fresh AS (
    SELECT sums.*, max(day) FILTER (WHERE order_count > 0) OVER (
               PARTITION BY member_id ORDER BY day GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS previous_on
    FROM sums),
signed AS MATERIALIZED (
    SELECT signed.*, sum(sign) OVER (PARTITION BY #key, #values) <> 0 AS differs
    FROM (SELECT 1 AS sign, #key, #values FROM fresh
          UNION ALL SELECT -1, #key, #values FROM sales_memberday WHERE #day) signed)
"""
_VALUES: Final = ("guide_ref", "traces", "order_count", "net_fen", "previous_on")
_KEY: Final = ("member_id", "day", "store_ref")
_WRITE: Final = """
, gone AS (
    DELETE FROM sales_memberday row
    USING (SELECT #key FROM signed WHERE differs GROUP BY #key HAVING max(sign) < 0) lost WHERE #same
    RETURNING 1),
put AS (
    INSERT INTO sales_memberday (#key, #values) SELECT #key, #values FROM signed WHERE differs AND sign > 0
    ON CONFLICT (#key) DO UPDATE SET #set
    RETURNING 1)
"""
_PERIODS: Final = """
(VALUES ('day', #day, #day + 1),
        ('week', date_trunc('week', #day)::date, date_trunc('week', #day)::date + 7),
        ('month', date_trunc('month', #day)::date, (date_trunc('month', #day) + interval '1 month')::date),
        ('quarter', date_trunc('quarter', #day)::date, (date_trunc('quarter', #day) + interval '3 months')::date))
    span (period, starts_on, ends_on)
"""
# All days in the periods that hold one of those that differ, as they were and as they are.
_MOVED: Final = """
, held AS MATERIALIZED (
    SELECT * FROM (
        SELECT sign, period, starts_on, member_id, store_ref, guide_ref, order_count, net_fen,
               bool_or(differs) OVER (PARTITION BY member_id, period, starts_on) AS differs,
               min(coalesce(previous_on, #never)) OVER (PARTITION BY member_id, period, starts_on, sign) AS stood_on
        FROM signed CROSS JOIN LATERAL #periods) spread
    WHERE differs)
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
_TOTAL_KEY: Final = ("scope", "ref", "period", "starts_on", "stood")
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
    USING (SELECT #totalkey FROM (
               SELECT #totalkey, true AS is_counted FROM summed
               UNION ALL SELECT #totalkey, false FROM sales_ninetotal
               WHERE period = %(period)s AND starts_on >= %(since)s AND starts_on < %(until)s) told
           GROUP BY #totalkey HAVING NOT bool_or(is_counted)) lost
    WHERE #sametotal
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
    "#sametotal": f"({_listed(_TOTAL_KEY, 'row')}) = ({_listed(_TOTAL_KEY, 'lost')})",
    "#same": f"({_listed(_KEY, 'row')}) = ({_listed(_KEY, 'lost')})",
    "#key": ", ".join(_KEY),
    "#values": ", ".join(_VALUES),
    "#set": ", ".join(f"{name} = excluded.{name}" for name in _VALUES),
    "#totalkey": ", ".join(_TOTAL_KEY),
    "#numbers": ", ".join(_NUMBERS),
    "#add": ", ".join(f"{name} = row.{name} + excluded.{name}" for name in _NUMBERS),
    "#replace": ", ".join(f"{name} = excluded.{name}" for name in _NUMBERS),
    "#stored": _listed(_NUMBERS, "row"),
    "#excluded": _listed(_NUMBERS, "excluded"),
    # A row of noughts that fewer members left behind is no error.
    "#anything": "(row.came_count <> 0)::int AS wrong",
}


def _text(who: str, *parts: str) -> str:
    text = "".join(parts)
    for mark, words in _MARKS.items():
        text = text.replace(mark, words)
    for mark, key in (("#member", "id"), ("#day", "member_id")):
        text = text.replace(mark, _WHO[who].format(key=key))
    return text.replace("#who", "ANY(ARRAY(SELECT id FROM who))")


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
