"""The life of a file of orders: uploaded, mapped and checked, run, paused, stopped, forgotten."""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from core import audit, clock, events
from core.actor import Actor
from core.tables import MOST_BYTES as MOST_BYTES_OF_AN_UPLOAD
from core.tables import open_table
from core.uploads import drop_file, keep_file
from sales.errors import IntakeNotInThisState, IntakeSourceUnusable, NoSuchIntake
from sales.events import IntakeQueued
from sales.models import IntakeDocument, IntakeJob, IntakeKind, IntakeMapping, IntakeProblem, IntakeState
from sales.services.import_columns import headings_digest, recall_mapping, usable_mapping
from sales.services.import_files import MOST_BYTES, MOST_ROWS

_UNBEGUN: Final = (IntakeState.UPLOADED, IntakeState.CHECKED)
_OVER: Final = (IntakeState.FINISHED, IntakeState.STOPPED, IntakeState.FAILED)
_SOURCE: Final = re.compile(r"[0-9A-Za-z_.\-]{1,16}")


def upload_intake(
    *,
    stream: IO[bytes],
    file_name: str,
    kind: str,
    source: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The file of orders or returns of that source is kept, and a job waits for its columns to be mapped; its id.

    The mapping is what files under the same headings had last time, or what the headings suggest. Refuses a file
    that cannot be read to its second row, and keeps nothing of it. What staff upload is smaller than what a nightly
    job may bring.
    """
    at = at or clock.now()
    if not _SOURCE.fullmatch(source):
        raise IntakeSourceUnusable(field="source")
    kind = IntakeKind(kind)
    stored_as, digest = keep_file(
        stream, most_bytes=MOST_BYTES_OF_AN_UPLOAD if actor.kind == "staff" else MOST_BYTES
    )
    try:
        path = Path(settings.IMPORT_ROOT) / stored_as
        with open_table(path, most_rows=MOST_ROWS, most_bytes=MOST_BYTES) as table:
            next(table.rows, None)
            headings = list(table.headings)
        with transaction.atomic():
            job = IntakeJob.objects.create(
                kind=kind,
                source=source,
                file_name=_shown_name(file_name),
                stored_as=stored_as,
                file_digest=digest,
                headings=headings,
                mapping=recall_mapping(headings=headings, kind=kind),
                created_at=at,
                created_by_id=actor.id if actor.kind == "staff" else None,
            )
            audit.record(action="sales.intake_uploaded", subject=job, actor=actor, at=at)
    except BaseException:
        drop_file(stored_as)
        raise
    return job.pk


def map_intake(
    *, job_id: int, mapping: Mapping[str, Any], actor: Actor, at: dt.datetime | None = None
) -> None:
    """The columns are read like this, and a worker checks the whole file; so will be files with these headings.

    A job that was checked is checked afresh. Refuses an incomplete mapping, and a job that is past this.
    """
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, *_UNBEGUN)
        plan = usable_mapping(mapping=mapping, width=len(job.headings), kind=job.kind)
        kept = {
            "columns": {str(place): target for target, place in plan.columns.items()},
            "app_id": plan.app_ids.get("openid", ""),
            "mini_app_id": plan.app_ids.get("mini_openid", ""),
            "channel": plan.channel,
        }
        IntakeDocument.objects.filter(job=job).delete()
        IntakeProblem.objects.filter(job=job).delete()
        job.mapping = kept
        job.read_count = job.row_count = job.bad_count = job.total_count = job.done_count = job.done_place = 0
        job.expected, job.counts = {}, {}
        job.save(
            update_fields=[
                "mapping", "read_count", "row_count", "bad_count", "total_count", "done_count", "done_place",
                "expected", "counts",
            ]
        )  # fmt: skip
        IntakeMapping.objects.update_or_create(
            kind=job.kind,
            headings_digest=headings_digest(job.headings),
            defaults={"mapping": kept, "changed_at": at},
        )
        _set_to_work(job, IntakeState.CHECKING, at)
        audit.record(action="sales.intake_mapped", subject=job, actor=actor, at=at)


def start_intake(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A worker books the checked documents. Starting it twice is once. Refuses a job that is not checked."""
    _go_on(job_id, IntakeState.CHECKED, "sales.intake_started", actor, at)


def resume_intake(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A paused import goes on where it was. Resuming it twice is once."""
    _go_on(job_id, IntakeState.PAUSED, "sales.intake_resumed", actor, at)


def pause_intake(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The import rests after the slice that is being booked. Pausing it twice is once."""
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, IntakeState.RUNNING, IntakeState.PAUSED)
        if job.state == IntakeState.PAUSED:
            return
        job.state, job.lease_holder, job.leased_until = IntakeState.PAUSED, "", None
        job.save(update_fields=["state", "lease_holder", "leased_until"])
        audit.record(action="sales.intake_paused", subject=job, actor=actor, at=at)


def stop_intake(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The import is over; what is booked stays, the documents that were to come are gone. Stopping twice is once."""
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, *(state for state in IntakeState if state not in _OVER), IntakeState.STOPPED)
        if job.state != IntakeState.STOPPED:
            _stop(job, actor, at)


def forget_intake(*, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The file and all that is left of its rows is deleted; counts and what was booked stay. Refuses an import that
    is not over."""
    at = at or clock.now()
    with transaction.atomic():
        _forget(_lock(job_id, *_OVER), actor, at)


def prune_intakes(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Imports that ended, or were left lying, IMPORT_KEEP_DAYS ago are forgotten; how many."""
    at = at or clock.now()
    before = at - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)
    working = [IntakeState.CHECKING, IntakeState.RUNNING]
    due = (
        IntakeJob.objects.filter(Q(ended_at__lt=before) | Q(ended_at__isnull=True, created_at__lt=before))
        .exclude(stored_as="")
        .exclude(state__in=working)
    )
    count = 0
    for job_id in list(due.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            job = IntakeJob.objects.lock(job_id)
            if job.state in working:
                continue
            if job.ended_at is None:
                _stop(job, actor, at)
            _forget(job, actor, at)
            count += 1
    return count


def _lock(job_id: int, *states: IntakeState) -> IntakeJob:
    rows = IntakeJob.objects.lock_all([job_id])
    if not rows:
        raise NoSuchIntake
    if rows[0].state not in states:
        raise IntakeNotInThisState
    return rows[0]


def _go_on(job_id: int, was: IntakeState, action: str, actor: Actor, at: dt.datetime | None) -> None:
    at = at or clock.now()
    with transaction.atomic():
        job = _lock(job_id, was, IntakeState.RUNNING)
        if job.state == IntakeState.RUNNING:
            return
        _set_to_work(job, IntakeState.RUNNING, at)
        audit.record(action=action, subject=job, actor=actor, at=at)


def _set_to_work(job: IntakeJob, state: IntakeState, at: dt.datetime) -> None:
    job.state, job.failure, job.claim_count = state, "", 0
    job.lease_holder, job.leased_until = "", None
    job.phase_started_at, job.phase_from_count = at, job.done_count
    job.save(
        update_fields=[
            "state", "failure", "claim_count", "lease_holder", "leased_until", "phase_started_at",
            "phase_from_count",
        ]
    )  # fmt: skip
    events.publish(IntakeQueued(job.pk))


def _stop(job: IntakeJob, actor: Actor, at: dt.datetime) -> None:
    IntakeDocument.objects.filter(job=job).delete()
    job.state, job.ended_at, job.lease_holder, job.leased_until = IntakeState.STOPPED, at, "", None
    job.save(update_fields=["state", "ended_at", "lease_holder", "leased_until"])
    audit.record(action="sales.intake_stopped", subject=job, actor=actor, at=at)


def _forget(job: IntakeJob, actor: Actor, at: dt.datetime) -> None:
    IntakeDocument.objects.filter(job=job).delete()
    IntakeProblem.objects.filter(job=job).delete()
    if job.stored_as:
        stored_as, job.stored_as = job.stored_as, ""
        job.save(update_fields=["stored_as"])
        # After the commit: a file that is gone cannot come back with the transaction.
        transaction.on_commit(lambda: drop_file(stored_as))
        audit.record(action="sales.intake_forgotten", subject=job, actor=actor, at=at)


def _shown_name(file_name: str) -> str:
    name = "".join(sign for sign in Path(file_name).name if sign.isprintable()).strip()
    return name[-120:] or "orders"
