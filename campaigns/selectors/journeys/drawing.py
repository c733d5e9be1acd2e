"""A journey as a picture: boxes in layers from above to below, ways between them, what turns back beside them."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _now

from campaigns.contracts.journeys import Definition, Step, StepNumbers
from campaigns.selectors.journeys.graph import back_ways, ways_of
from campaigns.selectors.journeys.kinds import STEP_KINDS, TRIGGER_KINDS

WIDTH: Final = 208
HEIGHT: Final = 66
_GAP_X: Final = 36
_GAP_Y: Final = 56
_MARGIN: Final = 28
_LINE: Final = 14  # signs that fit into a line of a box, about
_START: Final = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    """One step; an empty name is the beginning. `x`, `y`: its upper left corner."""

    name: str
    number: int
    x: int
    y: int
    sort: str
    label: str
    words: str
    lines: tuple[str, ...]
    numbers: StepNumbers
    passed_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """A line from box to box, or to an end, with its words in the middle."""

    path: str
    label: str
    label_x: int
    label_y: int
    count: int
    is_back: bool
    is_else: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]
    ends: tuple[tuple[int, int], ...]


def draw(definition: Definition, numbers: Mapping[str, StepNumbers]) -> Picture:
    """The picture of it, with how many are where."""
    layers = _layers(definition)
    widest = max(len(layer) for layer in layers)
    whole = widest * (WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN + 60
    places: dict[str, tuple[int, int]] = {}
    for depth, layer in enumerate(layers):
        row_width = len(layer) * (WIDTH + _GAP_X) - _GAP_X
        left = (whole - row_width) // 2
        for place, name in enumerate(layer):
            places[name] = (left + place * (WIDTH + _GAP_X), _MARGIN + depth * (HEIGHT + _GAP_Y))
    boxes = [_start_box(definition, places[_START], numbers)]
    boxes += [
        _box(step, number, places[step.name], numbers.get(step.name, StepNumbers()))
        for number, step in enumerate(definition.steps.values(), start=1)
        if step.name in places
    ]
    ways, ends = _ways(definition, places, numbers, whole)
    height = _MARGIN * 2 + len(layers) * (HEIGHT + _GAP_Y)
    return Picture(whole, height, tuple(boxes), tuple(ways), tuple(ends))


def _layers(definition: Definition) -> list[list[str]]:
    """Each step one below the lowest of those that lead to it; ways that turn back are not counted."""
    backs = back_ways(definition)
    depth: dict[str, int] = {_START: 0, definition.first: 1}
    order = [definition.first]
    for _round in range(len(definition.steps)):
        changed = False
        for name in list(order):
            for following in ways_of(definition.steps[name]):
                if (name, following) in backs:
                    continue
                if following not in depth:
                    order.append(following)
                if depth.get(following, 0) < depth[name] + 1:
                    depth[following] = depth[name] + 1
                    changed = True
        if not changed:
            break
    layers: list[list[str]] = [[] for _depth in range(max(depth.values()) + 1)]
    for name, level in depth.items():
        layers[level].append(name)
    _order(layers, definition)
    return layers


def _order(layers: list[list[str]], definition: Definition) -> None:
    """Below whom they come from, the first way to the left."""
    parents: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for step in definition.steps.values():
        for place, name in enumerate((step.next, step.otherwise)):
            if name:
                parents[name].append((step.name, place))
    position: dict[str, float] = {}
    for layer in layers:
        layer.sort(
            key=lambda name: min(
                (position[parent] + place / 2 for parent, place in parents[name] if parent in position),
                default=0.0,
            )
        )
        for place, name in enumerate(layer):
            position[name] = place - len(layer) / 2


def _start_box(definition: Definition, place: tuple[int, int], numbers: Mapping[str, StepNumbers]) -> Box:
    trigger = definition.trigger
    kind = TRIGGER_KINDS[trigger.kind]
    words = str(kind.says(trigger.values))
    return Box(_START, 0, *place, "start", _now("开始"), words, _wrapped(words), StepNumbers(), 0)


def _box(step: Step, number: int, place: tuple[int, int], numbers: StepNumbers) -> Box:
    kind = STEP_KINDS[step.kind]
    sort = "act" if kind.is_act else "wait" if kind.waits else "branch"
    passed = sum(count for way, count in numbers.ways.items() if way in {"next", "else", "refused"})
    words = str(kind.says(step.values))
    return Box(step.name, number, *place, sort, str(kind.label), words, _wrapped(words), numbers, passed)


def _wrapped(text: str) -> tuple[str, ...]:
    """At most two lines of a box."""
    first = _fitting(text)
    if len(first) == len(text):
        return (text,)
    second = _fitting(text[len(first) :])
    return (first, second if len(first) + len(second) == len(text) else f"{second[:-1]}…")


def _fitting(text: str) -> str:
    """As much of the text as fits into a line; a sign of ASCII is half as wide as a Chinese one."""
    width = 0.0
    for place, sign in enumerate(text):
        width += 0.56 if sign.isascii() else 1
        if width > _LINE:
            return text[:place]
    return text


def _ways(
    definition: Definition,
    places: Mapping[str, tuple[int, int]],
    numbers: Mapping[str, StepNumbers],
    whole: int,
) -> tuple[list[Way], list[tuple[int, int]]]:
    backs = back_ways(definition)
    ways = [_down(places[_START], places[definition.first], "", 0, 0, is_else=False)]
    ends: list[tuple[int, int]] = []
    for step in definition.steps.values():
        if step.name not in places:
            continue
        kind, counted = STEP_KINDS[step.kind], numbers.get(step.name, StepNumbers()).ways
        two = bool(kind.else_label) and (not kind.is_act or bool(step.otherwise))
        shown = [("next", step.next, str(kind.next_label) if two else "", -1 if two else 0)]
        if two:
            shown.append(("else", step.otherwise, str(kind.else_label), 1))
        for way, name, label, side in shown:
            count = counted.get(way, 0) + (counted.get("refused", 0) if way == "else" or not two else 0)
            if not name:
                end = (places[step.name][0] + WIDTH // 2 + side * 52, places[step.name][1] + HEIGHT + 34)
                ends.append(end)
                ways.append(_to_end(places[step.name], end, label, side, count, is_else=way == "else"))
            elif (step.name, name) in backs:
                ways.append(_back(places[step.name], places[name], label, count, whole))
            else:
                ways.append(_down(places[step.name], places[name], label, side, count, is_else=way == "else"))
    return ways, ends


def _down(
    start: tuple[int, int], end: tuple[int, int], label: str, side: int, count: int, *, is_else: bool
) -> Way:
    x, y = start[0] + WIDTH // 2 + side * 52, start[1] + HEIGHT
    to_x, to_y = end[0] + WIDTH // 2, end[1] - 5
    # Past other layers straight down in its own column, so that it does not run behind their boxes.
    turn = max(y, to_y - _GAP_Y)
    bend = max(24, (to_y - turn) // 2)
    path = f"M{x} {y} L{x} {turn} C{x} {turn + bend} {to_x} {to_y - bend} {to_x} {to_y}"
    return Way(path, label, x + side * 6, y + 16, count, False, is_else)


def _to_end(
    start: tuple[int, int], end: tuple[int, int], label: str, side: int, count: int, *, is_else: bool
) -> Way:
    x, y = start[0] + WIDTH // 2 + side * 52, start[1] + HEIGHT
    return Way(f"M{x} {y} L{end[0]} {end[1] - 6}", label, x + side * 6, y + 16, count, False, is_else)


def _back(start: tuple[int, int], end: tuple[int, int], label: str, count: int, whole: int) -> Way:
    """Around the right side, up again."""
    x, y = start[0] + WIDTH, start[1] + HEIGHT // 2
    to_x, to_y = end[0] + WIDTH + 5, end[1] + HEIGHT // 2
    edge = whole - _MARGIN + 10
    path = f"M{x} {y} C{edge} {y} {edge} {to_y} {to_x} {to_y}"
    return Way(path, label, edge - 24, (y + to_y) // 2, count, True, False)
