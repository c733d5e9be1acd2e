"""The communication matrix: counting a month and opening the page, against the same numbers grouped by hand.

On BENCH_MEMBERS_COUNT members (20,000 unless it is set) with five orders each and some three messages in a month over five
channels, in turns: the month counted for every channel and importance as the hourly job does it, and one GROUP BY by hand of
all channels together, which is one filter of the matrix; the same page read as head office opens it; the same for a tenth
of the stores, which is counted when it is asked for.
"""

import os
from typing import Any, Final

from bench.figures import Figure, Report, at_most, spread
from bench.nine_numbers import GUIDES
from bench.private import LONG_MS, private_database
from bench.sales_metrics import SEED

_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "20000"))
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "5"))
# One statement counts 6 × 4 filters of which the hand counts one, and reads the messages once: three times one filter is
# an eighth of what filters one by one would take.
_ALL_LIMIT: Final = 3.0
_PAGE_LEAST: Final = 30.0
_PART_LIMIT: Final = 3.0
_MORE: Final = """
INSERT INTO sales_membermetrics (member_id, computed_on, first_on, last_on, order_count, amount_fen, unit_count,
    year_order_count, year_amount_fen, year_unit_count, kept_order_count, kept_amount_fen, basket_fen, categories,
    rfm_group, coming_group, stage, interval_tier)
SELECT member_id, current_date, min(business_on), max(business_on), count(*), sum(amount_fen), sum(unit_count), count(*),
       sum(amount_fen), 0, 0, 0, avg(amount_fen), '{}', member_id % 8, 0,
       (ARRAY['new', 'active', 'dormant_1', 'dormant_6', 'lost'])[1 + member_id % 5], 'core'
FROM sales_sale GROUP BY member_id;
INSERT INTO sales_memberday (member_id, day, store_ref, guide_ref, traces, order_count, net_fen)
SELECT member_id, business_on, store_id, 0, 1, count(*), sum(amount_fen) FROM sales_sale GROUP BY 1, 2, 3;
INSERT INTO campaigns_reach (reason_key, member_id, topic, importance, content, channels, step, state, channel, code, tries,
    attempt_count, message_id, queued_at, not_before, expires_at, sent_at, finished_at, lease_holder)
SELECT 'b' || member.id || '.' || n, member.id, 'birthday', (ARRAY['must', 'normal', 'marketing'])[1 + drawn % 3], '', 'sms', 0,
       'sent', (ARRAY['template', 'subscription', 'service_message', 'sms', 'inbox'])[1 + drawn % 5], '', '[]', 1, '', at, at,
       at + interval '1 day', at, at, ''
FROM members_member member, generate_series(1, 6) n, LATERAL (SELECT (hashint8(member.id * 10 + n) & 65535) AS drawn) d,
     LATERAL (SELECT now() - drawn % 28 * interval '1 day') sent (at)
WHERE drawn % 2 = 0;
INSERT INTO campaigns_inboxmessage (public_id, member_id, topic, title, text, page, reason_key, sent_at, read_at)
SELECT 'i' || id, member_id, topic, '', '', '', reason_key, sent_at, sent_at FROM campaigns_reach
WHERE channel = 'inbox' AND id % 3 = 0;
INSERT INTO campaigns_campaignmember (run_id, member_id, letter, state, code, try_count, reach_id, clicked_at)
SELECT id % 20, member_id, 'A', 'done', '', 0, id, CASE WHEN id % 10 = 0 THEN sent_at END FROM campaigns_reach
WHERE importance = 'marketing' ON CONFLICT DO NOTHING;
UPDATE members_member SET follow_changed_at = now() - id % 40 * interval '1 day' WHERE id % 50 = 0;
"""
# Of one filter: who was sent how much of all that left in the month, who read, opened, bought and turned away.
_HAND: Final = """
SELECT coalesce(x.rfm_group, -1), coalesce(x.stage, 'unbought'),
       CASE WHEN s.messages = 1 THEN 1 WHEN s.messages <= 3 THEN 2 ELSE 3 END, count(*), sum(s.messages)::bigint,
       count(r.member_id), count(*) FILTER (WHERE s.has_clicked), count(*) FILTER (WHERE s.has_bought),
       count(*) FILTER (WHERE NOT m.is_following AND (m.follow_changed_at AT TIME ZONE 'Asia/Shanghai')::date
                        BETWEEN s.first_on AND s.last_on + 7)
FROM (SELECT s.*, EXISTS (SELECT FROM sales_memberday d WHERE d.member_id = s.member_id AND d.order_count > 0
                          AND d.day BETWEEN s.first_on AND s.first_on + 7) AS has_bought
      FROM (SELECT reach.member_id, count(*) AS messages, min((sent_at AT TIME ZONE 'Asia/Shanghai')::date) AS first_on,
                   max((sent_at AT TIME ZONE 'Asia/Shanghai')::date) AS last_on, bool_or(c.clicked_at IS NOT NULL) AS has_clicked
            FROM campaigns_reach reach
            LEFT JOIN campaigns_campaignmember c ON c.reach_id = reach.id AND c.clicked_at IS NOT NULL
            WHERE reach.state IN ('sent', 'delivered') AND sent_at >= %(since)s AND sent_at < %(until)s GROUP BY 1) s) s
JOIN members_member m ON m.id = s.member_id AND m.merged_into_id IS NULL AND m.stage <> 'erased'
LEFT JOIN sales_membermetrics x ON x.member_id = m.id
LEFT JOIN (SELECT DISTINCT member_id FROM campaigns_inboxmessage
           WHERE sent_at >= %(since)s AND sent_at < %(until)s AND read_at IS NOT NULL) r ON r.member_id = m.id
{who} GROUP BY 1, 2, 3
"""
_PART: Final = """
WHERE m.id IN (SELECT b.member_id FROM guides_binding b JOIN guides_guide g ON g.id = b.guide_id
               WHERE b.ended_at IS NULL AND g.store_id = ANY(%(stores)s))
"""
_JOB: Final = """
import json, sys, time, datetime as dt, django
django.setup()
from django.db import connection
from campaigns.selectors.contacts import count_cells, get_contact_matrix, values_of
from campaigns.services.contacts import count_contacts
from core import clock
told = json.load(sys.stdin)
month = (clock.today() - dt.timedelta(days=14)).replace(day=1)
values = values_of(month) | {"stores": told["stores"]}
def timed(work):
    began = time.monotonic()
    answer = work()
    return time.monotonic() - began, answer
def by_hand(name):
    with connection.cursor() as cursor:
        cursor.execute(told[name], values)
        return sorted(cursor.fetchall())
def ours(stores):
    return sorted(tuple(row[2:-1]) for row in count_cells(month, store_ids=stores) if row[:2] == ("", "") and row[4])
count_contacts(at=clock.day_bounds(month)[0] + dt.timedelta(days=27))
found = {}
for name, stores in (("hand", None), ("part", told["stores"])):
    sides = ("floor", "ours") if told["turn"] % 2 else ("ours", "floor")
    times = {}
    for side in sides:
        times[side] = timed(lambda: by_hand(name) if side == "floor" else count_cells(month, store_ids=stores))[0]
    counted, expected = ours(stores), by_hand(name)
    assert counted == expected, (name, counted[:3], expected[:3])
    found[name] = times | {"members": sum(row[3] for row in expected), "messages": sum(row[4] for row in expected)}
get_contact_matrix(month)
found["page"] = sum(timed(lambda: get_contact_matrix(month))[0] for _time in range(20)) / 20
print(json.dumps(found))
"""


def bench() -> Report:
    """Rounds in turns. Raises RuntimeError when hand and job count differently."""
    rounds: list[dict[str, Any]] = []
    with private_database(statement_timeout_ms=LONG_MS) as private:
        private.connection.execute(SEED.format(members=_MEMBERS))
        private.connection.execute(GUIDES)
        private.connection.execute(_MORE)
        private.connection.execute("VACUUM ANALYZE")
        [stores] = private.state(
            "SELECT array_agg(id) FROM guides_store WHERE (id - (SELECT min(id) FROM guides_store)) % 10 = 3"
        )
        for turn in range(_ROUNDS):
            told = {
                "turn": turn,
                "stores": stores,
                "hand": _HAND.format(who=""),
                "part": _HAND.format(who=_PART),
            }
            rounds.append(private.ask(_JOB, told))
    return _report(rounds)


def _report(rounds: list[dict[str, Any]]) -> Report:
    def line(name: str, key: str, limit: float) -> Figure:
        floors, ours = ([1000 * one[key][side] for one in rounds] for side in ("floor", "ours"))
        found = [one / floor for one, floor in zip(ours, floors, strict=True)]
        return at_most(name, spread(floors), spread(ours), found, limit)

    pages = [1000 * one["page"] for one in rounds]
    quicker = sorted(one["hand"]["floor"] / one["page"] for one in rounds)[len(rounds) // 2]
    figures = (
        line("a month counted, all 24 filters against one by hand, ms", "hand", _ALL_LIMIT),
        line("the same of a tenth of the stores, ms", "part", _PART_LIMIT),
        Figure(
            "the page of the chain, ms", spread([1000 * one["hand"]["floor"] for one in rounds]), spread(pages, 2), quicker,
            f"≥ {_PAGE_LEAST:g}", quicker >= _PAGE_LEAST,
        ),
    )  # fmt: skip
    whole = rounds[0]["hand"]
    if not rounds[0]["part"]["members"]:
        raise RuntimeError("nobody belongs to these stores")
    note = f"{_MEMBERS:,} members, {whole['messages']:,} messages to {whole['members']:,} of them in the month, {_ROUNDS} rounds"
    return Report(figures, (note,), rounds)
