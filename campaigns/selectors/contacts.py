"""The communication matrix: counted by one statement, for all members into rows, or for those of some stores at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from campaigns.contracts import CHANNEL_LABELS
from campaigns.contracts.contacts import ContactMatrix, ContactTally
from campaigns.models import ContactCell, ContactMonth, Importance
from campaigns.selectors.tally import LONGEST_LIFE
from core import clock
from sales import selectors as sale_selectors

Cell = tuple[str, str, int, str, int, int, int, int, int, int, int, int]
# By the guide of today, as everything a scoped account sees of members.
_OF_STORES: Final = """
AND {key} IN (SELECT binding.member_id FROM guides_binding binding JOIN guides_guide guide ON guide.id = binding.guide_id
              WHERE binding.ended_at IS NULL AND guide.store_id = ANY(%(stores)s::bigint[]))
"""
# A message that went out counts, over whichever channel took it, on the day it went. Who reads outside the inbox is not told
# to anybody; a link of a campaign's message tells who opened it. Who follows us again has not left.
#
# She counts in up to two dozen filters, and what costs is how many rows they are and how wide. So:
# - Days are bits of one number, from the first of the month to a week after its end: on which she was sent something, bought,
#   left. `sent & -sent` is the day of her first message; times 255, that day and the week from it on. Of the days on which she
#   left and which are not before the first message, the earliest lies at most a week after the last: the highest bit of `sent`.
# - Channels, importances and stages are their places in the lists that are handed over (0: all of them), and what a row counts
#   in is one number, `cell` of her own and `counted` of her in one filter:
#       cell     group + 1 | stage 4 bits | is barred | has read
#       counted  cell | channel 3 bits | importance 2 bits | band 2 bits | has clicked | has bought | has left
#   Some thousands of such numbers are what is left of a million messages; only those are taken apart again.
COUNT: Final = """
WITH bought AS (
    SELECT member_id, bit_or(1::bigint << (day - %(first_on)s::date)) AS days FROM sales_memberday
    WHERE order_count > 0 AND day >= %(first_on)s AND day < %(end_on)s + 7 {of_bought} GROUP BY 1),
gone AS (
    SELECT member_id, bit_or(1::bigint << (day - %(first_on)s::date)) AS days FROM (
        SELECT id, (follow_changed_at AT TIME ZONE 'Asia/Shanghai')::date FROM members_member
        WHERE NOT is_following AND follow_changed_at >= %(since)s AND follow_changed_at < %(until)s + interval '7 days'
        UNION ALL SELECT member_id, (barred_at AT TIME ZONE 'Asia/Shanghai')::date FROM campaigns_reachbar
        UNION ALL SELECT entry.member_id, (entry.at AT TIME ZONE 'Asia/Shanghai')::date
        FROM members_consententry entry JOIN members_consentkind kind ON kind.id = entry.kind_id
        WHERE kind.code = 'marketing' AND entry.action = 'withdrawn' AND entry.at >= %(since)s) told (member_id, day)
    WHERE day >= %(first_on)s AND day < %(end_on)s + 7 GROUP BY 1),
people AS MATERIALIZED (
    SELECT member.id AS member_id,
           ((coalesce(row.rfm_group, -1) + 1) << 6)
           | (array_position(%(stages)s::text[], coalesce(row.stage, 'unbought')::text) << 2)
           | CASE WHEN bar.member_id IS NULL THEN 0 ELSE 2 END | CASE WHEN reader.member_id IS NULL THEN 0 ELSE 1 END AS cell,
           coalesce(bought.days, 0) AS bought, coalesce(gone.days, 0) AS gone
    FROM members_member member
         LEFT JOIN sales_membermetrics row ON row.member_id = member.id
         LEFT JOIN (SELECT DISTINCT member_id FROM campaigns_reachbar) bar ON bar.member_id = member.id
         LEFT JOIN (SELECT DISTINCT member_id FROM campaigns_inboxmessage WHERE sent_at >= %(since)s AND sent_at < %(until)s
                    AND read_at IS NOT NULL) reader ON reader.member_id = member.id
         LEFT JOIN bought ON bought.member_id = member.id
         LEFT JOIN gone ON gone.member_id = member.id
    WHERE member.merged_into_id IS NULL AND member.stage <> 'erased' {of_people}),
messages AS (
    SELECT reach.member_id, array_position(%(channels)s::text[], reach.channel::text) AS channel,
           array_position(%(importances)s::text[], reach.importance::text) AS importance,
           1::bigint << ((reach.sent_at AT TIME ZONE 'Asia/Shanghai')::date - %(first_on)s::date) AS day,
           opened.reach_id IS NOT NULL AS is_clicked
    FROM campaigns_reach reach
         LEFT JOIN (SELECT DISTINCT unnest(array_append(other_reach_ids, reach_id)) AS reach_id
                    FROM campaigns_campaignmember WHERE clicked_at >= %(since)s) opened ON opened.reach_id = reach.id
    WHERE reach.state IN ('sent', 'delivered') AND reach.sent_at >= %(since)s AND reach.sent_at < %(until)s
      AND reach.queued_at >= %(since)s - %(life)s::interval AND reach.queued_at < %(until)s {of_had}),
had AS (
    SELECT member_id, (coalesce(channel, 0) << 7) | (coalesce(importance, 0) << 5) AS filter, count(*)::int AS messages,
           bit_or(day) AS sent, bool_or(is_clicked) AS has_clicked
    FROM messages
    GROUP BY GROUPING SETS ((member_id, channel, importance), (member_id, channel), (member_id, importance), (member_id))),
judged AS (
    SELECT (people.cell << 10) | had.filter
           | CASE WHEN had.messages = 1 THEN 8 WHEN had.messages <= 3 THEN 16 ELSE 24 END
           | CASE WHEN had.has_clicked THEN 4 ELSE 0 END
           | CASE WHEN people.bought & (had.sent & -had.sent) * 255 <> 0 THEN 2 ELSE 0 END
           | CASE WHEN people.gone <> 0 AND people.gone & -(had.sent & -had.sent) <> 0
                       AND (people.gone & -(had.sent & -had.sent) & -(people.gone & -(had.sent & -had.sent))) >> 7 <= had.sent
                  THEN 1 ELSE 0 END AS counted, had.messages
    FROM had JOIN people USING (member_id)),
summed AS (SELECT counted, count(*) AS members, sum(messages) AS messages FROM judged GROUP BY 1)
SELECT coalesce((%(channels)s::text[])[counted >> 7 & 7], ''), coalesce((%(importances)s::text[])[counted >> 5 & 3], ''),
       (counted >> 16) - 1, (%(stages)s::text[])[counted >> 12 & 15], counted >> 3 & 3,
       sum(members)::bigint, sum(messages)::bigint, {sums}
FROM summed GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT '', '', (cell >> 6) - 1, (%(stages)s::text[])[cell >> 2 & 15], 0, count(*), 0, 0, 0, 0, 0,
       count(*) FILTER (WHERE cell & 2 <> 0)
FROM people GROUP BY 3, 4
"""
# Has read, has clicked, has bought, has left, is barred.
_SUMS: Final = ", ".join(
    f"coalesce(sum(members) FILTER (WHERE counted & {bit} <> 0), 0)::bigint"
    for bit in (1 << 10, 4, 2, 1, 1 << 11)
)


def values_of(month_on: dt.date) -> dict[str, Any]:
    """The parameters of COUNT but for the stores."""
    following = (month_on + dt.timedelta(days=32)).replace(day=1)
    return {
        "first_on": month_on,
        "end_on": following,
        "since": clock.day_bounds(month_on)[0],
        "until": clock.day_bounds(following)[0],
        "life": LONGEST_LIFE,
        "channels": list(CHANNEL_LABELS),
        "importances": Importance.values,
        "stages": ["unbought", *(stage for stage, _label in sale_selectors.list_buyer_stages())],
    }


def count_cells(month_on: dt.date, *, store_ids: Collection[int] | None = None) -> list[Cell]:
    """The cells as they are now, of all members or of those whose guides work in these stores."""
    values, keys = (
        values_of(month_on),
        {"of_people": "member.id", "of_bought": "member_id", "of_had": "reach.member_id"},
    )
    narrowed = dict.fromkeys(keys, "")
    if store_ids is not None:
        values |= {"stores": sorted(store_ids)}
        narrowed = {name: _OF_STORES.format(key=key) for name, key in keys.items()}
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(sums=_SUMS, **narrowed), values)
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
