"""What the value of a field with choices is called."""

import functools
from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import get_language


def label_of(row: Model, field: str) -> str:
    """As `get_<field>_display()`, which goes through all labels of the field at every call; a list calls it per row."""
    value = getattr(row, field)
    return labels_of(type(row), field).get(value) or str(value)


def labels_of(model: type[Model], field: str) -> Mapping[Any, str]:
    """What each value of the field is called, in the language of now."""
    return _labels(model, field, get_language())


@functools.cache
def _labels(model: type[Model], field: str, language: str | None) -> dict[Any, str]:
    choices = model._meta.get_field(field).flatchoices  # type: ignore[union-attr]
    return {value: str(label) for value, label in choices}
