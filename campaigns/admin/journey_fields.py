"""Inputs of the journey editor: one for each parameter of a step, and rules that are a segment's or written on the spot.

A rule at `s.2.p.rule` is chosen there ("", "own", "kept", or a segment), and its own conditions lie below the root `s_2_p_rule`
as the segment builder has them.
"""

import dataclasses
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.offered import in_chosen_order, picks_of, with_chosen
from campaigns.admin.segment_form import Draft, draft_from_post, rule_of, sight_of, typed_of
from campaigns.models import Segment
from campaigns.selectors.acts import Pick, Words
from campaigns.selectors.journeys import moment_names
from campaigns.selectors.journeys.parameters import Moment
from campaigns.selectors.segments import node_of, rule_lines
from core.remembered import remembered
from members.selectors.conditions import Choice, Choices, Parameter, Whole

Faults = Sequence[Mapping[str, Any]]
OWN: Final = "own"
_KEPT: Final = "kept"
_MOST_SEGMENTS: Final = 300
_MOST_WORDS: Final = 60


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One input: its sort says which, `chosen` or `text` what it holds. Of a rule: `root` of its tree, `tree` when it is open."""

    name: str
    label: str
    sort: str
    text: str = ""
    options: tuple[tuple[str, str, bool], ...] = ()
    unit: str = ""
    is_required: bool = True
    faults: tuple[str, ...] = ()
    root: str = ""
    tree: Mapping[str, Any] | None = None


def root_name(key: str) -> str:
    """The root of the tree that belongs to a rule's field."""
    return key.replace(".", "_")


def number(text: str) -> Any:
    """A whole number where it is one; else what was typed, for the reader to refuse."""
    return int(text) if re.fullmatch(r"-?\d{1,15}", text) else text


def told(faults: Faults, path: str, *, exact: bool = False) -> tuple[str, ...]:
    """What is wrong at a place, or below it."""
    return tuple(
        str(fault["words"])
        for fault in faults
        if fault["path"] == path or (not exact and str(fault["path"]).startswith(f"{path}/"))
    )


def select(name: str, label: Any, chosen: str, options: Sequence[tuple[Any, Any]]) -> Field:
    """One of a few."""
    return Field(name, str(label), "choice", options=marked(options, [chosen]))


def marked(options: Sequence[tuple[Any, Any]], chosen: Sequence[Any]) -> tuple[tuple[str, str, bool], ...]:
    """Options for the template."""
    keys = {str(one) for one in chosen}
    return tuple((str(key), str(label), str(key) in keys) for key, label in options)


def moments_with(chosen: Collection[str]) -> list[tuple[str, Any]]:
    """All moments, and those that were chosen and are not offered any more."""
    options = list(Moment(label="").options())
    return with_chosen(options, [code for code in chosen if code], moment_names(chosen))


# From the form ------------------------------------------------------------------------------------------------


def values_from(parameters: Mapping[str, Parameter], post: QueryDict, prefix: str) -> dict[str, Any]:
    """What was typed for these parameters, as JSON."""
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        key = f"{prefix}.{name}"
        if parameter.sort == "rule":
            rule = rule_from(post, key)
            if rule is not None:
                values[name] = rule
        elif isinstance(parameter, Choices):
            if post.getlist(key):
                values[name] = post.getlist(key)
        elif post.get(key, "").strip():
            typed = post.get(key, "").replace("\r\n", "\n").strip()
            is_number = isinstance(parameter, Whole) or (isinstance(parameter, Pick) and parameter.key is int)
            values[name] = number(typed) if is_number else typed
    return values


def rule_from(post: QueryDict, key: str) -> Any:
    """The rule of one segment that was chosen, the one that was written here, or the one that was there before."""
    chosen = post.get(key, "")
    if chosen == OWN:
        return rule_of(draft_from_post(post, root_name(key)))
    if chosen == _KEPT:
        try:
            return json.loads(post.get(f"{key}.kept", ""))
        except (RecursionError, ValueError):
            return None
    if chosen:
        return {"all": [{"is": "campaigns.segment", "with": {"segments": [chosen]}}]}
    return None


# For the template -----------------------------------------------------------------------------------------------


def fields_of(
    parameters: Mapping[str, Parameter], values: Mapping[str, Any], prefix: str, path: str, faults: Faults
) -> Iterator[Field]:
    """An input for each parameter, with what it holds and what is wrong with it."""
    for name, parameter in parameters.items():
        key, value, place = f"{prefix}.{name}", values.get(name), f"{path}/{name}"
        if parameter.sort == "rule":
            field = rule_field(key, parameter.label, value, faults, place)
            yield dataclasses.replace(field, is_required=parameter.is_required)
            continue
        yield dataclasses.replace(
            _field(key, parameter, value),
            label=str(parameter.label),
            is_required=parameter.is_required,
            faults=told(faults, place),
        )


def _field(key: str, parameter: Parameter, value: Any) -> Field:
    text = "" if value is None else str(value)
    if isinstance(parameter, Choices):
        return Field(key, "", "ticks", options=_ticks(parameter, value if isinstance(value, list) else []))
    if isinstance(parameter, Choice):
        blank = [] if parameter.is_required else [("", "—")]
        options = with_chosen([*blank, *parameter.options], [text] if text else [], {})
        return Field(key, "", "choice", options=marked(options, [text]))
    if isinstance(parameter, Pick | Moment):
        offered = moments_with([text]) if isinstance(parameter, Moment) else picks_of(parameter, value)
        return Field(key, "", "choice", options=marked([("", _now("请选择")), *offered], [text]))
    if isinstance(parameter, Words):
        return Field(key, "", "line" if parameter.is_line else "text", text)
    if isinstance(parameter, Whole):
        return Field(key, "", "whole", text, unit=str(parameter.unit))
    return Field(key, "", parameter.sort, text)


def _ticks(parameter: Choices, given: Sequence[Any]) -> tuple[tuple[str, str, bool], ...]:
    return marked(in_chosen_order(with_chosen(list(parameter.options), given, {}), given), given)


def rule_field(name: str, label: Any, rule: Any, faults: Faults, path: str, *, blank: Any = "") -> Field:
    """A segment to choose, or conditions written here; what the form cannot hold is kept, and shown as it reads."""
    chosen, tree, text = _segment_of(rule), None, ""
    if rule is not None and not chosen:
        tree = typed_of(rule)
        chosen = _KEPT if tree is None else OWN
        text = json.dumps(rule, ensure_ascii=False) if tree is None else ""
    options = [("", str(blank or _("不限"))), (OWN, _now("自己写条件"))]
    if text:
        options.append((_KEPT, _now("保持现在的条件%(words)s") % {"words": _words_of(rule)}))
    root = root_name(name)
    return Field(
        name,
        str(label),
        "rule",
        text,
        marked([*options, *_segments(chosen)], [chosen]),
        faults=told(faults, path, exact=tree is not None),
        root=root,
        tree=None if tree is None else _tree(tree, rule, faults, path, root),
    )


def _tree(tree: Draft, rule: Any, faults: Faults, path: str, root: str) -> Mapping[str, Any]:
    """Faults as the builder wants them: below the rule, and of one condition alone below the group that it stands in here."""
    inner = "/all/0" if "is" in rule else ""
    below = [
        {**fault, "path": f"{inner}{str(fault['path']).removeprefix(path)}"}
        for fault in faults
        if str(fault["path"]).startswith(f"{path}/")
    ]
    return sight_of(tree, below, root=root)


def _segments(chosen: str) -> list[tuple[str, str]]:
    known = (chosen,) if chosen not in {"", OWN, _KEPT} else ()
    names = remembered(_segment_names, known)
    words = _now("人群：%(name)s")
    rows = remembered(_newest_segments)
    return with_chosen([(public_id, words % {"name": name}) for public_id, name in rows], known, names)


def _newest_segments() -> list[tuple[str, str]]:
    rows = Segment.objects.active().order_by("-pk").values_list("public_id", "name")
    return list(rows[:_MOST_SEGMENTS])


def _segment_names(public_ids: tuple[str, ...]) -> dict[str, str]:
    return dict(Segment.objects.filter(public_id__in=public_ids).values_list("public_id", "name"))


def _segment_of(rule: Any) -> str:
    try:
        [leaf] = rule["all"]
        [public_id] = leaf["with"]["segments"]
        return str(public_id) if leaf["is"] == "campaigns.segment" and len(rule) == 1 else ""
    except (KeyError, TypeError, ValueError):
        return ""


def _words_of(rule: Any) -> str:
    try:
        lines = rule_lines(node_of(rule))
    except (KeyError, TypeError, ValueError):
        return ""
    words = "；".join(line.words for line in lines if not line.is_group)[:_MOST_WORDS]
    return _now("（%(words)s）") % {"words": words}
