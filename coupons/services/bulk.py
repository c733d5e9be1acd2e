"""Coupons for a segment, up to millions: who is to have one is frozen first, then a slice is one transaction.

A slice is done by the database function `coupons_issue_slice` (migration 0001): lock the members, lock the counters,
one INSERT for all who may have one, the others counted by reason. Killed between two slices nothing is lost, killed
inside one it is undone; any process goes on with the slices that wait, also several at once.
"""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from core import audit, clock, events
from core.actor import Actor
from coupons import errors
from coupons.contracts import DoorName, IssueDraft, IssueProgress
from coupons.events import CouponsIssued
from coupons.models import CouponBatch, Door, IssueJob, IssueSlice, JobState
from coupons.selectors.batches import get_issue_progress
from coupons.selectors.standing import may_be_given
from coupons.services.bulk_locks import lock_slice
from coupons.services.history import actor_words
from coupons.services.issuing import call_issue, usable_request_key
from members import selectors as member_selectors

SLICE: Final = 5_000
_GUIDE_DOORS: Final = {Door.GUIDE, Door.FACE_TO_FACE}
# A paused batch is opened again, one that is not open yet will be: the job waits for it.
WAIT_FOR: Final = {"paused", "draft", "not_started"}

_FREEZE: Final = """
INSERT INTO coupons_issueslice (job_id, number, member_ids, is_done, issued_count, refused, missed)
SELECT %s, number, array_agg(id ORDER BY id), false, 0, '{{}}', '{{}}'
FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS number
      FROM (SELECT DISTINCT id FROM ({audience}) whole (id)) each) numbered
GROUP BY number
RETURNING cardinality(member_ids)
"""


def issue_coupons(
    *,
    batch_id: int,
    member_ids: QuerySet[Any, int] | Iterable[int],
    key: str,
    door: DoorName = "system",
    guide_id: int | None = None,
    store_id: int | None = None,
    source_key: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssueProgress:
    """Every member of the audience has one coupon of the batch, as far as limits, quota and budget allow; the answer
    counts the others by reason. The same `key` again goes on with the first audience where it stands.

    `member_ids` is best an unevaluated id queryset: it runs inside the database. Refuses a batch that issues nothing
    through this door, and a key that meant another batch. A template's tiers are not asked for: the audience is the
    caller's choice.
    """
    job = start_issue_job(
        batch_id=batch_id,
        member_ids=member_ids,
        key=key,
        door=door,
        guide_id=guide_id,
        store_id=store_id,
        source_key=source_key,
        actor=actor,
        at=at,
    )
    return run_issue_job(job_id=job.job_id, actor=actor, at=at)


def start_issue_job(
    *,
    batch_id: int,
    member_ids: QuerySet[Any, int] | Iterable[int],
    key: str,
    door: DoorName = "system",
    guide_id: int | None = None,
    store_id: int | None = None,
    source_key: str = "",
    draft: IssueDraft | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssueProgress:
    """The audience is frozen and waits for `run_issue_job`, or for the job that looks for waiting slices. With a
    `draft` it waits for `confirm_issue_job`, and nothing is issued until then."""
    at = at or clock.now()
    usable_request_key(key=key)
    if (door in _GUIDE_DOORS) != (guide_id is not None):
        raise errors.GuideMissing(field="guide_id")
    with transaction.atomic():
        # Two who start one job wait for each other at the batch.
        if not CouponBatch.objects.lock_all([batch_id]):
            raise errors.NoSuchBatch
        job = IssueJob.objects.filter(key=key).first()
        if job is not None:
            if (job.batch_id, job.door, job.issued_by_guide_id) != (batch_id, door, guide_id):
                raise errors.RequestReused
            return get_issue_progress(job.pk)
        reason = closed_reason(batch_id=batch_id, door=door, at=at)
        if reason:
            raise errors.OF_OUTCOME[reason]
        job = IssueJob.objects.create(
            key=key,
            batch_id=batch_id,
            door=door,
            issued_by_guide_id=guide_id,
            issued_store_id=store_id,
            source_key=source_key,
            started_at=at,
            started_by=actor_words(actor=actor),
            **({} if draft is None else _draft_columns(draft, actor)),
        )
        job.asked_count = _freeze(job.pk, member_ids)
        job.save(update_fields=["asked_count"])
        action = "coupons.bulk_started" if draft is None else "coupons.bulk_drafted"
        audit.record(action=action, subject=job, actor=actor, at=at, asked_count=job.asked_count)
    return get_issue_progress(job.pk)


def run_issue_job(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> IssueProgress:
    """All slices that wait and nobody else works at are done. A batch that has ended meanwhile stops the job, one that
    is paused leaves it waiting."""
    reason = ""
    while not reason:
        with transaction.atomic():
            waiting = IssueSlice.objects.filter(job_id=job_id, is_done=False, job__state=JobState.RUNNING)
            rows = waiting.defer("member_ids").claim(1)
            if not rows:
                break
            lock_slice(slice_id=rows[0].pk)
            reason = _run_slice(rows[0], at or clock.now())
    if reason not in WAIT_FOR:
        _finish(job_id, reason, actor, at or clock.now())
    return get_issue_progress(job_id)


def resume_issue_jobs(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Jobs that a process left half done go on; how many there were."""
    waiting = list(
        IssueJob.objects.filter(state=JobState.RUNNING).order_by("pk").values_list("pk", flat=True)
    )
    for job_id in waiting:
        run_issue_job(job_id=job_id, actor=actor, at=at)
    return len(waiting)


def _draft_columns(draft: IssueDraft, actor: Actor) -> dict[str, Any]:
    return {
        "state": JobState.DRAFT,
        "staff_id": actor.id if actor.kind == "staff" else None,
        "audience_words": draft.audience_words[:300],
        "file_name": draft.file_name[-120:],
        "stored_as": draft.stored_as,
        "bad_lines": {str(line): code for line, code in draft.bad_lines.items()},
    }


def closed_reason(*, batch_id: int, door: str, at: dt.datetime) -> str:
    """The code of why the batch issues nothing through this door at that moment; empty when it does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM coupons_terms(%s, %s, %s)", [batch_id, door, at])
        return cursor.fetchone()[0] or ""


def _freeze(job_id: int, member_ids: QuerySet[Any, int] | Iterable[int]) -> int:
    if isinstance(member_ids, QuerySet):
        audience, values = member_ids.query.sql_with_params()
    else:
        audience, values = "SELECT unnest(%s::bigint[])", (list(member_ids),)
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(audience=audience), [job_id, SLICE, *values])
        return sum(size for (size,) in cursor.fetchall())


def _run_slice(row: IssueSlice, at: dt.datetime) -> str:
    """The claimed slice is done, or the reason why the batch issues nothing."""
    job = IssueJob.objects.select_related("batch").get(pk=row.job_id)
    one_by_one: list[int] | None
    missed: dict[str, list[int]]
    if job.batch.has_partner_codes:
        # Each coupon takes a code of the shard that counted it.
        reason = closed_reason(batch_id=job.batch_id, door=job.door, at=at)
        if reason:
            return reason
        issued, missed = 0, {}
        one_by_one = IssueSlice.objects.values_list("member_ids", flat=True).get(pk=row.pk)
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT stop, issued, missed, merged FROM coupons_issue_slice(%s, %s)", [row.pk, at]
            )
            stop, issued, unlucky, one_by_one = cursor.fetchone()
        if stop is not None:
            return str(stop)
        # As text: Django leaves jsonb to its own field.
        missed = json.loads(unlucky)
    for member_id in one_by_one or ():
        outcome = _issue_to_living(job, member_id, at)
        if outcome == "issued":
            issued += 1
        elif outcome != "repeated":
            missed.setdefault(outcome, []).append(member_id)
    row.is_done, row.issued_count, row.missed = True, issued, missed
    row.refused = {reason: len(members) for reason, members in missed.items()}
    row.done_at = clock.now()
    row.save(update_fields=["is_done", "issued_count", "refused", "missed", "done_at"])
    return ""


def _issue_to_living(job: IssueJob, member_id: int, at: dt.datetime) -> str:
    """One by one, for who was merged since the audience was frozen, and where a partner's codes are handed out."""
    living_id = member_selectors.list_merge_targets([member_id]).get(member_id)
    if living_id is None:
        return "no_member"
    if living_id != member_id and not may_be_given(job.pk, living_id):
        return "repeated"
    return call_issue(
        batch_id=job.batch_id,
        member_id=living_id,
        stored_key=f"job:{job.pk}:{living_id}",
        door=job.door,
        guide_id=job.issued_by_guide_id,
        store_id=job.issued_store_id,
        source_key=job.source_key,
        tier_id=None,
        at=at,
    )[0]


def _finish(job_id: int, reason: str, actor: Actor, at: dt.datetime) -> None:
    """The job is over when no slice waits; of two who find that at once one tells."""
    if not reason and IssueSlice.objects.filter(job_id=job_id, is_done=False).exists():
        return
    with transaction.atomic():
        state = JobState.STOPPED if reason else JobState.DONE
        over = IssueJob.objects.filter(pk=job_id, state=JobState.RUNNING)
        if over.update(state=state, stop_reason=reason, finished_at=at):
            progress = get_issue_progress(job_id)
            job = IssueJob.objects.get(pk=job_id)
            audit.record(
                action="coupons.bulk_finished",
                subject=job,
                actor=actor,
                at=at,
                issued_count=progress.issued_count,
            )
            events.publish(CouponsIssued(job_id, job.batch_id, progress.issued_count))
