"""The life of an import: uploaded, mapped and checked, run, paused, stopped, forgotten."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from core import audit, clock, events
from core.actor import Actor
from core.tables import open_table
from core.uploads import drop_file, keep_file
from members.errors import ImportNotInThisState, NoSuchImport
from members.events import ImportQueued
from members.models import (
    CandidateState,
    ImportCandidate,
    ImportJob,
    ImportMapping,
    ImportProblem,
    ImportRow,
    ImportState,
)
from members.services.import_columns import headings_digest, recall_mapping, usable_mapping
from members.services.tags import tag_doer

_UNBEGUN: Final = (ImportState.UPLOADED, ImportState.CHECKED)


def upload_import(*, stream: IO[bytes], file_name: str, actor: Actor, at: dt.datetime | None = None) -> int:
    """The file is kept, and a job waits for its columns to be mapped; the id of the job.

    The mapping is what files under the same headings had last time, or what the headings suggest. Refuses a file
    that cannot be read to its second row, and keeps nothing of it.
    """
    at = at or clock.now()
    stored_as, digest = keep_file(stream)
    try:
        with open_table(Path(settings.IMPORT_ROOT) / stored_as) as table:
            next(table.rows, None)
            headings = list(table.headings)
        with transaction.atomic():
            job = ImportJob.objects.create(
                file_name=_shown_name(file_name),
                stored_as=stored_as,
                file_digest=digest,
                headings=headings,
                mapping=recall_mapping(headings),
                created_at=at,
                created_by_id=actor.id if actor.kind == "staff" else None,
            )
            audit.record(action="members.import_uploaded", subject=job, actor=actor, at=at)
    except BaseException:
        drop_file(stored_as)
        raise
    return job.pk


def map_import(
    *, job_id: int, mapping: Mapping[str, Any], actor: Actor, at: dt.datetime | None = None
) -> None:
    """The columns are read like this, and a worker checks the whole file; so will be files with these headings.

    A job that was checked is checked afresh. Refuses an incomplete mapping, and a job that is past this.
    """
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, *_UNBEGUN)
        usable = usable_mapping(mapping=mapping, width=len(job.headings))
        kept = {
            "columns": {str(place): target for target, places in usable.columns.items() for place in places},
            "newer_wins": usable.newer_wins,
            "tag_group": usable.tag_group,
            "app_id": usable.app_id,
            "mini_app_id": usable.mini_app_id,
        }
        ImportRow.objects.filter(job=job).delete()
        ImportProblem.objects.filter(job=job).delete()
        job.mapping = kept
        job.read_count = job.total_count = job.done_count = job.bad_count = 0
        job.expected, job.counts = {}, {}
        job.save(
            update_fields=[
                "mapping", "read_count", "total_count", "done_count", "bad_count", "expected", "counts",
            ]
        )  # fmt: skip
        ImportMapping.objects.update_or_create(
            headings_digest=headings_digest(job.headings), defaults={"mapping": kept, "changed_at": at}
        )
        _set_to_work(job, ImportState.CHECKING, at)
        audit.record(action="members.import_mapped", subject=job, actor=actor, at=at)


def start_import(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A worker writes the checked rows. Starting it twice is once. Refuses a job that is not checked."""
    _go_on(job_id, ImportState.CHECKED, "members.import_started", actor, at)


def resume_import(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A paused import goes on where it was. Resuming it twice is once."""
    _go_on(job_id, ImportState.PAUSED, "members.import_resumed", actor, at)


def pause_import(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The import rests after the batch that is being written. Pausing it twice is once."""
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, ImportState.RUNNING, ImportState.PAUSED)
        if job.state == ImportState.PAUSED:
            return
        job.state, job.lease_holder, job.leased_until = ImportState.PAUSED, "", None
        job.save(update_fields=["state", "lease_holder", "leased_until"])
        audit.record(action="members.import_paused", subject=job, actor=actor, at=at)


def stop_import(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The import is over; what is written stays, the rows that were to come are gone. Stopping twice is once."""
    at = at or clock.now()
    with transaction.atomic():
        job = ImportJob.objects.lock_all([job_id])
        if not job:
            raise NoSuchImport
        if job[0].state in (ImportState.FINISHED, ImportState.FAILED):
            raise ImportNotInThisState
        if job[0].state != ImportState.STOPPED:
            _stop(job[0], actor, at)


def forget_import(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The file and all that is left of its rows is deleted; counts, and what was decided, stay.

    Questions nobody answered count as put aside. Refuses an import that is not over.
    """
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, ImportState.FINISHED, ImportState.STOPPED, ImportState.FAILED)
        _forget(job, actor, at)


def prune_imports(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Imports that ended, or were left lying, IMPORT_KEEP_DAYS ago are forgotten; how many."""
    at = at or clock.now()
    before = at - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)
    old = Q(ended_at__lt=before) | Q(ended_at__isnull=True, created_at__lt=before)
    due = (
        ImportJob.objects.filter(old)
        .exclude(stored_as="")
        .exclude(state__in=[ImportState.CHECKING, ImportState.RUNNING])
    )
    count = 0
    for job_id in list(due.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            job = ImportJob.objects.lock(job_id)
            if job.state in (ImportState.CHECKING, ImportState.RUNNING):
                continue
            if job.ended_at is None:
                _stop(job, actor, at)
            _forget(job, actor, at)
            count += 1
    return count


def _lock(job_id: int, *states: ImportState) -> ImportJob:
    rows = ImportJob.objects.lock_all([job_id])
    if not rows:
        raise NoSuchImport
    if rows[0].state not in states:
        raise ImportNotInThisState
    return rows[0]


def _go_on(job_id: int, was: ImportState, action: str, actor: Actor, at: dt.datetime | None) -> None:
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, was, ImportState.RUNNING)
        if job.state == ImportState.RUNNING:
            return
        _set_to_work(job, ImportState.RUNNING, at)
        audit.record(action=action, subject=job, actor=actor, at=at)


def _set_to_work(job: ImportJob, state: ImportState, at: dt.datetime) -> None:
    job.state, job.failure, job.claim_count = state, "", 0
    job.lease_holder, job.leased_until = "", None
    job.phase_started_at, job.phase_from_count = at, job.done_count
    job.save(
        update_fields=[
            "state", "failure", "claim_count", "lease_holder", "leased_until", "phase_started_at",
            "phase_from_count",
        ]
    )  # fmt: skip
    events.publish(ImportQueued(job.pk))


def _stop(job: ImportJob, actor: Actor, at: dt.datetime) -> None:
    ImportRow.objects.filter(job=job, is_waiting=False).delete()
    job.state, job.ended_at, job.lease_holder, job.leased_until = ImportState.STOPPED, at, "", None
    job.save(update_fields=["state", "ended_at", "lease_holder", "leased_until"])
    audit.record(action="members.import_stopped", subject=job, actor=actor, at=at)


def _forget(job: ImportJob, actor: Actor, at: dt.datetime) -> None:
    ImportCandidate.objects.filter(job=job, state=CandidateState.WAITING).update(
        state=CandidateState.SKIPPED, decided_at=at, decided_by=tag_doer(actor)
    )
    ImportRow.objects.filter(job=job).delete()
    ImportProblem.objects.filter(job=job).delete()
    if job.stored_as:
        stored_as, job.stored_as = job.stored_as, ""
        job.save(update_fields=["stored_as"])
        # After the commit: a file that is gone cannot come back with the transaction.
        transaction.on_commit(lambda: drop_file(stored_as))
        audit.record(action="members.import_forgotten", subject=job, actor=actor, at=at)


def _shown_name(file_name: str) -> str:
    name = "".join(sign for sign in Path(file_name).name if sign.isprintable()).strip()
    return name[-120:] or "import"
