"""Rules as JSON: read into a tree with every fault named, and written back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaigns.contracts.faults import MOST_FAULTS, Fault, pointer_part
from campaigns.contracts.segments import (
    HOWS,
    MOST_CONDITIONS,
    MOST_DEPTH,
    MOST_RULE_BYTES,
    Group,
    Leaf,
    Node,
)
from campaigns.errors import RuleUnfit
from members.selectors.conditions import BadValue, Condition, all_conditions


def read_rule(rule: Any) -> Group:
    """The tree of a rule that came as JSON objects; its root is a group. Raises RuleUnfit with every fault found."""
    node, faults = find_rule(rule)
    if node is None:
        raise rule_unfit(faults)
    return node


def find_rule(rule: Any) -> tuple[Group | None, list[Fault]]:
    """The same, or what is wrong with it."""
    reader = _Reader()
    node = reader.node(rule, "", depth=1)
    if reader.faults or node is None:
        return None, reader.faults
    return node if isinstance(node, Group) else Group("all", (node,)), []


def read_rule_text(text: str) -> Group:
    """The same of a text. Refuses one over 64 kB, and one that is no JSON."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_RULE_BYTES:
        raise rule_unfit([Fault("", "too_large", {"most": MOST_CONDITIONS})])
    try:
        rule = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise rule_unfit([Fault("", "too_deep", {"most": MOST_DEPTH})]) from None
    except ValueError:
        raise rule_unfit([Fault("", "not_json")]) from None
    return read_rule(rule)


def rule_unfit(faults: list[Fault]) -> RuleUnfit:
    """The refusal that tells these faults."""
    return RuleUnfit(
        faults=[{"path": fault.path, "code": fault.code, "words": fault.words} for fault in faults]
    )


def node_of(rule: Mapping[str, Any]) -> Group:
    """The tree of a rule that `write_rule` wrote: it was read once, and what it names may be gone since."""
    [how] = [each for each in HOWS if each in rule]
    parts = rule[how]
    return Group(how, tuple(node_of(part) if "is" not in part else _kept(part) for part in parts))


def _kept(part: Mapping[str, Any]) -> Leaf:
    return Leaf(part["is"], part.get("with", {}))


def write_rule(node: Node) -> dict[str, Any]:
    """The JSON form that `read_rule` reads back to the same tree."""
    if isinstance(node, Group):
        return {node.how: [write_rule(part) for part in node.parts]}
    return {"is": node.code, "with": dict(node.values)} if node.values else {"is": node.code}


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Every condition of the tree, from left to right."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves_of(part)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


class _Reader:
    """Walks one rule and notes what is wrong. It never goes deeper than MOST_DEPTH, whatever it is given."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._conditions = all_conditions()
        self._count = 0

    def node(self, value: Any, path: str, depth: int) -> Node | None:
        if not isinstance(value, dict):
            return self._bad(path, "not_an_object")
        hows = [how for how in HOWS if how in value]
        if len(hows) + ("is" in value) != 1:
            return self._bad(path, "not_a_node")
        known: Sequence[str] = hows or ("is", "with")
        for name in value:
            if name not in known:
                self._bad(f"{path}/{pointer_part(name)}", "unknown_field")
        if hows:
            return self._group(value, path, depth)
        return self._leaf(value, path)

    def _group(self, value: Mapping[str, Any], path: str, depth: int) -> Node | None:
        [how] = [each for each in HOWS if each in value]
        parts = value[how]
        if depth > MOST_DEPTH:
            return self._bad(path, "too_deep", most=MOST_DEPTH)
        if not isinstance(parts, list):
            return self._bad(f"{path}/{how}", "not_a_list")
        if not parts:
            return self._bad(f"{path}/{how}", "empty_group")
        if len(parts) > MOST_CONDITIONS:
            return self._bad(f"{path}/{how}", "too_large", most=MOST_CONDITIONS)
        nodes = [self.node(part, f"{path}/{how}/{place}", depth + 1) for place, part in enumerate(parts)]
        return Group(how, tuple(node for node in nodes if node is not None))

    def _leaf(self, value: Mapping[str, Any], path: str) -> Node | None:
        self._count += 1
        if self._count > MOST_CONDITIONS:
            return self._bad(path, "too_large", most=MOST_CONDITIONS)
        code, given = value["is"], value.get("with", {})
        condition = self._conditions.get(code) if isinstance(code, str) else None
        if condition is None:
            return self._bad(f"{path}/is", "unknown_condition")
        if not isinstance(given, dict):
            return self._bad(f"{path}/with", "not_an_object")
        before = len(self.faults)
        values = self._values(condition, given, f"{path}/with")
        return Leaf(condition.code, values) if len(self.faults) == before else None

    def _values(self, condition: Condition, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        for name in given:
            if name not in condition.parameters:
                self._bad(f"{path}/{pointer_part(name)}", "unknown_field")
        values: dict[str, Any] = {}
        for name, parameter in condition.parameters.items():
            if name not in given:
                if parameter.is_required:
                    self._bad(f"{path}/{name}", "missing_field")
                continue
            try:
                values[name] = parameter.read(given[name])
            except BadValue as bad:
                self._bad(f"{path}/{name}{bad.place}", bad.code, **bad.details)
        return values

    def _bad(self, path: str, code: str, **details: Any) -> Node | None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(path, code, details))
        return None
