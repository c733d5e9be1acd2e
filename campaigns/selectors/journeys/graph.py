"""The graph of a journey: what can be reached, where it turns back, and whether each round waits."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from campaigns.contracts.faults import Fault
from campaigns.contracts.journeys import Definition, Step
from campaigns.selectors.journeys.kinds import STEP_KINDS


def ways_of(step: Step) -> Iterator[str]:
    """The steps that may follow."""
    for name in (step.next, step.otherwise):
        if name:
            yield name


def graph_faults(definition: Definition) -> list[Fault]:
    """Steps that nobody reaches, and rounds without a wait."""
    reached = reachable(definition)
    faults = [Fault(f"/steps/{name}", "unreachable_step") for name in definition.steps if name not in reached]
    return faults + [Fault(f"/steps/{name}", "loop_without_wait") for name in _restless(definition)]


def reachable(definition: Definition) -> set[str]:
    """The steps that one can come to from the first."""
    return _reached(definition.first, lambda name: ways_of(definition.steps[name]))


def _reached(first: str, after: Callable[[str], Iterable[str]]) -> set[str]:
    found, open_names = {first}, [first]
    while open_names:
        for name in after(open_names.pop()):
            if name not in found:
                found.add(name)
                open_names.append(name)
    return found


def in_order(steps: Mapping[str, Any], first: str, ways: Callable[[Any], Iterable[str]]) -> list[str]:
    """The names as one meets them from the first step on: each behind all that lead to it, ways that turn back not counted, and
    those that nobody reaches last. JSON in the database keeps no order of its own."""

    def after(name: str) -> list[str]:
        return [following for following in ways(steps[name]) if following in steps]

    backs = _closing(first, after) if first in steps else frozenset()
    waiting_for: dict[str, int] = {}
    for name in _reached(first, after) if first in steps else ():
        for following in after(name):
            waiting_for[following] = waiting_for.get(following, 0) + ((name, following) not in backs)
    order: dict[str, None] = {}
    open_names = [first] if first in steps else []
    while open_names:
        name = open_names.pop()
        order[name] = None
        for following in reversed(after(name)):
            if (name, following) not in backs:
                waiting_for[following] -= 1
                if not waiting_for[following]:
                    open_names.append(following)
    return [*order, *(name for name in steps if name not in order)]


def back_ways(definition: Definition) -> frozenset[tuple[str, str]]:
    """The ways that close a round: every round has one of them, so that counting them bounds it."""
    return _closing(definition.first, lambda name: ways_of(definition.steps[name]))


def _closing(first: str, after: Callable[[str], Iterable[str]]) -> frozenset[tuple[str, str]]:
    closing: set[tuple[str, str]] = set()
    state: dict[str, bool] = {first: True}  # True while a step lies on the way here
    stack: list[tuple[str, Iterator[str]]] = [(first, iter(after(first)))]
    while stack:
        name, ways = stack[-1]
        following = next(ways, None)
        if following is None:
            state[name] = False
            stack.pop()
        elif following not in state:
            state[following] = True
            stack.append((following, iter(after(following))))
        elif state[following]:
            closing.add((name, following))
    return frozenset(closing)


def _restless(definition: Definition) -> list[str]:
    """Steps that lie on a round in which nothing waits."""
    quick = {
        name: [
            following for following in ways_of(step) if not STEP_KINDS[definition.steps[following].kind].waits
        ]
        for name, step in definition.steps.items()
        if not STEP_KINDS[step.kind].waits
    }
    # Whoever has no way in from the others, or none out to them, lies on no round.
    left = set(quick)
    while True:
        ended = {name for name in left if not any(following in left for following in quick[name])}
        entered = {following for name in left for following in quick[name]}
        gone = ended | (left - entered)
        if not gone:
            return [name for name in definition.steps if name in left]
        left -= gone
