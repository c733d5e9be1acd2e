"""Many waiting members of a standing rule are given theirs by bulk issue, in rounds of up to a hundred thousand.

A round is frozen in one transaction: the rows that are in it, and the bulk issue over their members. From there the
bulk issue is what it always is (`coupons.services.bulk`): killed anywhere, another process goes on. When it is over,
the rows are told what became of each.
"""

import datetime as dt
from typing import Any, Final

from django.db import connection, transaction

from core import clock
from core.actor import Actor
from coupons.errors import OF_OUTCOME, BatchSoldOut, HadBefore, OverMemberLimit
from coupons.models import CouponBatch, IssueState, JobState, StandingIssue, StandingRound, StandingRule
from coupons.selectors.batches import get_issue_progress
from coupons.services.bulk import run_issue_job, start_issue_job
from coupons.services.standing_purchases import void_round_withdrawals

ROUND: Final = 100_000
SLICE: Final = 10_000

# The oldest row of each member: who has two gets the second in the next round. A row that is being given or merged
# just now is left to the next one too: nothing here waits while it holds others.
_FREEZE: Final = """
WITH oldest AS MATERIALIZED (
    SELECT DISTINCT ON (member_id) id FROM coupons_standingissue
    WHERE rule_id = %(rule)s AND state = 'waiting' AND round_id IS NULL ORDER BY member_id, id LIMIT %(most)s
), free AS MATERIALIZED (
    SELECT id FROM coupons_standingissue
    WHERE id IN (SELECT id FROM oldest) AND state = 'waiting' AND round_id IS NULL
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE coupons_standingissue issue SET round_id = %(round)s FROM free WHERE issue.id = free.id
"""
# In slices; a row that is being merged is left to the next run. Each coupon is looked up by batch and member, which one
# index serves: of rows written a moment ago PostgreSQL has no statistics, and a join of them, or a look-up by batch and
# key, became a reading of all coupons of the batch for each member. Whom it was issued to follows a merge.
_SETTLE: Final = """
WITH waiting AS MATERIALIZED (
    SELECT id, member_id FROM coupons_standingissue
    WHERE rule_id = %(rule)s AND round_id = %(round)s AND state = 'waiting'
    ORDER BY member_id, id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
), settled AS MATERIALIZED (
    SELECT id, (SELECT min(coupon.id) FROM coupons_coupon coupon
                WHERE coupon.batch_id = %(batch)s AND coupon.received_by = waiting.member_id
                  AND starts_with(coupon.request_key, %(key)s)) AS coupon_id,
           %(limit)s <= (SELECT coalesce(max(ordinal), 0) FROM coupons_coupon coupon
                         WHERE coupon.batch_id = %(batch)s AND coupon.received_by = waiting.member_id) AS is_over
    FROM waiting
), written AS (
    UPDATE coupons_standingissue issue
    SET coupon_id = settled.coupon_id, settled_at = %(at)s,
        state = CASE WHEN settled.coupon_id IS NULL THEN 'refused' ELSE 'given' END,
        reason = CASE WHEN settled.coupon_id IS NOT NULL THEN '' WHEN is_over THEN %(over)s ELSE %(reason)s END
    FROM settled WHERE issue.id = settled.id
)
SELECT count(*), count(coupon_id) FROM settled
"""


def give_in_rounds(*, rule_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """Everybody who waits for this rule and is in no round has been in one; how many coupons were given. While
    another process freezes or gives a round of the rule, this one leaves it to it."""
    at, given = at or clock.now(), 0
    while (round_id := _freeze(rule_id, actor, at)) is not None:
        job_id = StandingRound.objects.values_list("job_id", flat=True).get(pk=round_id)
        assert job_id is not None
        run_issue_job(job_id=job_id, actor=actor, at=at)
        settled = settle_rounds(rule_id=rule_id, at=at)
        given += settled
        if StandingRound.objects.filter(pk=round_id, settled_at__isnull=True).exists():
            break  # the batch was paused in between: the round waits with it
    return given


def settle_rounds(*, rule_id: int | None = None, at: dt.datetime | None = None) -> int:
    """Rounds whose bulk issue is over have told every member's row what became of it; how many were given."""
    at = at or clock.now()
    over = StandingRound.objects.filter(settled_at__isnull=True).exclude(job__state=JobState.RUNNING)
    if rule_id is not None:
        over = over.filter(rule_id=rule_id)
    return sum(_settle(round_id, at) for round_id in list(over.order_by("pk").values_list("pk", flat=True)))


def _freeze(rule_id: int, actor: Actor, at: dt.datetime) -> int | None:
    """A new round, or None when nobody waits or another round of the rule is under way."""
    with transaction.atomic():
        rule = StandingRule.objects.lock(rule_id)
        if StandingRound.objects.filter(rule=rule, settled_at__isnull=True).exists():
            return None
        row = StandingRound.objects.create(rule=rule, started_at=at)
        with connection.cursor() as cursor:
            cursor.execute(_FREEZE, {"round": row.pk, "rule": rule.pk, "most": ROUND})
            if cursor.rowcount == 0:
                transaction.set_rollback(True)
                return None
        frozen = StandingIssue.objects.filter(rule=rule, round=row, state=IssueState.WAITING)
        job = start_issue_job(
            batch_id=rule.batch_id,
            member_ids=frozen.values_list("member_id", flat=True),
            key=f"rule:{rule.pk}:{row.pk}",
            actor=actor,
            at=at,
        )
        row.job_id = job.job_id
        row.save(update_fields=["job"])
        return row.pk


def _settle(round_id: int, at: dt.datetime) -> int:
    """The rows of a round whose bulk issue is over, a transaction for each slice; how many were given."""
    row = StandingRound.objects.get(pk=round_id)
    assert row.job_id is not None
    progress = get_issue_progress(row.job_id)
    batch = CouponBatch.objects.get(pk=progress.batch_id)
    values: dict[str, Any] = {
        "rule": row.rule_id,
        "round": row.pk,
        "most": SLICE,
        "batch": batch.pk,
        "key": f"job:{row.job_id}:",
        "at": at,
        "limit": batch.member_limit,
        "over": OverMemberLimit.code,
        "reason": _reason(progress.stop_reason, progress.refused),
    }
    given, seen = 0, SLICE
    while seen == SLICE:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SETTLE, values)
            seen, new = cursor.fetchone()
        given += int(new)
    if not StandingIssue.objects.filter(rule_id=row.rule_id, round=row, state=IssueState.WAITING).exists():
        # Not before: a return that is under way refuses a row that waits, and none after that.
        void_round_withdrawals(round_id=row.pk, actor=Actor.system("standing_rules"), at=at)
        StandingRound.objects.filter(pk=round_id, settled_at__isnull=True).update(settled_at=at)
    return given


def _reason(stop_reason: str, refused: Any) -> str:
    """Why those got none who were within the member's limit: the bulk issue counts reasons, not people."""
    if stop_reason:
        return OF_OUTCOME.get(stop_reason, BatchSoldOut).code
    others = {key: count for key, count in refused.items() if key != "over_limit" and key in OF_OUTCOME}
    if not others:
        return HadBefore.code
    return OF_OUTCOME[max(others, key=lambda key: others[key])].code
