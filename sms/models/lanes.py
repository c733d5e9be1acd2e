"""How fast texts of one purpose leave, and whether they do."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.lanes import Lane
from core.models import LockingQuerySet
from sms.models.texts import Purpose


class SmsLane(Lane):
    """Texts of one purpose, for every worker: rate, back-off, halt. A spent package of marketing texts stops no codes."""

    purpose = models.CharField(_("用途"), max_length=9, choices=Purpose, unique=True)

    objects = LockingQuerySet["SmsLane"].as_manager()

    class Meta:
        verbose_name = _("短信通道")
        verbose_name_plural = _("短信通道")
        constraints = [
            models.CheckConstraint(condition=models.Q(rate_per_s__gte=1), name="smslane_rate_positive"),
        ]

    def __str__(self) -> str:
        return str(self.get_purpose_display())
