"""What triggers and steps of journeys ask to be told, besides the sorts of values that conditions and acts have."""

import dataclasses
import re
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now

from campaigns.contracts.moments import MOMENTS, SEGMENT_IN, SEGMENT_OUT
from campaigns.models import Segment
from campaigns.selectors.segments import node_of, rule_words
from core.remembered import remembered
from members.selectors.conditions import BadValue, Parameter

Text = str | Promise
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_MOST_SEGMENTS: Final = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Time(Parameter):
    """A time of the day in Shanghai."""

    sort: ClassVar[str] = "time"

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise BadValue("not_a_time")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_TIME.pattern}$"}

    def words(self, value: Any) -> str:
        return str(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Moment(Parameter):
    """One of the moments, among them that she comes into a living segment or leaves it."""

    sort: ClassVar[str] = "moment"

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in moment_names([value]):
            raise BadValue("unknown_moment")
        return value

    def options(self) -> Sequence[tuple[str, Text]]:
        """All of them, those of segments last."""
        named = moment_names(
            [
                f"{sign}{public_id}"
                for public_id in remembered(_newest_living)
                for sign in (SEGMENT_IN, SEGMENT_OUT)
            ]
        )
        return [*((kind.code, kind.label) for kind in MOMENTS.values()), *named.items()]

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": 32}

    def words(self, value: Any) -> str:
        return str(moment_names([value]).get(value, value))


@dataclasses.dataclass(frozen=True, slots=True)
class Rule(Parameter):
    """A rule as segments have it. It is read apart, for it has many faults at once."""

    sort: ClassVar[str] = "rule"

    def read(self, value: Any) -> Any:
        raise TypeError("rules are read by the reader")

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}

    def words(self, value: Any) -> str:
        return rule_words(node_of(value))


def moment_names(codes: Collection[str]) -> dict[str, Text]:
    """What these moments are called; unknown ones are missing."""
    found: dict[str, Text] = {code: MOMENTS[code].label for code in codes if code in MOMENTS}
    wanted = {
        code.partition(":")[2]
        for code in codes
        if code.startswith((SEGMENT_IN, SEGMENT_OUT)) and len(code) < 32
    }
    if wanted:
        names = remembered(_living_names, frozenset(wanted))
        for code in codes:
            sign, _colon, public_id = code.partition(":")
            if f"{sign}:" in {SEGMENT_IN, SEGMENT_OUT} and public_id in names:
                words = _now("进入人群“%(name)s”") if f"{sign}:" == SEGMENT_IN else _now("离开人群“%(name)s”")
                found[code] = words % {"name": names[public_id]}
    return found


def _newest_living() -> tuple[str, ...]:
    return tuple(_living().order_by("-pk").values_list("public_id", flat=True)[:_MOST_SEGMENTS])


def _living_names(public_ids: frozenset[str]) -> dict[str, str]:
    return dict(_living().filter(public_id__in=public_ids).values_list("public_id", "name"))


def _living() -> Any:
    return Segment.objects.living()
