"""Form fields that say what fills the places of a template: a value of the topic, or a fixed text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import TOPICS
from core.admin.forms import dress

WORDS: Final = ""  # the choice of a fixed text
_LONGEST: Final = 60


def place_fields(topic: str, places: Sequence[tuple[str, str, str]]) -> dict[str, forms.Field]:
    """Two fields for each place (name, label, help): what fills it, and the fixed text."""
    values = list(TOPICS[topic].values.items())
    made: dict[str, forms.Field] = {}
    for name, label, help_text in places:
        choice = forms.ChoiceField(
            label=label, choices=[*values, (WORDS, _("固定文字"))], required=False, help_text=help_text
        )
        words = forms.CharField(label=_("固定文字"), max_length=_LONGEST, required=False)
        dress(choice)
        dress(words)
        made |= {f"value__{name}": choice, f"words__{name}": words}
    return made


def field_names(places: Iterable[str]) -> list[str]:
    """The names of those fields."""
    return [f"{part}__{name}" for name in places for part in ("value", "words")]


def field_rows(places: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The same as rows of a fieldset."""
    return tuple((f"value__{name}", f"words__{name}") for name in places)


def initial_of(field_name: str, sources: Mapping[str, Mapping[str, str]]) -> str:
    """What a field shows of the sources that a row keeps."""
    source = sources.get(field_name.partition("__")[2], {})
    return source.get("words", "") if field_name.startswith("words__") else source.get("value", WORDS)


def source_of(given: Any, name: str) -> dict[str, str]:
    """What was chosen for a place, as a row keeps it; `given` is cleaned data, or what a browser posted."""
    value = str(given.get(f"value__{name}", WORDS))[:40]
    return {"words": str(given.get(f"words__{name}", ""))[:200]} if value == WORDS else {"value": value}
