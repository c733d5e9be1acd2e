"""A journey as a picture: boxes in layers from above to below, ways between them, what turns back beside them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _now

from campaigns.contracts.journeys import Definition, Step, StepNumbers, WayName
from campaigns.selectors.journeys.kinds import STEP_KINDS, TRIGGER_KINDS
from campaigns.selectors.journeys.layout import HEIGHT, START, WIDTH, Edge, Layout, Point, lay_out

_LINE: Final = 14  # signs that fit into a line of a box, about
_ROUND: Final = 8


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
    layout = lay_out(definition)
    boxes = [_start_box(definition, layout.places[START])]
    boxes += [
        _box(step, number, layout.places[step.name], numbers.get(step.name, StepNumbers()))
        for number, step in enumerate(definition.steps.values(), start=1)
        if step.name in layout.places
    ]
    ways, ends = _ways(definition, layout, numbers)
    return Picture(layout.width, layout.height, tuple(boxes), tuple(ways), tuple(ends))


def _start_box(definition: Definition, place: Point) -> Box:
    trigger = definition.trigger
    kind = TRIGGER_KINDS[trigger.kind]
    words = str(kind.says(trigger.values))
    return Box(START, 0, *place, "start", _now("开始"), words, _wrapped(words), StepNumbers(), 0)


def _box(step: Step, number: int, place: Point, numbers: StepNumbers) -> Box:
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
    definition: Definition, layout: Layout, numbers: Mapping[str, StepNumbers]
) -> tuple[list[Way], list[Point]]:
    first = layout.places[definition.first]
    ways = [_way(_down(_foot(layout.places[START], 0), (), first), "", _foot(layout.places[START], 0), 0, 0)]
    ends: list[Point] = []
    for step in definition.steps.values():
        if step.name not in layout.places:
            continue
        counted = numbers.get(step.name, StepNumbers()).ways
        for way, name, label, side in _shown_ways(step):
            count = counted.get(way, 0) + (counted.get("refused", 0) if way == "else" or not side else 0)
            foot, edge = _foot(layout.places[step.name], side), Edge(step.name, way, name)
            is_else, is_back = way == "else", edge in layout.lanes
            if not name:
                ends.append((foot[0], foot[1] + 34))
                path = f"M{foot[0]} {foot[1]} L{foot[0]} {foot[1] + 28}"
            elif is_back:
                path = _back(foot, layout.places[name], layout.lanes[edge])
            else:
                path = _down(foot, layout.passes[edge], layout.places[name])
            ways.append(_way(path, label, foot, side, count, is_back=is_back, is_else=is_else))
    return ways, ends


def _shown_ways(step: Step) -> list[tuple[WayName, str, str, int]]:
    """Each way with where it leads, its words, and on which side of the box it begins: -1, 0 in the middle, 1."""
    kind = STEP_KINDS[step.kind]
    if not kind.else_label or (kind.is_act and not step.otherwise):
        return [("next", step.next, "", 0)]
    return [
        ("next", step.next, str(kind.next_label), -1),
        ("else", step.otherwise, str(kind.else_label), 1),
    ]


def _foot(place: Point, side: int) -> Point:
    return place[0] + WIDTH // 2 + side * 52, place[1] + HEIGHT


def _way(
    path: str, label: str, foot: Point, side: int, count: int, *, is_back: bool = False, is_else: bool = False
) -> Way:
    return Way(path, label, foot[0] + side * 6, foot[1] + 16, count, is_back, is_else)


def _down(foot: Point, passes: Sequence[Point], place: Point) -> str:
    """Bent between layers, straight beside the boxes of those that it passes."""
    path = f"M{foot[0]} {foot[1]}"
    at = foot
    for x, y in (*passes, (place[0] + WIDTH // 2, place[1] - 5)):
        bend = (y - at[1]) // 2
        path += f" C{at[0]} {at[1] + bend} {x} {y - bend} {x} {y}"
        at = (x, y + HEIGHT)
        if (x, y) in passes:
            path += f" L{x} {y + HEIGHT}"
    return path


def _back(foot: Point, place: Point, lane: int) -> str:
    """Below its own layer to the right, up beside all boxes, and above its step to the left; corners are round."""
    low, high, x = foot[1] + 42, place[1] - 22, place[0] + 30
    points = [foot, (foot[0], low), (lane, low), (lane, high), (x, high), (x, place[1] - 5)]
    path = f"M{foot[0]} {foot[1]}"
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(here, before), _towards(here, after)
        path += f" L{near[0]} {near[1]} Q{here[0]} {here[1]} {far[0]} {far[1]}"
    return f"{path} L{x} {place[1] - 5}"


def _towards(here: Point, there: Point) -> Point:
    """A corner's beginning: at most so far along a line that is level or upright."""
    x, y = (max(-_ROUND, min(_ROUND, to - at)) for at, to in zip(here, there, strict=True))
    return here[0] + x, here[1] + y
