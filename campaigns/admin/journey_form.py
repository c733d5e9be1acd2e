"""A journey as the editor's form has it: cards of steps in their order, and the JSON that they make.

`s.<place>.name|kind|next|else` and `s.<place>.p.<parameter>` are of a step, `t.kind` and `t.p.<parameter>` of the beginning. What
was typed is kept as it is, also where it cannot be read; the faults say what is wrong.
"""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.journeys import DEFAULT_ROUNDS, MOST_STEPS, RE_ENTRIES
from campaigns.models import Segment
from campaigns.selectors.acts import Pick, Words
from campaigns.selectors.journeys import STEP_KINDS, TRIGGER_KINDS, in_order
from campaigns.selectors.journeys.parameters import Moment
from campaigns.selectors.segments import node_of, rule_lines
from members.selectors.conditions import Choice, Choices, Parameter, Whole

_NAME: Final = re.compile(r"s(\d+)")
_NEW_STEP: Final = {"kind": "wait", "with": {"amount": 1, "unit": "days"}}


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One input: its sort says which, `chosen` or `text` what it holds."""

    name: str
    label: str
    sort: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    options: tuple[tuple[str, str, bool], ...] = ()
    unit: str = ""
    is_required: bool = True
    faults: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class StepCard:
    """One step of the form."""

    place: int
    number: int
    name: str
    kind: str
    sort: str
    fields: tuple[Field, ...]
    next: Field
    otherwise: Field | None
    faults: tuple[str, ...]


def draft_from_post(post: QueryDict) -> dict[str, Any]:
    """The JSON of what the form holds."""
    draft: dict[str, Any] = {"trigger": _trigger_from(post)}
    who = _rule_from(post, "who")
    if who is not None:
        draft["who"] = who
    draft["re_entry"] = {"how": post.get("re.how", "never")}
    if draft["re_entry"]["how"] == "after_days":
        draft["re_entry"]["days"] = _number(post.get("re.days", ""))
    exits: list[dict[str, Any]] = [{"on": event} for event in post.getlist("exits") if event]
    leaving = _rule_from(post, "leaving")
    if leaving is not None:
        exits.append({"rule": leaving})
    if exits:
        draft["exits"] = exits
    if post.get("goal"):
        draft["goal"] = {"on": post["goal"]}
    draft["most_rounds"] = _number(post.get("rounds", "")) or DEFAULT_ROUNDS
    draft["steps"] = dict(_steps_from(post))
    first = post.get("first", "")
    draft["first"] = first if first in draft["steps"] else next(iter(draft["steps"]), "")
    return draft


def do(draft: dict[str, Any], deed: str) -> dict[str, Any]:
    """The draft after a button: `add:<name>` puts a step behind this one (an empty name: before all), `drop:<name>` takes it
    out."""
    what, _colon, name = deed.partition(":")
    deeds = {"add": _add, "drop": _drop}
    if what in deeds:
        deeds[what](draft, name)
    return draft


def _add(draft: dict[str, Any], name: str) -> None:
    steps: dict[str, Any] = draft["steps"]
    if len(steps) >= MOST_STEPS:
        return
    fresh, made = _fresh_name(list(steps)), {**_NEW_STEP}
    following = steps[name].get("next") if name in steps else draft.get("first", "")
    if following:
        made["next"] = following
    steps[fresh] = made
    if name in steps:
        steps[name]["next"] = fresh
    else:
        draft["first"] = fresh


def _drop(draft: dict[str, Any], name: str) -> None:
    """Whoever led there leads where it led."""
    gone = draft["steps"].pop(name, None)
    if gone is None:
        return
    following = gone.get("next", "") if gone.get("next") != name else ""
    for step in draft["steps"].values():
        for way in ("next", "else"):
            if step.get(way) == name:
                step[way] = following
    if draft["first"] == name:
        draft["first"] = following or next(iter(draft["steps"]), "")


def cards_of(draft: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> list[StepCard]:
    """The steps as cards, each with what is wrong in it."""
    steps = _objects(draft.get("steps"))
    names = in_order(steps, str(draft.get("first", "")), _ways_of)
    cards = []
    for place, name in enumerate(names):
        step = steps[name]
        kind = STEP_KINDS.get(str(step.get("kind")))
        if kind is None:
            continue
        path = f"/steps/{name}"
        values = step.get("with") if isinstance(step.get("with"), dict) else {}
        prefix = f"s.{place}"
        cards.append(
            StepCard(
                place=place,
                number=place + 1,
                name=name,
                kind=kind.code,
                sort="act" if kind.is_act else "wait" if kind.waits else "branch",
                fields=tuple(_fields(kind.parameters, values or {}, f"{prefix}.p", f"{path}/with", faults)),
                next=_way_field(prefix, "next", str(kind.next_label or _("然后")), step, names, faults, path),
                otherwise=_way_field(prefix, "else", str(kind.else_label), step, names, faults, path)
                if kind.else_label
                else None,
                faults=_told(faults, path, exact=True) + _told(faults, f"{path}/kind"),
            )
        )
    return cards


def begin_of(draft: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields above the steps."""
    trigger = draft.get("trigger") if isinstance(draft.get("trigger"), dict) else {}
    assert isinstance(trigger, dict)
    kind = TRIGGER_KINDS.get(str(trigger.get("on")), TRIGGER_KINDS["moment"])
    values = trigger.get("with") if isinstance(trigger.get("with"), dict) else {}
    again = draft.get("re_entry") if isinstance(draft.get("re_entry"), dict) else {}
    assert isinstance(again, dict)
    endings = [one for one in draft.get("exits") or [] if isinstance(one, dict)]
    goal = draft.get("goal") if isinstance(draft.get("goal"), dict) else {}
    assert isinstance(goal, dict)
    moments = Moment(label="").options()
    leaving = next((one["rule"] for one in endings if "rule" in one), None)
    return {
        "trigger": _select(
            "t.kind", _("怎样开始"), kind.code, [(k.code, k.label) for k in TRIGGER_KINDS.values()]
        ),
        "trigger_fields": tuple(_fields(kind.parameters, values or {}, "t.p", "/trigger/with", faults)),
        "who": _rule_field("who", _("只让这些会员进（可不选）"), draft.get("who"), _told(faults, "/who")),
        "again": _select("re.how", _("能不能再进"), str(again.get("how", "never")), list(RE_ENTRIES.items())),
        "again_days": Field(
            "re.days",
            str(_("隔几天")),
            "whole",
            str(again.get("days", "")),
            faults=_told(faults, "/re_entry"),
        ),
        "exits": Field(
            "exits",
            str(_("发生这些事就退出（可不选）")),
            "picks",
            options=_options(moments, [str(one.get("on", "")) for one in endings]),
            faults=_told(faults, "/exits"),
        ),
        "leaving": _rule_field("leaving", _("进入这个人群就退出（可不选）"), leaving, ()),
        "goal": _select(
            "goal", _("目标：发生这件事就达成（可不选）"), str(goal.get("on", "")), [("", "—"), *moments]
        ),
        "rounds": Field(
            "rounds",
            str(_("最多转几圈")),
            "whole",
            str(draft.get("most_rounds", DEFAULT_ROUNDS)),
            faults=_told(faults, "/most_rounds"),
        ),
        "faults": _told(faults, "/trigger", exact=True)
        + _told(faults, "/trigger/on")
        + _told(faults, "/first")
        + _told(faults, "/steps", exact=True)
        + _told(faults, "", exact=True),
    }


def step_menu() -> list[tuple[str, list[tuple[str, str]]]]:
    """The kinds of steps, in groups, for a card's choice."""
    groups = {"act": _now("为她做一件事"), "wait": _now("等"), "branch": _now("分开走")}
    found: dict[str, list[tuple[str, str]]] = {key: [] for key in groups}
    for kind in STEP_KINDS.values():
        sort = "act" if kind.is_act else "wait" if kind.waits else "branch"
        found[sort].append((kind.code, str(kind.label)))
    return [(str(groups[key]), kinds) for key, kinds in found.items()]


def _trigger_from(post: QueryDict) -> dict[str, Any]:
    kind = TRIGGER_KINDS.get(post.get("t.kind", ""), TRIGGER_KINDS["moment"])
    return {"on": kind.code, "with": _values_from(kind.parameters, post, "t.p")}


def _steps_from(post: QueryDict) -> Iterator[tuple[str, dict[str, Any]]]:
    for place in range(MOST_STEPS):
        name, code = post.get(f"s.{place}.name", ""), post.get(f"s.{place}.kind", "")
        kind = STEP_KINDS.get(code)
        if not name or kind is None:
            continue
        step: dict[str, Any] = {"kind": code, "with": _values_from(kind.parameters, post, f"s.{place}.p")}
        for way in ("next", "else"):
            following = post.get(f"s.{place}.{way}", "")
            if following and (way == "next" or kind.else_label):
                step[way] = following
        yield name[:20], step


def _values_from(parameters: Mapping[str, Parameter], post: QueryDict, prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        key = f"{prefix}.{name}"
        if parameter.sort == "rule":
            rule = _rule_from(post, key)
            if rule is not None:
                values[name] = rule
        elif isinstance(parameter, Choices):
            if post.getlist(key):
                values[name] = post.getlist(key)
        elif post.get(key, "").strip():
            typed = post.get(key, "").replace("\r\n", "\n").strip()
            is_number = isinstance(parameter, Whole) or (isinstance(parameter, Pick) and parameter.key is int)
            values[name] = _number(typed) if is_number else typed
    return values


def _rule_from(post: QueryDict, key: str) -> Any:
    """A rule of one segment that was chosen, or the rule that was there before."""
    chosen = post.get(key, "")
    if chosen == "kept":
        try:
            return json.loads(post.get(f"{key}.kept", ""))
        except ValueError:
            return None
    if chosen:
        return {"all": [{"is": "campaigns.segment", "with": {"segments": [chosen]}}]}
    return None


def _number(text: str) -> Any:
    """A whole number where it is one; else what was typed, for the reader to refuse."""
    return int(text) if re.fullmatch(r"-?\d{1,15}", text) else text


def _fields(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, Any],
    prefix: str,
    path: str,
    faults: Sequence[Mapping[str, Any]],
) -> Iterator[Field]:
    for name, parameter in parameters.items():
        key, value, told = f"{prefix}.{name}", values.get(name), _told(faults, f"{path}/{name}")
        common: dict[str, Any] = {
            "name": key, "label": str(parameter.label), "is_required": parameter.is_required, "faults": told,
        }  # fmt: skip
        text = "" if value is None else str(value)
        if parameter.sort == "rule":
            field = _rule_field(key, parameter.label, value, told)
            yield dataclasses.replace(field, is_required=parameter.is_required)
        elif isinstance(parameter, Choices):
            given = value if isinstance(value, list) else []
            yield Field(**common, sort="ticks", options=_options(parameter.options, given))
        elif isinstance(parameter, Choice):
            blank = [] if parameter.is_required else [("", "—")]
            yield Field(**common, sort="choice", options=_options([*blank, *parameter.options], [text]))
        elif isinstance(parameter, Pick | Moment):
            options = [("", str(_("请选择"))), *parameter.options()]
            yield Field(**common, sort="choice", options=_options(options, [text]))
        elif isinstance(parameter, Words):
            yield Field(**common, sort="line" if parameter.is_line else "text", text=text)
        elif isinstance(parameter, Whole):
            yield Field(**common, sort="whole", text=text, unit=str(parameter.unit))
        else:
            yield Field(**common, sort=parameter.sort, text=text)


def _rule_field(name: str, label: Any, rule: Any, faults: tuple[str, ...]) -> Field:
    """A segment to choose; a rule of another form is kept, and shown as it reads."""
    chosen = _segment_of(rule)
    segments = Segment.objects.active().order_by("-pk").values_list("public_id", "name")[:300]
    options = [
        ("", str(_("不限"))),
        *((public_id, _now("人群：%(name)s") % {"name": title}) for public_id, title in segments),
    ]
    text = ""
    if rule and not chosen:
        options.insert(1, ("kept", _now("保持现在的条件%(words)s") % {"words": _words_of(rule)}))
        text, chosen = json.dumps(rule, ensure_ascii=False), "kept"
    return Field(name, str(label), "rule", text, options=_options(options, [chosen]), faults=faults)


def _segment_of(rule: Any) -> str:
    try:
        [leaf] = rule["all"]
        [public_id] = leaf["with"]["segments"]
        return str(public_id) if leaf["is"] == "campaigns.segment" else ""
    except (KeyError, TypeError, ValueError):
        return ""


def _words_of(rule: Any) -> str:
    try:
        lines = rule_lines(node_of(rule))
    except (KeyError, TypeError, ValueError):
        return ""
    return "（" + "；".join(line.words for line in lines if not line.is_group)[:60] + "）"


def _select(name: str, label: Any, chosen: str, options: Sequence[tuple[Any, Any]]) -> Field:
    return Field(name, str(label), "choice", options=_options(options, [chosen]))


def _options(options: Sequence[tuple[Any, Any]], chosen: Sequence[Any]) -> tuple[tuple[str, str, bool], ...]:
    keys = {str(one) for one in chosen}
    return tuple((str(key), str(label), str(key) in keys) for key, label in options)


def _way_field(
    prefix: str,
    way: str,
    label: str,
    step: Mapping[str, Any],
    names: Sequence[str],
    faults: Sequence[Mapping[str, Any]],
    path: str,
) -> Field:
    options = [
        ("", _now("结束")),
        *((name, _now("第 %(n)s 步") % {"n": n}) for n, name in enumerate(names, 1)),
    ]
    return Field(
        f"{prefix}.{way}",
        label,
        "choice",
        options=_options(options, [str(step.get(way, ""))]),
        faults=_told(faults, f"{path}/{way}"),
    )


def _told(faults: Sequence[Mapping[str, Any]], path: str, *, exact: bool = False) -> tuple[str, ...]:
    return tuple(
        str(fault["words"])
        for fault in faults
        if fault["path"] == path or (not exact and str(fault["path"]).startswith(f"{path}/"))
    )


def _ways_of(step: Mapping[str, Any]) -> list[str]:
    return [str(step[way]) for way in ("next", "else") if step.get(way)]


def _objects(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        return {}
    return {str(name): one for name, one in value.items() if isinstance(one, dict)}


def _fresh_name(names: Sequence[str]) -> str:
    used = [int(found[1]) for name in names if (found := _NAME.fullmatch(name))]
    return f"s{max(used, default=0) + 1}"
