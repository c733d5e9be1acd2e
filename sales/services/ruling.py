"""Rules of attribution: written, put in order and switched by people; sales that are decided stay as they are."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from core import audit, clock
from core.actor import Actor
from guides import selectors as guide_selectors
from sales.contracts import RuleDraft
from sales.errors import NoSuchRule, RuleUnusable
from sales.models import WHOLE_BP, AttributionRule

_LONGEST_NAME = 40
_MOST_CHANNELS = 50
_MOST_BRANDS = 50
# Out of the way of every position while rules change places: positions are unique at every moment.
_ASIDE = 1_000_000
_PARTS = ("serving_bp", "exclusive_bp", "sharing_bp", "store_bp")


def create_rule(*, draft: RuleDraft, actor: Actor, at: dt.datetime | None = None) -> AttributionRule:
    """A rule stands behind all others, switched off. Raises RuleUnusable."""
    at = at or clock.now()
    values = _checked(draft)
    with transaction.atomic():
        AttributionRule.objects.order_by("pk").lock_rows()
        last = AttributionRule.objects.aggregate(last=Max("position"))["last"] or 0
        row = AttributionRule.objects.create(position=last + 1, is_active=False, **values)
        audit.record(action="sales.rule_created", subject=row, actor=actor, at=at)
    return row


def change_rule(*, rule_id: int, draft: RuleDraft, actor: Actor, at: dt.datetime | None = None) -> None:
    """The rule says this from now on. Raises NoSuchRule or RuleUnusable."""
    at = at or clock.now()
    values = _checked(draft)
    with transaction.atomic():
        row = _lock(rule_id)
        changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        if changed:
            audit.record(action="sales.rule_changed", subject=row, actor=actor, at=at, fields=changed)


def switch_rule(*, rule_id: int, is_active: bool, actor: Actor, at: dt.datetime | None = None) -> None:
    """The rule decides from now on, or no more."""
    at = at or clock.now()
    with transaction.atomic():
        row = _lock(rule_id)
        if row.is_active == is_active:
            return
        row.is_active = is_active
        row.save(update_fields=["is_active"])
        action = "sales.rule_switched_on" if is_active else "sales.rule_switched_off"
        audit.record(action=action, subject=row, actor=actor, at=at)


def move_rule(*, rule_id: int, is_up: bool, actor: Actor, at: dt.datetime | None = None) -> None:
    """The rule changes places with the one before it or behind it; at either end nothing happens."""
    at = at or clock.now()
    with transaction.atomic():
        rows = AttributionRule.objects.order_by("pk").lock_rows()
        order = sorted(rows, key=lambda row: row.position)
        place = next((place for place, row in enumerate(order) if row.pk == rule_id), None)
        if place is None:
            raise NoSuchRule
        other = place - 1 if is_up else place + 1
        if not 0 <= other < len(order):
            return
        order[place], order[other] = order[other], order[place]
        AttributionRule.objects.update(position=F("position") + _ASIDE)
        for position, row in enumerate(order, 1):
            AttributionRule.objects.filter(pk=row.pk).update(position=position)
        audit.record(action="sales.rule_moved", subject=order[other], actor=actor, at=at, is_up=is_up)


def _checked(draft: RuleDraft) -> dict[str, Any]:
    values = dataclasses.asdict(draft)
    values["name"] = " ".join(draft.name.split())
    if not 1 <= len(values["name"]) <= _LONGEST_NAME:
        raise RuleUnusable(field="name")
    parts = [values[name] for name in _PARTS]
    if any(not 0 <= part <= WHOLE_BP for part in parts) or sum(parts) != WHOLE_BP:
        raise RuleUnusable(field="store_bp")
    if draft.starts_on and draft.ends_on and draft.ends_on < draft.starts_on:
        raise RuleUnusable(field="ends_on")
    channels = list(dict.fromkeys(word.strip() for word in draft.channels if word.strip()))
    if any(len(word) > 16 for word in channels) or len(channels) > _MOST_CHANNELS:
        raise RuleUnusable(field="channels")
    brands = list(dict.fromkeys(" ".join(word.split()) for word in draft.brands if word.strip()))
    if any(len(word) > 40 for word in brands) or len(brands) > _MOST_BRANDS:
        raise RuleUnusable(field="brands")
    _stores, regions, dealers = guide_selectors.known_place_ids(
        store_ids=(), region_ids=draft.region_ids, dealer_ids=draft.dealer_ids
    )
    for name, known in (("region_ids", regions), ("dealer_ids", dealers)):
        values[name] = sorted(set(values[name]))
        if set(values[name]) - known:
            raise RuleUnusable(field=name)
    return values | {"channels": channels, "brands": brands}


def _lock(rule_id: int) -> AttributionRule:
    rows = AttributionRule.objects.lock_all([rule_id])
    if not rows:
        raise NoSuchRule
    return rows[0]
