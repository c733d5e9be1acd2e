"""What apps offer to segments: one class for each thing that may be asked of a member.

An app writes its conditions in `selectors/conditions`, and names them in `config/segment_conditions.py`
(`settings.SEGMENT_CONDITIONS`). So the builder, the JSON Schema and the compiler know a new one without a line
of theirs.
"""

import abc
import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from members.selectors.conditions.found import Found
from members.selectors.conditions.parameters import Parameter, Text, Window, moves

Values = Mapping[str, Any]


class Condition(abc.ABC):
    """Base of all. Conditions see days, never instants: on one Shanghai day the answer moves with the rows only."""

    # "app.name", for ever: rules that are kept name it.
    code: ClassVar[str]
    label: ClassVar[Text]
    # Under which heading the builder lists it.
    family: ClassVar[Text]
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    # Which changes of rows can move a member into it or out, by the names that the noting triggers have (ADR 54).
    facts: ClassVar[tuple[str, ...]]

    @abc.abstractmethod
    def found(self, values: Values, day: dt.date) -> Found:
        """Of whom it is true on that day."""

    @abc.abstractmethod
    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        """What she has of it, in words: "¥1,280", "李娜（T001）"; empty for nothing."""

    def moves_daily(self, values: Values) -> bool:
        """Whether tomorrow it may be true of others though no row changed."""
        return any(
            moves(values.get(name)) for name, each in self.parameters.items() if isinstance(each, Window)
        )

    def facts_of(self, values: Values) -> frozenset[str]:
        """The facts on which it rests with these values."""
        return frozenset(self.facts)

    def words(self, values: Values) -> str:
        """The condition as a sentence."""
        told = [
            self.parameters[name].words(values[name])
            for name in self.parameters
            if values.get(name) is not None
        ]
        return " ".join([str(self.label), *told])


class Facet(abc.ABC):
    """A column by which the members of a segment are counted: 等级, 性别."""

    code: ClassVar[str]
    label: ClassVar[Text]

    @abc.abstractmethod
    def rows(self, day: dt.date) -> QuerySet[Any, Any]:
        """(member, key) as `values_list`, at most one row a member; who has none counts under None."""

    @abc.abstractmethod
    def names(self, keys: Collection[Any]) -> Mapping[Any, Text]:
        """What the keys are called, in the order in which they are listed. None is who has none."""


@functools.cache
def _load(table: str) -> Mapping[str, Condition]:
    paths: Iterable[str] = import_string(table)
    conditions = [import_string(path)() for path in paths]
    found = {condition.code: condition for condition in conditions}
    if len(found) != len(conditions):
        raise TypeError("two conditions have one code")
    return found


def all_conditions() -> Mapping[str, Condition]:
    """Every registered condition by its code, in the order of the table."""
    return _load(settings.SEGMENT_CONDITIONS)


@functools.cache
def _load_facets(table: str) -> tuple[Facet, ...]:
    paths: Iterable[str] = import_string(table)
    return tuple(import_string(path)() for path in paths)


def all_facets() -> tuple[Facet, ...]:
    """Every registered facet, in the order of the table."""
    return _load_facets(settings.SEGMENT_FACETS)
