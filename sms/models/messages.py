"""Codes by text message, as rows."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet


class SmsState(models.TextChoices):
    """queued → sending → sent | failed; sent → delivered | failed, as the provider tells; sending → queued when the provider
    surely did not take it.

    A text whose fate nobody knows ends as `failed` with the outcome `unclear` and is not repeated: a second one
    costs money and doubts.
    """

    QUEUED = "queued", _("待发送")
    SENDING = "sending", _("发送中")
    SENT = "sent", _("已发送")
    DELIVERED = "delivered", _("已送达")
    FAILED = "failed", _("未送达")


class SmsQuerySet(LockingQuerySet["SmsMessage"]):
    def due(self, at: dt.datetime) -> Self:
        return self.filter(state=SmsState.QUEUED, not_before__lte=at)

    def stuck(self, at: dt.datetime) -> Self:
        """Their sender died between claim and outcome."""
        return self.filter(state=SmsState.SENDING, leased_until__lt=at)


class SmsMessage(models.Model):
    """One text message to one number for one reason, written in the transaction of the reason."""

    phone = SealedTextField(_("手机号"))
    phone_tail = models.CharField(_("手机尾号"), max_length=4)
    template = models.CharField(_("模板"), max_length=40)
    # JSON of what fills the template's gaps; emptied when the message is over.
    params = SealedTextField(_("内容"), blank=True)
    reason_key = models.CharField(_("事由"), max_length=80, unique=True)
    state = models.CharField(_("状态"), max_length=9, choices=SmsState, default=SmsState.QUEUED)
    queued_at = models.DateTimeField(_("创建时间"))
    not_before = models.DateTimeField(_("最早发送"))
    send_before = models.DateTimeField(_("最晚发送"), help_text=_("过了这个时间就不再发送"))
    attempt_count = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    leased_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True)
    outcome = models.CharField(_("结果"), max_length=60, blank=True)
    provider_ref = models.CharField(_("服务商回执号"), max_length=80, blank=True)
    segment_count = models.PositiveSmallIntegerField(_("计费条数"), default=0)
    cost_hundredths = models.PositiveIntegerField(_("费用"), default=0)  # hundredths of a fen

    objects = SmsQuerySet.as_manager()

    class Meta:
        verbose_name = _("验证码短信")
        verbose_name_plural = _("验证码短信")
        indexes = [
            # Used by rescue_messages.
            models.Index(
                fields=["not_before"],
                name="smsmessage_due_queue",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            models.Index(fields=["queued_at"], name="smsmessage_by_queued"),
            # Used by receipts.
            models.Index(
                fields=["provider_ref"], name="smsmessage_by_ref", condition=~models.Q(provider_ref="")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
