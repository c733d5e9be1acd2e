"""Acts as JSON: `{"do": "points", "with": {"points": 100, "reason": "生日礼"}}`."""

from collections.abc import Mapping
from typing import Any, cast

from campaigns.contracts.acts import Act, ActKindName
from campaigns.contracts.faults import MOST_FAULTS, Fault, pointer_part
from campaigns.errors import ActUnfit
from campaigns.selectors.acts.kinds import ACT_KINDS, ActKind
from members.selectors.conditions import BadValue


def read_act(value: Any) -> Act:
    """The act. Raises ActUnfit with every fault found."""
    act, faults = find_act(value)
    if act is None:
        raise ActUnfit(
            faults=[{"path": fault.path, "code": fault.code, "words": fault.words} for fault in faults]
        )
    return act


def find_act(value: Any, path: str = "") -> tuple[Act | None, list[Fault]]:
    """The act that stands at `path` of a larger JSON, or what is wrong with it."""
    if not isinstance(value, dict):
        return None, [Fault(path, "not_an_object")]
    kind = ACT_KINDS.get(value["do"]) if isinstance(value.get("do"), str) else None
    if kind is None:
        return None, [Fault(f"{path}/do", "unknown_act")]
    faults = [
        Fault(f"{path}/{pointer_part(name)}", "unknown_field") for name in value if name not in {"do", "with"}
    ]
    given = value.get("with", {})
    if not isinstance(given, dict):
        return None, [*faults, Fault(f"{path}/with", "not_an_object")]
    values, more = _values(kind, given, f"{path}/with")
    faults = [*faults, *more][:MOST_FAULTS]
    return (None, faults) if faults else (Act(kind.code, values), [])


def write_act(act: Act) -> dict[str, Any]:
    """The JSON that `read_act` reads back."""
    return {"do": act.kind, "with": dict(act.values)}


def act_of(kept: Mapping[str, Any]) -> Act:
    """The act that `write_act` wrote: it was read once, and what it names may be gone since."""
    return Act(cast(ActKindName, kept["do"]), kept["with"])


def describe_act(act: Act) -> str:
    """A short sentence about it, for pages."""
    return ACT_KINDS[act.kind].says(act.values)


def _values(kind: ActKind, given: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[Fault]]:
    faults = [
        Fault(f"{path}/{pointer_part(name)}", "unknown_field")
        for name in given
        if name not in kind.parameters
    ]
    values: dict[str, Any] = {}
    for name, parameter in kind.parameters.items():
        if name not in given:
            if parameter.is_required:
                faults.append(Fault(f"{path}/{name}", "missing_field"))
            continue
        try:
            values[name] = parameter.read(given[name])
        except BadValue as bad:
            faults.append(Fault(f"{path}/{name}{bad.place}", bad.code, bad.details))
    return values, faults
