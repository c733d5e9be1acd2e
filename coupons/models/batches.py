"""How many coupons of a template there are, for whom, when and through which doors; and who counted how many."""

import datetime as dt
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.templates import CouponTemplate

SHARDS: Final = 16


class Door(models.TextChoices):
    """The way by which a coupon comes to a member."""

    CLAIM = "claim", _("自己领取")
    GUIDE = "guide", _("导购发放")
    FACE_TO_FACE = "face_to_face", _("面对面领取")
    SYSTEM = "system", _("系统发放")
    CODE = "code", _("兑换码")
    SHARE = "share", _("分享裂变")
    PARTNER = "partner", _("合作方发放")


class BatchState(models.TextChoices):
    """draft → open; open ⇄ paused; draft, open and paused → ended; ended is final. What is out stays good."""

    DRAFT = "draft", _("未开始发放")
    OPEN = "open", _("发放中")
    PAUSED = "paused", _("已暂停")
    ENDED = "ended", _("已结束")


class QuotaPeriod(models.TextChoices):
    """For how long a guide's quota lasts. Shanghai days; weeks begin on Monday."""

    DAY = "day", _("每天")
    WEEK = "week", _("每周")
    MONTH = "month", _("每月")
    WHOLE = "whole", _("整个批次")


class CouponBatchQuerySet(LockingQuerySet["CouponBatch"]):
    def issuing(self, at: dt.datetime) -> Self:
        """Open, and `at` lies in the issue window."""
        return self.filter(
            Q(opens_at__isnull=True) | Q(opens_at__lte=at),
            Q(closes_at__isnull=True) | Q(closes_at__gt=at),
            state=BatchState.OPEN,
        )


class CouponBatch(models.Model):
    """A limited number of coupons of one template, handed out in a window through some doors."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    template = models.ForeignKey(
        CouponTemplate, on_delete=models.PROTECT, related_name="batches", verbose_name=_("券模板")
    )
    name = models.CharField(_("批次名称"), max_length=40)
    state = models.CharField(_("状态"), max_length=8, choices=BatchState, default=BatchState.DRAFT)
    quota = models.PositiveIntegerField(_("总数量"))
    member_limit = models.PositiveIntegerField(_("每人限领"), null=True, blank=True)
    member_daily_limit = models.PositiveIntegerField(_("每人每天限领"), null=True, blank=True)
    opens_at = models.DateTimeField(_("发放开始"), null=True, blank=True)
    closes_at = models.DateTimeField(_("发放结束"), null=True, blank=True)
    doors = ArrayField(models.CharField(max_length=12, choices=Door), verbose_name=_("发放渠道"))
    guide_quota = models.PositiveIntegerField(_("每位导购可发"), null=True, blank=True)
    guide_quota_period = models.CharField(
        _("导购额度周期"), max_length=5, choices=QuotaPeriod, default=QuotaPeriod.WHOLE
    )
    # The most one coupon can cost; so much of the budget is reserved when one is issued.
    cost_fen = models.BigIntegerField(_("单张最高成本（分）"), default=0)
    budget_fen = models.BigIntegerField(_("预算（分）"), null=True, blank=True)
    has_partner_codes = models.BooleanField(_("使用合作方券码"), default=False)
    partner_name = models.CharField(_("合作方"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("创建时间"))

    objects = CouponBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("券批次")
        verbose_name_plural = _("券批次")
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True)
                | Q(closes_at__isnull=True)
                | Q(closes_at__gt=F("opens_at")),
                name="couponbatch_closes_after_it_opens",
            ),
            models.CheckConstraint(
                condition=Q(cost_fen__gte=0)
                & (Q(budget_fen__isnull=True) | Q(budget_fen__gte=0, cost_fen__gt=0)),
                name="couponbatch_budget_has_a_cost",
            ),
            models.CheckConstraint(
                condition=(Q(member_limit__isnull=True) | Q(member_limit__gt=0))
                & (Q(member_daily_limit__isnull=True) | Q(member_daily_limit__gt=0))
                & (Q(guide_quota__isnull=True) | Q(guide_quota__gt=0)),
                name="couponbatch_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CouponBatchShard(models.Model):
    """One sixteenth of a batch's counters. A claim takes from one that nobody else holds, so that a hot batch does
    not queue for one row; the CHECKs hold quota and budget, whoever writes."""

    batch = models.ForeignKey(
        CouponBatch,
        on_delete=models.PROTECT,
        related_name="shards",
        verbose_name=_("券批次"),
        db_index=False,
    )
    shard = models.PositiveSmallIntegerField()
    quota = models.IntegerField(default=0)
    issued_count = models.IntegerField(default=0)
    budget_fen = models.BigIntegerField(null=True)
    reserved_fen = models.BigIntegerField(default=0)
    redeemed_count = models.IntegerField(default=0)
    voided_count = models.IntegerField(default=0)
    expired_count = models.IntegerField(default=0)
    discount_fen = models.BigIntegerField(default=0)
    sales_fen = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("批次计数")
        verbose_name_plural = _("批次计数")
        constraints = [
            models.UniqueConstraint(fields=["batch", "shard"], name="couponbatchshard_once"),
            models.CheckConstraint(
                condition=Q(issued_count__gte=0, issued_count__lte=F("quota")),
                name="couponbatchshard_issued_within_quota",
            ),
            models.CheckConstraint(
                condition=Q(reserved_fen__gte=0)
                & (Q(budget_fen__isnull=True) | Q(reserved_fen__lte=F("budget_fen"))),
                name="couponbatchshard_reserved_within_budget",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.batch_id}/{self.shard}"


class GuideAllowance(models.Model):
    """How many of a batch one guide has issued in one period, and how many she may."""

    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次")
    )
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, related_name="+", verbose_name=_("导购")
    )
    period_start = models.DateField(_("周期开始"))
    allowed_count = models.PositiveIntegerField(_("可发数量"))
    used_count = models.PositiveIntegerField(_("已发数量"), default=0)

    class Meta:
        verbose_name = _("导购发券额度")
        verbose_name_plural = _("导购发券额度")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "guide", "period_start"], name="guideallowance_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(used_count__lte=F("allowed_count")), name="guideallowance_used_within_allowed"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.guide_id} {self.used_count}/{self.allowed_count}"
