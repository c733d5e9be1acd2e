"""What a region, a store or a guide is to reach in a month, and who changed it."""

from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from sales.models.ledger import Metric

# What targets may be set for: money in fen, all others in pieces.
TARGET_METRICS: Final = (
    Metric.SALES_FEN,
    Metric.REPURCHASE_FEN,
    Metric.ORDER_COUNT,
    Metric.NEW_MEMBER_COUNT,
    Metric.NEW_BINDING_COUNT,
)


class TargetOrigin(models.TextChoices):
    """How a target came about."""

    HAND = "hand", _("手工填写")
    FILE = "file", _("表格导入")
    SPLIT = "split", _("按比例分解")


class TargetQuerySet(LockingQuerySet["Target"]):
    def standing(self) -> Self:
        """Those that were not taken back."""
        return self.filter(value__isnull=False)


class Target(models.Model):
    """What one region, store or guide is to reach in one month; taken back when `value` is empty."""

    month_on = models.DateField(_("月份"))  # its first day
    metric = models.CharField(_("指标"), max_length=20, choices=Metric, default=Metric.SALES_FEN)
    region = models.ForeignKey(
        "guides.Region",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("区域"),
        db_index=False,
    )
    store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("门店"),
        db_index=False,
    )
    guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("导购"),
        db_index=False,
    )
    value = models.BigIntegerField(_("目标（分）"), null=True)
    origin = models.CharField(_("来源"), max_length=5, choices=TargetOrigin)
    # A person decided on this very number: splitting again leaves it as it is.
    is_fixed = models.BooleanField(_("分解时不动"), default=False)
    changed_at = models.DateTimeField(_("修改时间"))

    objects = TargetQuerySet.as_manager()

    class Meta:
        verbose_name = _("业绩目标")
        verbose_name_plural = _("目标与达成")
        constraints = [
            models.UniqueConstraint(
                fields=["month_on", "metric", "region", "store", "guide"],
                name="target_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(region__isnull=False, store__isnull=True, guide__isnull=True)
                | Q(region__isnull=True, store__isnull=False, guide__isnull=True)
                | Q(region__isnull=True, store__isnull=True, guide__isnull=False),
                name="target_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=0), name="target_not_negative"
            ),
            models.CheckConstraint(condition=Q(month_on__day=1), name="target_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m} {self.region or self.store or self.guide}"


class TargetChange(models.Model):
    """One change of one target: from what to what, by whom. Never changed itself."""

    target = models.ForeignKey(
        Target, on_delete=models.PROTECT, related_name="changes", verbose_name=_("业绩目标")
    )
    at = models.DateTimeField(_("时间"))
    made_by = models.CharField(_("操作者"), max_length=90, blank=True)
    origin = models.CharField(_("来源"), max_length=5, choices=TargetOrigin)
    from_value = models.BigIntegerField(_("原来（分）"), null=True)
    to_value = models.BigIntegerField(_("改为（分）"), null=True)

    class Meta:
        verbose_name = _("目标修改记录")
        verbose_name_plural = _("目标修改记录")

    def __str__(self) -> str:
        return f"#{self.target_id}"


class TargetSettings(models.Model):
    """The chain's measure of an effective guide (有效导购): so many orders in a week, and in a month. One row."""

    orders_a_week = models.PositiveIntegerField(_("每周至少（单）"), default=3)
    orders_a_month = models.PositiveIntegerField(_("每月至少（单）"), default=15)

    class Meta:
        verbose_name = _("有效导购标准")
        verbose_name_plural = _("有效导购标准")
        constraints = [
            models.CheckConstraint(
                condition=Q(orders_a_week__range=(1, 1_000), orders_a_month__range=(1, 5_000)),
                name="targetsettings_numbers_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return str(_("有效导购标准"))
