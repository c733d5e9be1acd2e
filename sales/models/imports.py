"""Taking orders and returns over from a file: the job, its documents while they wait, and what could not be read."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet


class IntakeKind(models.TextChoices):
    """What a file holds; one row a line of goods."""

    ORDER = "order", _("销售订单")
    RETURN = "return", _("退货单")


class IntakeState(models.TextChoices):
    """uploaded → checking → checked → running ⇄ paused; then finished, stopped or failed.

    A checked job may be mapped and checked again; a paused one resumed or stopped.
    """

    UPLOADED = "uploaded", _("待对应列")
    CHECKING = "checking", _("检查中")
    CHECKED = "checked", _("待导入")
    RUNNING = "running", _("导入中")
    PAUSED = "paused", _("已暂停")
    FINISHED = "finished", _("已完成")
    STOPPED = "stopped", _("已停止")
    FAILED = "failed", _("没能导入")


class IntakeJobQuerySet(LockingQuerySet["IntakeJob"]):
    def working(self) -> Self:
        """Those that a worker has to do something for."""
        return self.filter(state__in=[IntakeState.CHECKING, IntakeState.RUNNING])


class IntakeJob(models.Model):
    """One file of orders or returns, from its upload to its end; the file itself is deleted some days later."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(_("内容"), max_length=6, choices=IntakeKind)
    # The system whose numbers these are: the same number of another source is another document.
    source = models.CharField(_("来源系统"), max_length=16)
    file_name = models.CharField(_("文件名"), max_length=120)
    # Where the file lies below settings.IMPORT_ROOT; empty once it is deleted.
    stored_as = models.CharField(max_length=40, blank=True, editable=False)
    file_digest = models.CharField(max_length=64, editable=False, db_index=True)
    headings = models.JSONField(_("表头"), default=list)
    # {"columns": {"0": "order_no", …}, "app_id": "", "mini_app_id": "", "channel": "store"}
    mapping = models.JSONField(_("列的对应"), default=dict)
    state = models.CharField(_("状态"), max_length=10, choices=IntakeState, default=IntakeState.UPLOADED)
    failure = models.CharField(_("原因"), max_length=60, blank=True)
    failure_line = models.PositiveIntegerField(_("出错的行"), null=True, blank=True, editable=False)
    # Lines read and those that cannot be used; documents that were made of the others, and those dealt with.
    read_count = models.PositiveIntegerField(_("已读取"), default=0)
    row_count = models.PositiveIntegerField(_("行数"), default=0)
    bad_count = models.PositiveIntegerField(_("有问题的行"), default=0)
    total_count = models.PositiveIntegerField(_("单据数"), default=0)
    done_count = models.PositiveIntegerField(_("已处理"), default=0)
    # The place of the last document that a slice took.
    done_place = models.PositiveIntegerField(default=0, editable=False)
    # What the check foretold and what came of it, by the names of sales.contracts.IntakeCounts.
    expected = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_holder = models.CharField(max_length=32, blank=True, editable=False)
    # How often a worker took it up since anything last went forward.
    claim_count = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("上传时间"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("上传人"),
    )
    # When the present stretch of work began, and how much was done then: the rate and the time left.
    phase_started_at = models.DateTimeField(null=True, editable=False)
    phase_from_count = models.PositiveIntegerField(default=0, editable=False)
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    objects = IntakeJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("订单导入")
        verbose_name_plural = _("订单导入")
        indexes = [
            # Used by work_imports.
            models.Index(
                fields=["leased_until"],
                name="intakejob_working",
                condition=Q(state__in=["checking", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class IntakeDocument(models.Model):
    """One document of a file that is not dealt with yet; gone when the job is over."""

    job = models.ForeignKey(IntakeJob, on_delete=models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveIntegerField()
    # Of the file, where it begins and ends.
    line = models.PositiveIntegerField()
    last_line = models.PositiveIntegerField()
    number = models.CharField(max_length=64)
    revision = models.PositiveIntegerField(default=0)
    digest = models.BinaryField(max_length=32)
    store_code = models.CharField(max_length=20)
    serving_guide = models.CharField(max_length=20, blank=True)
    sharing_guide = models.CharField(max_length=20, blank=True)
    # How it names its member: kind, account and value.
    member = SealedTextField(blank=True)
    # The rest of it; nothing of a person.
    body = models.TextField()
    # A slice looked at it and left it to the engine for single documents.
    is_apart = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("待导入的单据")
        verbose_name_plural = _("待导入的单据")
        constraints = [models.UniqueConstraint(fields=["job", "place"], name="intakedocument_once_per_place")]
        indexes = [
            # Used after each slice.
            models.Index(fields=["job", "place"], name="intakedocument_apart", condition=Q(is_apart=True)),
        ]

    def __str__(self) -> str:
        return f"#{self.place}"


class IntakeProblem(models.Model):
    """One line that could not be used, and why: the codes of its cells, never their contents."""

    job = models.ForeignKey(IntakeJob, on_delete=models.CASCADE, related_name="+", db_index=False)
    line = models.PositiveIntegerField(_("行"))
    # ["quantity:number_unusable", …]: the target and the code; a document as a whole has no target.
    reasons = ArrayField(models.CharField(max_length=60), verbose_name=_("原因"))

    class Meta:
        verbose_name = _("导入有问题的行")
        verbose_name_plural = _("导入有问题的行")
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="intakeproblem_once_per_line")]

    def __str__(self) -> str:
        return f"#{self.line}"


class IntakeMapping(models.Model):
    """How the columns under these headings were read last time."""

    kind = models.CharField(max_length=6, choices=IntakeKind)
    headings_digest = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("记住的列对应")
        verbose_name_plural = _("记住的列对应")
        constraints = [models.UniqueConstraint(fields=["kind", "headings_digest"], name="intakemapping_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"
