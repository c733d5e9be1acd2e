"""What texts cost."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from sms.models.texts import Purpose


class SmsSpend(models.Model):
    """What one template cost on one day for one reason; it outlives the texts' own rows. `filed_under` is the sender's word
    for the reason ("" for what was sent before this was kept)."""

    on = models.DateField(_("日期"))
    purpose = models.CharField(_("用途"), max_length=9, choices=Purpose)
    template_code = models.CharField(_("模板 ID"), max_length=40, blank=True)
    filed_under = models.CharField(_("事项"), max_length=20, blank=True)
    text_count = models.PositiveIntegerField(_("短信数"), default=0)
    segment_count = models.PositiveIntegerField(_("计费条数"), default=0)
    cost_hundredths = models.PositiveBigIntegerField(_("费用"), default=0)  # hundredths of a fen

    objects = LockingQuerySet["SmsSpend"].as_manager()

    class Meta:
        verbose_name = _("短信费用")
        verbose_name_plural = _("短信费用")
        permissions = (("export_smsspend", _("导出短信费用")),)
        constraints = [
            models.UniqueConstraint(
                fields=["on", "purpose", "template_code", "filed_under"],
                name="smsspend_one_per_day_and_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.template_code}"
