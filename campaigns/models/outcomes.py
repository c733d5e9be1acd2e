"""What came of campaigns: one row a member of a run, the sums that reports read, and how far both are worked out."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign_runs import CampaignRun
from core.models import LockingQuerySet


class CampaignOutcome(models.Model):
    """What came of one member of a run, control group included, counted from the run's launch for everybody.

    `member` is empty for somebody who was erased: the figures stay, without a person. Keys are not checked by the
    database: a million rows would be three million look-ups.
    """

    run = models.ForeignKey(
        CampaignRun,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("活动执行"),
        db_constraint=False,
        db_index=False,
    )
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("会员"),
        db_constraint=False,
        db_index=False,
    )
    # As CampaignMember has them; 0 for none.
    letter = models.CharField(_("版本"), max_length=1, blank=True)
    guide_id = models.BigIntegerField(_("导购"), default=0)
    store_id = models.BigIntegerField(_("门店"), default=0)
    tier_id = models.BigIntegerField(_("等级"), default=0)
    # Where she stood when the run began, as it was known then; never counted again.
    orders_before = models.PositiveIntegerField(_("此前订单"), default=0)
    stage_before = models.CharField(_("此前阶段"), max_length=9, default="unbought")
    # Whether the campaign's goal is about her at all: a second purchase is of who has bought once.
    is_aimed = models.BooleanField(_("目标对象"), default=True)
    # Her purchases in the window that the campaign's measure counts, net of what came back.
    first_at = models.DateTimeField(_("首次购买"), null=True)
    order_count = models.PositiveIntegerField(_("订单"), default=0)
    unit_count = models.PositiveIntegerField(_("件数"), default=0)
    amount_fen = models.BigIntegerField(_("金额（分）"), default=0)
    visited_at = models.DateTimeField(_("访问时间"), null=True)
    # When she did what the goal asks for; empty: not within the window.
    goal_at = models.DateTimeField(_("达成时间"), null=True)
    # What her acts came to.
    is_done = models.BooleanField(_("已发放"), default=False)
    is_sent = models.BooleanField(_("已发送"), default=False)
    is_delivered = models.BooleanField(_("已送达"), default=False)
    is_seen = models.BooleanField(_("已看"), default=False)
    is_clicked = models.BooleanField(_("已点开"), default=False)
    is_given = models.BooleanField(_("拿到券"), default=False)
    redeemed_at = models.DateTimeField(_("核销时间"), null=True)
    discount_fen = models.BigIntegerField(_("核销优惠（分）"), default=0)
    # Of text messages, in hundredths of a fen.
    cost_hundredths = models.BigIntegerField(_("短信费用"), default=0)
    # Her messages, if she was erased: one may have been under way. Empty again when all are over and were read.
    left_reach_ids = ArrayField(models.BigIntegerField(), null=True, editable=False)

    objects = LockingQuerySet["CampaignOutcome"].as_manager()

    class Meta:
        verbose_name = _("会员的活动效果")
        verbose_name_plural = _("会员的活动效果")
        constraints = [
            models.UniqueConstraint(fields=["run", "member"], name="campaignoutcome_once_per_run"),
            models.CheckConstraint(
                condition=Q(order_count=0, first_at__isnull=True)
                | Q(order_count__gt=0, first_at__isnull=False),
                name="campaignoutcome_first_when_bought",
            ),
            models.CheckConstraint(
                condition=Q(goal_at__isnull=True) | Q(is_aimed=True), name="campaignoutcome_goal_of_the_aimed"
            ),
        ]
        indexes = [
            # Used by whoever follows a member whose purchases changed, by her merge and her erasure.
            models.Index(fields=["member"], name="campaignoutcome_of_member"),
            # Used by the days of a report.
            models.Index(
                fields=["run", "goal_at"],
                name="campaignoutcome_by_day",
                condition=Q(goal_at__isnull=False),
                include=["letter", "store_id"],
            ),
            # Used by what many campaigns brought together.
            models.Index(
                fields=["run", "member"],
                name="campaignoutcome_bought",
                condition=Q(order_count__gt=0),
                include=["letter", "store_id"],
            ),
            # Used by whoever reads what became of messages to the erased.
            models.Index(
                fields=["run"], name="campaignoutcome_left", condition=Q(left_reach_ids__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BookPass(models.TextChoices):
    """What somebody is going through the members of a run for, slice by slice."""

    BEGIN = "begin", _("登记会员")
    COUNT = "count", _("统计购买")
    DELIVER = "deliver", _("更新消息")


class CampaignBook(models.Model):
    """How far the outcomes of one run are worked out. Whoever writes outcomes or sums of the run holds its lock.

    opened → begun (everybody has a row) → frozen, some days after the window closed: nothing changes any more.
    """

    run = models.OneToOneField(
        CampaignRun, on_delete=models.PROTECT, primary_key=True, related_name="+", verbose_name=_("活动执行")
    )
    opened_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    # The pass that is under way, since when, the member it came to, and how many are behind it; empty: none is.
    doing = models.CharField(max_length=7, choices=BookPass, blank=True, default="")
    doing_since = models.DateTimeField(null=True)
    through_id = models.BigIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    # The end of the window by which its purchases are counted: when a run's window moves, all are counted anew.
    counted_until = models.DateTimeField(null=True)
    # When the pass began that last counted all of them, and the one that last read what became of the messages.
    counted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    # Outcomes changed since the sums were made.
    is_stale = models.BooleanField(default=False)
    summed_at = models.DateTimeField(_("数据更新到"), null=True)
    # CampaignTotal added up by letter: what the whole chain's tables read.
    sums = models.JSONField(default=dict)
    frozen_at = models.DateTimeField(null=True)
    # How many of its members had been in an earlier run of the campaign: they are not new evidence.
    repeat_count = models.PositiveIntegerField(default=0)

    objects = LockingQuerySet["CampaignBook"].as_manager()

    class Meta:
        verbose_name = _("活动效果")
        verbose_name_plural = _("活动效果")
        permissions = [("export_campaignbook", _("导出活动效果"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True) | Q(begun_at__isnull=False),
                name="campaignbook_frozen_after_begun",
            ),
            models.CheckConstraint(
                condition=Q(doing="", doing_since__isnull=True) | ~Q(doing="") & Q(doing_since__isnull=False),
                name="campaignbook_doing_since_when",
            ),
        ]
        indexes = [
            # Used by work_outcomes, and by the triggers that note members.
            models.Index(fields=["run"], name="campaignbook_open", condition=Q(frozen_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class OutcomeTouch(models.Model):
    """Purchases, redemptions or visits of a member changed who is in a campaign. Written by triggers in the transaction of
    the change; whoever deletes one counts her anew in the same transaction."""

    member_id = models.BigIntegerField()  # no key: written by every change of a member
    # She was merged or parted: her row in this run is to be the one of her place, and its sums are made anew, frozen or not.
    run_id = models.BigIntegerField(null=True)

    objects = LockingQuerySet["OutcomeTouch"].as_manager()

    class Meta:
        verbose_name = _("待重算活动会员")
        verbose_name_plural = _("待重算活动会员")

    def __str__(self) -> str:
        return f"#{self.member_id}"


class CampaignTotal(models.Model):
    """Outcomes of one run added up by variant, store, guide and tier. Reports read these; 0 is none, "" the control group."""

    run = models.ForeignKey(CampaignRun, on_delete=models.PROTECT, related_name="+", db_index=False)
    letter = models.CharField(max_length=1, blank=True)
    store_id = models.BigIntegerField()
    guide_id = models.BigIntegerField()
    tier_id = models.BigIntegerField()
    member_count = models.BigIntegerField(default=0)
    done_count = models.BigIntegerField(default=0)
    sent_count = models.BigIntegerField(default=0)
    delivered_count = models.BigIntegerField(default=0)
    seen_count = models.BigIntegerField(default=0)
    clicked_count = models.BigIntegerField(default=0)
    given_count = models.BigIntegerField(default=0)
    redeemed_count = models.BigIntegerField(default=0)
    aimed_count = models.BigIntegerField(default=0)
    goal_count = models.BigIntegerField(default=0)
    buyer_count = models.BigIntegerField(default=0)
    order_count = models.BigIntegerField(default=0)
    unit_count = models.BigIntegerField(default=0)
    amount_fen = models.BigIntegerField(default=0)
    # The squares of each member's amount, for the spread: beyond what eight bytes hold.
    amount_squares = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    discount_fen = models.BigIntegerField(default=0)
    cost_hundredths = models.BigIntegerField(default=0)
    # Who had bought once, slept, was lost when the run began; and of each how many bought within the window.
    once_count = models.BigIntegerField(default=0)
    second_count = models.BigIntegerField(default=0)
    asleep_count = models.BigIntegerField(default=0)
    woken_count = models.BigIntegerField(default=0)
    lost_count = models.BigIntegerField(default=0)
    won_back_count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("活动效果汇总")
        verbose_name_plural = _("活动效果汇总")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "letter", "store_id", "guide_id", "tier_id"], name="campaigntotal_once"
            )
        ]
        indexes = [
            # Used by the campaigns that a store sees.
            models.Index(fields=["store_id", "run"], name="campaigntotal_of_store")
        ]

    def __str__(self) -> str:
        return f"#{self.run_id} {self.letter}"
