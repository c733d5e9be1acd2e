"""A rule as the builder's form has it: what was typed is kept as it was, and becomes JSON or comes from it.

Each node has a path ("r", "r-0", "r-0-1"): `n.<path>` says what it is, `v.<path>.<parameter>.<piece>` what was typed. A form may
hold several rules, each below a root of its own.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.segments import HOW_LABELS, HOWS, MOST_CONDITIONS
from core.remembered import remembered
from members.selectors.conditions import (
    Bounds,
    Choice,
    Choices,
    Parameter,
    Picks,
    Texts,
    Whole,
    Window,
    all_conditions,
)

ROOT: Final = "r"
_MOST_STEPS: Final = 12
_PATH: Final = re.compile(rf"[a-z][a-z0-9_]{{0,39}}(-\d{{1,3}}){{0,{_MOST_STEPS}}}")
_MOST_NODES: Final = 3 * MOST_CONDITIONS
# What a person reads who has no JSON before her.
_WORDS: Final = {
    "not_a_number": _("请填整数"),
    "unknown_choice": _("请选择一个选项"),
    "not_a_text": _("请填 1 到 64 个字"),
    "not_a_day": _("请选择日期"),
}
_MONEY_WORDS: Final = _("请填金额，最多两位小数")
# Not wrong, only not there yet.
_UNFINISHED: Final = ("missing_field", "empty_group", "empty_list")
_WINDOW_WORDS: Final = {
    "last_days": _("最近几天（含今天）"),
    "before_days": _("几天以前"),
    "next_days": _("今后几天内（含今天）"),
    "between": _("从哪天到哪天"),
}


# Faults by the path of their node and their parameter.
Placed = dict[tuple[str, str], list[Mapping[str, Any]]]


@dataclasses.dataclass
class Draft:
    """One node as it was typed: a group with its parts, or a condition with pieces by parameter."""

    what: str = "all"  # how a group is meant, or a condition's code
    parts: list["Draft"] = dataclasses.field(default_factory=list)
    typed: dict[str, dict[str, list[str]]] = dataclasses.field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        return self.what in HOWS


def root_of(path: str) -> str:
    """The root of the tree in which this path lies; the builder's own for what is no path."""
    return path.partition("-")[0] if _PATH.fullmatch(path) else ROOT


def draft_from_post(post: QueryDict, root: str = ROOT) -> Draft:
    """What the form holds below this root; what cannot be of it is left out."""
    return find_draft(post, root) or Draft()


def find_draft(post: QueryDict, root: str) -> Draft | None:
    """The same; None when the form holds no tree there."""
    known = all_conditions()
    found: dict[str, Draft] = {}
    paths = [name[2:] for name in post if name.startswith("n.") and root_of(name[2:]) == root]
    paths = [path for path in paths if _PATH.fullmatch(path)]
    for path in sorted(paths[:_MOST_NODES], key=lambda path: [int(n) for n in path.split("-")[1:]]):
        what = str(post.get(f"n.{path}"))
        above = found.get(path.rpartition("-")[0])
        if (what in HOWS or what in known) and (path == root or (above is not None and above.is_group)):
            found[path] = Draft(what)
            if above is not None:
                above.parts.append(found[path])
    for name in post:
        kind, _dot, rest = name.partition(".")
        path, _dot, rest = rest.partition(".")
        parameter, _dot, piece = rest.partition(".")
        if kind == "v" and path in found and piece:
            found[path].typed.setdefault(parameter, {})[piece] = post.getlist(name)[:500]
    tree = found.get(root)
    return tree if tree is not None and tree.is_group else None


def apply_act(tree: Draft, act: str, what: str, *, root: str = ROOT) -> None:
    """`add:<path>` puts a condition or a group (`what`) into a group, `drop:<path>` takes a node away."""
    verb, _colon, path = act.partition(":")
    if not _PATH.fullmatch(path) or root_of(path) != root:
        return
    above, node, place = None, tree, 0
    for step in path.split("-")[1:]:
        above, place = node, int(step)
        if place >= len(node.parts):
            return
        node = node.parts[place]
    if verb == "drop" and above is not None:
        del above.parts[place]
    elif verb == "add" and node.is_group and (what in HOWS or what in all_conditions()):
        node.parts.append(Draft(what))


def rule_of(node: Draft) -> dict[str, Any]:
    """The JSON form, as wrong as what was typed."""
    if node.is_group:
        return {node.what: [rule_of(part) for part in node.parts]}
    values: dict[str, Any] = {}
    for name, parameter in all_conditions()[node.what].parameters.items():
        value = _value_of(parameter, node.typed.get(name, {}))
        if value is not None:
            values[name] = value
    return {"is": node.what, "with": values}


def draft_of(rule: Mapping[str, Any]) -> Draft:
    """What is typed into the form for a rule that was read, or for one that `rule_of` made of what was typed."""
    how = next((how for how in HOWS if how in rule), None)
    if how is not None:
        return Draft(how, [draft_of(part) for part in rule[how]])
    parameters = all_conditions()[rule["is"]].parameters
    given = rule.get("with", {})
    typed = {name: _typed_of(parameters[name], value) for name, value in given.items() if name in parameters}
    return Draft(rule["is"], [], typed)


def typed_of(rule: Any) -> Draft | None:
    """What is typed into the form for any JSON; None for what the form cannot hold without changing it."""
    try:
        whole = {"all": [rule]} if "is" in rule else rule
        tree = draft_of(whole)
        is_same = rule_of(tree) == _with_values(whole)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return tree if is_same and _fits(tree) else None


def _with_values(rule: Mapping[str, Any]) -> dict[str, Any]:
    if "is" in rule:
        return {"with": {}, **rule}
    return {how: [_with_values(part) for part in parts] for how, parts in rule.items()}


def _fits(tree: Draft) -> bool:
    """Whether the names of its fields are read back."""
    level, count = [tree], 0
    for _depth in range(_MOST_STEPS + 1):
        count += len(level)
        level = [part for node in level for part in node.parts]
        if not level:
            return count <= _MOST_NODES
    return False


def _number(text: str, *, is_money: bool = False) -> Any:
    """A whole number or fen; what is neither stays a text, which is refused with its reason."""
    if not is_money:
        return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text
    try:
        fen = Decimal(text) * 100
    except InvalidOperation:
        return text
    return int(fen) if fen.is_finite() and fen == fen.to_integral_value() and abs(fen) < 10**18 else text


def _value_of(parameter: Parameter, typed: Mapping[str, Sequence[str]]) -> Any:
    """The value as JSON; None when nothing was typed."""

    def piece(name: str) -> str:
        return (typed.get(name) or [""])[0].strip()

    if isinstance(parameter, Whole):
        return _number(piece("n")) if piece("n") else None
    if isinstance(parameter, Bounds):
        named = {"at_least": piece("low"), "at_most": piece("high")}
        return {
            name: _number(text, is_money=parameter.is_money) for name, text in named.items() if text
        } or None
    if isinstance(parameter, Window):
        way = piece("way")
        if way == "between":
            return {name: piece(name) for name in ("from", "until") if piece(name)}
        return {way: _number(piece("n"))} if way in parameter.ways else None
    if isinstance(parameter, Choice):
        return piece("key") or None
    keys = [key for key in typed.get("key", ()) if key]
    if isinstance(parameter, Picks) and parameter.key is int:
        return [_number(key) for key in keys] or None
    return keys or None


def _typed_of(parameter: Parameter, value: Any) -> dict[str, list[str]]:
    if isinstance(parameter, Whole):
        return {"n": [str(value)]}
    if isinstance(parameter, Bounds):
        names = {"at_least": "low", "at_most": "high"}
        return {names[name]: [_shown(number, parameter.is_money)] for name, number in value.items()}
    if isinstance(parameter, Window):
        name = next(iter(value), "")
        if name in parameter.ways:
            return {"way": [name], "n": [str(value[name])]}
        return {"way": ["between"], **{each: [day] for each, day in value.items()}}
    if isinstance(parameter, Choice):
        return {"key": [value]}
    return {"key": [str(key) for key in value]}


def _shown(number: int | str, is_money: bool) -> str:
    if not is_money or isinstance(number, str):
        return str(number)
    yuan, fen = divmod(number, 100)
    return f"{yuan}.{fen:02d}" if fen else str(yuan)


# What the template draws ------------------------------------------------------------------------------------


def sight_of(tree: Draft, faults: Sequence[Mapping[str, Any]] = (), *, root: str = ROOT) -> dict[str, Any]:
    """The tree for the template, with each fault at the field it is about."""
    placed: Placed = {}
    for fault in faults:
        placed.setdefault(_place_of(fault["path"], root), []).append(fault)
    return {**_sight(tree, root, placed), "is_root": True}


def wrong_lines(tree: Draft, faults: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of the typed is wrong, not only unfinished: the condition, its field, and why."""
    wrong = [fault for fault in faults if fault["code"] not in _UNFINISHED]
    if not wrong:
        return []
    return [
        _("%(what)s：%(why)s") % {"what": " · ".join(filter(None, (node["label"], field))), "why": why}
        for node in _leaf_sights(sight_of(tree, wrong))
        for field, whys in [
            ("", node["faults"]),
            *((each["label"], each["faults"]) for each in node["fields"]),
        ]
        for why in whys
    ]


def _leaf_sights(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not node.get("is_group"):
        yield node
    for part in node.get("parts", ()):
        yield from _leaf_sights(part)


def _said(fault: Mapping[str, Any], parameter: Parameter | None = None) -> str:
    if fault["code"] == "not_a_number" and isinstance(parameter, Bounds) and parameter.is_money:
        return str(_MONEY_WORDS)
    return str(_WORDS.get(fault["code"], fault["words"]))


def _place_of(path: str, root: str) -> tuple[str, str]:
    """The node and the parameter that a pointer means: "/all/0/with/years/at_least" is ("r-0", "years")."""
    steps, place = path.split("/")[1:], root
    while len(steps) >= 2 and steps[0] in HOWS:
        place, steps = f"{place}-{steps[1]}", steps[2:]
    return place, steps[1] if len(steps) >= 2 and steps[0] == "with" else ""


def _sight(node: Draft, path: str, faults: Placed) -> dict[str, Any]:
    own = {"path": path, "what": node.what, "faults": [_said(fault) for fault in faults.get((path, ""), [])]}
    if node.is_group:
        parts = [_sight(part, f"{path}-{place}", faults) for place, part in enumerate(node.parts)]
        hows = [(how, str(label), how == node.what) for how, label in HOW_LABELS.items()]
        return {**own, "is_group": True, "hows": hows, "parts": parts}
    condition = all_conditions()[node.what]
    fields = [
        _field(
            node.what,
            parameter,
            f"v.{path}.{name}",
            node.typed.get(name, {}),
            [_said(fault, parameter) for fault in faults.get((path, name), [])],
        )
        for name, parameter in condition.parameters.items()
    ]
    return {**own, "label": str(condition.label), "fields": fields}


def _field(
    code: str, parameter: Parameter, name: str, typed: Mapping[str, Sequence[str]], faults: list[str]
) -> dict[str, Any]:
    told = {piece: values[0] if values else "" for piece, values in typed.items()}
    shown: dict[str, Any] = {
        "name": name,
        "of": code,
        "parameter": name.rpartition(".")[2],
        "label": str(parameter.label),
        "sort": parameter.sort,
        "is_required": parameter.is_required,
        "typed": told,
        "faults": faults,
        "unit": str(getattr(parameter, "unit", "")),
    }
    if isinstance(parameter, Bounds) and parameter.is_money:
        shown["unit"] = str(_("元"))
    if isinstance(parameter, Window):
        ways = [*parameter.ways, "between"]
        shown["options"] = [(way, str(_WINDOW_WORDS[way]), way == told.get("way")) for way in ways]
    elif isinstance(parameter, Choice):
        shown["options"] = [(key, str(label), key == told.get("key")) for key, label in parameter.options]
    elif isinstance(parameter, Choices | Picks | Texts):
        shown |= _options(parameter, name, typed)
    return shown


def _options(
    parameter: Choices | Picks | Texts, name: str, typed: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """All that there is to choose, as ticks or (long ones) in a box; or what was chosen, and a field that finds more."""
    keys = [key for key in dict.fromkeys(typed.get("key", ())) if key]
    if isinstance(parameter, Picks | Texts) and parameter.find is not None:
        named = remembered(parameter.names, tuple(keys)) if keys else {}
        found = {
            "sort": "found",
            "chosen": [(key, str(named.get(key, _unknown(parameter, key)))) for key in keys],
        }
        if isinstance(parameter, Texts) and parameter.beside:
            found["beside"] = f"{name.rpartition('.')[0]}.{parameter.beside}.key"
        return found | {"takes_typed": isinstance(parameter, Texts) and parameter.is_typed}
    options = parameter.options if isinstance(parameter, Choices) else remembered(parameter.options or list)
    listed = [(str(key), str(label), str(key) in keys) for key, label in options]
    # What was chosen once and is not offered any more stays until somebody takes it out.
    offered = {key for key, _label, _is_chosen in listed}
    listed += [(key, _unknown(parameter, key), True) for key in keys if key not in offered]
    is_tree = any(label.startswith("　") for _key, label, _is_chosen in listed)
    sort = "box" if is_tree or len(listed) > 16 else "ticks"
    return {"sort": sort, "options": listed, "is_tree": is_tree}


def _unknown(parameter: Parameter, key: str) -> str:
    """What was chosen and has no name: a row that is gone, or a text as it is."""
    return key if isinstance(parameter, Texts) else str(_("%(key)s（已不存在）") % {"key": key})


def menu() -> list[tuple[str, list[tuple[str, str]]]]:
    """What may be added: groups, and conditions by family."""
    groups = [(how, str(_("一组条件：%(how)s")) % {"how": label}) for how, label in HOW_LABELS.items()]
    families: dict[str, list[tuple[str, str]]] = {}
    for condition in all_conditions().values():
        families.setdefault(str(condition.family), []).append((condition.code, str(condition.label)))
    return [(str(_("条件组")), groups), *families.items()]
