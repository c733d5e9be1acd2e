"""A batch of members judged and written by one statement, after their rows are locked.

Each batch is one transaction: the members are locked in pk order, as everybody who decides about one member locks
her, and what is read after that is settled.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django.db import connection

from core import events
from core.actor import Actor
from members.contracts import TierCard, TierDecisions
from members.events import TierChanged
from members.models import TierCause
from members.selectors.tier_rules import Window, kept_until
from members.selectors.tier_sql import AT_THE_END, BY_RULES, IDS, judging, judging_values
from members.services.points_ledger import actor_words

SLICE: Final = (
    20_000  # members in one transaction: well within the statement time-out, few locks held for long
)

# Merged rows are left out: what they had has moved.
_LOCK = """
SELECT id FROM members_member WHERE id = ANY(%(ids)s) AND merged_into_id IS NULL ORDER BY id FOR NO KEY UPDATE
"""
# What becomes of what she earned: it is set anew (with its end), waits out the grace, or stays as it is.
_STEP_BY_RULES = """
CASE WHEN target <> cur OR (%(rungs)s::bigint[])[target] IS DISTINCT FROM earned_tier_id THEN 'set' ELSE 'leave' END
"""
_STEP_AT_THE_END = "CASE WHEN reached >= cur OR %(is_final)s THEN 'set' ELSE 'grace' END"
_WRITE = """
, stepped AS (
    SELECT judged.*, #step AS step FROM judged
), settled AS (
    SELECT stepped.*, (%(rungs)s::bigint[])[target] AS earned_id,
           CASE WHEN step <> 'set' THEN valid_until WHEN target > 0 THEN %(new_until)s::date END AS new_until,
           CASE step WHEN 'leave' THEN grace_until WHEN 'grace' THEN %(grace)s::date END AS new_grace
    FROM stepped WHERE step <> 'leave' OR before_id IS DISTINCT FROM after_id
), written AS (
    INSERT INTO members_membertier AS mine
        (member_id, tier_id, since, earned_tier_id, valid_until, grace_until, manual_tier_id, manual_until)
    SELECT member_id, after_id, %(day)s, earned_id, new_until, new_grace, manual_tier_id, manual_until FROM settled
    ON CONFLICT (member_id) DO UPDATE SET
        tier_id = excluded.tier_id,
        since = CASE WHEN mine.tier_id IS DISTINCT FROM excluded.tier_id THEN excluded.since ELSE mine.since END,
        earned_tier_id = excluded.earned_tier_id,
        valid_until = excluded.valid_until,
        grace_until = excluded.grace_until
), told AS (
    INSERT INTO members_tierchange
        (member_id, from_tier_id, to_tier_id, is_upgrade, cause, at, actor, note, until, window_from, window_until,
         spend_fen, order_count, growth)
    SELECT member_id, before_id, after_id, after_pos > before_pos,
           CASE WHEN after_pos > before_pos THEN %(up_cause)s ELSE %(down_cause)s END, %(at)s, %(actor)s, '',
           CASE WHEN after_id IS NULL THEN NULL WHEN target >= man THEN new_until ELSE manual_until END,
           (%(froms)s::date[])[coalesce(n, %(last)s)], (%(untils)s::date[])[coalesce(n, %(last)s)],
           spend, orders, growth
    FROM settled WHERE before_id IS DISTINCT FROM after_id
    RETURNING id, is_upgrade
)
SELECT (SELECT count(*) FROM settled WHERE step = 'set' AND target >= cur),
       (SELECT count(*) FROM settled WHERE step = 'grace'),
       (SELECT count(*) FROM told WHERE is_upgrade), (SELECT count(*) FROM told WHERE NOT is_upgrade),
       (SELECT min(id) FROM told), (SELECT max(id) FROM told)
"""
_END_GRANTS = """
WITH ended AS (
    SELECT member_id, tier_id, earned_tier_id, valid_until,
           coalesce(array_position(%(rungs)s::bigint[], tier_id), 0) AS before_pos,
           coalesce(array_position(%(rungs)s::bigint[], earned_tier_id), 0) AS after_pos
    FROM members_membertier WHERE member_id = ANY(%(ids)s) AND manual_until <= %(day)s
), written AS (
    UPDATE members_membertier row SET manual_tier_id = NULL, manual_until = NULL, tier_id = row.earned_tier_id,
        since = CASE WHEN row.tier_id IS DISTINCT FROM row.earned_tier_id THEN %(day)s ELSE row.since END
    FROM ended WHERE row.member_id = ended.member_id
), told AS (
    INSERT INTO members_tierchange (member_id, from_tier_id, to_tier_id, is_upgrade, cause, at, actor, note, until)
    SELECT member_id, tier_id, earned_tier_id, after_pos > before_pos, 'grant_ended', %(at)s, %(actor)s, '',
           valid_until
    FROM ended WHERE tier_id IS DISTINCT FROM earned_tier_id
    RETURNING id
)
SELECT (SELECT count(*) FROM ended), (SELECT min(id) FROM told), (SELECT max(id) FROM told)
"""


class Written(NamedTuple):
    """What became of a batch: ends set anew at the same height or higher, graces begun, tiers that rose and fell."""

    kept: int
    graced: int
    risen: int
    fallen: int


class Batch:
    """What all batches of one run share: the rules, the day and the doer."""

    def __init__(
        self,
        *,
        rungs: Sequence[TierCard],
        decisions: TierDecisions,
        actor: Actor,
        at: dt.datetime,
        day: dt.date,
    ) -> None:
        self.rungs = rungs
        self.decisions = decisions
        self.at = at
        self.day = day
        self.actor = actor_words(actor)

    def by_rules(self, ids: Sequence[int], windows: Sequence[Window], *, may_fall: bool) -> Written:
        """These members have what today's rules give them."""
        return self._assess(ids, windows, may_fall=may_fall, cause=TierCause.RULES)

    def by_activity(self, ids: Sequence[int], windows: Sequence[Window]) -> Written:
        """These members have the tiers they reached. None of them has one by hand, in its grace or retired."""
        return self._assess(ids, windows, may_fall=False, cause=TierCause.REACHED)

    def _assess(
        self, ids: Sequence[int], windows: Sequence[Window], *, may_fall: bool, cause: TierCause
    ) -> Written:
        values = {
            "may_fall": may_fall,
            "new_until": kept_until(self.decisions, self.day),
            "grace": None,
            "up_cause": cause.value,
            "down_cause": cause.value,
        }
        sql = judging(who=IDS, target=BY_RULES, rungs=self.rungs, windows=windows)
        return self._write(sql + _WRITE.replace("#step", _STEP_BY_RULES), ids, windows, values)

    def at_the_end(
        self,
        ids: Sequence[int],
        window: Window,
        *,
        ended: "tuple[dt.date, dt.date | None]",
        checked_on: dt.date,
    ) -> Written:
        """The time of these members' tiers, or their grace, is over (`ended`: both dates): kept or fallen.

        `checked_on` is the day the check is made for; when it lies before the end of the grace, who would fall is
        given the grace instead.
        """
        valid_until, grace_until = ended
        grace = valid_until + dt.timedelta(days=self.decisions.grace_days)
        values = {
            "is_final": grace_until is not None or checked_on >= grace,
            "is_straight": self.decisions.descent == "straight",
            "new_until": kept_until(self.decisions, checked_on),
            "grace": grace,
            "up_cause": TierCause.REACHED.value,
            "down_cause": TierCause.LAPSED.value,
            "valid_until": valid_until,
            "grace_until": grace_until,
        }
        rows = "valid_until = %(valid_until)s AND grace_until IS NOT DISTINCT FROM %(grace_until)s::date"
        sql = judging(who=IDS, target=AT_THE_END, rungs=self.rungs, windows=[window], rows=rows)
        return self._write(sql + _WRITE.replace("#step", _STEP_AT_THE_END), ids, [window], values)

    def end_grants(self, ids: Sequence[int]) -> int:
        """What staff gave these members is over; they have what they earned. How many."""
        living = lock_living(ids=ids)
        values = {
            "ids": living,
            "rungs": [tier.id for tier in self.rungs],
            "day": self.day,
            "at": self.at,
            "actor": self.actor,
        }
        count, first, last = run_sql(_END_GRANTS, **values)[0]
        _announce(first, last)
        return int(count)

    def _write(
        self, sql: str, ids: Sequence[int], windows: Sequence[Window], values: dict[str, Any]
    ) -> Written:
        shared = {
            "ids": lock_living(ids=ids),
            "at": self.at,
            "actor": self.actor,
            "froms": [window[0] for window in windows],
            "untils": [window[1] for window in windows],
            "last": len(windows),
        }
        params = judging_values(rungs=self.rungs, windows=windows, day=self.day, **shared, **values)
        kept, graced, risen, fallen, first, last = run_sql(sql, **params)[0]
        _announce(first, last)
        return Written(kept, graced, risen, fallen)


def lock_living(*, ids: Sequence[int]) -> list[int]:
    """Those of these rows that are not merged, locked in pk order until the transaction ends."""
    return [row[0] for row in run_sql(_LOCK, ids=list(ids))]


def run_sql(sql: str, **values: Any) -> list[Any]:
    """The rows of one statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def missing_for(*, tier: TierCard | None, sums: Sequence[int]) -> tuple[int | None, int | None, int | None]:
    """What is missing to a tier's thresholds; None for a measure it does not ask for."""
    needs = (None, None, None) if tier is None else tier.thresholds
    spend, orders, growth = (
        None if need is None else max(0, need - have) for need, have in zip(needs, sums, strict=True)
    )
    return spend, orders, growth


def _announce(first: int | None, last: int | None) -> None:
    if first is not None and last is not None:
        events.publish(TierChanged(first, last))
