"""The chain: how coupons work on a basket, one after the other, each on what the ones before it left.

The same code runs on floats, where it steers the search, and on fractions, where it counts money. Lines on which the
same coupons work shrink by the same factors, so the chain keeps one sum for each such set of lines: a cell. Coupons
for units come before everything else and read the untouched price of a unit, which does not change.
"""

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Generic, TypeVar

from coupons.contracts import BasketLine, CouponTerms
from coupons.services.pricing_input import ONE

N = TypeVar("N", float, Fraction)


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """A coupon that may be used on this basket. `lines` are in scope, the dearest unit first; `off_fen` is what a
    `cash_off` takes at most, `gift_fen` what a `gift` is worth."""

    coupon: CouponTerms
    lines: tuple[int, ...]
    cells: tuple[int, ...]
    off_fen: int
    gift_fen: int
    takes_units: bool


@dataclasses.dataclass(slots=True)
class State(Generic[N]):
    """What is left: money in each cell, and units of each line that no coupon has taken."""

    cells: list[N]
    units: list[int]

    def copy(self) -> "State[N]":
        return State(self.cells.copy(), self.units.copy())


class Chain(Generic[N]):
    """The basket in one kind of number."""

    def __init__(
        self, number: Callable[[int, int], N], lines: Sequence[BasketLine], cell_of: Sequence[int]
    ) -> None:
        self.number: Callable[[int, int], N] = number
        self.zero: N = number(0, 1)
        self.cell_of = cell_of
        self._lines = lines
        self._prices: list[N] = [number(line.amount_fen, line.quantity) for line in lines]

    def start(self) -> State[N]:
        """The untouched basket."""
        sums = [0] * (max(self.cell_of) + 1)
        for line, cell in zip(self._lines, self.cell_of, strict=True):
            sums[cell] += line.amount_fen
        return State([self.number(total, 1) for total in sums], [line.quantity for line in self._lines])

    def worth(self, slot: Slot, state: State[N]) -> N:
        """What the coupon would take off now, with all units it may take."""
        if slot.takes_units:
            return sum((off for _, _, off in self._taken(slot, state, slot.coupon.units)), start=self.zero)
        return self._off(slot, self._left(slot, state))

    def reduce(self, slot: Slot, state: State[N], units: int) -> N:
        """Use the coupon (`units` matters where it takes units). The state changes; returns what came off."""
        if slot.takes_units:
            return sum((off for _, off in self.take(slot, state, units)), start=self.zero)
        left = self._left(slot, state)
        off = self._off(slot, left)
        if off:
            keep = 1 - off / left
            for cell in slot.cells:
                state.cells[cell] *= keep
        return off

    def take(self, slot: Slot, state: State[N], units: int) -> list[tuple[int, N]]:
        """Take units, the dearest first, and say what came off which line. The state changes."""
        taken = self._taken(slot, state, units)
        for line, count, off in taken:
            state.units[line] -= count
            state.cells[self.cell_of[line]] -= off
        return [(line, off) for line, _, off in taken]

    def _taken(self, slot: Slot, state: State[N], units: int) -> list[tuple[int, int, N]]:
        """Line, units, and what comes off. A unit is taken by its price alone, whatever comes off it: a better cap
        or price must not change which units are left for others."""
        taken: list[tuple[int, int, N]] = []
        for line in slot.lines:
            if not units:
                break
            if count := min(units, state.units[line]):
                units -= count
                taken.append((line, count, count * self._unit_off(slot.coupon, self._prices[line])))
        return taken

    def _unit_off(self, coupon: CouponTerms, price: N) -> N:
        if coupon.kind == "fixed_price":
            return max(price - coupon.price_fen, self.zero)
        return price if coupon.cap_fen is None else min(price, self.number(coupon.cap_fen, 1))

    def _left(self, slot: Slot, state: State[N]) -> N:
        return sum(map(state.cells.__getitem__, slot.cells), start=self.zero)

    def _off(self, slot: Slot, left: N) -> N:
        coupon = slot.coupon
        if coupon.kind == "cash_off":
            return min(left, self.number(slot.off_fen, 1))
        if coupon.kind == "percent":
            off = left * (ONE - coupon.rate_bp) / ONE
            return off if coupon.cap_fen is None else min(off, self.number(coupon.cap_fen, 1))
        return self.zero
