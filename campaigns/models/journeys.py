"""Journeys, their versions, who is under way in them, and what happened to whom."""

import datetime as dt
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet

EVENT_LENGTH = 32
STEP_LENGTH = 20


def _events() -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=EVENT_LENGTH), default=list, editable=False)


class JourneyState(models.TextChoices):
    """draft → running ⇄ paused → ended; ended is final."""

    DRAFT = "draft", _("未启用")
    RUNNING = "running", _("运行中")
    PAUSED = "paused", _("已暂停")
    ENDED = "ended", _("已结束")


class Journey(models.Model):
    """One way that members are led, under a name. What it does says its version; what is being written, its draft."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("名称"), max_length=40)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    # Which ready-made one it began as; empty for one of the chain's own.
    made_as = models.CharField(max_length=30, blank=True, editable=False)
    state = models.CharField(_("状态"), max_length=7, choices=JourneyState, default=JourneyState.DRAFT)
    draft = models.JSONField(default=dict, editable=False)
    # Counts up with each change; whoever saves says which one she changed.
    revision = models.PositiveIntegerField(default=1, editable=False)
    version = models.ForeignKey(
        "campaigns.JourneyVersion",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("版本"),
        editable=False,
    )
    # Of journeys that begin on a date: the last Shanghai day on which everybody was looked at.
    looked_on = models.DateField(null=True, editable=False)
    # That look went wrong: why, and when it is tried again.
    fault = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    look_after = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    changed_at = models.DateTimeField(_("修改时间"), editable=False)
    started_at = models.DateTimeField(_("启用时间"), null=True, editable=False)

    objects = LockingQuerySet["Journey"].as_manager()

    class Meta:
        verbose_name = _("自动化旅程")
        verbose_name_plural = _("自动化旅程")
        permissions = [("export_journey", _("导出自动化旅程"))]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="journey_one_live_per_name", condition=~Q(state="ended")
            ),
            models.UniqueConstraint(
                fields=["made_as"],
                name="journey_ready_made_once",
                condition=~Q(made_as="") & ~Q(state="ended"),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "ended"]) | Q(version__isnull=False),
                name="journey_runs_a_version",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class JourneyVersion(models.Model):
    """What a journey did from one publication to the next; never changed. Who is under way in it finishes it."""

    journey = models.ForeignKey(
        Journey, on_delete=models.PROTECT, related_name="versions", verbose_name=_("旅程"), db_index=False
    )
    number = models.PositiveIntegerField(_("版本号"))
    definition = models.JSONField(editable=False)
    # What it listens to: all of it, what begins it, what ends it, what is its goal.
    events = _events()
    entry_events = _events()
    exit_events = _events()
    goal_events = _events()
    published_at = models.DateTimeField(_("发布时间"))

    objects = LockingQuerySet["JourneyVersion"].as_manager()

    class Meta:
        verbose_name = _("旅程版本")
        verbose_name_plural = _("旅程版本")
        constraints = [
            models.UniqueConstraint(fields=["journey", "number"], name="journeyversion_once_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.journey_id}.{self.number}"


class EnrolmentState(models.TextChoices):
    """waiting → done, achieved, exited or failed; failed → waiting when staff have it tried again.

    waiting: under way, at a step that is due at `due_at`. achieved: she did what the journey is for. failed: a step went wrong
    again and again; she is parked there.
    """

    WAITING = "waiting", _("进行中")
    DONE = "done", _("走完")
    ACHIEVED = "achieved", _("达成目标")
    EXITED = "exited", _("退出")
    FAILED = "failed", _("出错停住")


class EnrolmentQuerySet(LockingQuerySet["Enrolment"]):
    def live(self) -> Self:
        """Who is under way or parked."""
        return self.filter(state__in=[EnrolmentState.WAITING, EnrolmentState.FAILED])

    def due(self, at: dt.datetime) -> Self:
        return self.filter(state=EnrolmentState.WAITING, due_at__lte=at)


class Enrolment(models.Model):
    """One member on one way through a version. Her key is not checked by the database: thousands enter at once."""

    journey = models.ForeignKey(
        Journey, on_delete=models.PROTECT, related_name="+", verbose_name=_("旅程"), db_index=False
    )
    version = models.ForeignKey(
        JourneyVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("版本"), db_index=False
    )
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("会员"),
        db_constraint=False,
        db_index=False,
    )
    # What brought her in ("sale:31", "day:2026-11-28", a caller's key): once for it.
    entry_key = models.CharField(_("进入缘由"), max_length=80)
    state = models.CharField(_("状态"), max_length=8, choices=EnrolmentState, default=EnrolmentState.WAITING)
    step = models.CharField(_("当前步骤"), max_length=STEP_LENGTH)
    due_at = models.DateTimeField(_("下一步时间"))
    # The moment that she waits for, and whether it came.
    waiting_for = models.CharField(max_length=EVENT_LENGTH, blank=True, default="")
    is_woken = models.BooleanField(default=False)
    heard = _events()
    # Words for placeholders of texts.
    values = models.JSONField(default=dict, editable=False)
    moved_count = models.PositiveIntegerField(_("已走步数"), default=0)
    round_count = models.PositiveSmallIntegerField(default=0)
    attempt_count = models.PositiveSmallIntegerField(_("重试次数"), default=0)
    # Why it ended, stands still or was refused the last time.
    code = models.CharField(_("原因"), max_length=60, blank=True, default="")
    entered_at = models.DateTimeField(_("进入时间"))
    # The last moment that is not of her way: ids, for clocks go wrong.
    begun_after = models.BigIntegerField(default=0, db_default=0, editable=False)
    ended_at = models.DateTimeField(_("结束时间"), null=True)
    leased_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True, default="")

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("旅程会员")
        verbose_name_plural = _("旅程会员")
        permissions = [("export_enrolment", _("导出旅程会员"))]
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "member"],
                name="enrolment_one_live_per_member",
                condition=Q(state__in=["waiting", "failed"]),
            ),
            # In this order also what re-entry, her page and her merge look up.
            models.UniqueConstraint(
                fields=["member", "journey", "entry_key"], name="enrolment_of_member_once_per_key"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "failed"], ended_at__isnull=True)
                | ~Q(state__in=["waiting", "failed"]) & Q(ended_at__isnull=False),
                name="enrolment_ended_when_over",
            ),
        ]
        indexes = [
            # Used by the runner, one journey after the other.
            models.Index(
                fields=["journey", "due_at", "id"], name="enrolment_due_queue", condition=Q(state="waiting")
            ),
            # Used by the graph: who is where.
            models.Index(
                fields=["version", "step", "state"],
                name="enrolment_at_step",
                condition=Q(state__in=["waiting", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class EnrolmentStep(models.Model):
    """She passed a step, and what came of it; kept for a while."""

    enrolment = models.ForeignKey(
        Enrolment,
        on_delete=models.CASCADE,
        related_name="steps",
        verbose_name=_("旅程会员"),
        db_constraint=False,
    )
    step = models.CharField(_("步骤"), max_length=STEP_LENGTH)
    at = models.DateTimeField(_("时间"))
    # next | else | refused | exited | failed …; a refusal's code; what was made.
    way = models.CharField(_("去向"), max_length=8)
    code = models.CharField(_("原因"), max_length=60, blank=True)
    ref = models.CharField(_("结果"), max_length=80, blank=True)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("旅程足迹")
        verbose_name_plural = _("旅程足迹")

    def __str__(self) -> str:
        return f"{self.step} #{self.pk}"


class JourneyTally(models.Model):
    """So many went this way at a step, not yet folded: rows are only added, so that nobody waits for a counter."""

    version_id = models.BigIntegerField()
    step = models.CharField(max_length=STEP_LENGTH)
    way = models.CharField(max_length=8)
    count = models.IntegerField()

    class Meta:
        verbose_name = _("旅程计数（待合并）")
        verbose_name_plural = _("旅程计数（待合并）")

    def __str__(self) -> str:
        return f"{self.version_id} {self.step}"


class JourneyCount(models.Model):
    """How many went this way at a step of a version; an empty step is the journey itself."""

    version = models.ForeignKey(
        JourneyVersion, on_delete=models.CASCADE, related_name="+", verbose_name=_("版本"), db_index=False
    )
    step = models.CharField(_("步骤"), max_length=STEP_LENGTH, blank=True)
    way = models.CharField(_("去向"), max_length=8)
    count = models.BigIntegerField(_("人次"), default=0)

    class Meta:
        verbose_name = _("旅程计数")
        verbose_name_plural = _("旅程计数")
        constraints = [
            models.UniqueConstraint(fields=["version", "step", "way"], name="journeycount_once_per_way")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.step}"


class JourneyWatch(models.Model):
    """Some journey listens to this moment. Rows stay: whoever deleted one could not know who has begun to rely on it."""

    event = models.CharField(max_length=EVENT_LENGTH, primary_key=True)
    family = models.CharField(max_length=12)

    class Meta:
        verbose_name = _("旅程关注的事件")
        verbose_name_plural = _("旅程关注的事件")
        indexes = [models.Index(fields=["family"], name="journeywatch_by_family")]

    def __str__(self) -> str:
        return self.event


class JourneyMoment(models.Model):
    """Something happened to a member that a journey listens to. Written by triggers, in the transaction of the change; whoever
    deletes one acts on it in the same transaction."""

    event = models.CharField(max_length=EVENT_LENGTH)
    member_id = models.BigIntegerField()  # no key: written by every change of a member
    key = models.CharField(max_length=60)
    at = models.DateTimeField()

    objects = LockingQuerySet["JourneyMoment"].as_manager()

    class Meta:
        verbose_name = _("旅程待处理事件")
        verbose_name_plural = _("旅程待处理事件")
        indexes = [
            # Used by the runner: who has one is left alone until it was heard.
            models.Index(fields=["member_id"], name="journeymoment_of_member")
        ]

    def __str__(self) -> str:
        return f"{self.event} #{self.member_id}"
