"""The chain's decisions about RFM: changed by staff, and cut-offs that the night chooses."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Final

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from sales.contracts import RfmRules
from sales.errors import RfmRulesUnusable
from sales.models import GROUPS, SCORES, STANDARD_LISTS, CutMode, RfmSettings
from sales.selectors.rfm import with_quantiles
from sales.selectors.rfm_rules import rules_of

_KEPT: Final = ("version", "changed_at", "cuts_on")
_MOST_DAYS: Final = 3_650
_MOST_ORDERS: Final = 10_000
_MOST_FEN: Final = 10_000_000_000
_MOST_PRICES: Final = 8
_MOST_NAME: Final = 12


def change_rfm_rules(*, rules: RfmRules, actor: Actor, at: dt.datetime | None = None) -> RfmRules:
    """These decisions hold from now; members are scored anew by a run that begins within a minute.

    With quantiles the cut-offs of the three scores are those of today's buyers. Refuses lists that are not whole or
    do not rise, numbers out of bounds, and names that are empty, too long or used twice.
    """
    at = at or clock.now()
    rules = usable_rules(rules)
    with transaction.atomic():
        RfmSettings.objects.get_or_create(pk=1, defaults=STANDARD_LISTS)
        row = RfmSettings.objects.lock(1)
        before = rules_of(row)
        if rules.mode == CutMode.QUANTILES.value:
            rules = with_quantiles(rules=rules, day=clock.business_day(at))
            row.cuts_on = clock.business_day(at)
        changed = [
            field.name
            for field in dataclasses.fields(RfmRules)
            if getattr(rules, field.name) != getattr(before, field.name)
        ]
        if not changed:
            return before
        _write(row, rules)
        row.version += 1
        row.changed_at = at
        row.save(update_fields=[*(field.name for field in dataclasses.fields(RfmRules)), *_KEPT])
        audit.record(action="sales.rfm_rules_changed", subject=row, actor=actor, at=at, fields=changed)
    return rules


def choose_cuts(*, day: dt.date) -> None:
    """Where the chain divides its buyers in five, the cut-offs are those of today's; nothing otherwise."""
    row = RfmSettings.objects.filter(pk=1, mode=CutMode.QUANTILES).first()
    if row is None:
        return
    _write(row, with_quantiles(rules=rules_of(row), day=day))
    row.cuts_on = day
    row.save(update_fields=["recency_cuts", "frequency_cuts", "money_cuts", "cuts_on"])


def usable_rules(rules: RfmRules) -> RfmRules:
    """The rules with tidy names. Raises RfmRulesUnusable, which names the field."""
    if rules.mode not in CutMode.values:
        raise RfmRulesUnusable(field="mode")
    by_hand = rules.mode == CutMode.CUTS.value
    for name, length, most in (
        ("recency_cuts", SCORES - 1, _MOST_DAYS),
        ("frequency_cuts", SCORES - 1, _MOST_ORDERS),
        ("money_cuts", SCORES - 1, _MOST_FEN),
        ("stage_days", 4, _MOST_DAYS),
    ):
        # What the night chose may hold one number twice; a person means something by each.
        if by_hand or name == "stage_days":
            _check_rising(name, getattr(rules, name), length, most)
        elif len(getattr(rules, name)) != length:
            raise RfmRulesUnusable(field=name)
    if not 1 <= len(rules.price_cuts) <= _MOST_PRICES:
        raise RfmRulesUnusable(field="price_cuts")
    _check_rising("price_cuts", rules.price_cuts, len(rules.price_cuts), _MOST_FEN)
    for name in ("recency_high", "frequency_high", "money_high"):
        if not 2 <= getattr(rules, name) <= SCORES:
            raise RfmRulesUnusable(field=name)
    if not 1 <= rules.new_days <= _MOST_DAYS:
        raise RfmRulesUnusable(field="new_days")
    names = tuple(" ".join("".join(filter(str.isprintable, name)).split()) for name in rules.group_names)
    if len(names) != GROUPS or len(set(names)) != GROUPS or not all(1 <= len(n) <= _MOST_NAME for n in names):
        raise RfmRulesUnusable(field="group_names")
    return dataclasses.replace(rules, group_names=names)


def _check_rising(name: str, numbers: Sequence[int], length: int, most: int) -> None:
    rising = all(one < other for one, other in itertools.pairwise(numbers))
    if len(numbers) != length or not rising or not all(1 <= number <= most for number in numbers):
        raise RfmRulesUnusable(field=name)


def _write(row: RfmSettings, rules: RfmRules) -> None:
    for field in dataclasses.fields(RfmRules):
        value = getattr(rules, field.name)
        setattr(row, field.name, list(value) if isinstance(value, tuple) else value)
