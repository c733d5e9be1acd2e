"""How a target is dealt to those below. Pure: no row, no clock."""

import dataclasses
from collections.abc import Sequence
from typing import Final, Literal

from core.shares import split
from sales.errors import FixedPartsDisagree, NothingToSplit

YUAN: Final = 100
Shape = Literal["last_year", "recent", "equal"]


@dataclasses.dataclass(frozen=True, slots=True)
class Child:
    """One who gets a part: what it sold in the same month last year (nothing if it began only then) and in the last three
    months (fen), and the part that somebody fixed by hand."""

    last_year_fen: int
    recent_fen: int
    fixed_value: int | None = None


def weigh(children: Sequence[Child]) -> tuple[Shape, list[int]]:
    """What each weighs. By last year; who was not there then is weighed by the last three months beside those who were,
    and who has neither weighs as much as the others do on average. Without a last year at all by the last three months,
    without any sales all alike."""
    last = [max(0, child.last_year_fen) for child in children]
    recent = [max(0, child.recent_fen) for child in children]
    if any(last):
        both = [place for place in range(len(children)) if last[place] and recent[place]]
        scale = (sum(last[place] for place in both), sum(recent[place] for place in both))
        known = [
            value or (recent[place] * scale[0] // scale[1] if scale[1] else 0)
            for place, value in enumerate(last)
        ]
        return "last_year", _fill(known)
    if any(recent):
        return "recent", _fill(recent)
    return "equal", [1] * len(children)


def _fill(weights: Sequence[int]) -> list[int]:
    known = [weight for weight in weights if weight]
    return [weight or max(1, sum(known) // len(known)) for weight in weights]


def deal(*, amount: int, children: Sequence[Child], grain: int = YUAN) -> tuple[Shape, list[int], list[int]]:
    """What each weighs and gets, to the yuan by largest remainder, adding up to the amount; fixed parts stay. Fen of
    the amount that make no yuan go to the first who is not fixed. With a `grain` of 1 all of it is pieces, not fen."""
    if not children:
        raise NothingToSplit
    shape, weights = weigh(children)
    free = [place for place, child in enumerate(children) if child.fixed_value is None]
    parts = [child.fixed_value or 0 for child in children]
    left = amount - sum(parts)
    if left < 0 or (left and not free):
        raise FixedPartsDisagree(fixed_value=sum(parts), whole_value=amount)
    whole, odd = divmod(left, grain)
    dealt = split(amount=whole, weights=[weights[place] for place in free])
    for place, part in zip(free, dealt, strict=True):
        parts[place] = part * grain
    if odd:
        parts[free[0]] += odd
    return shape, weights, parts
