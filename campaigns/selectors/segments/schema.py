"""The JSON Schema of rules, made of what the registered conditions ask."""

from typing import Any, Final

from campaigns.contracts.segments import HOWS, MOST_CONDITIONS, MOST_DEPTH
from members.selectors.conditions import Condition, all_conditions

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def rule_schema() -> dict[str, Any]:
    """What a rule may look like. Whether tags, stores and the like exist, and how deep groups go, `read_rule` says."""
    conditions = all_conditions().values()
    node = {"oneOf": [{"$ref": "#/$defs/group"}, {"$ref": "#/$defs/condition"}]}
    parts = {"type": "array", "items": {"$ref": "#/$defs/node"}, "minItems": 1, "maxItems": MOST_CONDITIONS}
    return {
        "$schema": DIALECT,
        "title": "Segment rule",
        "description": f"Groups go at most {MOST_DEPTH} deep, with at most {MOST_CONDITIONS} conditions.",
        "$ref": "#/$defs/node",
        "$defs": {
            "node": node,
            "group": {
                "type": "object",
                "properties": dict.fromkeys(HOWS, parts),
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
            "condition": {"oneOf": [{"$ref": f"#/$defs/{each.code}"} for each in conditions]},
            **{each.code: _of(each) for each in conditions},
        },
    }


def _of(condition: Condition) -> dict[str, Any]:
    values = {
        "type": "object",
        "properties": {
            name: {"title": str(parameter.label), **parameter.schema()}
            for name, parameter in condition.parameters.items()
        },
        "required": [name for name, parameter in condition.parameters.items() if parameter.is_required],
        "additionalProperties": False,
    }
    return {
        "title": str(condition.label),
        "type": "object",
        "properties": {"is": {"const": condition.code}, "with": values},
        "required": ["is", "with"] if values["required"] else ["is"],
        "additionalProperties": False,
    }
