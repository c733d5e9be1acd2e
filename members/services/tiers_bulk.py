"""Activity of many members at once: the entries, and the tiers they reach, that `record_activity` writes one by one."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection

from core import audit, clock
from core.actor import Actor
from core.arrays import array_words
from members.contracts import ActivityLine
from members.models import Member, TierCause, TierChange
from members.selectors.tier_rules import assessed_windows, rungs_of
from members.selectors.tiers import get_tier_decisions, list_tiers
from members.services.points_ledger import usable_key
from members.services.tiers import record_activity
from members.services.tiers_batches import Batch

_STANDINGS: Final = """
INSERT INTO members_membertier (member_id, since)
SELECT member_id, %(day)s FROM unnest(%(members)s::bigint[]) AS given(member_id) ORDER BY member_id
ON CONFLICT (member_id) DO NOTHING
"""
_LOCK: Final = """
SELECT id FROM members_membertier WHERE member_id = ANY(%(members)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
_NOT_PLAIN: Final = """
SELECT standing.member_id
FROM unnest(%(members)s::bigint[], %(keys)s::text[]) AS given(member_id, source_key)
JOIN members_membertier standing ON standing.member_id = given.member_id
WHERE standing.manual_tier_id IS NOT NULL OR standing.grace_until IS NOT NULL
    OR (standing.earned_tier_id IS NOT NULL AND NOT standing.earned_tier_id = ANY(%(rungs)s::bigint[]))
    OR EXISTS (SELECT FROM members_activityentry entry
               WHERE entry.origin_id = given.member_id AND entry.source_key = given.source_key)
    OR EXISTS (SELECT FROM members_activityentry entry
               WHERE entry.member_id = given.member_id AND entry.origin_id <> given.member_id
                   AND entry.source_key = given.source_key)
"""
_RECORD: Final = """
INSERT INTO members_activityentry
    (member_id, origin_id, day, spend_fen, order_count, growth, source_key, recorded_at)
SELECT member_id, member_id, day, spend_fen, order_count, 0, source_key, %(at)s
FROM unnest(%(members)s::bigint[], %(days)s::date[], %(spends)s::bigint[], %(counts)s::int[], %(keys)s::text[])
    AS given(member_id, day, spend_fen, order_count, source_key)
ORDER BY member_id
"""


def record_activity_in_bulk(
    *, lines: Sequence[ActivityLine], is_told: bool = False, actor: Actor, at: dt.datetime
) -> None:
    """The numbers count towards the tiers of these members, and tiers that are reached are theirs at once.

    At most one line for each member, all of them living and locked by the caller's transaction, no day after `at`.
    Who has a tier by hand, in its grace or retired, or an entry under that key, goes through `record_activity`. The
    changes of tiers are the record: there is an audit row for each only when `is_told`. Publishes TierChanged for all
    together.
    """
    if not lines:
        return
    by_member = {line.member_id: line for line in lines}
    if len(by_member) != len(lines):
        raise ValueError("one line a member at once")
    for line in lines:
        usable_key(line.source_key)
    day, decisions, rungs = clock.business_day(at), get_tier_decisions(), rungs_of(list_tiers())
    with connection.cursor() as cursor:
        values = {**_columns(list(by_member.values())), "day": day, "rungs": [tier.id for tier in rungs]}
        cursor.execute(_STANDINGS, values)
        cursor.execute(_LOCK, values)
        cursor.execute(_NOT_PLAIN, values)
        apart = [by_member.pop(row[0]) for row in cursor.fetchall()]
        if by_member:
            left = _columns(list(by_member.values())) if apart else values
            cursor.execute(_RECORD, {**left, "at": at})
    if by_member and rungs:
        batch = Batch(rungs=rungs, decisions=decisions, actor=actor, at=at, day=day)
        written = batch.by_activity(sorted(by_member), assessed_windows(decisions, day))
        if is_told and written.risen:
            _tell(by_member, actor, at)
    for line in sorted(apart, key=lambda one: one.member_id):
        record_activity(
            member_id=line.member_id, day=line.day, spend_fen=line.spend_fen, order_count=line.order_count, growth=0,
            source_key=line.source_key, actor=actor, at=at,
        )  # fmt: skip


def _tell(members: Iterable[int], actor: Actor, at: dt.datetime) -> None:
    reached = TierChange.objects.filter(member_id__any_of=members, at=at, cause=TierCause.REACHED)
    audit.record_each(
        action="members.tier_changed",
        subjects=[
            (
                Member(pk=change.member_id),
                {
                    "from_tier": "" if change.from_tier is None else change.from_tier.name,
                    "to_tier": "" if change.to_tier is None else change.to_tier.name,
                },
            )
            for change in reached.select_related("from_tier", "to_tier").order_by("pk")
        ],
        actor=actor,
        at=at,
    )


def _columns(lines: Sequence[ActivityLine]) -> dict[str, Any]:
    return {
        "members": array_words(line.member_id for line in lines),
        "days": array_words(line.day for line in lines),
        "spends": array_words(line.spend_fen for line in lines),
        "counts": array_words(line.order_count for line in lines),
        "keys": array_words(line.source_key for line in lines),
    }
