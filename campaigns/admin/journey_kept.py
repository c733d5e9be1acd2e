"""What was typed for one kind of step stays in the form when another kind is chosen, and comes back with its kind.

It is carried by the page alone (`s.2.was`): the draft knows nothing of it, and it is gone when the form is saved or left.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from campaigns.admin.journey_fields import values_from
from campaigns.contracts.journeys import MOST_STEPS
from members.selectors.conditions import Choices, Parameter

Parameters = Mapping[str, Mapping[str, Parameter]]


@dataclasses.dataclass(frozen=True, slots=True)
class Typed:
    """The values of one kind, and where its second way led."""

    values: Mapping[str, Any]
    otherwise: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """The kind that is chosen now with what is typed for it, and what was typed for others."""

    kind: str
    typed: Typed
    others: Mapping[str, Typed] = dataclasses.field(default_factory=dict)

    @property
    def text(self) -> str:
        """For the hidden field beside the choice of the kind."""
        others = {kind: [typed.values, typed.otherwise] for kind, typed in self.others.items()}
        return json.dumps({"kind": self.kind, "others": others}, ensure_ascii=False, separators=(",", ":"))


def kept_from(post: QueryDict, key: str, kinds: Parameters) -> Kept | None:
    """What the form holds at `key` ("s.2", "t"); None when no kind is chosen there. `kinds`: the parameters of each."""
    kind = post.get(f"{key}.kind", "")
    if kind not in kinds:
        return None
    was, others = _read(post.get(f"{key}.was", ""), kinds)
    here = Typed(values_from(kinds[kind], post, f"{key}.p"), post.get(f"{key}.else", ""))
    if was in kinds and was != kind:
        # The inputs are still those of the kind before.
        others[was] = Typed(values_from(kinds[was], post, f"{key}.p"), here.otherwise)
        here = others.pop(kind, here)
        if not any(post.get(f"s.{place}.name") == here.otherwise for place in range(MOST_STEPS)):
            here = Typed(here.values)  # the step that it led to is gone
    return Kept(kind, here, others)


def _read(text: str, kinds: Parameters) -> tuple[str, dict[str, Typed]]:
    """The hidden field, which anybody may have written."""
    try:
        told = json.loads(text or "{}")
    except (RecursionError, ValueError):
        return "", {}
    if not isinstance(told, dict) or not isinstance(told.get("others", {}), dict):
        return "", {}
    others = {}
    for kind, one in told.get("others", {}).items():
        if kind in kinds and isinstance(one, list) and len(one) == 2 and isinstance(one[0], dict):
            values = {
                name: one[0][name]
                for name, parameter in kinds[kind].items()
                if name in one[0] and _is_typed(parameter, one[0][name])
            }
            others[kind] = Typed(values, str(one[1])[:20])
    return str(told.get("kind", "")), others


def _is_typed(parameter: Parameter, value: Any) -> bool:
    """Whether the form could have made this of what was typed; rules are read by their own reader, whatever they are."""
    if parameter.sort == "rule":
        return True
    if isinstance(parameter, Choices):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, int | str)
