"""The chain's decisions about RFM as they hold now."""

import dataclasses
from typing import Any

from django.db.models import QuerySet

from core.compiled import compiled
from sales.contracts import RfmRules
from sales.models import STANDARD_LISTS, RfmSettings


def get_rfm_rules() -> RfmRules:
    """What holds: the row, or what holds until somebody decides."""
    return rules_of(get_rfm_settings())


def get_rfm_settings() -> RfmSettings:
    """The row, or one that is not saved yet."""
    return _settings.first() or RfmSettings(**STANDARD_LISTS)


@compiled
def _settings() -> QuerySet[RfmSettings]:
    return RfmSettings.objects.filter(pk=1)


def rules_of(row: RfmSettings) -> RfmRules:
    """The contract of a row."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(RfmRules):
        value = getattr(row, field.name)
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return RfmRules(**values)
