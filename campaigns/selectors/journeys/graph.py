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
    found, open_names = {definition.first}, [definition.first]
    while open_names:
        for name in ways_of(definition.steps[open_names.pop()]):
            if name not in found:
                found.add(name)
                open_names.append(name)
    return found


def in_order(steps: Mapping[str, Any], first: str, ways: Callable[[Any], Iterable[str]]) -> list[str]:
    """The names as one meets them from the first step on, those that nobody reaches behind them: JSON in the database keeps no
    order of its own."""
    order: dict[str, None] = {}
    open_names = [first]
    while open_names:
        name = open_names.pop()
        if name in steps and name not in order:
            order[name] = None
            open_names += reversed([following for following in ways(steps[name]) if following not in order])
    return [*order, *(name for name in steps if name not in order)]


def back_ways(definition: Definition) -> frozenset[tuple[str, str]]:
    """The ways that close a round: every round has one of them, so that counting them bounds it."""
    closing: set[tuple[str, str]] = set()
    state: dict[str, bool] = {}  # True while a step lies on the way here
    stack: list[tuple[str, Iterator[str]]] = [(definition.first, ways_of(definition.steps[definition.first]))]
    state[definition.first] = True
    while stack:
        name, ways = stack[-1]
        following = next(ways, None)
        if following is None:
            state[name] = False
            stack.pop()
        elif following not in state:
            state[following] = True
            stack.append((following, ways_of(definition.steps[following])))
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
