"""Work over many rows that a person started at a desk, slice by slice, each in a transaction of its own."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from core import audit, clock, events
from core.actor import Actor
from sales.errors import AlreadySettled, NoSuchJob
from sales.events import DeskJobStarted
from sales.models import DeskJob, DeskJobKind, DeskJobState, HeldDocument
from sales.selectors.desk import held_matching
from sales.services.held import load_document
from sales.services.intake import retry_documents
from sales.services.trying import begin_trial, try_slice

_SLICE: Final = 200


def start_retry(
    *,
    staff_id: int,
    terms: Mapping[str, Any],
    words: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> DeskJob:
    """Every waiting document that matches the terms will be tried once more; those there are now. See
    `held_matching` for the terms."""
    at = at or clock.now()
    with transaction.atomic():
        asked = held_matching(terms)
        last = asked.order_by("-pk").values_list("pk", flat=True).first() or 0
        job = DeskJob.objects.create(
            kind=DeskJobKind.RETRY,
            terms=dict(terms),
            words=words[:120],
            asked_count=asked.filter(pk__lte=last).count(),
            until_id=last,
            result={"booked": 0, "held": 0},
            staff_id=staff_id,
            started_at=at,
        )
        audit.record(action="sales.retry_started", subject=job, actor=actor, at=at, count=job.asked_count)
        events.publish(DeskJobStarted(job.pk))
    return job


def start_trial(
    *,
    staff_id: int,
    since: dt.date,
    until: dt.date,
    switched_id: int | None = None,
    words: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> DeskJob:
    """The sales of these days (half-open) will be decided again in the head, by the rules as they are; `switched_id`:
    as if that rule were switched the other way. Nothing is written but the answer. Raises NoSuchRule."""
    at = at or clock.now()
    with transaction.atomic():
        asked = begin_trial(since=since, until=until, switched_id=switched_id)
        job = DeskJob.objects.create(
            kind=DeskJobKind.TRIAL,
            terms=asked.terms,
            words=words[:120],
            asked_count=asked.store_count,
            result={},
            staff_id=staff_id,
            started_at=at,
        )
        events.publish(DeskJobStarted(job.pk))
    return job


def work_desk_job(
    *, job_id: int, slices: int | None = None, actor: Actor, at: dt.datetime | None = None
) -> bool:
    """The job goes on from where it stopped, to its end or for so many slices; whether it has ended. Whoever holds it
    already is left alone. What a killed worker did not commit is done again from the last slice."""
    done = 0
    while slices is None or done < slices:
        with transaction.atomic():
            rows = DeskJob.objects.running().filter(pk=job_id).claim(1)
            if not rows:
                return DeskJob.objects.filter(pk=job_id).exclude(state=DeskJobState.RUNNING).exists()
            job = rows[0]
            if not _WORK[DeskJobKind(job.kind)](job, actor=actor, at=at or clock.now()):
                job.state, job.ended_at = DeskJobState.DONE, at or clock.now()
            job.save(update_fields=["state", "ended_at", "done_count", "last_id", "result"])
            if job.ended_at is not None:
                return True
        done += 1
    return False


def work_desk_jobs(*, actor: Actor) -> int:
    """Goes on with every job whose worker died or whose event was lost; how many there were."""
    ids = list(DeskJob.objects.running().order_by("pk").values_list("pk", flat=True))
    for job_id in ids:
        work_desk_job(job_id=job_id, actor=actor)
    return len(ids)


def stop_desk_job(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The job ends after the slice under way. What it did stays."""
    at = at or clock.now()
    with transaction.atomic():
        rows = DeskJob.objects.lock_all([job_id])
        if not rows:
            raise NoSuchJob
        if rows[0].state != DeskJobState.RUNNING:
            raise AlreadySettled
        rows[0].state, rows[0].ended_at = DeskJobState.STOPPED, at
        rows[0].save(update_fields=["state", "ended_at"])
        audit.record(action="sales.desk_job_stopped", subject=rows[0], actor=actor, at=at)


def _retry_slice(job: DeskJob, *, actor: Actor, at: dt.datetime) -> bool:
    waiting: QuerySet[HeldDocument] = held_matching(job.terms)
    rows: Sequence[HeldDocument] = list(
        waiting.filter(pk__gt=job.last_id, pk__lte=job.until_id).order_by("pk")[:_SLICE]
    )
    if not rows:
        return False
    told = retry_documents(documents=[load_document(row) for row in rows], actor=actor, at=at)
    held = sum(one.outcome in ("held", "refused") for one in told)
    job.result = {"booked": job.result["booked"] + len(rows) - held, "held": job.result["held"] + held}
    job.done_count += len(rows)
    job.last_id = rows[-1].pk
    return len(rows) == _SLICE


_WORK: Final[Mapping[DeskJobKind, Callable[..., bool]]] = {
    DeskJobKind.RETRY: _retry_slice,
    DeskJobKind.TRIAL: try_slice,
}
