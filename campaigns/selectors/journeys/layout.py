"""Where a journey's steps stand in its picture, and where its ways pass: layers from above to below, in which a way over several
layers has a place of its own in each, so that none runs through a box."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from campaigns.contracts.journeys import Definition, WayName
from campaigns.selectors.journeys.graph import back_ways, ways_of

WIDTH: Final = 208
HEIGHT: Final = 66
GAP_Y: Final = 56
MARGIN: Final = 28
START: Final = ""
_GAP_X: Final = 36
_PASSING: Final = 12  # as wide as a way is that passes a layer
_LANE: Final = 12  # between ways that turn back, on the right

Point = tuple[int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Edge:
    """One way that leads to a step; `number` is 0 of the first way, 1 of the other."""

    name: str
    way: WayName
    following: str

    @property
    def number(self) -> int:
        return int(self.way == "else")


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """`places`: the upper left corners of steps. `passes`: of each way that leads down, where it passes the layers between, as
    the upper ends of its straight parts. `lanes`: of each that turns back, how far to the right it does."""

    width: int
    height: int
    places: Mapping[str, Point]
    passes: Mapping[Edge, tuple[Point, ...]]
    lanes: Mapping[Edge, int]


def lay_out(definition: Definition) -> Layout:
    """Of what can be reached from the beginning."""
    backs = back_ways(definition)
    depth = _depths(definition, backs)
    edges = [edge for edge in edges_of(definition) if edge.name in depth]
    down = [edge for edge in edges if (edge.name, edge.following) not in backs]
    back = [edge for edge in edges if (edge.name, edge.following) in backs]
    layers: list[list[str]] = [[] for _depth in range(max(depth.values()) + 1)]
    for name, level in depth.items():
        layers[level].append(name)
    parents: dict[str, list[tuple[str, int]]] = defaultdict(list)
    passing: dict[Edge, list[str]] = {}
    for edge in down:
        passing[edge] = []
        above = (edge.name, edge.number)
        for level in range(depth[edge.name] + 1, depth[edge.following]):
            key = f"{edge.name}>{edge.way}>{level}"
            layers[level].append(key)
            passing[edge].append(key)
            parents[key].append(above)
            above = (key, 0)
        parents[edge.following].append(above)
    _order(layers, parents)
    widest = max(_row_width(layer) for layer in layers)
    places = _places(layers, widest)
    # The shortest turns innermost.
    back.sort(key=lambda edge: (depth[edge.name] - depth[edge.following], edge.name))
    right = MARGIN + widest + _GAP_X // 2
    return Layout(
        width=right + MARGIN + _LANE * len(back),
        height=2 * MARGIN + len(layers) * (HEIGHT + GAP_Y),
        places={name: place for name, place in places.items() if name in depth},
        passes={edge: tuple(places[key] for key in keys) for edge, keys in passing.items()},
        lanes={edge: right + _LANE * number for number, edge in enumerate(back)},
    )


def edges_of(definition: Definition) -> Iterator[Edge]:
    """Every way that leads to a step."""
    for step in definition.steps.values():
        if step.next:
            yield Edge(step.name, "next", step.next)
        if step.otherwise:
            yield Edge(step.name, "else", step.otherwise)


def _depths(definition: Definition, backs: frozenset[tuple[str, str]]) -> dict[str, int]:
    """Each step one below the lowest of those that lead to it; ways that turn back are not counted."""
    depth: dict[str, int] = {START: 0, definition.first: 1}
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
    return depth


def _order(layers: list[list[str]], parents: Mapping[str, list[tuple[str, int]]]) -> None:
    """Below whom they come from, the first way to the left."""
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


def _node_width(name: str) -> int:
    return _PASSING if ">" in name else WIDTH


def _row_width(layer: list[str]) -> int:
    return sum(_node_width(name) + _GAP_X for name in layer) - _GAP_X


def _places(layers: list[list[str]], widest: int) -> dict[str, Point]:
    """Each layer in the middle. Of what passes, the middle of its upper end."""
    places: dict[str, Point] = {}
    for depth, layer in enumerate(layers):
        x = MARGIN + (widest - _row_width(layer)) // 2
        y = MARGIN + depth * (HEIGHT + GAP_Y)
        for name in layer:
            width = _node_width(name)
            places[name] = (x + width // 2 if ">" in name else x, y)
            x += width + _GAP_X
    return places
