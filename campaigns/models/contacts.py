"""What members were sent in a month, by what they are worth and how active they are: counted, without a name."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet

UNBOUGHT: Final = -1  # the RFM group of who has not bought


class ContactMonth(models.Model):
    """A month of the communication matrix, and when it was counted last. Locked while it is."""

    month_on = models.DateField(_("月份"), unique=True)
    counted_at = models.DateTimeField(_("统计时间"), null=True)

    objects = LockingQuerySet["ContactMonth"].as_manager()

    class Meta:
        verbose_name = _("沟通矩阵")
        verbose_name_plural = _("沟通矩阵")

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m}"


class ContactCell(models.Model):
    """Members of one RFM group and one life stage who had so many messages (`band`: 1 one, 2 two or three, 3 more) over one
    channel and of one importance, or (empty) over all of them. Band 0 of both empty is all members there are."""

    month = models.ForeignKey(
        ContactMonth, on_delete=models.CASCADE, related_name="cells", verbose_name=_("月份"), db_index=False
    )
    channel = models.CharField(max_length=15, blank=True)
    importance = models.CharField(max_length=9, blank=True)
    rfm_group = models.SmallIntegerField()
    stage = models.CharField(max_length=9)
    band = models.PositiveSmallIntegerField()
    member_count = models.PositiveIntegerField()
    message_count = models.PositiveIntegerField()
    # Of these members: who opened a message of that month in her inbox, who opened what a campaign's message led to, who
    # bought within a week of the first one, who turned her back on us from then until a week after the last one, whom an
    # account of ours cannot write to.
    reader_count = models.PositiveIntegerField()
    clicker_count = models.PositiveIntegerField(db_default=0)
    buyer_count = models.PositiveIntegerField()
    leaver_count = models.PositiveIntegerField(db_default=0)
    barred_count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("沟通矩阵的格子")
        verbose_name_plural = _("沟通矩阵的格子")
        constraints = [
            models.UniqueConstraint(
                fields=["month", "channel", "importance", "rfm_group", "stage", "band"],
                name="contactcell_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rfm_group} {self.stage} {self.band}"
