"""Where somebody stands in a journey: why she came in, what she waits for, and what comes then."""

import dataclasses
from collections.abc import Iterator

from campaigns.contracts.journeys import Definition, Step
from campaigns.selectors.journeys.kinds import STEP_KINDS


@dataclasses.dataclass(frozen=True, slots=True)
class Coming:
    """What follows if she goes this way: `on` what must happen for it ("event", "timeout", or nothing), acts one after the
    other, then `then`, a step at which she waits or where ways part; None is the end."""

    on: str
    acts: tuple[Step, ...]
    then: Step | None


def coming_after(definition: Definition, name: str) -> tuple[Coming, ...]:
    """What comes after she stood at this step; what the step itself does, when it does something."""
    step = definition.steps.get(name)
    if step is None:
        return ()
    if step.kind == "wait_event":
        return (
            _from(definition, step.otherwise, "timeout"),
            _from(definition, step.next, "event"),
        )
    if STEP_KINDS[step.kind].waits:
        return (_from(definition, step.next, ""),)
    return (_from(definition, name, ""),)


def _from(definition: Definition, name: str, on: str) -> Coming:
    acts = tuple(_acts(definition, name))
    last = acts[-1].next if acts else name
    return Coming(on, acts, definition.steps.get(last))


def _acts(definition: Definition, name: str) -> Iterator[Step]:
    """Acts that are done at once, one after the other; every round contains a wait, so they end."""
    while name in definition.steps and STEP_KINDS[definition.steps[name].kind].is_act:
        yield definition.steps[name]
        name = definition.steps[name].next
