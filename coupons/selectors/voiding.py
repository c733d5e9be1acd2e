"""How far voidings are: of whole batches, and of coupons that staff chose."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, Sum

from core.models import StaffAccount
from coupons.contracts import VoidedBatch, VoidProgress
from coupons.models import VoidJob, VoidSlice

_SHOWN = 5


def get_void_progress(job_id: int) -> VoidProgress:
    """Raises VoidJob.DoesNotExist: ids of jobs come from ourselves."""
    return _progress_of(_counted().get(pk=job_id))


def list_void_jobs(batch_id: int) -> list[VoidProgress]:
    """The voidings of one batch, the newest first, at most five."""
    return [_progress_of(job) for job in _counted().filter(batch_id=batch_id).order_by("-pk")[:_SHOWN]]


def list_void_progress(job_ids: Sequence[int]) -> dict[int, VoidProgress]:
    """By job, for the rows of a list."""
    return {job.pk: _progress_of(job) for job in _counted().filter(pk__in=job_ids)}


def list_voided_batches(job_id: int) -> list[VoidedBatch]:
    """Of which batches a voiding takes coupons, and how many are void so far; the most first."""
    rows = (
        VoidSlice.objects.filter(job_id=job_id)
        .values("batch_id", "batch__name")
        .annotate(asked=Sum(Func(F("coupon_ids"), function="cardinality")), voided=Sum("coupon_count"))
        .order_by("-asked", "batch_id")
    )
    return [VoidedBatch(row["batch_id"], row["batch__name"], row["asked"], row["voided"]) for row in rows]


def scope_void_jobs(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Voidings that the account itself began."""
    is_head = staff.is_active and staff.is_superuser
    return queryset if is_head else queryset.filter(actor_kind="staff", actor_id=staff.pk)


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
