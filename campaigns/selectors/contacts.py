"""The communication matrix: counted by one statement, for all members into rows, or for those of some stores at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from campaigns.contracts.contacts import ContactMatrix, ContactTally
from campaigns.models import ContactCell, ContactMonth
from campaigns.selectors.tally import LONGEST_LIFE
from core import clock

Cell = tuple[str, str, int, str, int, int, int, int, int, int, int, int]
_ALL: Final = "true"
# By the guide of today, as everything a scoped account sees of members.
_OF_STORES: Final = """
member.id IN (SELECT binding.member_id FROM guides_binding binding JOIN guides_guide guide ON guide.id = binding.guide_id
              WHERE binding.ended_at IS NULL AND guide.store_id = ANY(%(stores)s::bigint[]))
"""
# A message that went out counts, over whichever channel took it, on the day it went. Who reads outside the inbox is not told
# to anybody; a link of a campaign's message tells who opened it. Who follows us again has not left. Days on which she bought
# or left are one value a member (a multirange), so that the two dozen filters she counts in ask it and look nothing up.
COUNT: Final = """
WITH people AS MATERIALIZED (
    SELECT member.id AS member_id, coalesce(row.rfm_group, -1) AS rfm_group, coalesce(row.stage, 'unbought') AS stage,
           bar.member_id IS NOT NULL AS is_barred
    FROM members_member member LEFT JOIN sales_membermetrics row ON row.member_id = member.id
         LEFT JOIN (SELECT DISTINCT member_id FROM campaigns_reachbar) bar ON bar.member_id = member.id
    WHERE member.merged_into_id IS NULL AND member.stage <> 'erased' AND {who}),
sent AS MATERIALIZED (
    SELECT reach.member_id, reach.channel, reach.importance, count(*) AS messages,
           min((reach.sent_at AT TIME ZONE 'Asia/Shanghai')::date) AS first_on,
           max((reach.sent_at AT TIME ZONE 'Asia/Shanghai')::date) AS last_on,
           bool_or(opened.reach_id IS NOT NULL) AS has_clicked
    FROM campaigns_reach reach JOIN people USING (member_id)
         LEFT JOIN (SELECT DISTINCT unnest(array_append(other_reach_ids, reach_id)) AS reach_id
                    FROM campaigns_campaignmember WHERE clicked_at >= %(since)s) opened ON opened.reach_id = reach.id
    WHERE reach.state IN ('sent', 'delivered') AND reach.sent_at >= %(since)s AND reach.sent_at < %(until)s
      AND reach.queued_at >= %(since)s - %(life)s::interval AND reach.queued_at < %(until)s
    GROUP BY 1, 2, 3),
had AS (
    SELECT member_id, coalesce(channel, '') AS channel, coalesce(importance, '') AS importance,
           sum(messages) AS messages, min(first_on) AS first_on, max(last_on) AS last_on,
           bool_or(has_clicked) AS has_clicked
    FROM sent GROUP BY GROUPING SETS ((member_id, channel, importance), (member_id, channel), (member_id, importance),
                                      (member_id))),
readers AS (
    SELECT DISTINCT member_id FROM campaigns_inboxmessage
    WHERE sent_at >= %(since)s AND sent_at < %(until)s AND read_at IS NOT NULL),
bought AS MATERIALIZED (
    SELECT member_id, range_agg(daterange(day - 7, day, '[]')) AS followed
    FROM sales_memberday JOIN people USING (member_id)
    WHERE order_count > 0 AND day >= %(first_on)s AND day < %(end_on)s + 7 GROUP BY 1),
gone AS MATERIALIZED (
    SELECT member_id, range_agg(daterange(day, day, '[]')) AS days FROM (
        SELECT id, (follow_changed_at AT TIME ZONE 'Asia/Shanghai')::date FROM members_member
        WHERE NOT is_following AND follow_changed_at >= %(since)s AND follow_changed_at < %(until)s + interval '7 days'
        UNION ALL SELECT member_id, (barred_at AT TIME ZONE 'Asia/Shanghai')::date FROM campaigns_reachbar
        UNION ALL SELECT entry.member_id, (entry.at AT TIME ZONE 'Asia/Shanghai')::date
        FROM members_consententry entry JOIN members_consentkind kind ON kind.id = entry.kind_id
        WHERE kind.code = 'marketing' AND entry.action = 'withdrawn' AND entry.at >= %(since)s) told (member_id, day)
    GROUP BY 1),
judged AS (
    SELECT had.*, people.rfm_group, people.stage, people.is_barred, readers.member_id IS NOT NULL AS has_read,
           bought.followed @> had.first_on AS has_bought,
           gone.days && daterange(had.first_on, had.last_on + 7, '[]') AS has_left
    FROM had JOIN people USING (member_id) LEFT JOIN readers USING (member_id) LEFT JOIN bought USING (member_id)
         LEFT JOIN gone USING (member_id))
SELECT channel, importance, rfm_group, stage, CASE WHEN messages = 1 THEN 1 WHEN messages <= 3 THEN 2 ELSE 3 END AS band,
       count(*), sum(messages)::bigint, count(*) FILTER (WHERE has_read), count(*) FILTER (WHERE has_clicked),
       count(*) FILTER (WHERE has_bought), count(*) FILTER (WHERE has_left), count(*) FILTER (WHERE is_barred)
FROM judged GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT '', '', rfm_group, stage, 0, count(*), 0, 0, 0, 0, 0, count(*) FILTER (WHERE is_barred) FROM people GROUP BY 3, 4
"""


def values_of(month_on: dt.date) -> dict[str, Any]:
    """The parameters of COUNT but for the stores."""
    following = (month_on + dt.timedelta(days=32)).replace(day=1)
    return {
        "first_on": month_on,
        "end_on": following,
        "since": clock.day_bounds(month_on)[0],
        "until": clock.day_bounds(following)[0],
        "life": LONGEST_LIFE,
    }


def count_cells(month_on: dt.date, *, store_ids: Collection[int] | None = None) -> list[Cell]:
    """The cells as they are now, of all members or of those whose guides work in these stores."""
    who, values = _ALL, values_of(month_on)
    if store_ids is not None:
        who, values = _OF_STORES, values | {"stores": sorted(store_ids)}
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(who=who), values)
        rows: list[Cell] = cursor.fetchall()
    return rows


def get_contact_matrix(
    month_on: dt.date, *, channel: str = "", importance: str = "", store_ids: Collection[int] | None = None
) -> ContactMatrix:
    """The matrix of a month, of messages over one channel and of one importance (empty: any). Of the chain (no `store_ids`) as
    it was counted last; of some stores as it is now."""
    if store_ids is not None:
        rows: Iterable[Any] = count_cells(month_on, store_ids=store_ids)
        return ContactMatrix(month_on, clock.now(), _tallies(rows, channel, importance))
    month = ContactMonth.objects.filter(month_on=month_on).first()
    if month is None or month.counted_at is None:
        return ContactMatrix(month_on, None, {})
    wanted = Q(channel=channel, importance=importance) | Q(channel="", importance="", band=0)
    kept = ContactCell.objects.filter(wanted, month=month).values_list(
        "channel", "importance", "rfm_group", "stage", "band", "member_count", "message_count", "reader_count",
        "clicker_count", "buyer_count", "leaver_count", "barred_count",
    )  # fmt: skip
    return ContactMatrix(month_on, month.counted_at, _tallies(kept, channel, importance))


def _tallies(rows: Iterable[Any], channel: str, importance: str) -> dict[tuple[int, str], ContactTally]:
    whole: dict[tuple[int, str], tuple[int, int]] = {}
    found: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * 8)
    for its_channel, its_importance, group, stage, band, members, *counts, barred in rows:
        if band == 0:
            whole[group, stage] = (members, barred)
        elif (its_channel, its_importance) == (channel, importance):
            one = found[group, stage]
            one[band - 1] += members
            one[3:] = [before + more for before, more in zip(one[3:], counts, strict=True)]
    return {
        key: ContactTally(
            member_count=members,
            barred_count=barred,
            by_band=(members - sum(found[key][:3]), found[key][0], found[key][1], found[key][2]),
            message_count=found[key][3],
            reader_count=found[key][4],
            clicker_count=found[key][5],
            buyer_count=found[key][6],
            leaver_count=found[key][7],
        )
        for key, (members, barred) in whole.items()
    }
