"""Definitions of journeys as JSON: read strictly, with every fault named and where it is."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from campaigns.contracts.acts import Act, ActKindName
from campaigns.contracts.faults import MOST_FAULTS, Fault, pointer_part
from campaigns.contracts.journeys import (
    DEFAULT_ROUNDS,
    MOST_BYTES,
    MOST_EXITS,
    MOST_ROUNDS,
    MOST_STEPS,
    RE_ENTRIES,
    Definition,
    Ending,
    ReEntry,
    ReEntryName,
    Step,
    Trigger,
)
from campaigns.contracts.segments import Group
from campaigns.errors import JourneyUnfit
from campaigns.selectors.journeys.graph import graph_faults, in_order, ways_of
from campaigns.selectors.journeys.kinds import MOST_WAIT_DAYS, STEP_KINDS, TRIGGER_KINDS
from campaigns.selectors.journeys.parameters import Moment
from campaigns.selectors.segments import find_rule, node_of, write_rule
from members.selectors.conditions import BadValue, Parameter

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")
_FIELDS: Final = frozenset({"trigger", "who", "re_entry", "exits", "goal", "most_rounds", "first", "steps"})
_UNIT_DAYS: Final = {"minutes": 24 * 60, "hours": 24, "days": 1}


def read_definition(value: Any) -> Definition:
    """What a journey does. Raises JourneyUnfit with every fault found."""
    definition, faults = find_definition(value)
    if definition is None:
        raise JourneyUnfit(
            faults=[{"path": fault.path, "code": fault.code, "words": fault.words} for fault in faults]
        )
    return definition


def find_definition(value: Any) -> tuple[Definition | None, list[Fault]]:
    """The same, or what is wrong with it."""
    reader = _Reader()
    definition = reader.definition(value)
    return (definition, []) if definition is not None and not reader.faults else (None, reader.faults)


def write_definition(definition: Definition) -> dict[str, Any]:
    """The JSON that `read_definition` reads back to the same."""
    kept: dict[str, Any] = {
        "trigger": {"on": definition.trigger.kind, "with": dict(definition.trigger.values)},
        "re_entry": {"how": definition.re_entry.how}
        | ({"days": definition.re_entry.days} if definition.re_entry.days else {}),
        "most_rounds": definition.most_rounds,
        "first": definition.first,
        "steps": {
            step.name: {"kind": step.kind, "with": dict(step.values)}
            | ({"next": step.next} if step.next else {})
            | ({"else": step.otherwise} if step.otherwise else {})
            for step in definition.steps.values()
        },
    }
    if definition.who is not None:
        kept["who"] = write_rule(definition.who)
    if definition.exits:
        kept["exits"] = [_written(ending) for ending in definition.exits]
    if definition.goal is not None:
        kept["goal"] = _written(definition.goal)
    return kept


def definition_of(kept: Mapping[str, Any]) -> Definition:
    """The definition that `write_definition` wrote: it was read once, and what it names may be gone since."""
    steps = {
        name: Step(
            name,
            step["kind"],
            step["with"],
            step.get("next", ""),
            step.get("else", ""),
            Act(step["kind"], step["with"]) if STEP_KINDS[step["kind"]].is_act else None,
        )
        for name, step in kept["steps"].items()
    }
    goal = kept.get("goal")
    return Definition(
        Trigger(kept["trigger"]["on"], kept["trigger"]["with"]),
        kept["first"],
        _ordered(steps, kept["first"]),
        node_of(kept["who"]) if "who" in kept else None,
        ReEntry(kept["re_entry"]["how"], kept["re_entry"].get("days", 0)),
        tuple(map(_ending_of, kept.get("exits", []))),
        None if goal is None else _ending_of(goal),
        kept["most_rounds"],
    )


def _ordered(steps: Mapping[str, Step], first: str) -> dict[str, Step]:
    return {name: steps[name] for name in in_order(steps, first, ways_of)}


def _ending_of(kept: Mapping[str, Any]) -> Ending:
    return Ending(event=kept["on"]) if "on" in kept else Ending(rule=node_of(kept["rule"]))


def _written(ending: Ending) -> dict[str, Any]:
    return {"on": ending.event} if ending.rule is None else {"rule": write_rule(ending.rule)}


class _Reader:
    """Walks one definition and notes what is wrong."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def definition(self, value: Any) -> Definition | None:
        if not isinstance(value, dict):
            self._bad("", "not_an_object")
            return None
        if len(json.dumps(value)) > MOST_BYTES:
            self._bad("", "too_many_steps", most=MOST_STEPS)
            return None
        self._known(value, _FIELDS, "")
        trigger = self._trigger(value.get("trigger"))
        who = self._rule(value["who"], "/who") if "who" in value else None
        re_entry = self._re_entry(value.get("re_entry", {"how": "never"}))
        exits = self._exits(value.get("exits", []))
        goal = self._ending(value["goal"], "/goal") if "goal" in value else None
        rounds = self._whole(value.get("most_rounds", DEFAULT_ROUNDS), "/most_rounds", 1, MOST_ROUNDS)
        steps = self._steps(value.get("steps"))
        first = value.get("first")
        if steps and (not isinstance(first, str) or first not in steps):
            self._bad("/first", "unknown_step", name=str(first)[:20])
        if self.faults or trigger is None or not steps:
            return None
        definition = Definition(
            trigger,
            str(first),
            _ordered(steps, str(first)),
            who,
            re_entry,
            exits,
            goal,
            rounds or DEFAULT_ROUNDS,
        )
        self.faults += graph_faults(definition)
        return definition

    def _trigger(self, value: Any) -> Trigger | None:
        if not isinstance(value, dict):
            self._bad("/trigger", "not_an_object")
            return None
        kind = TRIGGER_KINDS.get(value["on"]) if isinstance(value.get("on"), str) else None
        if kind is None:
            self._bad("/trigger/on", "unknown_trigger")
            return None
        self._known(value, {"on", "with"}, "/trigger")
        return Trigger(kind.code, self._values(kind.parameters, value.get("with", {}), "/trigger/with"))

    def _re_entry(self, value: Any) -> ReEntry:
        if not isinstance(value, dict):
            self._bad("/re_entry", "not_an_object")
            return ReEntry()
        self._known(value, {"how", "days"}, "/re_entry")
        how = value.get("how")
        if not isinstance(how, str) or how not in RE_ENTRIES:
            self._bad("/re_entry/how", "unknown_choice")
            return ReEntry()
        if how != "after_days":
            return ReEntry(cast(ReEntryName, how))
        days = value.get("days")
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 3_650:
            self._bad("/re_entry/days", "re_entry_days")
            return ReEntry()
        return ReEntry("after_days", days)

    def _exits(self, value: Any) -> tuple[Ending, ...]:
        if not isinstance(value, list):
            self._bad("/exits", "not_a_list")
            return ()
        if len(value) > MOST_EXITS:
            self._bad("/exits", "too_many", most=MOST_EXITS)
            return ()
        found = [self._ending(one, f"/exits/{place}") for place, one in enumerate(value)]
        return tuple(one for one in found if one is not None)

    def _ending(self, value: Any, path: str) -> Ending | None:
        if not isinstance(value, dict):
            self._bad(path, "not_an_object")
            return None
        self._known(value, {"on", "rule"}, path)
        if "on" in value and "rule" in value:
            self._bad(path, "several_endings")
            return None
        if "rule" in value:
            rule = self._rule(value["rule"], f"{path}/rule")
            return None if rule is None else Ending(rule=rule)
        if "on" not in value:
            self._bad(path, "unknown_ending")
            return None
        try:
            return Ending(event=Moment(label="").read(value["on"]))
        except BadValue as bad:
            self._bad(f"{path}/on", bad.code)
            return None

    def _steps(self, value: Any) -> dict[str, Step]:
        if not isinstance(value, dict):
            self._bad("/steps", "not_an_object")
            return {}
        if not value:
            self._bad("/steps", "no_steps")
        if len(value) > MOST_STEPS:
            self._bad("/steps", "too_many_steps", most=MOST_STEPS)
            return {}
        steps: dict[str, Step] = {}
        for name, given in value.items():
            path = f"/steps/{pointer_part(name)}"
            if not _NAME.fullmatch(str(name)):
                self._bad(path, "step_name_unusable")
                continue
            step = self._step(name, given, path, value)
            if step is not None:
                steps[name] = step
        return steps

    def _step(self, name: str, value: Any, path: str, others: Mapping[str, Any]) -> Step | None:
        if not isinstance(value, dict):
            self._bad(path, "not_an_object")
            return None
        kind = STEP_KINDS.get(value["kind"]) if isinstance(value.get("kind"), str) else None
        if kind is None:
            self._bad(f"{path}/kind", "unknown_step_kind")
            return None
        self._known(value, {"kind", "with", "next", "else"}, path)
        values = self._values(kind.parameters, value.get("with", {}), f"{path}/with")
        self._span(values, path)
        following = self._way(value, "next", path, others)
        otherwise = self._way(value, "else", path, others)
        if otherwise and not kind.else_label:
            self._bad(f"{path}/else", "no_way")
        act = Act(cast(ActKindName, kind.code), values) if kind.is_act else None
        return Step(name, kind.code, values, following, otherwise, act)

    def _span(self, values: Mapping[str, Any], path: str) -> None:
        unit = values.get("unit")
        if unit and values.get("amount", 0) > MOST_WAIT_DAYS * _UNIT_DAYS[unit]:
            self._bad(f"{path}/with/amount", "wait_too_long", most=MOST_WAIT_DAYS)
        if unit and unit != "days" and "at" in values:
            self._bad(f"{path}/with/at", "time_without_days")

    def _way(self, value: Mapping[str, Any], way: str, path: str, others: Mapping[str, Any]) -> str:
        name = value.get(way)
        if name is None or name == "":
            return ""
        if not isinstance(name, str) or name not in others:
            self._bad(f"{path}/{way}", "unknown_step", name=str(name)[:20])
            return ""
        return name

    def _values(self, parameters: Mapping[str, Parameter], given: Any, path: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            self._bad(path, "not_an_object")
            return {}
        self._known(given, parameters, path)
        values: dict[str, Any] = {}
        for name, parameter in parameters.items():
            if name not in given:
                if parameter.is_required:
                    self._bad(f"{path}/{name}", "missing_field")
                continue
            if parameter.sort == "rule":
                rule = self._rule(given[name], f"{path}/{name}")
                if rule is not None:
                    values[name] = write_rule(rule)
                continue
            try:
                values[name] = parameter.read(given[name])
            except BadValue as bad:
                self._bad(f"{path}/{name}{bad.place}", bad.code, **bad.details)
        return values

    def _rule(self, value: Any, path: str) -> Group | None:
        rule, faults = find_rule(value)
        for fault in faults:
            self._told(Fault(f"{path}{fault.path}", fault.code, fault.details))
        return rule

    def _whole(self, value: Any, path: str, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            self._bad(path, "not_a_number")
            return 0
        if not least <= value <= most:
            self._bad(path, "out_of_range", least=least, most=most)
            return 0
        return value

    def _known(self, value: Mapping[str, Any], names: Any, path: str) -> None:
        for name in value:
            if name not in names:
                self._bad(f"{path}/{pointer_part(name)}", "unknown_field")

    def _bad(self, path: str, code: str, **details: Any) -> None:
        self._told(Fault(path, code, details))

    def _told(self, fault: Fault) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)
