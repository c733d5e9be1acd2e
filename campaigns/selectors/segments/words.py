"""Rules for people to read, and as a text for machines."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from campaigns.contracts.segments import HOW_LABELS, Leaf, Node, RuleLine
from campaigns.selectors.segments.reading import write_rule
from members.selectors.conditions import all_conditions


def rule_lines(node: Node) -> tuple[RuleLine, ...]:
    """The rule line by line, groups before their parts."""
    return tuple(_lines(node, 0))


def rule_words(node: Node) -> str:
    """The rule in one line: parts of a group beside each other, groups inside in brackets."""
    if isinstance(node, Leaf):
        return all_conditions()[node.code].words(node.values)
    parts = "；".join(rule_words(part) for part in node.parts)
    if node.how == "all" and len(node.parts) == 1:
        return parts
    return f"{HOW_LABELS[node.how]}（{parts}）"


def rule_text(rule: Node | Mapping[str, Any]) -> str:
    """The JSON text that `read_rule_text` reads."""
    return json.dumps(rule if isinstance(rule, Mapping) else write_rule(rule), ensure_ascii=False)


def _lines(node: Node, depth: int) -> Iterator[RuleLine]:
    if isinstance(node, Leaf):
        yield RuleLine(depth, False, all_conditions()[node.code].words(node.values))
        return
    yield RuleLine(depth, True, str(HOW_LABELS[node.how]))
    for part in node.parts:
        yield from _lines(part, depth + 1)
