"""Campaigns, the steps of their lives, and what each variant does."""

import datetime as dt
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet


class CampaignKind(models.TextChoices):
    """What its variants mainly do; every kind may run once or on the days of a calendar rule."""

    REACH = "reach", _("消息触达")
    COUPON = "coupon", _("发券")
    FOLLOW_UP = "follow_up", _("导购任务")


class CampaignState(models.TextChoices):
    """draft → submitted → approved → running ⇄ paused → ended; submitted and approved → draft; all but ended → ended.

    approved: it waits for its day. ended: nothing of it goes out any more; who bought is counted until its window closes.
    """

    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待审批")
    APPROVED = "approved", _("已通过，待开始")
    RUNNING = "running", _("进行中")
    PAUSED = "paused", _("已暂停")
    ENDED = "ended", _("已结束")


class CampaignGoal(models.TextChoices):
    """What counts as success of one member within the window."""

    PURCHASE = "purchase", _("购买")
    REDEMPTION = "redemption", _("核销活动券")
    VISIT = "visit", _("访问小程序")
    SECOND_PURCHASE = "second_purchase", _("二次购买")
    WAKE_UP = "wake_up", _("沉睡唤醒")
    WIN_BACK = "win_back", _("流失挽回")


class CampaignQuerySet(LockingQuerySet["Campaign"]):
    def due(self, at: dt.datetime) -> Self:
        """Those whose next run begins now."""
        return self.filter(state__in=[CampaignState.APPROVED, CampaignState.RUNNING], next_run_at__lte=at)


class Campaign(models.Model):
    """One campaign. Only a draft changes, and `revision` counts how often it did; whoever approves names the one she saw."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("名称"), max_length=40)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    kind = models.CharField(_("类型"), max_length=9, choices=CampaignKind)
    # Whose it is: the chain's (both empty), a region's with all below it, or one store's. Only their members are in it.
    region = models.ForeignKey(
        "guides.Region",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("区域"),
    )
    store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("门店"),
    )
    segment = models.ForeignKey(
        "campaigns.Segment", on_delete=models.PROTECT, related_name="+", verbose_name=_("发给哪个人群")
    )
    excluded_segment = models.ForeignKey(
        "campaigns.Segment",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("排除哪个人群"),
    )
    goal = models.CharField(_("目标"), max_length=15, choices=CampaignGoal, default=CampaignGoal.PURCHASE)
    # Whose purchases count: {"categories": [codes], "products": [codes], "least_fen": n}, each of them optional.
    measure = models.JSONField(default=dict, editable=False)
    window_days = models.PositiveSmallIntegerField(
        _("统计天数"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("发出后多少天内的购买算这次活动的"),
    )
    # Hundredths of a percent who get nothing, so that one sees what it brought.
    holdout_bp = models.PositiveSmallIntegerField(_("对照组比例"), default=1_000)
    # One seed draws control group and variants of all runs: who is in the control group stays there.
    seed = models.CharField(max_length=16, default=new_public_id, editable=False)
    starts_at = models.DateTimeField(_("开始时间"), null=True)
    # The last moment at which anything goes out.
    ends_at = models.DateTimeField(_("截止时间"), null=True)
    # When it runs again, as `campaigns.selectors.campaigns.times` reads it; empty: once, at `starts_at`.
    recurrence = models.JSONField(default=dict, editable=False)
    next_run_at = models.DateTimeField(_("下次执行"), null=True, editable=False)
    # Between these hours of Shanghai messages may begin to go out; the reach layer's quiet hours hold besides.
    send_from = models.TimeField(_("每天几点起发"))
    send_until = models.TimeField(_("每天几点停"))
    # The most its coupons and text messages may cost. Empty: no limit.
    budget_fen = models.BigIntegerField(_("预算（分）"), null=True, blank=True)
    # Coupons given, each at the most it can cost.
    spent_fen = models.BigIntegerField(_("券已用（分）"), default=0, editable=False)
    # In hundredths of a fen: what texts that are over did cost; what is put by for messages under way that may go as texts;
    # what providers billed beyond what was put by, which no budget could hold.
    text_hundredths = models.BigIntegerField(default=0, editable=False)
    held_hundredths = models.BigIntegerField(default=0, editable=False)
    over_hundredths = models.BigIntegerField(default=0, editable=False)
    # How many it would reach in one run and what that costs at most, as worked out when it was submitted or approved.
    expected_count = models.PositiveIntegerField(_("预计人数"), null=True, editable=False)
    expected_fen = models.BigIntegerField(_("预计费用（分）"), null=True, editable=False)
    state = models.CharField(_("状态"), max_length=9, choices=CampaignState, default=CampaignState.DRAFT)
    # Why it stands still or ended by itself (a code): "budget", "segment_gone", …
    code = models.CharField(_("原因"), max_length=40, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    author = models.ForeignKey(
        "core.StaffAccount",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("编写人"),
        editable=False,
    )
    # The staff accounts that wrote any of it: none of them approves it.
    writers = ArrayField(models.BigIntegerField(), default=list, editable=False)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    changed_at = models.DateTimeField(_("修改时间"), editable=False)
    ended_at = models.DateTimeField(_("结束时间"), null=True, editable=False)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("营销活动")
        verbose_name_plural = _("营销活动")
        permissions = [("approve_campaign", _("审批营销活动")), ("export_campaign", _("导出营销活动"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(region__isnull=True) | Q(store__isnull=True), name="campaign_region_or_store"
            ),
            models.CheckConstraint(condition=Q(holdout_bp__lte=5_000), name="campaign_holdout_at_most_half"),
            models.CheckConstraint(condition=Q(window_days__range=(1, 90)), name="campaign_window_days"),
            models.CheckConstraint(
                condition=Q(send_from__lt=F("send_until")), name="campaign_hours_in_order"
            ),
            models.CheckConstraint(
                condition=Q(budget_fen__isnull=True)
                | Q(
                    GreaterThanOrEqual(
                        F("budget_fen") * 100,
                        F("spent_fen") * 100
                        + F("text_hundredths")
                        + F("held_hundredths")
                        - F("over_hundredths"),
                    )
                ),
                name="campaign_within_budget",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False)
                | ~Q(state="ended") & Q(ended_at__isnull=True),
                name="campaign_ended_at_when_ended",
            ),
        ]
        indexes = [
            # Used by launch_due_campaigns.
            models.Index(
                fields=["next_run_at"], name="campaign_due", condition=Q(state__in=["approved", "running"])
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def used_hundredths(self) -> int:
        """What of the budget is gone or put by, in hundredths of a fen."""
        return self.spent_fen * 100 + self.text_hundredths + self.held_hundredths

    @property
    def used_fen(self) -> int:
        """The same, rounded up to the fen."""
        return -(-self.used_hundredths // 100)

    @property
    def is_of_chain(self) -> bool:
        """Head office's own, not a region's or a store's."""
        return self.region_id is None and self.store_id is None


class CampaignMove(models.Model):
    """One step of a campaign's life: who moved it from where to where, and what she said. Never changed."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="moves", verbose_name=_("营销活动")
    )
    from_state = models.CharField(_("从"), max_length=9, choices=CampaignState, blank=True)
    to_state = models.CharField(_("到"), max_length=9, choices=CampaignState)
    revision = models.PositiveIntegerField()
    actor = models.CharField(_("谁"), max_length=80)
    actor_id = models.BigIntegerField(null=True)  # the staff account; empty: the system
    note = models.CharField(_("备注"), max_length=200, blank=True)
    # What was approved, for whoever approves the next revision to compare with; empty for other moves.
    content = models.JSONField(null=True, editable=False)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("活动流转")
        verbose_name_plural = _("活动流转")

    def __str__(self) -> str:
        return f"{self.get_to_state_display()} #{self.pk}"


class CampaignVariant(models.Model):
    """What a share of the members gets. `weight` is against the other variants'."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="variants", verbose_name=_("营销活动")
    )
    letter = models.CharField(_("版本"), max_length=1)
    weight = models.PositiveSmallIntegerField(
        _("比例"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    # Acts as `campaigns.contracts.acts` reads them, in the order in which they are done.
    acts = models.JSONField(default=list, editable=False)

    class Meta:
        verbose_name = _("活动版本")
        verbose_name_plural = _("活动版本")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "letter"], name="campaignvariant_once_per_letter"),
            models.CheckConstraint(condition=Q(weight__range=(1, 100)), name="campaignvariant_weight"),
        ]

    def __str__(self) -> str:
        return self.letter
