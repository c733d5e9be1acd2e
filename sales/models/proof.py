"""Reports of the nightly proof."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TotalsProof(models.Model):
    """One comparison of totals with the entries they add up, and what had to be mended."""

    since = models.DateField(_("从"))
    until = models.DateField(_("到（不含）"))
    ran_at = models.DateTimeField(_("核对时间"))
    seconds = models.FloatField(_("耗时（秒）"))
    period_count = models.PositiveIntegerField(_("核对的周期数"))
    wrong_count = models.PositiveIntegerField(_("修正的汇总数"))
    # The first that were wrong: period, first day, metric, guide, store, what stood, what the entries say.
    wrong_rows = models.JSONField(_("修正内容"), default=list)

    class Meta:
        verbose_name = _("业绩核对")
        verbose_name_plural = _("业绩核对")
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=models.F("since"), seconds__gte=0), name="totalsproof_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.since}"
