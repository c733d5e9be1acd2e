"""The desk of waiting documents: what waits, by reason, and which documents a job goes through."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from sales.models import HeldDocument


@dataclasses.dataclass(frozen=True, slots=True)
class HeldGroup:
    """So many documents wait for one thing, the oldest since `since`."""

    reason: str
    field: str
    value: str
    count: int
    since: Any


def held_matching(terms: Mapping[str, Any]) -> QuerySet[HeldDocument]:
    """Documents that wait and fit: `ids` (rows), `reason`, `value`, `source`, and `store_codes`, those that the asker
    sees. What is missing or None narrows nothing."""
    rows = HeldDocument.objects.waiting()
    for name in ("reason", "value", "source"):
        if terms.get(name) is not None:
            rows = rows.filter(**{name: terms[name]})
    if terms.get("ids") is not None:
        rows = rows.filter(pk__in=terms["ids"])
    if terms.get("store_codes") is not None:
        rows = rows.filter(store_code__in=terms["store_codes"])
    return rows


def list_held_groups(*, store_codes: Collection[str] | None = None, limit: int = 12) -> tuple[HeldGroup, ...]:
    """What waits, the most first; `store_codes` None: all of it."""
    rows = held_matching({"store_codes": None if store_codes is None else list(store_codes)})
    # What a return's order or a member is called is no group of its own.
    sums = rows.values("reason", "field", "value").annotate(count=Count("pk"), since=Min("held_at"))
    merged: dict[tuple[str, str, str], HeldGroup] = {}
    for row in sums:
        is_code = row["reason"] in ("sales.unknown_store", "sales.unknown_guide")
        key = (row["reason"], row["field"] if is_code else "", row["value"] if is_code else "")
        known = merged.get(key)
        merged[key] = HeldGroup(
            *key,
            count=row["count"] + (known.count if known else 0),
            since=min(row["since"], known.since) if known else row["since"],
        )
    return tuple(sorted(merged.values(), key=lambda group: (-group.count, group.since))[:limit])


def count_held(*, month_on: Any = None, until: Any = None) -> int:
    """How many documents wait; with a span of days those that belong there or whose day nobody knows."""
    rows = HeldDocument.objects.waiting()
    if month_on is not None:
        rows = rows.filter(Q(due_on__gte=month_on, due_on__lt=until) | Q(due_on__isnull=True))
    return rows.count()
