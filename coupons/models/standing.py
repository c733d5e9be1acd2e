"""Standing rules: on which occasion a member is given a coupon by itself, and to whom it was given."""

import datetime as dt
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch
from coupons.models.coupons import Coupon
from coupons.models.sharing import IssueJob


class Occasion(models.TextChoices):
    """What makes a rule give a coupon."""

    FIRST_BOUND = "first_bound", _("第一次绑定导购")
    BOUND = "bound", _("每次新绑定导购")
    JOINED = "joined", _("成为会员")
    PROFILE_COMPLETED = "profile_completed", _("完善资料")
    BIRTHDAY = "birthday", _("生日")
    TIER_REACHED = "tier_reached", _("升到指定等级")
    TIER_MONTHLY = "tier_monthly", _("指定等级每月一次")
    PURCHASE = "purchase", _("购物之后")


class RuleState(models.TextChoices):
    """off ⇄ on. While it is off nothing is noted and nothing given."""

    OFF = "off", _("未开启")
    ON = "on", _("已开启")


class StandingRuleQuerySet(LockingQuerySet["StandingRule"]):
    def running(self, at: dt.datetime) -> Self:
        """Switched on, and `at` lies in the window."""
        return self.filter(
            Q(starts_at__isnull=True) | Q(starts_at__lte=at),
            Q(ends_at__isnull=True) | Q(ends_at__gt=at),
            state=RuleState.ON,
        )


class StandingRule(models.Model):
    """On this occasion, and where the conditions hold, a member is given one coupon of the batch.

    Empty conditions mean everybody. Places are those of her guide of today, and of a purchase the store that sold; a
    region counts with all below it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("规则名称"), max_length=40)
    occasion = models.CharField(_("什么时候发"), max_length=20, choices=Occasion)
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次")
    )
    days_before = models.PositiveSmallIntegerField(_("提前几天"), default=0)
    tier = models.ForeignKey(
        "members.Tier",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("等级"),
    )
    store_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("门店"))
    region_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("区域"))
    tier_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("会员等级"))
    sources = ArrayField(
        models.CharField(max_length=16), default=list, blank=True, verbose_name=_("会员来源")
    )
    # Of a purchase: what has to be left of it after returns, of the categories alone where some are named.
    least_fen = models.PositiveBigIntegerField(_("满多少元（分）"), default=0)
    is_first_only = models.BooleanField(_("只限首单"), default=False)
    category_codes = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("商品类目")
    )
    starts_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    ends_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    state = models.CharField(_("状态"), max_length=3, choices=RuleState, default=RuleState.OFF)
    # Occasions from before are none of its business.
    switched_on_at = models.DateTimeField(_("开启时间"), null=True, blank=True, editable=False)
    # When everybody was last looked at, where that is dear (birthdays, tiers).
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("创建时间"))

    objects = StandingRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("自动发券规则")
        verbose_name_plural = _("自动发券规则")
        constraints = [
            models.CheckConstraint(
                condition=Q(occasion__in=["tier_reached", "tier_monthly"], tier__isnull=False)
                | ~Q(occasion__in=["tier_reached", "tier_monthly"]) & Q(tier__isnull=True),
                name="standingrule_tier_where_asked",
            ),
            models.CheckConstraint(
                condition=Q(days_before=0) | Q(occasion="birthday", days_before__lte=60),
                name="standingrule_days_before_birthday",
            ),
            models.CheckConstraint(
                condition=Q(occasion="purchase") | Q(least_fen=0, is_first_only=False, category_codes=[]),
                name="standingrule_purchase_where_asked",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="standingrule_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(state="off") | Q(switched_on_at__isnull=False),
                name="standingrule_on_since_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StandingRound(models.Model):
    """Many waiting members of a rule are given theirs by one bulk issue."""

    rule = models.ForeignKey(StandingRule, on_delete=models.PROTECT, related_name="rounds")
    job = models.OneToOneField(IssueJob, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    objects = LockingQuerySet["StandingRound"].as_manager()

    class Meta:
        verbose_name = _("自动发券批次")
        verbose_name_plural = _("自动发券批次")

    def __str__(self) -> str:
        return f"#{self.pk}"


class IssueState(models.TextChoices):
    """waiting → given or refused; refused for want of coupons → waiting, when staff have it tried again."""

    WAITING = "waiting", _("等待发放")
    GIVEN = "given", _("已发放")
    REFUSED = "refused", _("没有发到")


class Withdrawal(models.TextChoices):
    """What became of a coupon whose purchase came back: void, or used before and left to her."""

    VOIDED = "voided", _("退货，券已作废")
    KEPT = "kept", _("退货，券已用掉")


class StandingIssue(models.Model):
    """A rule's occasion came for a member: she has her coupon, waits for it, or has none for a reason.

    The row is what makes it once: it is there before the coupon, and there is one for a rule, member and occasion.
    """

    rule = models.ForeignKey(
        StandingRule,
        on_delete=models.PROTECT,
        related_name="issues",
        verbose_name=_("规则"),
        db_index=False,
    )
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    # "birthday:2026", "bound:1234"; of a purchase the order's key.
    occasion_key = models.CharField(_("由头"), max_length=40)
    state = models.CharField(_("结果"), max_length=8, choices=IssueState, default=IssueState.WAITING)
    reason = models.CharField(_("原因"), max_length=60, blank=True)  # the code of a refusal
    coupon = models.ForeignKey(
        Coupon,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("券"),
        db_index=False,
    )
    round = models.ForeignKey(
        StandingRound, on_delete=models.PROTECT, null=True, related_name="issues", db_index=False
    )
    noted_at = models.DateTimeField(_("记录时间"))
    settled_at = models.DateTimeField(_("发放时间"), null=True, blank=True)
    withdrawal = models.CharField(_("收回"), max_length=6, choices=Withdrawal, blank=True)

    objects = LockingQuerySet["StandingIssue"].as_manager()

    class Meta:
        verbose_name = _("自动发券记录")
        verbose_name_plural = _("自动发券记录")
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "member", "occasion_key"], name="standingissue_once_per_occasion"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", coupon__isnull=True, settled_at__isnull=True)
                | Q(state="given", coupon__isnull=False, settled_at__isnull=False, reason="")
                | Q(state="refused", coupon__isnull=True, settled_at__isnull=False) & ~Q(reason=""),
                name="standingissue_state_whole",
            ),
            models.CheckConstraint(
                condition=Q(withdrawal="") | Q(state="given"), name="standingissue_withdrawn_after_given"
            ),
        ]
        indexes = [
            # Used by those who give what waits, and by the round that gives it.
            models.Index(
                fields=["rule", "round", "member", "id"],
                name="standingissue_waiting",
                condition=Q(state="waiting"),
            ),
            # Used when the purchase that brought it comes back.
            models.Index(
                fields=["occasion_key"],
                name="standingissue_of_purchase",
                condition=Q(occasion_key__startswith="sale:"),
            ),
            # Used by a rule's log, newest first.
            models.Index(fields=["rule", "-id"], name="standingissue_of_rule"),
        ]

    def __str__(self) -> str:
        return self.occasion_key
