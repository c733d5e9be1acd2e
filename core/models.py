"""Locking vocabulary, staff accounts and the audit trail."""

from collections.abc import Iterable
from typing import Any, TypeVar

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


def changed_fields(instance: models.Model, **values: Any) -> list[str]:
    """Set the values on the instance and name those that differ, for `save(update_fields=…)`."""
    changed = []
    for name, value in values.items():
        if getattr(instance, name) != value:
            setattr(instance, name, value)
            changed.append(name)
    return changed
