"""How far the voiding of whole batches is."""

from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from coupons.contracts import VoidProgress
from coupons.models import VoidJob

_SHOWN = 5


def get_void_progress(job_id: int) -> VoidProgress:
    """Raises VoidJob.DoesNotExist: ids of jobs come from ourselves."""
    return _progress_of(_counted().get(pk=job_id))


def list_void_jobs(batch_id: int) -> list[VoidProgress]:
    """The voidings of one batch, the newest first, at most five."""
    return [_progress_of(job) for job in _counted().filter(batch_id=batch_id).order_by("-pk")[:_SHOWN]]


def _counted() -> QuerySet[Any]:
    return VoidJob.objects.annotate(
        voided=Sum("slices__coupon_count", default=0),
        slice_count=Count("slices"),
        done_count=Count("slices", filter=Q(slices__is_done=True)),
    )


def _progress_of(job: Any) -> VoidProgress:
    share = 100 if job.finished_at else job.done_count * 100 // (job.slice_count or 1)
    return VoidProgress(
        job_id=job.pk,
        batch_id=job.batch_id,
        reason=job.reason,
        asked_count=job.asked_count,
        coupon_count=job.voided,
        percent=share,
        started_at=job.started_at,
        finished_at=job.finished_at,
        started_by=job.actor_label or job.actor_kind,
    )
