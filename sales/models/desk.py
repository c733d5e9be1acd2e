"""What people decide at the desk of waiting documents, and the work they start there."""

from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class AliasKind(models.TextChoices):
    """What a code stands for."""

    STORE = "store", _("门店编号")
    GUIDE = "guide", _("导购工号")


class CodeAliasQuerySet(LockingQuerySet["CodeAlias"]):
    def live(self) -> Self:
        """Those that mean something."""
        return self.filter(forgotten_at__isnull=True)


class CodeAlias(models.Model):
    """A code that one source sends and nobody has, and whose it is. A code that somebody has is never looked up here."""

    kind = models.CharField(_("类型"), max_length=5, choices=AliasKind)
    source = models.CharField(_("来源系统"), max_length=16)
    code = models.CharField(_("单据里的编号"), max_length=20)
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
    made_at = models.DateTimeField(_("设定时间"))
    made_by = models.CharField(_("操作者"), max_length=90, blank=True)

    forgotten_at = models.DateTimeField(_("取消时间"), null=True, blank=True)

    objects = CodeAliasQuerySet.as_manager()

    class Meta:
        verbose_name = _("编号对应")
        verbose_name_plural = _("编号对应")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source", "code"],
                name="codealias_once",
                condition=Q(forgotten_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(kind="store", store__isnull=False, guide__isnull=True)
                | Q(kind="guide", store__isnull=True, guide__isnull=False),
                name="codealias_one_target_of_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.code}"


class MemberAlias(models.Model):
    """How one source names a member whom nobody knows by that, found by its keyed fingerprint; `member` empty: it is
    to be booked as of nobody."""

    source = models.CharField(_("来源系统"), max_length=16)
    member_index = models.CharField(max_length=64, editable=False)
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("会员"),
    )
    made_at = models.DateTimeField(_("设定时间"))
    made_by = models.CharField(_("操作者"), max_length=90, blank=True)

    objects = LockingQuerySet["MemberAlias"].as_manager()

    class Meta:
        verbose_name = _("会员对应")
        verbose_name_plural = _("会员对应")
        constraints = [
            models.UniqueConstraint(fields=["source", "member_index"], name="memberalias_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class DeskJobKind(models.TextChoices):
    """What a job goes through: documents that wait, or the sales of a span."""

    RETRY = "retry", _("重试待处理单据")
    TRIAL = "trial", _("试算归属规则")


class DeskJobState(models.TextChoices):
    """running → done, or stopped by a person."""

    RUNNING = "running", _("进行中")
    DONE = "done", _("已完成")
    STOPPED = "stopped", _("已停止")


class DeskJobQuerySet(LockingQuerySet["DeskJob"]):
    def running(self) -> Self:
        return self.filter(state=DeskJobState.RUNNING)


class DeskJob(models.Model):
    """Work over many rows that a person started: each slice and how far it came are one transaction, so that whoever
    goes on after a killed worker does nothing twice."""

    kind = models.CharField(_("内容"), max_length=5, choices=DeskJobKind)
    # What it goes through: conditions of waiting documents, or the span and the rules of a trial.
    terms = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    words = models.CharField(_("范围"), max_length=120, blank=True)
    state = models.CharField(_("状态"), max_length=7, choices=DeskJobState, default=DeskJobState.RUNNING)
    asked_count = models.PositiveIntegerField(_("总数"), default=0)
    done_count = models.PositiveIntegerField(_("已处理"), default=0)
    last_id = models.BigIntegerField(default=0, editable=False)
    until_id = models.BigIntegerField(default=0, editable=False)
    result = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    staff = models.ForeignKey(
        "core.StaffAccount",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("操作者"),
        db_index=False,
    )
    started_at = models.DateTimeField(_("开始时间"))
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    objects = DeskJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("批量处理")
        verbose_name_plural = _("批量处理")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", ended_at__isnull=True)
                | ~Q(state="running") & Q(ended_at__isnull=False),
                name="deskjob_ended_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="deskjob_running", condition=Q(state="running")),
        ]

    def __str__(self) -> str:
        return self.words or f"#{self.pk}"
