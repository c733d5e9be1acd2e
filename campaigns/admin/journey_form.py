"""A journey as the editor's form has it: cards of steps in their order, and the JSON that they make.

`s.<place>.name|kind|was|next|else` and `s.<place>.p.<parameter>` are of a step, `t.kind|was` and `t.p.<parameter>` of the
beginning. What was typed is kept as it is, also where it cannot be read; the faults say what is wrong.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.journey_fields import (
    Faults,
    Field,
    fields_of,
    marked,
    moments_with,
    number,
    rule_field,
    rule_from,
    select,
    told,
)
from campaigns.admin.journey_kept import Kept, Typed, kept_from
from campaigns.contracts.faults import Fault
from campaigns.contracts.journeys import DEFAULT_ROUNDS, MOST_EXITS, MOST_STEPS, RE_ENTRIES
from campaigns.selectors.journeys import STEP_KINDS, TRIGGER_KINDS, in_order

_NAME: Final = re.compile(r"s(\d+)")
_NEW_STEP: Final = {"kind": "wait", "with": {"amount": 1, "unit": "days", "at": "10:00"}}
# The goal that is a rule, among the moments that it may be.
_BY_RULE: Final = "rule"
_TRIGGERS: Final = {kind.code: kind.parameters for kind in TRIGGER_KINDS.values()}
_STEPS: Final = {kind.code: kind.parameters for kind in STEP_KINDS.values()}
_BEGIN: Final = ""


@dataclasses.dataclass(frozen=True, slots=True)
class StepCard:
    """One step of the form."""

    place: int
    number: int
    name: str
    kind: str
    was: str
    sort: str
    fields: tuple[Field, ...]
    next: Field
    otherwise: Field | None
    faults: tuple[str, ...]


def draft_from_post(post: QueryDict) -> dict[str, Any]:
    """The JSON of what the form holds."""
    draft: dict[str, Any] = {"trigger": _trigger_from(post)}
    who = rule_from(post, "who")
    if who is not None:
        draft["who"] = who
    draft["re_entry"] = {"how": post.get("re.how", "never")}
    if draft["re_entry"]["how"] == "after_days":
        draft["re_entry"]["days"] = number(post.get("re.days", ""))
    exits: list[dict[str, Any]] = [{"on": event} for event in post.getlist("exits") if event]
    rules = [rule_from(post, f"leaving.{place}") for place in range(MOST_EXITS)]
    exits += [{"rule": rule} for rule in rules if rule is not None]
    if exits:
        draft["exits"] = exits
    if post.get("goal") == _BY_RULE:
        draft["goal"] = {"rule": rule_from(post, "goal.rule") or {"all": []}}
    elif post.get("goal"):
        draft["goal"] = {"on": post["goal"]}
    draft["most_rounds"] = number(post.get("rounds", "")) or DEFAULT_ROUNDS
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


def kept_of(post: QueryDict) -> dict[str, Kept]:
    """By step, what was typed for kinds that are not chosen now; that of the beginning under an empty name."""
    found = {_BEGIN: kept_from(post, "t", _TRIGGERS)}
    for place in range(MOST_STEPS):
        name = post.get(f"s.{place}.name", "")[:20]
        if name:
            found[name] = kept_from(post, f"s.{place}", _STEPS)
    return {name: kept for name, kept in found.items() if kept is not None}


def _was(kept: Mapping[str, Kept], name: str, kind: str) -> str:
    return kept.get(name, Kept(kind, Typed({}))).text


def names_of(draft: Mapping[str, Any]) -> list[str]:
    """The steps in the order of their cards."""
    return in_order(_objects(draft.get("steps")), str(draft.get("first", "")), _ways_of)


def cards_of(draft: Mapping[str, Any], faults: Faults, kept: Mapping[str, Kept]) -> list[StepCard]:
    """The steps as cards, each with what is wrong in it."""
    steps, names = _objects(draft.get("steps")), names_of(draft)
    told_of = {
        name: STEP_KINDS[str(step.get("kind"))].label
        for name, step in steps.items()
        if str(step.get("kind")) in STEP_KINDS
    }
    targets = [
        (name, _now("第 %(n)s 步 · %(kind)s") % {"n": number, "kind": told_of.get(name, name)})
        for number, name in enumerate(names, start=1)
    ]
    cards = []
    for place, name in enumerate(names):
        step = steps[name]
        kind = STEP_KINDS.get(str(step.get("kind")))
        if kind is None:
            continue
        path = f"/steps/{name}"
        prefix = f"s.{place}"
        cards.append(
            StepCard(
                place=place,
                number=place + 1,
                name=name,
                kind=kind.code,
                was=_was(kept, name, kind.code),
                sort="act" if kind.is_act else "wait" if kind.waits else "branch",
                fields=tuple(
                    fields_of(
                        kind.parameters, _object(step.get("with")), f"{prefix}.p", f"{path}/with", faults
                    )
                ),
                next=_way_field(
                    prefix, "next", str(kind.next_label or _("然后")), step, targets, faults, path
                ),
                otherwise=_way_field(prefix, "else", str(kind.else_label), step, targets, faults, path)
                if kind.else_label
                else None,
                faults=told(faults, path, exact=True) + told(faults, f"{path}/kind"),
            )
        )
    return cards


def begin_of(draft: Mapping[str, Any], faults: Faults, kept: Mapping[str, Kept]) -> dict[str, Any]:
    """The fields above the steps."""
    trigger, again = _object(draft.get("trigger")), _object(draft.get("re_entry"))
    kind = TRIGGER_KINDS.get(str(trigger.get("on")), TRIGGER_KINDS["moment"])
    return {
        "trigger": select(
            "t.kind", _("怎样开始"), kind.code, [(k.code, k.label) for k in TRIGGER_KINDS.values()]
        ),
        "was": _was(kept, _BEGIN, kind.code),
        "trigger_fields": tuple(
            fields_of(kind.parameters, _object(trigger.get("with")), "t.p", "/trigger/with", faults)
        ),
        "who": rule_field("who", _("只让这些会员进（可不选）"), draft.get("who"), faults, "/who"),
        "again": select("re.how", _("能不能再进"), str(again.get("how", "never")), list(RE_ENTRIES.items())),
        "again_days": Field(
            "re.days",
            str(_("隔几天")),
            "whole",
            str(again.get("days", "")),
            faults=told(faults, "/re_entry"),
        ),
        "rounds": Field(
            "rounds",
            str(_("最多转几圈")),
            "whole",
            str(draft.get("most_rounds", DEFAULT_ROUNDS)),
            faults=told(faults, "/most_rounds"),
        ),
        **_endings(draft, faults),
        "faults": told(faults, "/trigger", exact=True)
        + told(faults, "/trigger/on")
        + told(faults, "/first")
        + told(faults, "/steps", exact=True)
        + told(faults, "", exact=True),
    }


def _endings(draft: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """What ends it early, and its goal."""
    given = draft.get("exits")
    endings = [_object(one) for one in given] if isinstance(given, list) else []
    events = [str(one.get("on", "")) for one in endings]
    goal = _object(draft.get("goal"))
    reached = _BY_RULE if "rule" in goal else str(goal.get("on", ""))
    moments = moments_with([*events, "" if reached == _BY_RULE else reached])
    rules = [(place, one["rule"]) for place, one in enumerate(endings) if "rule" in one]
    places = [(f"/exits/{place}/rule", rule) for place, rule in rules]
    if len(endings) < MOST_EXITS:
        places.append((f"/exits/{len(endings)}/rule", None))
    at_events = [f"/exits/{place}" for place, one in enumerate(endings) if "rule" not in one]
    return {
        "exits": Field(
            "exits",
            str(_("发生这些事就退出（可不选）")),
            "picks",
            options=marked(moments, events),
            faults=told(faults, "/exits", exact=True)
            + tuple(words for path in at_events for words in told(faults, path)),
        ),
        "leaving": [
            rule_field(
                f"leaving.{number}",
                _("符合这个条件就退出（可不选）") if number == 0 else _("符合这个条件也退出（可不选）"),
                rule,
                faults,
                path,
                blank=_("不设"),
            )
            for number, (path, rule) in enumerate(places)
        ],
        "goal": dataclasses.replace(
            select(
                "goal",
                _("目标（可不选），达成就不再往下走"),
                reached,
                [("", "—"), (_BY_RULE, _("符合一个条件…")), *moments],
            ),
            faults=told(faults, "/goal", exact=True) + told(faults, "/goal/on"),
        ),
        "goal_rule": rule_field(
            "goal.rule", _("达成目标的条件"), goal.get("rule"), faults, "/goal/rule", blank=_("请选择")
        ),
    }


# The places of faults in a marketer's words.
_PLACES: Final = {
    "trigger": _("怎样开始"),
    "who": _("谁能进"),
    "re_entry": _("能不能再进"),
    "exits": _("什么时候退出"),
    "goal": _("目标"),
    "most_rounds": _("最多转几圈"),
    "steps": _("步骤"),
    "first": _("第一步"),
}


def fault_lines(draft: Mapping[str, Any], faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """What is wrong with a draft, each with where: "第 3 步 · 几天内完成", "目标"; nothing for the whole of it."""
    numbers = {name: number for number, name in enumerate(names_of(draft), start=1)}
    steps = _object(draft.get("steps"))
    return [(_place_words(fault.path, numbers, steps), fault.words) for fault in faults]


def _place_words(path: str, numbers: Mapping[str, int], steps: Mapping[str, Any]) -> str:
    head, *rest = path.removeprefix("/").split("/")
    if head != "steps" or not rest:
        return str(_PLACES.get(head, ""))
    name, *below = rest
    if name not in numbers:
        return name
    words = _now("第 %(n)s 步") % {"n": numbers[name]}
    kind = STEP_KINDS.get(str(_object(steps.get(name)).get("kind")))
    parameter = kind.parameters.get(below[1]) if kind and below[:1] == ["with"] and len(below) > 1 else None
    return words if parameter is None else f"{words} · {parameter.label}"


def step_menu() -> list[tuple[str, list[tuple[str, str]]]]:
    """The kinds of steps, in groups, for a card's choice."""
    groups = {"act": _now("为她做一件事"), "wait": _now("等"), "branch": _now("分开走")}
    found: dict[str, list[tuple[str, str]]] = {key: [] for key in groups}
    for kind in STEP_KINDS.values():
        sort = "act" if kind.is_act else "wait" if kind.waits else "branch"
        found[sort].append((kind.code, str(kind.label)))
    return [(str(groups[key]), kinds) for key, kinds in found.items()]


def _trigger_from(post: QueryDict) -> dict[str, Any]:
    kept = kept_from(post, "t", _TRIGGERS) or Kept("moment", Typed({}))
    return {"on": kept.kind, "with": dict(kept.typed.values)}


def _steps_from(post: QueryDict) -> Iterator[tuple[str, dict[str, Any]]]:
    for place in range(MOST_STEPS):
        name, kept = post.get(f"s.{place}.name", ""), kept_from(post, f"s.{place}", _STEPS)
        if not name or kept is None:
            continue
        values = dict(kept.typed.values)
        if values.get("unit", "days") != "days":
            values.pop("at", None)  # not shown beside hours
        step: dict[str, Any] = {"kind": kept.kind, "with": values}
        if post.get(f"s.{place}.next"):
            step["next"] = post[f"s.{place}.next"]
        if kept.typed.otherwise and STEP_KINDS[kept.kind].else_label:
            step["else"] = kept.typed.otherwise
        yield name[:20], step


def _way_field(
    prefix: str,
    way: str,
    label: str,
    step: Mapping[str, Any],
    targets: Sequence[tuple[str, str]],
    faults: Faults,
    path: str,
) -> Field:
    # Who was refused an act goes on as if it had been done, unless a way of her own is given.
    is_refused = way == "else" and STEP_KINDS[str(step["kind"])].is_act
    options = [
        ("", _now("照样往下走") if is_refused else _now("结束")),
        *targets,
    ]
    return Field(
        f"{prefix}.{way}",
        label,
        "choice",
        options=marked(options, [str(step.get(way, ""))]),
        faults=told(faults, f"{path}/{way}"),
    )


def _ways_of(step: Mapping[str, Any]) -> list[str]:
    return [str(step[way]) for way in ("next", "else") if step.get(way)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        return {}
    return {str(name): one for name, one in value.items() if isinstance(one, dict)}


def _fresh_name(names: Sequence[str]) -> str:
    used = [int(found[1]) for name in names if (found := _NAME.fullmatch(name))]
    return f"s{max(used, default=0) + 1}"
