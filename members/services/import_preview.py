"""What cells of members mean, in words, for the page on which columns are mapped."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from core import clock, phones
from core.imports.sort import SHOWN
from members.models import Gender
from members.services.import_places import find_place


def words_of(*, target: str, value: Any) -> str:
    """A cell's value as the page says it."""
    if target in _WORDS:
        return _WORDS[target](value)
    return str(value)[:SHOWN]


def _address(text: str) -> str:
    """Its parts; a municipality, which is province and city, is said once."""
    place = find_place(text)
    parts = dict.fromkeys((place.province, place.city, place.district, place.street))
    return " / ".join(filter(None, parts))


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "phone": phones.mask,
    "name": lambda value: str(value[0]),
    "gender": lambda value: str(Gender(value).label),
    "birthday": lambda value: str(value.isoformat()),
    "registered": lambda value: f"{value.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}",
    "tags": "、".join,
    "points": lambda value: f"{value:,}",
    "address": _address,
}
