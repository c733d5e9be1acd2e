"""What the tables of every sort of import have in common: the job, the lines that cannot be read, kept mappings.

Each app has tables of its own made of these, beside the one in which its rows wait.
"""

import datetime as dt
from typing import Any, Final, Self, TypeVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.leases import is_free
from core.models import LockingQuerySet


class ImportState(models.TextChoices):
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


MAPPABLE: Final = (ImportState.UPLOADED, ImportState.CHECKED)
WORKING: Final = (ImportState.CHECKING, ImportState.RUNNING)
OVER: Final = (ImportState.FINISHED, ImportState.STOPPED, ImportState.FAILED)

J = TypeVar("J", bound="AbstractImportJob")


class ImportJobQuerySet(LockingQuerySet[J]):
    """Vocabulary of jobs, whatever they import."""

    def working(self) -> Self:
        """Those that a worker has to do something for."""
        return self.filter(state__in=WORKING)

    def due(self, at: dt.datetime) -> Self:
        """Those of them that no worker holds."""
        return self.working().filter(is_free(at))


class AbstractImportJob(models.Model):
    """One file, from its upload to its end; the file itself is deleted some days later."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    file_name = models.CharField(_("文件名"), max_length=120)
    # Where the file lies below settings.IMPORT_ROOT; empty once it is deleted.
    stored_as = models.CharField(max_length=40, blank=True, editable=False)
    file_digest = models.CharField(max_length=64, editable=False, db_index=True)
    headings = models.JSONField(_("表头"), default=list)
    # {"columns": {"0": "phone", …}} and what else a person chose: the names of the desk's options.
    mapping = models.JSONField(_("列的对应"), default=dict)
    state = models.CharField(_("状态"), max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    failure = models.CharField(_("原因"), max_length=60, blank=True)
    failure_line = models.PositiveIntegerField(_("出错的行"), null=True, blank=True, editable=False)
    # The last line that was read; what is to be settled and what is; lines that cannot be used.
    read_count = models.PositiveIntegerField(_("已读取"), default=0)
    total_count = models.PositiveIntegerField(_("总行数"), default=0)
    done_count = models.PositiveIntegerField(_("已处理"), default=0)
    bad_count = models.PositiveIntegerField(_("有问题的行"), default=0)
    # What the check foretold and what came of it, by the names of the sort's counts.
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

    class Meta:
        abstract = True
        indexes = [
            # Used by the job that takes up what has no worker.
            models.Index(
                fields=["leased_until"],
                name="%(class)s_working",
                condition=Q(state__in=["checking", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def checked_line_count(self) -> int:
        """Lines that a check has been through, usable or not."""
        return self.total_count + self.bad_count


class AbstractImportProblem(models.Model):
    """One line that could not be used, and why: the codes of its cells, never their contents. Has a `job`."""

    line = models.PositiveIntegerField(_("行"))
    # ["phone:phone_landline", …]: the target and the code; a line as a whole has no target.
    reasons = ArrayField(models.CharField(max_length=60), verbose_name=_("原因"))

    class Meta:
        abstract = True
        verbose_name = _("导入有问题的行")
        verbose_name_plural = _("导入有问题的行")
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="%(class)s_once_per_line")]

    def __str__(self) -> str:
        return f"#{self.line}"


class AbstractImportMapping(models.Model):
    """How the columns under these headings were read last time."""

    headings_digest = models.CharField(max_length=64)
    mapping: Any = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True
        verbose_name = _("记住的列对应")
        verbose_name_plural = _("记住的列对应")

    def __str__(self) -> str:
        return f"#{self.pk}"
