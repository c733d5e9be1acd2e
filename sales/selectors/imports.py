"""Reads about files of orders: how far each is, and what was wrong with its lines."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Count, Func

from core import clock
from sales.contracts import IntakeCard, IntakeCounts
from sales.errors import NoSuchIntake
from sales.models import IntakeJob, IntakeProblem, IntakeState

_NAMES: Final = frozenset(field.name for field in dataclasses.fields(IntakeCounts))


def get_intake_card(job_id: int) -> IntakeCard:
    """One import as it stands. Raises NoSuchIntake."""
    job = IntakeJob.objects.filter(pk=job_id).first()
    if job is None:
        raise NoSuchIntake
    return intake_card_of(job)


def intake_card_of(job: IntakeJob) -> IntakeCard:
    """An import for a page; rate and time left are of the present stretch of work."""
    rate, seconds_left = _pace(job, clock.now())
    return IntakeCard(
        id=job.pk,
        kind=job.kind,
        kind_label=str(job.get_kind_display()),
        source=job.source,
        file_name=job.file_name,
        state=job.state,
        state_label=str(job.get_state_display()),
        failure=job.failure,
        failure_line=job.failure_line,
        is_file_there=bool(job.stored_as),
        row_count=job.row_count,
        bad_count=job.bad_count,
        total_count=job.total_count,
        done_count=job.done_count,
        expected=_counts_of(job.expected),
        counts=_counts_of(job.counts),
        rate=rate,
        seconds_left=seconds_left,
        created_at=job.created_at,
        ended_at=job.ended_at,
    )


def find_earlier_intake(job_id: int) -> IntakeCard | None:
    """The newest other import of the very same file that booked something, or None."""
    job = IntakeJob.objects.filter(pk=job_id).first()
    if job is None:
        return None
    same = IntakeJob.objects.filter(
        file_digest=job.file_digest, source=job.source, pk__lt=job.pk, done_count__gt=0
    )
    earlier = same.order_by("-pk").first()
    return None if earlier is None else intake_card_of(earlier)


def list_bad_counts(*, job_id: int, limit: int = 12) -> Sequence[tuple[str, int]]:
    """The reasons of an import's bad lines with how many lines each has, the most frequent first."""
    reasons = IntakeProblem.objects.filter(job_id=job_id).annotate(reason=Func("reasons", function="unnest"))
    counted = reasons.values("reason").annotate(count=Count("pk")).order_by("-count", "reason")
    return list(counted.values_list("reason", "count")[:limit])


def _counts_of(told: dict[str, Any]) -> IntakeCounts:
    return IntakeCounts(**{name: int(number) for name, number in told.items() if name in _NAMES})


def _pace(job: IntakeJob, now: dt.datetime) -> tuple[float, int | None]:
    if job.phase_started_at is None or job.state not in (IntakeState.CHECKING, IntakeState.RUNNING):
        return 0.0, None
    seconds = max(0.001, (now - job.phase_started_at).total_seconds())
    if job.state == IntakeState.CHECKING:
        return job.row_count / seconds, None
    done = job.done_count - job.phase_from_count
    if done <= 0:
        return 0.0, None
    return done / seconds, round((job.total_count - job.done_count) * seconds / done)
