"""The audit trail: one row for each thing done, in the same transaction as the doing."""

import datetime as dt
from typing import Any

from django.db import models

from core import clock
from core.actor import Actor
from core.models import AuditEntry


def record(
    *, action: str, subject: models.Model, actor: Actor, at: dt.datetime | None = None, **details: Any
) -> None:
    """Keep who did what to which row. `details` must be JSON and hold no phone, openid or secret."""
    AuditEntry.objects.create(
        at=at or clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:80],
        action=action,
        subject_kind=subject._meta.label_lower,
        subject_id=subject.pk,
        details=details,
    )


def list_entries(*, subject: models.Model, limit: int = 50) -> list[AuditEntry]:
    """The newest entries about one row."""
    return list(entries_about(subject=subject)[:limit])


def entries_about(*, subject: models.Model) -> models.QuerySet[AuditEntry]:
    """All entries about one row, newest first; unevaluated, for a page of them."""
    entries = AuditEntry.objects.filter(subject_kind=subject._meta.label_lower, subject_id=subject.pk)
    return entries.order_by("-at", "-pk")


def list_entries_by_staff(*, staff_id: int, limit: int = 50) -> list[AuditEntry]:
    """What one staff account did last, newest first."""
    entries = AuditEntry.objects.filter(actor_kind="staff", actor_id=staff_id)
    return list(entries.order_by("-at", "-pk")[:limit])
