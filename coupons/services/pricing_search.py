"""Finding the best combination: branch and bound over the coupons in the order of application.

A node is a set of coupons already used, the state they left, and the coupons still open. Its bound is a total that no
set reached from it can undercut:

- coupons whose group offers nothing else are all used, one after the other. Using more coupons leaves less in every
  cell, so no selection of them ends lower;
- of the coupons that compete, each group takes at most the worth of its best template when its turn comes among the
  first. Coupons that compete for units count here too.

Worth only falls as the state shrinks. In the real chain each coupon meets a state that is in no cell above the one its
discount was taken from here, because more coupons came before it; so the discounts together are not larger than here.

Totals are floats with a margin far above their error; only where the margin leaves the fen open are they counted again
in fractions. So floats cost time at worst, never a fen.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from coupons.contracts import BasketLine
from coupons.services.pricing_chain import Chain, Slot, State
from coupons.services.pricing_terms import preference, template_of

MOST_NODES: Final = 20_000
MOST_WORK: Final = 3_000_000  # cells read; large baskets are given fewer nodes

Choice = tuple[tuple[int, int], ...]  # (slot, units it takes), in the order of application
Rank = tuple[int, int, int, tuple[tuple[bool, float], ...], tuple[str, ...]]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """The best choice, its total before points, and by how much another could be cheaper at most."""

    choice: Choice
    payable_fen: int
    bound_fen: int


@dataclasses.dataclass(slots=True)
class _Node:
    state: State[float]
    open: int
    choice: Choice = ()
    gift_fen: int = 0


class Search:
    """One search. With `is_forced` all slots are used and only the units they take are open."""

    def __init__(
        self, lines: Sequence[BasketLine], slots: Sequence[Slot], cell_of: Sequence[int], *, is_forced: bool
    ) -> None:
        self._slots = slots
        self._is_forced = is_forced
        self._floats = Chain[float](_quotient, lines, cell_of)
        self._exact = Chain[Fraction](Fraction, lines, cell_of)
        self._templates = [template_of(slot.coupon) for slot in slots]
        self._margin = sum(line.amount_fen for line in lines) * 1e-11 + 1e-9
        self._rivals = [self._mask(at, self._is_rival) for at in range(len(slots))]
        self._overlaps = [self._mask(at, self._overlap) for at in range(len(slots))]
        self._terms = [dataclasses.replace(slot.coupon, key="", name="", valid_until=None) for slot in slots]
        self._followers = [0] * len(slots)
        self._dropped = 0 if is_forced else self._collapse()
        start = self._floats.start()
        self._tops = [self._floats.worth(slot, start) for slot in slots]
        self._start = start
        self._nodes = self._work = 0
        self._best: tuple[Rank, Choice] | None = None
        self._least_left: int | None = None
        self.stuck_at = 0  # a forced slot that could take nothing

    def run(self) -> Found | None:
        """The best choice; None when the forced slots cannot all be used."""
        everything = (1 << len(self._slots)) - 1
        if not self._is_forced:
            self._consider(_Node(self._start, 0))
            for at, slot in enumerate(self._slots):
                if slot.coupon.is_exclusive:
                    everything &= ~(1 << at)
                    self._try((at,))
            self._try(self._greedy(everything))
        self._visit(_Node(self._start, everything & ~self._dropped))
        if self._best is None:
            return None
        rank, choice = self._best
        least = rank[0] if self._least_left is None else min(rank[0], self._least_left)
        return Found(choice, rank[0], rank[0] - least)

    # -- the tree

    def _visit(self, node: _Node) -> None:
        if not self._is_forced or not node.open:
            self._consider(node)
        while node.open and self._is_promising(node):
            at = (node.open & -node.open).bit_length() - 1
            for units in self._units(at, node):
                if self._is_spent() and self._best is not None:
                    self._leave(node)
                    return
                self._visit(self._use(at, units, node))
            if self._is_forced:
                if self._best is None:
                    self.stuck_at = max(at, self.stuck_at)
                return
            node.open &= ~(1 << at | self._followers[at])

    def _use(self, at: int, units: int, node: _Node) -> _Node:
        slot, state = self._slots[at], node.state.copy()
        self._floats.reduce(slot, state, units)
        choice = (*node.choice, (at, units))
        still = node.open & ~(1 << at | self._rivals[at])
        if not self._is_forced:
            still &= ~self._full(at, choice, still)
        return _Node(state, still, choice, node.gift_fen + slot.gift_fen)

    def _units(self, at: int, node: _Node) -> Iterator[int]:
        """All units it may take, and fewer where it would take them from another."""
        slot = self._slots[at]
        if not slot.takes_units:
            if slot.coupon.kind == "gift" or self._floats.worth(slot, node.state):
                yield 0
            return
        most = min(slot.coupon.units, sum(node.state.units[line] for line in slot.lines))
        competes = self._overlaps[at] & node.open & ~self._rivals[at]
        yield from range(most, 0 if competes else max(most - 1, 0), -1)

    def _full(self, at: int, choice: Choice, still: int) -> int:
        """The open coupons of its template for which there is no room any more."""
        used = [other for other, _ in choice if self._templates[other] == self._templates[at]]
        limit = min(self._slots[other].coupon.max_per_order for other in used)
        return sum(
            1 << other
            for other in _bits(still)
            if self._templates[other] == self._templates[at]
            and len(used) >= min(limit, self._slots[other].coupon.max_per_order)
        )

    # -- bounds

    def _is_promising(self, node: _Node) -> bool:
        """Whether using more of the open coupons may beat the best, ties included."""
        if self._best is None:
            return True
        if self._is_spent():
            self._leave(node)
            return False
        rank = self._best[0]
        least, gift = self._bound(node)
        if self._is_forced:
            return least < rank[0]
        if (least, -gift) != rank[:2]:
            return (least, -gift) < rank[:2]
        return len(node.choice) + self._needed(node, rank) <= rank[2]

    def _leave(self, node: _Node) -> None:
        """Not looked into: remember how cheap it could be."""
        least, _ = self._bound(node)
        self._least_left = least if self._least_left is None else min(least, self._least_left)

    def _bound(self, node: _Node) -> tuple[int, int]:
        self._nodes += 1
        state, chain = node.state.copy(), self._floats
        gift = node.gift_fen
        rivalry: dict[str, dict[str, list[float]]] = {}
        for at in _bits(node.open):
            slot = self._slots[at]
            self._work += len(slot.cells) + 1
            if (self._rivals[at] | self._overlaps[at]) & node.open:
                templates = rivalry.setdefault(slot.coupon.stacking_group, {})
                sums = templates.setdefault(self._templates[at], [0.0, 0])
                sums[0] += chain.worth(slot, state)
                sums[1] += slot.gift_fen
            else:
                chain.reduce(slot, state, slot.coupon.units)
                gift += slot.gift_fen
        total = sum(state.cells)
        for templates in rivalry.values():
            total -= max(sums[0] for sums in templates.values())
            gift += int(max(sums[1] for sums in templates.values()))
        return max(0, math.ceil(total - self._margin)), gift

    def _needed(self, node: _Node, rank: Rank) -> int:
        """How many more coupons it takes at least to reach the best price."""
        missing = sum(node.state.cells) - rank[0] - self._margin
        tops = sorted((self._tops[at] for at in _bits(node.open)), reverse=True)
        count = 0
        while missing > 0 and count < len(tops):
            missing -= tops[count]
            count += 1
        return max(count, 1)

    def _is_spent(self) -> bool:
        return self._nodes > MOST_NODES or self._work > MOST_WORK

    # -- complete choices

    def _consider(self, node: _Node) -> None:
        total = sum(node.state.cells)
        payable = max(0, math.ceil(total - self._margin))
        if self._best is not None and payable > self._best[0][0]:
            return
        if payable != math.ceil(total + self._margin):
            payable = math.ceil(sum(self.replay(node.choice).cells))
        coupons = [self._slots[at].coupon for at, _ in node.choice]
        rank = (
            payable,
            -node.gift_fen,
            len(coupons),
            tuple(sorted(preference(coupon)[:2] for coupon in coupons)),
            tuple(sorted(coupon.key for coupon in coupons)),
        )
        if self._best is None or rank < self._best[0]:
            self._best = (rank, node.choice)

    def replay(self, choice: Choice) -> State[Fraction]:
        """What a choice leaves, counted exactly."""
        state = self._exact.start()
        for at, units in choice:
            self._exact.reduce(self._slots[at], state, units)
        return state

    def _try(self, ats: Sequence[int]) -> None:
        """Consider a set of coupons as it stands, so that the search starts with something to beat."""
        node = _Node(self._start, sum(1 << at for at in ats))
        while node.open:
            at = (node.open & -node.open).bit_length() - 1
            units = next(iter(self._units(at, node)), None)
            if units is None:
                node.open &= ~(1 << at)
            else:
                node = self._use(at, units, node)
        self._consider(node)

    def _greedy(self, allowed: int) -> list[int]:
        """In each group the template that is worth most on the untouched basket."""
        groups: dict[str, dict[str, list[int]]] = {}
        for at in _bits(allowed & ~self._dropped):
            group = groups.setdefault(self._slots[at].coupon.stacking_group, {})
            group.setdefault(self._templates[at], []).append(at)
        best = [max(group.values(), key=self._top) for group in groups.values()]
        return sorted(at for ats in best for at in ats)

    def _top(self, ats: Sequence[int]) -> float:
        return sum(self._tops[at] for at in ats)

    # -- what stands against what

    def _mask(self, at: int, relation: Callable[[int, int], bool]) -> int:
        return sum(1 << other for other in range(len(self._slots)) if other != at and relation(at, other))

    def _is_rival(self, at: int, other: int) -> bool:
        same_group = self._slots[at].coupon.stacking_group == self._slots[other].coupon.stacking_group
        return same_group and self._templates[at] != self._templates[other]

    def _overlap(self, at: int, other: int) -> bool:
        mine, theirs = self._slots[at], self._slots[other]
        return mine.takes_units and theirs.takes_units and not set(mine.lines).isdisjoint(theirs.lines)

    def _collapse(self) -> int:
        """Coupons that differ in key and date only: one comes after the other, or not at all. Returns those that can
        never be used because enough others come before them."""
        dropped = 0
        for at, slot in enumerate(self._slots):
            coupon = slot.coupon
            mates = [other for other in range(len(self._slots)) if self._is_twin(at, other)]
            room = coupon.max_per_order if coupon.template_key else 1
            if room > 1 and not self._is_uniform(at):
                continue
            before = mates.index(at)
            if before >= room:
                dropped |= 1 << at
            self._followers[at] = sum(1 << other for other in mates[before + 1 :])
        return dropped

    def _is_twin(self, at: int, other: int) -> bool:
        return self._terms[at] == self._terms[other]

    def _is_uniform(self, at: int) -> bool:
        """Whether all coupons of its template are its twins; else which of them is used moves the others' turn."""
        template = self._templates[at]
        return all(self._is_twin(at, other) for other, name in enumerate(self._templates) if name == template)


def _quotient(above: int, below: int) -> float:
    return above / below


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
