"""Two versions of a journey side by side, in words: what begins and ends it, and each step by its name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _

from campaigns.contracts.journeys import RE_ENTRIES, Definition, DefinitionChange, Ending, Step
from campaigns.selectors.journeys.kinds import STEP_KINDS, TRIGGER_KINDS
from campaigns.selectors.journeys.parameters import moment_names
from campaigns.selectors.segments import rule_words
from members.selectors.conditions import Parameter

_NOTHING: Final = "—"
_TEXTS: Final = ("text", "script", "reason")
_MORE: Final = ("page", "topic", "channels", "how", "days")


class _Told(NamedTuple):
    """`same`: what decides whether it is another; numbers of steps in the words move when a step comes before them."""

    label: str
    words: str
    ways: str
    same: object


def changes_between(before: Definition, after: Definition) -> tuple[DefinitionChange, ...]:
    """What the second says otherwise than the first, in the order of the way; steps that are gone last."""
    old, new = dict(_told(before)), dict(_told(after))
    found = []
    for key, now in new.items():
        then = old.get(key)
        if then is None:
            found.append(DefinitionChange(_("新的%(step)s") % {"step": now.label}, "", _whole(now)))
        elif then.same != now.same:
            sides = (then.ways, now.ways) if then.words == now.words else (_whole(then), _whole(now))
            found.append(DefinitionChange(now.label, *sides))
    found += [
        DefinitionChange(_("去掉的%(step)s") % {"step": then.label}, _whole(then), "")
        for key, then in old.items()
        if key not in new
    ]
    return tuple(found)


def _told(definition: Definition) -> Iterator[tuple[str, _Told]]:
    trigger = definition.trigger
    kind = TRIGGER_KINDS[trigger.kind]
    begins = f"{kind.says(trigger.values)}{_rest(kind.parameters, trigger.values, ('rule',))}"
    yield from _plain("trigger", _("怎样开始"), begins)
    who = _("不限") if definition.who is None else rule_words(definition.who)
    yield from _plain("who", _("谁能进"), who)
    again = definition.re_entry
    days = _("（隔 %(n)s 天）") % {"n": again.days} if again.days else ""
    yield from _plain("again", _("能不能再进"), f"{RE_ENTRIES[again.how]}{days}")
    exits = "；".join(sorted(map(_ending, definition.exits)))
    yield from _plain("exits", _("什么时候退出"), exits or _NOTHING)
    yield from _plain("goal", _("目标"), _NOTHING if definition.goal is None else _ending(definition.goal))
    yield from _plain("rounds", _("最多转几圈"), str(definition.most_rounds))
    numbers = {name: number for number, name in enumerate(definition.steps, start=1)}
    for step in definition.steps.values():
        yield f"step:{step.name}", _step(step, numbers)


def _whole(told: _Told) -> str:
    return f"{told.words.rstrip('？')}。{told.ways}" if told.ways else told.words


def _plain(key: str, label: str, words: str) -> Iterator[tuple[str, _Told]]:
    yield key, _Told(label, words, "", words)


def _step(step: Step, numbers: Mapping[str, int]) -> _Told:
    kind = STEP_KINDS[step.kind]
    words = f"{kind.says(step.values)}{_rest(kind.parameters, step.values, _MORE)}"
    ways = _("然后：%(to)s") % {"to": _to(step.next, numbers)}
    if kind.else_label and (step.otherwise or not kind.is_act):
        ways = _("%(yes)s：%(to)s；%(no)s：%(other)s") % {
            "yes": kind.next_label,
            "to": _to(step.next, numbers),
            "no": kind.else_label,
            "other": _to(step.otherwise, numbers),
        }
    label = _("第 %(n)s 步") % {"n": numbers[step.name]}
    return _Told(label, words, ways, (step.kind, words, step.next, step.otherwise))


def _to(name: str, numbers: Mapping[str, int]) -> str:
    return _("第 %(n)s 步") % {"n": numbers[name]} if name else _("结束")


def _ending(ending: Ending) -> str:
    if ending.rule is not None:
        return rule_words(ending.rule)
    return str(moment_names([ending.event]).get(ending.event, ending.event))


def _rest(parameters: Mapping[str, Parameter], values: Mapping[str, Any], names: Sequence[str]) -> str:
    """What the short sentence about it leaves out."""
    said = [f"「{values[name]}」" for name in _TEXTS if values.get(name)]
    more = [name for name in names if name in parameters and values.get(name) not in (None, "", [])]
    # What stands in brackets behind a label is for whoever fills it in.
    labels = {name: str(parameters[name].label).partition("（")[0] for name in more}
    said += [f"{labels[name]}：{parameters[name].words(values[name])}" for name in more]
    return "，" + "，".join(said) if said else ""
