"""What the chain decides about points: earning, multipliers, expiry, debt, and adjustments that need two people."""

import datetime as dt
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.models.points import PointsAccount, PointsEntry

M = TypeVar("M", bound=models.Model)


class DatedQuerySet(models.QuerySet[M]):
    def active_on(self, day: dt.date) -> Self:
        """Switched on, and `day` lies in the half-open span valid_from–valid_until."""
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=day),
            Q(valid_until__isnull=True) | Q(valid_until__gt=day),
            is_active=True,
        )


class EarningRule(models.Model):
    """How much money spent, in one category or in all, earns one point. The highest priority that fits applies."""

    name = models.CharField(_("名称"), max_length=40)
    category = models.CharField(_("商品类目"), max_length=40, blank=True, help_text=_("留空表示全部商品"))
    fen_per_point = models.PositiveIntegerField(
        _("每积 1 分需消费（分）"), help_text=_("100 表示每 1 元积 1 分")
    )
    multiplier_bp = models.PositiveIntegerField(
        _("倍数（万分比）"), default=10_000, help_text=_("10000 是 1 倍，15000 是 1.5 倍")
    )
    valid_from = models.DateField(_("开始日"), null=True, blank=True)
    valid_until = models.DateField(_("结束日"), null=True, blank=True, help_text=_("当天起不再有效"))
    priority = models.PositiveSmallIntegerField(_("优先级"), default=0, help_text=_("数字大的先用"))
    is_active = models.BooleanField(_("启用"), default=True)

    objects = DatedQuerySet["EarningRule"].as_manager()

    class Meta:
        verbose_name = _("积分获取规则")
        verbose_name_plural = _("积分获取规则")
        constraints = [
            models.CheckConstraint(
                condition=Q(fen_per_point__gt=0),
                name="earningrule_fen_positive",
                violation_error_message=_("每积 1 分需消费的金额要大于 0"),
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gt=F("valid_from")),
                name="earningrule_ends_after_start",
                violation_error_message=_("结束日要在开始日之后"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MultiplierKind(models.TextChoices):
    """When a multiplier holds. That of a tier belongs to the tier and is handed to the quote."""

    DATED = "dated", _("活动期间")
    BIRTHDAY = "birthday", _("生日当天")
    BIRTHDAY_MONTH = "birthday_month", _("生日当月")


class MultiplierRule(models.Model):
    """Points count more often in a span of days, or on her birthday. The greatest that holds applies alone."""

    name = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=16, choices=MultiplierKind, default=MultiplierKind.DATED)
    multiplier_bp = models.PositiveIntegerField(
        _("倍数（万分比）"), help_text=_("20000 是双倍；几条同时满足时只用最高的一条")
    )
    valid_from = models.DateField(_("开始日"), null=True, blank=True)
    valid_until = models.DateField(_("结束日"), null=True, blank=True, help_text=_("当天起不再有效"))
    is_active = models.BooleanField(_("启用"), default=True)

    objects = DatedQuerySet["MultiplierRule"].as_manager()

    class Meta:
        verbose_name = _("积分倍数")
        verbose_name_plural = _("积分倍数")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gt=F("valid_from")),
                name="multiplierrule_ends_after_start",
                violation_error_message=_("结束日要在开始日之后"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ShortagePolicy(models.TextChoices):
    """What a return does when the points it takes back have been spent."""

    FORGIVE = "forgive", _("扣到 0 为止，差额记在流水里")
    DEBT = "debt", _("允许欠分，以后获得的积分先还")
    REFUSE = "refuse", _("不让冲回，由员工处理")


class PointsSettings(models.Model):
    """The chain's one row of decisions about points; without it the defaults of the columns hold."""

    expiry_months = models.PositiveSmallIntegerField(
        _("有效期（月）"), null=True, blank=True, default=12, help_text=_("留空表示永久有效")
    )
    shortage_policy = models.CharField(
        _("退货时积分不够扣"), max_length=8, choices=ShortagePolicy, default=ShortagePolicy.FORGIVE
    )
    notice_days = models.PositiveSmallIntegerField(_("提前几天提醒过期"), default=30)
    approval_limit = models.PositiveIntegerField(
        _("调整免审上限"),
        default=500,
        help_text=_("同一员工同一天给同一会员调整的积分加起来超过它，就需要另一位员工批准"),
    )

    profile_reward = models.PositiveIntegerField(
        _("完善资料奖励积分"), default=0, help_text=_("姓名、性别、生日、手机号都填好后送一次，0 表示不送")
    )

    objects = LockingQuerySet["PointsSettings"].as_manager()

    class Meta:
        verbose_name = _("积分设置")
        verbose_name_plural = _("积分设置")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="pointssettings_one_row"),
        ]

    def __str__(self) -> str:
        return str(_("积分设置"))


class AdjustmentState(models.TextChoices):
    """requested → approved | rejected; at or below the limit approved at once, without a second person."""

    REQUESTED = "requested", _("等待批准")
    APPROVED = "approved", _("已生效")
    REJECTED = "rejected", _("未批准")


class PointsAdjustment(models.Model):
    """Staff asked for points to be added or taken, and why; above the limit somebody else decides."""

    account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("积分账户")
    )
    delta = models.BigIntegerField(_("调整积分"))
    reason = models.CharField(_("原因"), max_length=120)
    request_key = models.CharField(max_length=80, unique=True, editable=False)
    state = models.CharField(
        _("状态"), max_length=10, choices=AdjustmentState, default=AdjustmentState.REQUESTED
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("申请人")
    )
    requested_at = models.DateTimeField(_("申请时间"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("审批人"),
    )
    decided_at = models.DateTimeField(_("审批时间"), null=True, blank=True)
    decision_note = models.CharField(_("审批说明"), max_length=120, blank=True)
    entry = models.OneToOneField(
        PointsEntry,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("积分流水"),
    )

    objects = LockingQuerySet["PointsAdjustment"].as_manager()

    class Meta:
        verbose_name = _("积分调整")
        verbose_name_plural = _("积分调整")
        constraints = [
            models.CheckConstraint(condition=~Q(delta=0), name="pointsadjustment_changes_something"),
            # A second person decides: held here, whatever code runs.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="pointsadjustment_two_people",
            ),
        ]
        indexes = [
            # Used by the desk (what waits) and by the daily sum of one member.
            models.Index(fields=["state", "requested_at"], name="pointsadjustment_waiting"),
            models.Index(fields=["account", "requested_at"], name="pointsadjustment_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+d}"
