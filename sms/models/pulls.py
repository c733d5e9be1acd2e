"""Reports that are asked for: the provider gives each once, so its answer is kept before anything is made of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet


class PullKind(models.TextChoices):
    RECEIPTS = "receipts", _("回执")
    REPLIES = "replies", _("回复")


class PullState(models.TextChoices):
    """asked → stored → (gone when it is worked off); lost: who asked never wrote the answer down, until every number that was
    texted was asked about (recalled). unreadable: kept for a person."""

    ASKED = "asked", _("已询问")
    STORED = "stored", _("待处理")
    LOST = "lost", _("可能丢失")
    UNREADABLE = "unreadable", _("读不懂")
    RECALLED = "recalled", _("已按号码补查")


class SmsPull(models.Model):
    """One question for reports, from before it is asked until its answer is receipts or replies."""

    kind = models.CharField(_("类型"), max_length=8, choices=PullKind)
    state = models.CharField(_("状态"), max_length=10, choices=PullState, default=PullState.ASKED)
    body = SealedTextField(blank=True, editable=False)  # the provider's answer as it came; numbers are in it
    asked_at = models.DateTimeField(_("询问时间"))
    # Of the lost one that a walk over the numbers makes good, for itself and all before the walk: how far it is.
    recall_began_at = models.DateTimeField(null=True, editable=False)
    recall_source = models.PositiveSmallIntegerField(default=0, editable=False)
    recall_after = models.BigIntegerField(default=0, editable=False)

    objects = LockingQuerySet["SmsPull"].as_manager()

    class Meta:
        verbose_name = _("拉取短信回执")
        verbose_name_plural = _("拉取短信回执")
        indexes = [
            # Used by work_pulls, and by pruning: hardly ever a row is here.
            models.Index(fields=["state", "asked_at"], name="smspull_by_state"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
