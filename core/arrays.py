"""Long lists for `unnest(%s::bigint[], …)` and `= ANY(%s)`, as one text each.

The driver adapts a list value by value, which for tens of thousands takes longer than the statement.
"""

import datetime as dt
import functools
from collections.abc import Iterable
from typing import Any


def array_words(values: Iterable[Any]) -> str:
    """PostgreSQL's text of an array of numbers, texts, dates or instants; None is NULL."""
    words = [
        str(value)
        if (kind := type(value)) is int
        else f'"{value}"'
        if kind is str and '"' not in value and "\\" not in value
        else _word(value)
        for value in values
    ]
    return "{" + ",".join(words) + "}"


def _word(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dt.date):
        return _moment(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@functools.lru_cache(maxsize=1024)
def _moment(moment: dt.date) -> str:
    """Of thousands of rows a few days, or a few instants."""
    return f'"{moment}"'
