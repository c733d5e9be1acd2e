"""A bulk issue as staff runs it: drafted with its audience, looked at, confirmed, paused, stopped.

After pausing and stopping nothing more is issued: both take the job's lock and then wait for the slices that are being
worked on; the runner claims none of a job that is not running.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from core import audit, clock, events
from core.actor import Actor
from core.uploads import drop_file
from coupons import errors
from coupons.contracts import DoorName, IssueDraft, IssueProgress
from coupons.events import CouponsIssued, IssueJobConfirmed
from coupons.models import IssueJob, IssueSlice, JobState
from coupons.selectors.batches import get_issue_progress
from coupons.services.bulk import WAIT_FOR, closed_reason, start_issue_job

BY_STAFF: Final = "by_staff"


def draft_issue_job(
    *,
    batch_id: int,
    member_ids: QuerySet[Any, int] | Iterable[int],
    key: str,
    draft: IssueDraft,
    door: DoorName = "system",
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssueProgress:
    """The audience is frozen for staff to look at; nothing is issued yet. The same `key` again answers with the first.

    Refuses what `start_issue_job` refuses, and an audience of nobody, unless a list has bad lines to tell about.
    """
    with transaction.atomic():
        progress = start_issue_job(
            batch_id=batch_id, member_ids=member_ids, key=key, door=door, draft=draft, actor=actor, at=at
        )
        if not progress.asked_count and not draft.bad_lines:
            raise errors.AudienceEmpty
    return progress


def confirm_issue_job(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> IssueProgress:
    """The drafted issue runs. Doing it again changes nothing.

    Refuses one that was stopped or is done, an audience of nobody, and a batch that has ended since; one that is
    paused or not open yet is waited for.
    """
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, JobState.DRAFT, JobState.RUNNING)
        if job.state == JobState.DRAFT:
            if not job.asked_count:
                raise errors.AudienceEmpty
            reason = closed_reason(batch_id=job.batch_id, door=job.door, at=at)
            if reason and reason not in WAIT_FOR:
                raise errors.OF_OUTCOME[reason]
            job.state, job.started_at = JobState.RUNNING, at
            job.save(update_fields=["state", "started_at"])
            audit.record(
                action="coupons.bulk_started", subject=job, actor=actor, at=at, asked_count=job.asked_count
            )
            events.publish(IssueJobConfirmed(job.pk))
    return get_issue_progress(job_id)


def pause_issue_job(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> IssueProgress:
    """Nothing more is issued until it goes on. Refuses one that is over or was not confirmed."""
    with transaction.atomic():
        job = _lock(job_id, JobState.RUNNING, JobState.PAUSED)
        if job.state == JobState.RUNNING:
            _wait_for_slices(job)
            _move(job, JobState.PAUSED, "coupons.bulk_paused", actor, at)
    return get_issue_progress(job_id)


def continue_issue_job(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> IssueProgress:
    """It goes on where it was paused. Refuses one that is over or was not confirmed."""
    with transaction.atomic():
        job = _lock(job_id, JobState.PAUSED, JobState.RUNNING)
        if job.state == JobState.PAUSED:
            _move(job, JobState.RUNNING, "coupons.bulk_continued", actor, at)
            events.publish(IssueJobConfirmed(job.pk))
    return get_issue_progress(job_id)


def stop_issue_job(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> IssueProgress:
    """Nothing more is issued, for good; what was issued stays good. A draft is thrown away so, too. Doing it again
    changes nothing. Refuses one that is done."""
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, JobState.DRAFT, JobState.RUNNING, JobState.PAUSED, JobState.STOPPED)
        if job.state != JobState.STOPPED:
            was_draft = job.state == JobState.DRAFT
            _wait_for_slices(job)
            job.state, job.stop_reason, job.finished_at = JobState.STOPPED, BY_STAFF, at
            job.save(update_fields=["state", "stop_reason", "finished_at"])
            issued = get_issue_progress(job_id).issued_count
            audit.record(action="coupons.bulk_stopped", subject=job, actor=actor, at=at, issued_count=issued)
            if not was_draft:
                events.publish(CouponsIssued(job.pk, job.batch_id, issued))
    return get_issue_progress(job_id)


def prune_issue_lists(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Uploaded lists of IMPORT_KEEP_DAYS ago are deleted, and drafts of that age with them; how many. Who was issued
    to stays in the job."""
    at = at or clock.now()
    before = at - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)
    due = IssueJob.objects.filter(started_at__lt=before).filter(~Q(stored_as="") | Q(state=JobState.DRAFT))
    count = 0
    for job_id in list(due.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            job = IssueJob.objects.lock(job_id)
            stored_as, job.stored_as = job.stored_as, ""
            job.save(update_fields=["stored_as"])
            if job.state == JobState.DRAFT:
                stop_issue_job(job_id=job_id, actor=actor, at=at)
        drop_file(stored_as)
        count += 1
    return count


def _lock(job_id: int, *states: JobState) -> IssueJob:
    rows = IssueJob.objects.lock_all([job_id])
    if not rows:
        raise errors.NoSuchJob
    if rows[0].state not in states:
        raise errors.JobNotInThisState
    return rows[0]


def _wait_for_slices(job: IssueJob) -> None:
    """A slice that is being worked on is let finish; those that wait cannot be claimed before the commit."""
    IssueSlice.objects.filter(job=job, is_done=False).defer("member_ids", "missed").lock_rows()


def _move(job: IssueJob, state: JobState, action: str, actor: Actor, at: dt.datetime | None) -> None:
    job.state = state
    job.save(update_fields=["state"])
    audit.record(action=action, subject=job, actor=actor, at=at)
