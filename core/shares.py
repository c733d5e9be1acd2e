"""Dividing whole units, so that the parts add up."""

from collections.abc import Sequence


def split(*, amount: int, weights: Sequence[int]) -> list[int]:
    """The amount in whole units in proportion to the weights, adding up exactly: what is left over after rounding down
    goes to the largest remainders, the earlier of equal ones first. Nothing to weigh by divides nothing.

    The weights are not negative. A negative amount is rounded down as well, away from nothing.
    """
    if len(weights) == 1:
        return [amount if weights[0] else 0]
    whole = sum(weights)
    if not amount or not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % whole), place))
    for place in by_rest[: amount - sum(parts)]:
        parts[place] += 1
    return parts
