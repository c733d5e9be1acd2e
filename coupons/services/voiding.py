"""A whole batch, or what staff chose, is made void: what is unused is frozen first, then a slice is one transaction.

Killed between two slices nothing is lost, killed inside one it is undone; any process goes on with the slices that
wait, also several at once. Slices lock as `closing` does, so claims and tills wait for one slice at most.
"""

import datetime as dt
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction

from core import audit, clock, events
from core.actor import Actor
from core.codes import new_public_id
from coupons.contracts import VoidProgress
from coupons.errors import NoSuchBatch, RequestReused
from coupons.events import CouponsVoided, VoidJobStarted
from coupons.models import Coupon, CouponBatch, VoidJob, VoidSlice
from coupons.models.coupons import CouponQuerySet
from coupons.selectors.voiding import get_void_progress, list_voided_batches
from coupons.services.bulk_locks import limit_idle
from coupons.services.closing import SLICE, void_locked
from coupons.services.history import usable_reason
from coupons.services.issuing import usable_request_key

_FREEZE: Final = """
INSERT INTO coupons_voidslice (job_id, batch_id, number, coupon_ids, is_done, coupon_count)
SELECT %s, batch_id, row_number() OVER (ORDER BY batch_id, part) - 1, array_agg(id ORDER BY id), false, 0
FROM (SELECT id, batch_id, (row_number() OVER (PARTITION BY batch_id ORDER BY id) - 1) / %s AS part
      FROM coupons_coupon WHERE id IN ({chosen})) numbered
GROUP BY batch_id, part
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
        job = VoidJob.objects.create(key=key, **_asked(reason, actor, at), batch_id=batch_id)
        _freeze(job, Coupon.objects.filter(batch_id=batch_id))
        audit.record(
            action="coupons.batch_void_started", subject=CouponBatch(pk=batch_id), actor=actor, at=at,
            coupon_count=job.asked_count, reason=reason,
        )  # fmt: skip
        events.publish(VoidJobStarted(job.pk))
    return get_void_progress(job.pk)


def start_chosen_void_job(
    *, chosen: CouponQuerySet, reason: str, key: str, actor: Actor, at: dt.datetime | None = None
) -> VoidProgress:
    """What is unused of the chosen coupons, of whatever batches, is frozen and will be void; which they are is decided
    here once. The same `key` again answers with the first; no reason, and somebody else's key, are refused."""
    at, reason = at or clock.now(), usable_reason(reason=reason)
    usable_request_key(key=key)
    with transaction.atomic():
        # Two with one key wait for each other at its unique index.
        job, is_new = VoidJob.objects.get_or_create(key=key, defaults=_asked(reason, actor, at))
        if job.batch_id is not None or (job.actor_kind, job.actor_id) != (actor.kind, actor.id):
            raise RequestReused
        if not is_new:
            return get_void_progress(job.pk)
        _freeze(job, chosen)
        audit.record(
            action="coupons.chosen_void_started", subject=job, actor=actor, at=at,
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


def _asked(reason: str, actor: Actor, at: dt.datetime) -> dict[str, Any]:
    return {
        "reason": reason,
        "started_at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label[:90],
    }


def _freeze(job: VoidJob, chosen: CouponQuerySet) -> None:
    try:
        sql, values = chosen.unused().order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return  # Django knows without asking that nothing was chosen.
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(chosen=sql), [job.pk, SLICE, *values])
        job.asked_count = sum(size for (size,) in cursor.fetchall())
    job.save(update_fields=["asked_count"])


def _finish(job: VoidJob, actor: Actor, at: dt.datetime) -> None:
    """The job is over when no slice waits; of two who find that at once one tells, for each batch."""
    if VoidSlice.objects.filter(job=job, is_done=False).exists():
        return
    with transaction.atomic():
        if not VoidJob.objects.filter(pk=job.pk, finished_at__isnull=True).update(finished_at=at):
            return
        action = "coupons.batch_voided" if job.batch_id is not None else "coupons.chosen_voided"
        for row in list_voided_batches(job.pk):
            if not row.coupon_count:
                continue
            audit.record(
                action=action,
                subject=CouponBatch(pk=row.batch_id),
                actor=actor,
                at=at,
                coupon_count=row.coupon_count,
            )
            events.publish(CouponsVoided(row.batch_id, row.coupon_count))
