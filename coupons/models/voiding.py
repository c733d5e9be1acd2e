"""Many unused coupons are made void, those of a batch or chosen ones: a job whose coupons are frozen in slices, so that
any process can go on."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch


class VoidJob(models.Model):
    """One voiding of a whole batch, or of coupons that staff chose (no batch): what was unused when it began, and
    nothing that was issued since."""

    key = models.CharField(_("任务编号"), max_length=80, unique=True)
    batch = models.ForeignKey(
        CouponBatch,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("券批次"),
    )
    reason = models.CharField(_("原因"), max_length=120)
    asked_count = models.PositiveIntegerField(_("张数"), default=0)
    started_at = models.DateTimeField(_("开始时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    # Who asked for it: coupons' events and the audit say so, whichever process does it.
    actor_kind = models.CharField(max_length=8, editable=False)
    actor_id = models.BigIntegerField(null=True, editable=False)
    actor_label = models.CharField(_("操作者"), max_length=90, blank=True)

    objects = LockingQuerySet["VoidJob"].as_manager()

    class Meta:
        verbose_name = _("作废任务")
        verbose_name_plural = _("作废任务")
        indexes = [
            # Used by resume_void_jobs, which mostly finds none.
            models.Index(fields=["id"], name="voidjob_running", condition=Q(finished_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.reason


class VoidSlice(models.Model):
    """Some thousand coupons of one batch in a voiding, done in one transaction or not at all."""

    job = models.ForeignKey(VoidJob, on_delete=models.PROTECT, related_name="slices")
    batch = models.ForeignKey(CouponBatch, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    coupon_ids = ArrayField(models.BigIntegerField())
    is_done = models.BooleanField(default=False)
    coupon_count = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    objects = LockingQuerySet["VoidSlice"].as_manager()

    class Meta:
        verbose_name = _("作废分段")
        verbose_name_plural = _("作废分段")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="voidslice_once")]

    def __str__(self) -> str:
        return f"#{self.job_id}/{self.number}"
