"""What the provider tells afterwards: receipts, replies, numbers that take no texts."""

import datetime as dt
from typing import Self, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet

Row = TypeVar("Row", bound=models.Model)


class ReportState(models.TextChoices):
    """waiting → done; unknown: nobody had sent what it is about."""

    WAITING = "waiting", _("待处理")
    DONE = "done", _("已处理")
    UNKNOWN = "unknown", _("不认识")


class ReportQuerySet(LockingQuerySet[Row]):
    def due(self, at: dt.datetime) -> Self:
        return self.filter(state=ReportState.WAITING, not_before__lte=at)


class _Report(models.Model):
    """Kept as it came, worked off afterwards."""

    received_at = models.DateTimeField(_("收到时间"))
    state = models.CharField(_("处理"), max_length=7, choices=ReportState, default=ReportState.WAITING)
    try_count = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()

    class Meta:
        abstract = True
        indexes = [
            # Used by work_reports.
            models.Index(
                fields=["not_before"], name="%(class)s_due_queue", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["received_at"], name="%(class)s_by_received"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SmsReceipt(_Report):
    """What became of one text, as the provider told it; the first telling counts."""

    message_id = models.CharField(_("服务商回执号"), max_length=80, unique=True)
    reference = models.CharField(max_length=120, blank=True)
    is_delivered = models.BooleanField(_("已送达"))
    code = models.CharField(_("状态码"), max_length=40, blank=True)
    told_at = models.DateTimeField(_("服务商时间"))

    objects = ReportQuerySet["SmsReceipt"].as_manager()

    class Meta(_Report.Meta):
        verbose_name = _("短信回执")
        verbose_name_plural = _("短信回执")


class SmsReply(_Report):
    """What somebody answered to a text of ours."""

    phone = SealedTextField(_("手机号"))
    phone_tail = models.CharField(_("手机尾号"), max_length=4)
    text = SealedTextField(_("内容"))
    is_opt_out = models.BooleanField(_("退订"))
    told_at = models.DateTimeField(_("回复时间"))
    # Of number, instant and words: the same reply twice is one.
    digest = models.CharField(max_length=80, unique=True)

    objects = ReportQuerySet["SmsReply"].as_manager()

    class Meta(_Report.Meta):
        verbose_name = _("短信回复")
        verbose_name_plural = _("短信回复")


class BlockReason(models.TextChoices):
    OPTED_OUT = "opted_out", _("回复了退订")
    BLACKLISTED = "blacklisted", _("在服务商的免打扰名单里")


class SmsBlock(models.Model):
    """A number that gets no texts but codes: its owner said so, or the provider would refuse them. Known by its
    fingerprint only."""

    phone_index = models.CharField(max_length=80, unique=True, editable=False)
    phone_tail = models.CharField(_("手机尾号"), max_length=4)
    reason = models.CharField(_("原因"), max_length=11, choices=BlockReason)
    blocked_at = models.DateTimeField(_("时间"))
    until = models.DateTimeField(_("到期"), null=True, blank=True)  # NULL: until somebody lifts it

    objects = LockingQuerySet["SmsBlock"].as_manager()

    class Meta:
        verbose_name = _("不发短信的号码")
        verbose_name_plural = _("不发短信的号码")

    def __str__(self) -> str:
        return f"*** **** {self.phone_tail}"
