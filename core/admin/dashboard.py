"""The first page: a few numbers of today instead of a list of tables."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core import audit
from core.admin.audit_words import describe
from core.admin.extensions import alarms_for, tiles_for


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows: what waits for a person, tiles of every app, and what this account did last."""
    entries = audit.list_entries_by_staff(staff_id=request.user.pk or 0, limit=8)
    return context | {
        "title": _("今天"),
        "alarms": alarms_for(request),
        "tiles": tiles_for(request),
        "own_lines": [describe(entry) for entry in entries],
    }
