"""The statements by which outcomes are counted. Each is of one run; what other apps keep comes as their SQL."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.db import connection

from campaigns.models import Campaign, CampaignRun
from core import clock
from coupons.selectors.redeemed_sql import redeemed_sql
from members.selectors.visits_sql import visits_sql
from sales.selectors import get_rfm_rules
from sales.selectors.bought_sql import goods_values, purchases_sql, stage_values, standing_before_sql

# Who is in a run, or has a row of it: the next in the order of their keys, those between two keys, and these.
NEXT: Final = """
SELECT member_id, id, letter FROM {table} WHERE run_id = %(run_id)s AND member_id > %(after)s
ORDER BY member_id LIMIT %(size)s
"""
BETWEEN: Final = """
SELECT member_id, id, letter FROM {table}
WHERE run_id = %(run_id)s AND member_id > %(after)s AND member_id <= %(upto)s
"""
THESE: Final = """
SELECT member_id, id, letter FROM {table} WHERE run_id = %(run_id)s AND member_id = ANY(%(asked)s::bigint[])
"""
DROP: Final = "DELETE FROM campaigns_campaignoutcome WHERE id = ANY(%(row_ids)s::bigint[])"
# However much the statistics know of a run that began a minute ago: members are looked up by keys, which are named as
# values, so that the planner knows how many they are.
PLAN_BY_KEYS: Final = """
SELECT set_config('enable_seqscan', 'off', true), set_config('random_page_cost', '1.1', true)
"""
_WHO: Final = "SELECT member_id FROM who"
_AIMED: Final = {
    "second_purchase": "coalesce(before.order_count, 0) = 1",
    "wake_up": "coalesce(before.stage, '') LIKE 'dormant%%'",
    "win_back": "coalesce(before.stage, '') = 'lost'",
}
_BEGIN: Final = """
WITH who AS MATERIALIZED (
    SELECT place.* FROM unnest(%(place_ids)s::bigint[]) AS slice (id) JOIN campaigns_campaignmember place USING (id))
INSERT INTO campaigns_campaignoutcome (run_id, member_id, letter, guide_id, store_id, tier_id, orders_before, stage_before,
    is_aimed, order_count, unit_count, amount_fen, is_done, is_sent, is_delivered, is_seen, is_clicked, is_given,
    discount_fen, cost_hundredths)
SELECT who.run_id, who.member_id, who.letter, coalesce(who.guide_id, 0), coalesce(who.store_id, 0),
       coalesce(who.tier_id, 0), coalesce(before.order_count, 0), coalesce(before.stage, 'unbought'), {aimed},
       0, 0, 0, false, false, false, false, false, false, 0, 0
FROM who LEFT JOIN ({before}) before USING (member_id)
ON CONFLICT (run_id, member_id) DO NOTHING
"""
REPEATS: Final = """
SELECT count(*) FROM campaigns_campaignmember hers WHERE hers.run_id = %(run_id)s AND EXISTS (
    SELECT FROM campaigns_campaignmember before JOIN campaigns_campaignrun earlier ON earlier.id = before.run_id
    WHERE before.member_id = hers.member_id AND earlier.campaign_id = %(campaign_id)s AND earlier.id < %(run_id)s)
"""
_COUNTED: Final = (
    "first_at",
    "order_count",
    "unit_count",
    "amount_fen",
    "visited_at",
    "goal_at",
    "redeemed_at",
    "discount_fen",
)
_COUNT: Final = """
WITH who AS MATERIALIZED (
    SELECT hers.id, hers.member_id, hers.is_aimed, place.coupon_id
    FROM unnest(%(row_ids)s::bigint[], %(place_ids)s::bigint[]) AS slice (id, place_id)
        JOIN campaigns_campaignoutcome hers USING (id) JOIN campaigns_campaignmember place ON place.id = slice.place_id),
bought AS (
    SELECT member_id, min(sold_at) AS first_at, count(*)::int AS order_count, sum(units)::int AS unit_count,
           sum(fen)::bigint AS amount_fen
    FROM ({purchases}) bought GROUP BY member_id),
used AS ({redeemed}),
visited AS ({visits}),
fresh AS MATERIALIZED (
    SELECT who.id, bought.first_at, coalesce(bought.order_count, 0) AS order_count,
           coalesce(bought.unit_count, 0) AS unit_count, coalesce(bought.amount_fen, 0) AS amount_fen,
           visited.visited_at, CASE WHEN who.is_aimed THEN {goal} END AS goal_at, used.redeemed_at,
           coalesce(used.discount_fen, 0) AS discount_fen
    FROM who LEFT JOIN bought USING (member_id) LEFT JOIN used USING (coupon_id) LEFT JOIN visited USING (member_id))
UPDATE campaigns_campaignoutcome hers SET {set}
FROM fresh WHERE fresh.id = hers.id AND ({fresh}) IS DISTINCT FROM ({hers})
"""
_GOALS: Final = {
    "redemption": "CASE WHEN used.redeemed_at < %(until_at)s THEN used.redeemed_at END",
    "visit": "visited.visited_at",
}
_NOBODY: Final = "SELECT NULL::bigint AS member_id, NULL::timestamptz AS visited_at WHERE false"
# What a pruned message was stays; what the act did is read as long as it is there.
_DELIVERED: Final = (
    "is_done",
    "is_given",
    "is_sent",
    "is_delivered",
    "is_seen",
    "is_clicked",
    "cost_hundredths",
)
_DELIVER: Final = """
WITH who AS MATERIALIZED (
    SELECT hers.id, hers.is_sent, hers.is_delivered, hers.is_seen, hers.cost_hundredths, place.state, place.coupon_id,
           place.clicked_at, place.reach_id, place.other_reach_ids
    FROM unnest(%(row_ids)s::bigint[], %(place_ids)s::bigint[]) AS slice (id, place_id)
        JOIN campaigns_campaignoutcome hers USING (id) JOIN campaigns_campaignmember place ON place.id = slice.place_id
    WHERE hers.letter <> ''),
message AS (
    SELECT id, reach_id FROM who WHERE reach_id IS NOT NULL
    UNION ALL SELECT id, unnest(other_reach_ids) FROM who WHERE other_reach_ids IS NOT NULL),
told AS (
    SELECT message.id, bool_or(reach.state IN ('sent', 'delivered')) AS is_sent,
           bool_or(reach.state = 'delivered') AS is_delivered, bool_or(inbox.read_at IS NOT NULL) AS is_read,
           sum(reach.cost_hundredths) AS cost_hundredths
    FROM message JOIN campaigns_reach reach ON reach.id = message.reach_id
        LEFT JOIN campaigns_inboxmessage inbox ON inbox.reason_key = reach.reason_key
    GROUP BY message.id),
fresh AS (
    SELECT who.id, who.state = 'done' AS is_done, who.coupon_id IS NOT NULL AS is_given,
           coalesce(told.is_sent, who.is_sent) AS is_sent, coalesce(told.is_delivered, who.is_delivered) AS is_delivered,
           who.is_seen OR coalesce(told.is_read, false) OR who.clicked_at IS NOT NULL AS is_seen,
           who.clicked_at IS NOT NULL AS is_clicked,
           coalesce(told.cost_hundredths, who.cost_hundredths) AS cost_hundredths
    FROM who LEFT JOIN told USING (id))
UPDATE campaigns_campaignoutcome hers SET {set}
FROM fresh WHERE fresh.id = hers.id AND ({fresh}) IS DISTINCT FROM ({hers})
"""
# Of who was erased only her messages are known. They are read once, when all are over.
LEFT: Final = """
WITH told AS (
    SELECT hers.id, bool_or(reach.state IN ('sent', 'delivered')) AS is_sent,
           bool_or(reach.state = 'delivered') AS is_delivered, sum(reach.cost_hundredths) AS cost_hundredths
    FROM campaigns_campaignoutcome hers JOIN campaigns_reach reach ON reach.id = ANY(hers.left_reach_ids)
    WHERE hers.run_id = %(run_id)s AND hers.left_reach_ids IS NOT NULL
    GROUP BY hers.id HAVING bool_and(reach.finished_at IS NOT NULL))
UPDATE campaigns_campaignoutcome hers SET is_sent = hers.is_sent OR told.is_sent,
    is_delivered = hers.is_delivered OR told.is_delivered, cost_hundredths = told.cost_hundredths, left_reach_ids = NULL
FROM told WHERE told.id = hers.id
"""
SUM_UP: Final = """
INSERT INTO campaigns_campaigntotal (run_id, letter, store_id, guide_id, tier_id, member_count, done_count, sent_count,
    delivered_count, seen_count, clicked_count, given_count, redeemed_count, aimed_count, goal_count, buyer_count,
    order_count, unit_count, amount_fen, amount_squares, discount_fen, cost_hundredths, once_count, second_count,
    asleep_count, woken_count, lost_count, won_back_count)
SELECT run_id, letter, store_id, guide_id, tier_id, count(*), count(*) FILTER (WHERE is_done),
       count(*) FILTER (WHERE is_sent), count(*) FILTER (WHERE is_delivered), count(*) FILTER (WHERE is_seen),
       count(*) FILTER (WHERE is_clicked), count(*) FILTER (WHERE is_given), count(redeemed_at),
       count(*) FILTER (WHERE is_aimed), count(goal_at), count(first_at), sum(order_count), sum(unit_count),
       sum(amount_fen), sum(amount_fen::numeric * amount_fen), sum(discount_fen), sum(cost_hundredths),
       count(*) FILTER (WHERE orders_before = 1), count(first_at) FILTER (WHERE orders_before = 1),
       count(*) FILTER (WHERE stage_before LIKE 'dormant%%'), count(first_at) FILTER (WHERE stage_before LIKE 'dormant%%'),
       count(*) FILTER (WHERE stage_before = 'lost'), count(first_at) FILTER (WHERE stage_before = 'lost')
FROM campaigns_campaignoutcome WHERE run_id = %(run_id)s
GROUP BY run_id, letter, store_id, guide_id, tier_id
"""


def begin_sql(goal: str) -> str:
    """Who has these places has a row, with where she stood at the launch of the run."""
    return _BEGIN.format(aimed=_AIMED.get(goal, "true"), before=standing_before_sql(who=_WHO))


def count_sql(campaign: Campaign) -> str:
    """What members of these rows and places bought, redeemed and visited. Rows that say so are left."""
    goal, measure = campaign.goal, campaign.measure
    has_goods = bool(measure.get("categories") or measure.get("products"))
    return _COUNT.format(
        purchases=purchases_sql(who=_WHO, has_goods=has_goods),
        redeemed=redeemed_sql(coupons="SELECT coupon_id FROM who"),
        visits=visits_sql(who=_WHO) if goal == "visit" else _NOBODY,
        goal=_GOALS.get(goal, "bought.first_at"),
        **_changes(_COUNTED),
    )


def deliver_sql() -> str:
    """What the acts of these rows and places came to and what became of their messages. Rows that say so are left."""
    return _DELIVER.format(**_changes(_DELIVERED))


def values_of(run: CampaignRun, *, until: dt.datetime | None) -> dict[str, Any]:
    """Parameters of all of these. Everybody's clock begins at the launch: of the control group nobody was ever served."""
    measure = run.campaign.measure
    launched = run.launched_at
    assert launched is not None
    return {
        "run_id": run.pk,
        "campaign_id": run.campaign_id,
        "from_at": launched,
        "until_at": until,
        "today": clock.business_day(launched),
        **stage_values(get_rfm_rules()),
        **goods_values(
            measure.get("categories") or (), measure.get("products") or (), measure.get("least_fen") or 0
        ),
    }


def execute(*, text: str, values: Mapping[str, Any]) -> int:
    """How many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return int(cursor.rowcount)


def read(*, text: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows it finds."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())


def _changes(names: tuple[str, ...]) -> dict[str, str]:
    return {
        "set": ", ".join(f"{name} = fresh.{name}" for name in names),
        "fresh": ", ".join(f"fresh.{name}" for name in names),
        "hers": ", ".join(f"hers.{name}" for name in names),
    }
