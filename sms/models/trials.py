"""Texts that staff try on a number."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from sms.models.texts import SmsTemplate


class SmsTrial(models.Model):
    """One text to a number that somebody of the staff typed; only the number's fingerprint and end are kept."""

    template = models.ForeignKey(
        SmsTemplate, on_delete=models.CASCADE, related_name="+", verbose_name=_("短信模板")
    )
    phone_index = models.CharField(max_length=80, editable=False)
    phone_tail = models.CharField(_("手机尾号"), max_length=4)
    tried_by_id = models.BigIntegerField(null=True, editable=False)
    tried_by = models.CharField(_("操作者"), max_length=80)
    tried_at = models.DateTimeField(_("时间"))
    # sent, refused, later, uncertain, halted; "" while it is under way. Then delivered or failed, when a receipt says so.
    state = models.CharField(_("结果"), max_length=9, blank=True)
    code = models.CharField(_("原因"), max_length=60, blank=True)
    message_id = models.CharField(_("服务商回执号"), max_length=80, blank=True)

    objects = LockingQuerySet["SmsTrial"].as_manager()

    class Meta:
        verbose_name = _("试发短信")
        verbose_name_plural = _("试发短信")
        indexes = [
            # Used by the limits of one account and of one number.
            models.Index(fields=["tried_by_id", "tried_at"], name="smstrial_of_staff"),
            models.Index(fields=["phone_index", "tried_at"], name="smstrial_of_number"),
            # Used by receipts.
            models.Index(
                fields=["message_id"], name="smstrial_by_message", condition=~models.Q(message_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
