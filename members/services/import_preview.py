"""The first rows of a file as they will be read, for the page on which columns are mapped."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from core import clock, phones
from core.tables import open_table
from members.contracts import ImportColumn, ImportSample
from members.models import Gender, ImportJob
from members.services.import_files import path_of, reason_words
from members.services.import_places import find_place
from members.services.import_staging import READERS
from members.services.import_values import BadValue

_ROWS: Final = 5
_SHOWN: Final = 24


def preview_import(*, job: ImportJob, columns: Mapping[str, str]) -> list[ImportColumn]:
    """Every column with its target (by its number as text) and its first cells, as they stand and as read.

    Raises FileGone when the file was deleted.
    """
    first: list[list[str]] = []
    with open_table(path_of(job)) as table:
        for _line, cells in table.rows:
            first.append(cells)
            if len(first) == _ROWS:
                break
    return [
        ImportColumn(
            index=place,
            heading=heading,
            target=columns.get(str(place), ""),
            samples=tuple(
                _sample(cells[place] if place < len(cells) else "", columns.get(str(place), ""))
                for cells in first
            ),
        )
        for place, heading in enumerate(job.headings)
    ]


def _sample(text: str, target: str) -> ImportSample:
    shown = _cut(text, target)
    if not target or not text.strip():
        return ImportSample(text=shown, reading="")
    try:
        return ImportSample(text=shown, reading=_words(target, READERS[target](text)))
    except BadValue as bad:
        return ImportSample(text=shown, reading="", problem=reason_words(f":{bad.code}"))


def _words(target: str, value: Any) -> str:
    if value in ("", None, [], ("", "")):
        return "—"
    if target in _WORDS:
        return _WORDS[target](value)
    return str(value)[:_SHOWN]


def _address(text: str) -> str:
    place = find_place(text)
    return " / ".join(part for part in (place.province, place.city, place.district, place.street) if part)


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


def _cut(text: str, target: str) -> str:
    """A long cell is cut; a phone is shown with its middle hidden, as everywhere."""
    flat = " ".join(text.split())
    if target == "phone" and len(flat) >= 8:
        return f"{flat[:-8]}****{flat[-4:]}"[-_SHOWN:]
    return flat if len(flat) <= _SHOWN else f"{flat[:_SHOWN]}…"
