"""What may be chosen by typing: goods, places and all else of which conditions say how it is found and what it is called."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from members.selectors.conditions.base import all_conditions
from members.selectors.conditions.parameters import MOST_SIGNS, Picks, Texts


def find_keys(code: str, name: str, words: str, *, beside: str = "") -> list[tuple[str, str]]:
    """What may be chosen for a condition's parameter and is meant by the words: a text that is looked for, or several
    keys that were pasted. `beside` is what stands in the parameter that this one asks. Nothing for a parameter that is not
    found by typing."""
    parameter = found_by_typing(code, name)
    if parameter is None or parameter.find is None:
        return []
    text = " ".join(words.replace("\0", "").split())
    keys = [key for key in re.split(r"[\s,，、;；]+", text) if key][: parameter.most]
    if len(keys) > 1:
        named = parameter.names([key for key in keys if len(key) <= MOST_SIGNS])
        exact = [(key, str(named[key])) for key in dict.fromkeys(keys) if key in named]
        if exact:
            return exact
    asked = (beside.replace("\0", ""),) if isinstance(parameter, Texts) and parameter.beside else ()
    return [(str(key), str(label)) for key, label in parameter.find(text[:40], *asked)]


def name_keys(code: str, name: str, keys: Collection[Any]) -> Mapping[Any, str]:
    """What those of these keys that exist are called."""
    parameter = found_by_typing(code, name)
    return {} if parameter is None else {key: str(label) for key, label in parameter.names(keys).items()}


def found_by_typing(code: str, name: str) -> Picks | Texts | None:
    """The parameter of a condition of which there is too much to list."""
    condition = all_conditions().get(code)
    parameter = condition.parameters.get(name) if condition is not None else None
    return parameter if isinstance(parameter, Picks | Texts) and parameter.find is not None else None
