"""Systems of others that are told what happened to a member, and each telling."""

import datetime as dt
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet


class WebhookEndpointQuerySet(LockingQuerySet["WebhookEndpoint"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class WebhookEndpoint(models.Model):
    """One address that head office registered. What is sent there is signed with its secret."""

    code = models.CharField(
        _("代号"), max_length=40, unique=True, validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*$")]
    )
    name = models.CharField(_("名称"), max_length=40)
    url = models.URLField(_("地址"), max_length=300)
    secret = SealedTextField(editable=False)
    is_active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    changed_at = models.DateTimeField(_("修改时间"), editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("外部系统")
        verbose_name_plural = _("外部系统")

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    """waiting ⇄ sending → delivered; waiting → failed after the last try, or skipped when the member is gone."""

    WAITING = "waiting", _("待发送")
    SENDING = "sending", _("发送中")
    DELIVERED = "delivered", _("已送达")
    FAILED = "failed", _("失败")
    SKIPPED = "skipped", _("不发送")


class WebhookDeliveryQuerySet(LockingQuerySet["WebhookDelivery"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=[DeliveryState.WAITING, DeliveryState.SENDING])

    def stuck(self, at: dt.datetime) -> Self:
        """Those whose sender died: told again under the same id, for the other side knows a repeat by it."""
        return self.filter(state=DeliveryState.SENDING, leased_until__lt=at)


class WebhookDelivery(models.Model):
    """One telling, at least once: the other side may hear it again under the same id."""

    key = models.CharField(_("事由"), max_length=80, unique=True)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="+", verbose_name=_("外部系统")
    )
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    content = SealedTextField(blank=True, editable=False)  # JSON, as it is sent
    state = models.CharField(_("状态"), max_length=9, choices=DeliveryState, default=DeliveryState.WAITING)
    attempt_count = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    not_before = models.DateTimeField(_("下次发送"))
    leased_until = models.DateTimeField(null=True, editable=False)
    lease_holder = models.CharField(max_length=32, blank=True, editable=False)
    # Why the last try did not arrive: a code, and the answer's status where there was one.
    code = models.CharField(_("原因"), max_length=40, blank=True)
    status_code = models.PositiveSmallIntegerField(_("HTTP 状态"), null=True)
    created_at = models.DateTimeField(_("创建时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("外部通知")
        verbose_name_plural = _("外部通知")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending"], finished_at__isnull=True)
                | ~Q(state__in=["waiting", "sending"]) & Q(finished_at__isnull=False),
                name="webhookdelivery_finished_when_over",
            )
        ]
        indexes = [
            # Used by the sender, one endpoint after the other.
            models.Index(
                fields=["endpoint", "not_before", "id"],
                name="webhookdelivery_due",
                condition=Q(state="waiting"),
            ),
            # Used to find what a dead sender left.
            models.Index(
                fields=["leased_until"], name="webhookdelivery_in_flight", condition=Q(state="sending")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} #{self.pk}"
