"""Locking vocabulary, staff accounts and the audit trail."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from core.errors import NotFound

M = TypeVar("M", bound=models.Model)


class LockingQuerySet(models.QuerySet[M]):
    """The one door to row locks: evaluated here, ordered by pk, own table only, inside a transaction only.

    An unevaluated `select_for_update()` takes no lock and fails silently; two callers that lock in different
    orders deadlock. Both mistakes are impossible through this class.

    The locks are FOR NO KEY UPDATE: they exclude each other, but not the share lock that an insert takes on the
    row its foreign key names. With plain FOR UPDATE a scan of a guide's code (guide, then her store through the
    binding's key) and one of the store's code (store, then guide) would wait for each other.
    """

    def lock(self, pk: int) -> M:
        """The row, locked until the transaction ends. Raises NotFound when it is gone."""
        rows = self.lock_all([pk])
        if not rows:
            raise NotFound
        return rows[0]

    def lock_all(self, pks: Iterable[int]) -> list[M]:
        """The rows that still exist, locked, in pk order."""
        return list(self.filter(pk__in=list(pks)).lock_rows())

    def lock_rows(self) -> list[M]:
        """The rows of this query, locked, in pk order."""
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("a lock needs transaction.atomic()")
        return list(self.order_by("pk").select_for_update(of=("self",), no_key=True))

    def claim(self, limit: int) -> list[M]:
        """Up to `limit` rows of this query that nobody else holds, locked, in pk order (SKIP LOCKED)."""
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("a claim needs transaction.atomic()")
        return list(
            self.order_by("pk").select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit]
        )


class StaffAccount(AbstractUser):
    """One login of head-office, region or dealer staff to the admin. Guides have no such account."""

    class Meta:
        verbose_name = _("后台账号")
        verbose_name_plural = _("后台账号")

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()

    def get_full_name(self) -> str:
        """Surname first, as Chinese names are written."""
        return f"{self.last_name}{self.first_name}"


class AuditEntry(models.Model):
    """One thing somebody did to one row, written in the transaction that did it; never changed."""

    at = models.DateTimeField(_("时间"), db_index=True)
    actor_kind = models.CharField(_("操作者类型"), max_length=16)
    actor_id = models.BigIntegerField(_("操作者编号"), null=True)
    actor_label = models.CharField(_("操作者"), max_length=80, blank=True)
    action = models.CharField(_("动作"), max_length=80)
    subject_kind = models.CharField(_("对象类型"), max_length=40)
    subject_id = models.BigIntegerField(_("对象编号"))
    details = models.JSONField(_("详情"), default=dict)

    class Meta:
        verbose_name = _("操作记录")
        verbose_name_plural = _("操作记录")
        indexes = [
            # Used by the history box on every detail page in admin.
            models.Index(fields=["subject_kind", "subject_id", "-at"], name="auditentry_for_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"


class ExportState(models.TextChoices):
    """waiting → done → over, or failed."""

    WAITING = "waiting", _("生成中")
    DONE = "done", _("可下载")
    FAILED = "failed", _("没有生成")
    OVER = "over", _("已过期")


class ExportJob(models.Model):
    """A long list that one account wants as a file: which, how it is filtered, how far it is, where it lies."""

    staff = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("后台账号")
    )
    listed = models.CharField(max_length=60, editable=False)  # app.model of the list
    query = models.CharField(
        max_length=2_000, blank=True, editable=False
    )  # its filters, as the address has them
    state = models.CharField(_("状态"), max_length=8, choices=ExportState, default=ExportState.WAITING)
    row_count = models.PositiveIntegerField(_("条数"), default=0)
    done_count = models.PositiveIntegerField(_("已写入"), default=0)
    fault = models.CharField(max_length=20, blank=True, editable=False)
    stored_as = models.CharField(max_length=16, blank=True, editable=False)
    asked_at = models.DateTimeField(_("请求时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    expires_at = models.DateTimeField(_("保留到"), null=True, blank=True)
    # Whoever builds it holds the lease and says so with every few thousand rows.
    lease = models.CharField(max_length=16, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    try_count = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = LockingQuerySet["ExportJob"].as_manager()

    class Meta:
        verbose_name = _("导出文件")
        verbose_name_plural = _("导出文件")
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "listed", "query"],
                name="exportjob_one_waiting",
                condition=models.Q(state="waiting"),
            ),
        ]
        indexes = [
            # Used by the worker, which mostly finds none.
            models.Index(fields=["id"], name="exportjob_waiting", condition=models.Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.title} #{self.pk}"

    @property
    def title(self) -> str:
        """The list's name; its technical one when there is no such list any more."""
        try:
            return str(apps.get_model(self.listed)._meta.verbose_name_plural)
        except LookupError:
            return self.listed


def changed_fields(instance: models.Model, **values: Any) -> list[str]:
    """Set the values on the instance and name those that differ, for `save(update_fields=…)`."""
    changed = []
    for name, value in values.items():
        if getattr(instance, name) != value:
            setattr(instance, name, value)
            changed.append(name)
    return changed
