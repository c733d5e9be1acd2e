"""A whole batch is made void: what is unused is frozen first, then a slice is one transaction.

Killed between two slices nothing is lost, killed inside one it is undone; any process goes on with the slices that
wait, also several at once. Slices lock as `closing` does, so claims and tills wait for one slice at most.
"""

import datetime as dt
from typing import Final

from django.db import connection, transaction

from core import audit, clock, events
from core.actor import Actor
from core.codes import new_public_id
from coupons.contracts import VoidProgress
from coupons.errors import NoSuchBatch, RequestReused
from coupons.events import CouponsVoided, VoidJobStarted
from coupons.models import CouponBatch, VoidJob, VoidSlice
from coupons.selectors.voiding import get_void_progress
from coupons.services.bulk_locks import limit_idle
from coupons.services.closing import SLICE, void_locked
from coupons.services.history import usable_reason
from coupons.services.issuing import usable_request_key

_FREEZE: Final = """
INSERT INTO coupons_voidslice (job_id, number, coupon_ids, is_done, coupon_count)
SELECT %(job)s, number, array_agg(id ORDER BY id), false, 0
FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(slice)s AS number FROM coupons_coupon
      WHERE batch_id = %(batch)s AND state IN ('issued', 'locked', 'gifting')) numbered
GROUP BY number
RETURNING cardinality(coupon_ids)
"""


def void_coupons(*, batch_id: int, reason: str, actor: Actor, at: dt.datetime | None = None) -> VoidProgress:
    """All coupons of the batch that nobody has used are void, here and now. Used and expired ones stay as they are."""
    job = start_void_job(batch_id=batch_id, reason=reason, key=new_public_id(), actor=actor, at=at)
    return run_void_job(job_id=job.job_id, at=at)


def start_void_job(
    *, batch_id: int, reason: str, key: str, actor: Actor, at: dt.datetime | None = None
) -> VoidProgress:
    """What is unused of the batch is frozen and will be void: a worker begins when this is committed. The same `key`
    again answers with the first. Refuses an unknown batch, no reason, and a key that meant another batch."""
    at, reason = at or clock.now(), usable_reason(reason=reason)
    usable_request_key(key=key)
    with transaction.atomic():
        # Two who start one job wait for each other at the batch.
        if not CouponBatch.objects.lock_all([batch_id]):
            raise NoSuchBatch
        job = VoidJob.objects.filter(key=key).first()
        if job is not None:
            if job.batch_id != batch_id:
                raise RequestReused
            return get_void_progress(job.pk)
        job = VoidJob.objects.create(
            key=key,
            batch_id=batch_id,
            reason=reason,
            started_at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label[:90],
        )
        job.asked_count = _freeze(job)
        job.save(update_fields=["asked_count"])
        audit.record(
            action="coupons.batch_void_started", subject=CouponBatch(pk=batch_id), actor=actor, at=at,
            coupon_count=job.asked_count, reason=reason,
        )  # fmt: skip
        events.publish(VoidJobStarted(job.pk))
    return get_void_progress(job.pk)


def run_void_job(*, job_id: int, at: dt.datetime | None = None) -> VoidProgress:
    """All slices that wait and nobody else works at are done, in the name of who started the job."""
    job = VoidJob.objects.get(pk=job_id)
    actor = Actor(job.actor_kind, job.actor_id, job.actor_label)  # type: ignore[arg-type]
    while True:
        with transaction.atomic():
            rows = VoidSlice.objects.filter(job_id=job_id, is_done=False).claim(1)
            if not rows:
                break
            limit_idle()
            row, now = rows[0], at or clock.now()
            row.coupon_count = void_locked(coupon_ids=row.coupon_ids, reason=job.reason, actor=actor, at=now)
            row.is_done, row.done_at = True, clock.now()
            row.save(update_fields=["is_done", "coupon_count", "done_at"])
    _finish(job, actor, at or clock.now())
    return get_void_progress(job_id)


def resume_void_jobs() -> int:
    """Voidings that a process left half done, or nobody began, go on; how many there were."""
    waiting = VoidJob.objects.filter(finished_at__isnull=True).order_by("pk").values_list("pk", flat=True)
    jobs = list(waiting)
    for job_id in jobs:
        run_void_job(job_id=job_id)
    return len(jobs)


def _freeze(job: VoidJob) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE, {"job": job.pk, "slice": SLICE, "batch": job.batch_id})
        return sum(size for (size,) in cursor.fetchall())


def _finish(job: VoidJob, actor: Actor, at: dt.datetime) -> None:
    """The job is over when no slice waits; of two who find that at once one tells."""
    if VoidSlice.objects.filter(job=job, is_done=False).exists():
        return
    with transaction.atomic():
        if not VoidJob.objects.filter(pk=job.pk, finished_at__isnull=True).update(finished_at=at):
            return
        count = get_void_progress(job.pk).coupon_count
        if count:
            audit.record(
                action="coupons.batch_voided",
                subject=CouponBatch(pk=job.batch_id),
                actor=actor,
                at=at,
                coupon_count=count,
            )
            events.publish(CouponsVoided(job.batch_id, count))
