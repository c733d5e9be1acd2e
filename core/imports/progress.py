"""How far an import is, and what was wrong with its lines."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Func, QuerySet

from core import clock
from core.imports.models import WORKING, AbstractImportJob, ImportState, J


def card_values(job: AbstractImportJob, *, counts: type[Any]) -> dict[str, Any]:
    """The fields of a FileCard; `counts` is the dataclass of the sort's counts."""
    rate, seconds_left = _pace(job, clock.now())
    return {
        "id": job.pk,
        "public_id": job.public_id,
        "file_name": job.file_name,
        "state": job.state,
        "state_label": str(ImportState(job.state).label),
        "failure": job.failure,
        "failure_line": job.failure_line,
        "is_file_there": bool(job.stored_as),
        "total_count": job.total_count,
        "done_count": job.done_count,
        "bad_count": job.bad_count,
        "expected": _counts_of(counts, job.expected),
        "counts": _counts_of(counts, job.counts),
        "rate": rate,
        "seconds_left": seconds_left,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
    }


def find_earlier(jobs: QuerySet[J], *, job: AbstractImportJob) -> J | None:
    """The newest of these jobs before it that had the very same file and wrote something, or None."""
    same = jobs.filter(file_digest=job.file_digest, pk__lt=job.pk, done_count__gt=0)
    return same.order_by("-pk").first()


def list_bad_counts(problems: QuerySet[Any], *, limit: int = 12) -> Sequence[tuple[str, int]]:
    """The reasons of these bad lines with how many lines each has, the most frequent first."""
    rows = problems.annotate(reason=Func("reasons", function="unnest")).values("reason")
    counted = rows.annotate(count=Count("pk")).order_by("-count", "reason")
    return list(counted.values_list("reason", "count")[:limit])


def _counts_of(counts: type[Any], told: dict[str, Any]) -> Any:
    names = {field.name for field in dataclasses.fields(counts)}
    return counts(**{name: int(number) for name, number in told.items() if name in names})


def _pace(job: AbstractImportJob, now: dt.datetime) -> tuple[float, int | None]:
    """Rate and time left are of the present stretch of work."""
    if job.phase_started_at is None or job.state not in WORKING:
        return 0.0, None
    seconds = max(0.001, (now - job.phase_started_at).total_seconds())
    if job.state == ImportState.CHECKING:
        return job.checked_line_count / seconds, None
    done = job.done_count - job.phase_from_count
    if done <= 0:
        return 0.0, None
    return done / seconds, round((job.total_count - job.done_count) * seconds / done)
