"""The audit trail: one row for each thing done, in the same transaction as the doing."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import models

from core import clock
from core.actor import Actor
from core.compiled import ask
from core.models import AuditEntry

_WRITE: Final = """
INSERT INTO core_auditentry (at, actor_kind, actor_id, actor_label, action, subject_kind, subject_id, details)
SELECT %(at)s::timestamptz, %(kind)s::text, %(actor)s::bigint, %(label)s::text, %(action)s::text, %(subject_kind)s::text,
       one.subject_id, one.details::jsonb
FROM unnest(%(subjects)s::bigint[], %(details)s::text[]) WITH ORDINALITY one (subject_id, details, place)
ORDER BY one.place
"""


def record(
    *, action: str, subject: models.Model, actor: Actor, at: dt.datetime | None = None, **details: Any
) -> None:
    """Keep who did what to which row. `details` must be JSON and hold no phone, openid or secret."""
    _write(action, [(subject, details)], actor, at or clock.now())


def record_each(
    *,
    action: str,
    subjects: Iterable[tuple[models.Model, dict[str, Any]]],
    actor: Actor,
    at: dt.datetime | None = None,
) -> None:
    """As `record`, the same done to several rows of one table, each with its details; one statement."""
    told = list(subjects)
    if told:
        _write(action, told, actor, at or clock.now())


def _write(
    action: str, told: Sequence[tuple[models.Model, dict[str, Any]]], actor: Actor, at: dt.datetime
) -> None:
    # Every service ends with this: through the ORM it would cost a till as much as the look for the coupon.
    ask(
        _WRITE,
        {
            "at": at,
            "kind": actor.kind,
            "actor": actor.id,
            "label": actor.label[:80],
            "action": action,
            "subject_kind": told[0][0]._meta.label_lower,
            "subjects": [subject.pk for subject, _details in told],
            "details": [json.dumps(details) for _subject, details in told],
        },
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
