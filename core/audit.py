"""The audit trail: one row for each thing done, in the same transaction as the doing."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import models

from core import clock
from core.actor import Actor
from core.models import AuditEntry


def record(
    *, action: str, subject: models.Model, actor: Actor, at: dt.datetime | None = None, **details: Any
) -> None:
    """Keep who did what to which row. `details` must be JSON and hold no phone, openid or secret."""
    _entry(action, subject, actor, at or clock.now(), details).save(force_insert=True)


def record_each(
    *,
    action: str,
    subjects: Iterable[tuple[models.Model, dict[str, Any]]],
    actor: Actor,
    at: dt.datetime | None = None,
) -> None:
    """As `record`, the same done to several rows, each with its details; one statement."""
    at = at or clock.now()
    AuditEntry.objects.bulk_create(
        [_entry(action, subject, actor, at, details) for subject, details in subjects]
    )


def _entry(
    action: str, subject: models.Model, actor: Actor, at: dt.datetime, details: dict[str, Any]
) -> AuditEntry:
    return AuditEntry(
        at=at,
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
