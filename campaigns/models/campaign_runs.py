"""When campaigns ran, and who was in it."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from core.models import LockingQuerySet


class RunState(models.TextChoices):
    """due → releasing → released; due and releasing → stopped.

    due: its audience is not frozen yet. releasing: members get what is theirs, batch by batch, while the campaign runs.
    """

    DUE = "due", _("等待开始")
    RELEASING = "releasing", _("发放中")
    RELEASED = "released", _("已发完")
    STOPPED = "stopped", _("已停止")


class CampaignRunQuerySet(LockingQuerySet["CampaignRun"]):
    def open(self) -> Self:
        """Those with somebody or something still to do."""
        return self.filter(state__in=[RunState.DUE, RunState.RELEASING])


class CampaignRun(models.Model):
    """One occurrence of a campaign. Its audience is frozen when it begins: rows of CampaignMember, control group included."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="runs", verbose_name=_("营销活动")
    )
    number = models.PositiveIntegerField(_("第几次"))
    due_at = models.DateTimeField(_("应开始时间"))
    state = models.CharField(_("状态"), max_length=9, choices=RunState, default=RunState.DUE)
    # Counted by the statement that froze the audience.
    member_count = models.PositiveIntegerField(_("人数"), default=0)
    control_count = models.PositiveIntegerField(_("对照组人数"), default=0)
    # Whom it reached with its acts, and whom the acts refused; added up in the transactions that release.
    done_count = models.PositiveIntegerField(_("已发放"), default=0)
    refused_count = models.PositiveIntegerField(_("未发放"), default=0)
    spent_fen = models.BigIntegerField(_("券已用（分）"), default=0)
    # What its texts that are over did cost, in hundredths of a fen.
    text_hundredths = models.BigIntegerField(default=0)
    # Who opened what the message led to, once each.
    clicked_count = models.PositiveIntegerField(_("打开人数"), default=0)
    launched_at = models.DateTimeField(_("开始时间"), null=True)
    # Why it stopped, or did not begin (a code).
    code = models.CharField(_("原因"), max_length=40, blank=True, editable=False)
    # How many had had their turn when, of the last minutes: [[instant, count], …]; the rate is read from it.
    paces = models.JSONField(default=list, editable=False)
    released_at = models.DateTimeField(_("发完时间"), null=True)
    # Purchases until then count; set at launch, moved when the last are released.
    window_ends_at = models.DateTimeField(_("统计截止"), null=True)

    objects = CampaignRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("活动执行")
        verbose_name_plural = _("活动执行")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="campaignrun_once_per_number"),
            models.UniqueConstraint(fields=["campaign", "due_at"], name="campaignrun_once_per_moment"),
            models.CheckConstraint(
                condition=Q(state__in=["released", "stopped"], released_at__isnull=False)
                | Q(state__in=["due", "releasing"], released_at__isnull=True),
                name="campaignrun_released_at_when_over",
            ),
        ]
        indexes = [
            # Used by release_campaigns.
            models.Index(fields=["id"], name="campaignrun_open", condition=Q(state__in=["due", "releasing"])),
        ]

    def __str__(self) -> str:
        return _now("第 %(n)s 次执行") % {"n": self.number}


class CampaignMemberState(models.TextChoices):
    """waiting → done | refused | stopped. control: she gets nothing, by lot."""

    CONTROL = "control", _("对照组")
    WAITING = "waiting", _("待发放")
    DONE = "done", _("已发放")
    REFUSED = "refused", _("未发放")
    STOPPED = "stopped", _("已停止")


class CampaignMember(models.Model):
    """She is in this run, as she was when it began. Keys are not checked by the database: a million rows would be three
    million look-ups, and neither members nor runs are ever deleted."""

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
        related_name="+",
        verbose_name=_("会员"),
        db_constraint=False,
        db_index=False,
    )
    # The variant's letter; empty in the control group.
    letter = models.CharField(_("版本"), max_length=1, blank=True)
    state = models.CharField(_("状态"), max_length=7, choices=CampaignMemberState)
    # Why an act did not happen to her.
    code = models.CharField(_("原因"), max_length=40, blank=True, default="")
    # Where she stood at the beginning, for reports: her guide, that guide's store, her tier.
    guide_id = models.BigIntegerField(null=True)
    store_id = models.BigIntegerField(null=True)
    tier_id = models.BigIntegerField(null=True)
    # What her acts made, for reports and for a stop that takes back what has not gone out.
    reach_id = models.BigIntegerField(null=True)
    # Further messages of the run to her: sent again by hand, or to another row that turned out to be her. Nearly always empty.
    other_reach_ids = ArrayField(models.BigIntegerField(), null=True, editable=False)
    coupon_id = models.BigIntegerField(null=True)
    follow_up_id = models.BigIntegerField(null=True)
    released_at = models.DateTimeField(_("发放时间"), null=True)
    # Not now: she waits until then, after so many tries.
    not_before = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)
    # When she first opened what the message led to.
    clicked_at = models.DateTimeField(_("打开时间"), null=True)

    objects = LockingQuerySet["CampaignMember"].as_manager()

    class Meta:
        verbose_name = _("活动会员")
        verbose_name_plural = _("活动会员")
        permissions = [("export_campaignmember", _("导出活动会员"))]
        constraints = [
            models.UniqueConstraint(fields=["run", "member"], name="campaignmember_once_per_run"),
            models.CheckConstraint(
                condition=Q(state="control", letter="") | ~Q(state="control") & ~Q(letter=""),
                name="campaignmember_letter_unless_control",
            ),
        ]
        indexes = [
            # Used by release_campaigns: the next of a run, in the order of their rows.
            models.Index(
                fields=["run", "id"],
                name="campaignmember_waiting",
                condition=Q(state="waiting", not_before__isnull=True),
            ),
            # The same of those who are to be tried again.
            models.Index(
                fields=["run", "not_before"],
                name="campaignmember_put_off",
                condition=Q(state="waiting", not_before__isnull=False),
            ),
            # Used by her page, her merge and her erasure.
            models.Index(fields=["member"], name="campaignmember_of_member"),
            # Used by the communication matrix: what was opened since a month began.
            models.Index(
                fields=["clicked_at"], name="campaignmember_clicked", condition=Q(clicked_at__isnull=False)
            ),
            # Used by the assistant: my store's members in a run.
            models.Index(fields=["run", "guide_id"], name="campaignmember_of_guide"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
