"""What guides give by hand."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch

MOST_AT_ONCE = 50


class DirectedIssue(models.Model):
    """A guide gave some of her members a coupon of one batch each, at one go, and what became of it. Who was given
    one is told by the coupons, whose request keys name this row; the others are in `refused`."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, related_name="+", verbose_name=_("发券导购")
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("发券门店")
    )
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次")
    )
    # The confirmation that asked: a second tap, or a repeat after a lost answer, is no second issue.
    request_key = models.CharField(max_length=80, editable=False)
    # As they were asked for, in the order of the screen; ids only, so that a merge or an erasure has nothing to move.
    member_ids = ArrayField(models.BigIntegerField(), verbose_name=_("会员"))
    refused = models.JSONField(default=dict, editable=False)  # member id → code of the reason
    asked_at = models.DateTimeField(_("发放时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)

    objects = LockingQuerySet["DirectedIssue"].as_manager()

    class Meta:
        verbose_name = _("导购定向发券")
        verbose_name_plural = _("导购定向发券")
        constraints = [
            models.UniqueConstraint(fields=["guide", "request_key"], name="directedissue_once_per_request"),
            models.CheckConstraint(
                condition=Q(member_ids__len__range=(1, MOST_AT_ONCE)), name="directedissue_few_members"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
