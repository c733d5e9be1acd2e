"""What a condition asks to be told: each sort of value with its limits, its JSON Schema and its words."""

import abc
import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.remembered import remembered

Text = str | Promise
Schema = dict[str, Any]
MOST_DAYS: Final = 3650
MOST_PICKS: Final = 200
MOST_SIGNS: Final = 64
FOUND: Final = 20
_FIRST_DAY: Final = dt.date(1900, 1, 1)
_LAST_DAY: Final = dt.date(2200, 1, 1)


class BadValue(Exception):
    """`code` of what is wrong, `place` inside the value as a JSON pointer, `details` for the sentence."""

    def __init__(self, code: str, place: str = "", **details: Any) -> None:
        self.code, self.place, self.details = code, place, details
        super().__init__(code)


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter(abc.ABC):
    """Base of all. `read` answers the value as it is kept (JSON), or raises BadValue."""

    label: Text
    is_required: bool = True
    sort: ClassVar[str]

    @abc.abstractmethod
    def read(self, value: Any) -> Any: ...

    @abc.abstractmethod
    def schema(self) -> Schema: ...

    @abc.abstractmethod
    def words(self, value: Any) -> str:
        """What a value that was read says to people."""


def read_whole(value: Any, least: int, most: int, place: str = "") -> int:
    """A number that is no text, no fraction and no truth, within the limits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue("not_a_number", place)
    if not least <= value <= most:
        raise BadValue("out_of_range", place, least=least, most=most)
    return value


def read_day(value: Any, place: str = "") -> str:
    """A day in the form 2026-11-28."""
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
        raise BadValue("not_a_day", place)
    return day.isoformat()


def read_object(value: Any, known: Collection[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadValue("not_an_object")
    for name in value:
        if name not in known:
            raise BadValue("unknown_field", f"/{name}")
    return value


def money_words(fen: int) -> str:
    """ "¥1,280.50", "¥300"."""
    whole, cents = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{whole:,}" + (f".{cents:02d}" if cents else "")


@dataclasses.dataclass(frozen=True, slots=True)
class Whole(Parameter):
    """One whole number. `lead` is said before it."""

    least: int = 0
    most: int = MOST_DAYS
    unit: Text = ""
    lead: Text = ""
    sort: ClassVar[str] = "whole"

    def read(self, value: Any) -> int:
        return read_whole(value, self.least, self.most)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def words(self, value: Any) -> str:
        return f"{self.lead} {value:,} {self.unit}".strip()


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds(Parameter):
    """From one number to another, both included; one of them may be missing. Money is fen."""

    least: int = 0
    most: int = 1_000_000
    unit: Text = ""
    is_money: bool = False
    sort: ClassVar[str] = "bounds"

    def read(self, value: Any) -> dict[str, int]:
        found = read_object(value, ("at_least", "at_most"))
        if not found:
            raise BadValue("missing_field", "/at_least")
        bounds = {
            name: read_whole(found[name], self.least, self.most, f"/{name}")
            for name in ("at_least", "at_most")
            if name in found
        }
        if bounds.get("at_least", self.least) > bounds.get("at_most", self.most):
            raise BadValue("upside_down")
        return bounds

    def schema(self) -> Schema:
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        if self.is_money:
            number["description"] = "fen"
        return {
            "type": "object",
            "properties": {"at_least": number, "at_most": number},
            "additionalProperties": False,
            "minProperties": 1,
        }

    def words(self, value: Any) -> str:
        low, high = (self._said(value[name]) if name in value else None for name in ("at_least", "at_most"))
        if low is None:
            return _now("不超过 %(high)s") % {"high": high}
        if high is None:
            return _now("至少 %(low)s") % {"low": low}
        return low if low == high else _now("%(low)s 到 %(high)s") % {"low": low, "high": high}

    def _said(self, number: int) -> str:
        return money_words(number) if self.is_money else f"{number:,} {self.unit}".strip()


@dataclasses.dataclass(frozen=True, slots=True)
class Window(Parameter):
    """Days, one of three ways: the last N days with today, longer ago than N days, or between two days, both included.
    Of what lies ahead: the next N days with today, or between two days. One that must begin (`begins`) is never open
    towards the past."""

    is_ahead: bool = False
    begins: bool = False
    sort: ClassVar[str] = "window"

    def read(self, value: Any) -> dict[str, Any]:
        found = read_object(value, (*self.ways, "from", "until"))
        if not found:
            raise BadValue("missing_field", f"/{self.ways[0]}")
        if len(found) > 1 and set(found) != {"from", "until"}:
            raise BadValue("several_ways")
        [name, *others] = found
        if name in self.ways:
            return {name: read_whole(found[name], 0 if self.is_ahead else 1, MOST_DAYS, f"/{name}")}
        days = {each: read_day(found[each], f"/{each}") for each in ("from", "until") if each in found}
        if others and days["from"] > days["until"]:
            raise BadValue("upside_down")
        if self.begins and "from" not in days:
            raise BadValue("missing_field", "/from")
        return days

    @property
    def ways(self) -> tuple[str, ...]:
        """The fields that count from today."""
        if self.is_ahead:
            return ("next_days",)
        return ("last_days",) if self.begins else ("last_days", "before_days")

    def schema(self) -> Schema:
        number = {"type": "integer", "minimum": 0 if self.is_ahead else 1, "maximum": MOST_DAYS}
        day = {"type": "string", "format": "date"}
        ways: list[Schema] = [
            {
                "type": "object",
                "properties": {name: number},
                "required": [name],
                "additionalProperties": False,
            }
            for name in self.ways
        ]
        between = {"from": day, "until": day}
        span: Schema = {"type": "object", "properties": between, "additionalProperties": False}
        ways.append({**span, "required": ["from"]} if self.begins else {**span, "minProperties": 1})
        return {"oneOf": ways}

    def words(self, value: Any) -> str:
        [name, *_others] = value
        told = {
            "last_days": _now("最近 %(n)s 天"),
            "before_days": _now("%(n)s 天以前"),
            "next_days": _now("今后 %(n)s 天内"),
        }
        if name in told:
            return told[name] % {"n": value[name]}
        if len(value) == 1:
            return (_now("%(day)s 起") if name == "from" else _now("%(day)s 及以前")) % {"day": value[name]}
        return f"{value['from']} — {value['until']}"


def span_of(value: Mapping[str, Any] | None, day: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last day of a window as it stands on `day`, both included; None is open."""
    if not value:
        return None, None
    if "last_days" in value:
        return day - dt.timedelta(days=value["last_days"] - 1), day
    if "before_days" in value:
        return None, day - dt.timedelta(days=value["before_days"])
    if "next_days" in value:
        return day, day + dt.timedelta(days=value["next_days"])
    first, last = (
        dt.date.fromisoformat(value[name]) if name in value else None for name in ("from", "until")
    )
    return first, last


def instants_of(
    value: Mapping[str, Any] | None, day: dt.date
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The same as a half-open span of instants."""
    first, last = span_of(value, day)
    return (
        None if first is None else clock.day_bounds(first)[0],
        None if last is None else clock.day_bounds(last)[1],
    )


def moves(value: Mapping[str, Any] | None) -> bool:
    """Whether the window is another one tomorrow."""
    return bool(value) and not {"from", "until"} & set(value or ())


def nameless(_keys: Collection[Any]) -> Mapping[Any, Text]:
    """None of these is called anything."""
    return {}


@dataclasses.dataclass(frozen=True, slots=True)
class Picks(Parameter):
    """Some of what there is. `options` lists all of it for a page, or, where there is too much, `find` answers what a few
    signs mean (FOUND at most, all that there is for none). `names` answers what those that exist are called. Keys are
    numbers or short texts."""

    names: Callable[[Collection[Any]], Mapping[Any, Text]] = nameless
    options: Callable[[], Sequence[tuple[Any, Text]]] | None = None
    find: Callable[[str], Iterable[tuple[Any, Text]]] | None = None
    key: type[int] | type[str] = int
    most: int = MOST_PICKS
    sort: ClassVar[str] = "picks"

    def read(self, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise BadValue("not_a_list")
        if not value:
            raise BadValue("empty_list")
        if len(value) > self.most:
            raise BadValue("too_many", most=self.most)
        keys = list(dict.fromkeys(self._keys(value)))
        known = remembered(self.names, tuple(keys))
        for place, key in enumerate(keys):
            if key not in known:
                raise BadValue("unknown_row", f"/{place}", key=str(key))
        return keys

    def _keys(self, value: list[Any]) -> Iterator[Any]:
        for place, key in enumerate(value):
            if self.key is int:
                yield read_whole(key, 0, 2**63 - 1, f"/{place}")
            elif isinstance(key, str) and 0 < len(key) <= MOST_SIGNS and key.isprintable():
                yield key
            else:
                raise BadValue("not_a_text", f"/{place}")

    def schema(self) -> Schema:
        item: Schema = {"type": "integer", "minimum": 0}
        if self.key is str:
            item = {"type": "string", "minLength": 1, "maxLength": MOST_SIGNS}
        return {"type": "array", "items": item, "minItems": 1, "maxItems": self.most}

    def words(self, value: Any) -> str:
        known = remembered(self.names, tuple(value))
        return _now("、").join(str(known.get(key, key)) for key in value)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice(Parameter):
    """One of a few."""

    options: tuple[tuple[str, Text], ...] = ()
    sort: ClassVar[str] = "choice"

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in dict(self.options):
            raise BadValue("unknown_choice")
        return value

    def schema(self) -> Schema:
        return {"enum": [key for key, _label in self.options]}

    def words(self, value: Any) -> str:
        return str(dict(self.options)[value])


@dataclasses.dataclass(frozen=True, slots=True)
class Choices(Parameter):
    """Some of a few."""

    options: tuple[tuple[str, Text], ...] = ()
    sort: ClassVar[str] = "choices"

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise BadValue("not_a_list")
        if not value:
            raise BadValue("empty_list")
        if len(value) > len(self.options):
            raise BadValue("too_many", most=len(self.options))
        known = dict(self.options)
        for place, key in enumerate(value):
            if not isinstance(key, str) or key not in known:
                raise BadValue("unknown_choice", f"/{place}")
        return list(dict.fromkeys(value))

    def schema(self) -> Schema:
        keys = [key for key, _label in self.options]
        return {"type": "array", "items": {"enum": keys}, "minItems": 1, "maxItems": len(keys)}

    def words(self, value: Any) -> str:
        labels = dict(self.options)
        return _now("、").join(str(labels[key]) for key in value)


@dataclasses.dataclass(frozen=True, slots=True)
class Texts(Parameter):
    """Some short texts, as they are written in the rows; any is good, also one that no row has yet. For pages, `options`
    lists what there is, or `find` answers what a few signs mean (FOUND at most, the usual for none; told also what stands in
    the parameter `beside`), and what is typed and not found counts too where it `is_typed`. `names` answers what those that
    have a name are called."""

    names: Callable[[Collection[str]], Mapping[str, Text]] = nameless
    options: Callable[[], Sequence[tuple[str, Text]]] | None = None
    find: Callable[..., Iterable[tuple[str, Text]]] | None = None
    beside: str = ""
    is_typed: bool = False
    examples: tuple[str, ...] = ()
    most: int = MOST_PICKS
    sort: ClassVar[str] = "texts"

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise BadValue("not_a_list")
        if not value:
            raise BadValue("empty_list")
        if len(value) > self.most:
            raise BadValue("too_many", most=self.most)
        for place, text in enumerate(value):
            if not isinstance(text, str) or not 0 < len(text) <= MOST_SIGNS or not text.isprintable():
                raise BadValue("not_a_text", f"/{place}")
        return list(dict.fromkeys(value))

    def schema(self) -> Schema:
        item: Schema = {"type": "string", "minLength": 1, "maxLength": MOST_SIGNS}
        if self.examples:
            item["examples"] = list(self.examples)
        return {"type": "array", "items": item, "minItems": 1, "maxItems": self.most}

    def words(self, value: Any) -> str:
        known = remembered(self.names, tuple(value))
        return _now("、").join(str(known.get(text, text)) for text in value)


ANY_OR_ALL: Final = (("any", _("任意一个")), ("all", _("全部都有")))
