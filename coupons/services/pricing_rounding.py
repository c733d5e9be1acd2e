"""Controlled rounding: a table of fractions whose rows are whole becomes a table of whole numbers.

Every entry becomes its floor or its ceiling, every row keeps its sum, every column's sum becomes the floor or the ceiling
of what it was, and the last column's its ceiling. Such a table exists: read an entry as the flow from its row to its
column. The fractional table is a flow within these bounds, so the flows form a polytope that is not empty, and with
whole bounds all its corners are whole. The last column's sum over the polytope is greatest at a corner, where it is a
whole number not below what it was: its ceiling.

It is found by giving each row its missing fen where the remainders are largest, and then moving fen along paths that
alternate between entries without and with one, as in bipartite matching.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

Row = Mapping[int, Fraction]
_NOWHERE: Final = -1


def round_table(*, rows: Sequence[Row], sums: Sequence[Fraction]) -> list[dict[int, int]]:
    """Round the rows (column → entry) together. `sums` are the columns' exact sums, in the order of the columns."""
    whole = [{column: entry.numerator // entry.denominator for column, entry in row.items()} for row in rows]
    rests = [
        {
            column: entry.numerator % entry.denominator / entry.denominator
            for column, entry in row.items()
            if entry.denominator != 1
        }
        for row in rows
    ]
    settled = [sum(row.get(column, 0) for row in whole) for column in range(len(sums))]
    most = [-(-total.numerator // total.denominator) - got for total, got in zip(sums, settled, strict=True)]
    least = [total.numerator // total.denominator - got for total, got in zip(sums, settled, strict=True)]
    least[-1] = most[-1]
    missing = [round(sum(row.values())) for row in rests]  # whole but for the error of a few floats
    for at, columns in enumerate(_Deal(rests, missing, least, most).run()):
        for column in columns:
            whole[at][column] += 1
    return whole


class _Deal:
    """Which entries are rounded up: `missing` of each row, from `least` to `most` of each column."""

    def __init__(
        self,
        rests: Sequence[Mapping[int, float]],
        missing: list[int],
        least: Sequence[int],
        most: Sequence[int],
    ) -> None:
        self._rests, self._missing, self._least, self._most = rests, missing, least, most
        self._up: list[set[int]] = [set() for _ in rests]
        self._rows_of: list[list[int]] = [[] for _ in most]
        self._count = [0] * len(most)
        for row, entries in enumerate(rests):
            for column in entries:
                self._rows_of[column].append(row)

    def run(self) -> list[set[int]]:
        by_rest = sorted(
            (-rest, row, column) for row, rests in enumerate(self._rests) for column, rest in rests.items()
        )
        for _, row, column in by_rest:
            if self._missing[row] and self._count[column] < self._most[column]:
                self._raise(row, column)
        for row in range(len(self._rests)):
            while self._missing[row]:
                self._place(row)
        for column, least in enumerate(self._least):
            while self._count[column] < least:
                self._shift(column, lambda other: self._count[other] > self._least[other])
        return self._up

    def _raise(self, row: int, column: int) -> None:
        self._up[row].add(column)
        self._count[column] += 1
        self._missing[row] -= 1

    def _place(self, row: int) -> None:
        """One more fen for the row; a full column is first relieved by another that has room."""
        free = [column for column in sorted(self._rests[row]) if column not in self._up[row]]
        column = next((column for column in free if self._count[column] < self._most[column]), _NOWHERE)
        if column == _NOWHERE:
            column = self._relieve(free)
        self._raise(row, column)

    def _relieve(self, columns: Sequence[int]) -> int:
        """Move one fen out of one of the full columns, to wherever a path leads to room; returns that column."""
        came: dict[int, tuple[int, int]] = dict.fromkeys(columns, (_NOWHERE, _NOWHERE))
        queue = deque(columns)
        while queue:
            column = queue.popleft()
            for row in self._rows_of[column]:
                if column not in self._up[row]:
                    continue
                for other in self._rests[row]:
                    if other in came or other in self._up[row]:
                        continue
                    came[other] = (row, column)
                    if self._count[other] < self._most[other]:
                        return self._move_along(other, came)
                    queue.append(other)
        raise ArithmeticError("a table whose rows are whole can always be rounded")

    def _move_along(self, column: int, came: Mapping[int, tuple[int, int]]) -> int:
        self._count[column] += 1
        while True:
            row, before = came[column]
            if row == _NOWHERE:
                self._count[column] -= 1
                return column
            self._up[row].add(column)
            self._up[row].discard(before)
            column = before

    def _shift(self, column: int, may_give: Callable[[int], bool]) -> None:
        """One fen into the column, out of the nearest one that may give."""
        came: dict[int, tuple[int, int]] = {column: (_NOWHERE, _NOWHERE)}
        queue = deque([column])
        while queue:
            at = queue.popleft()
            for row in self._rows_of[at]:
                if at in self._up[row]:
                    continue
                for other in sorted(self._up[row]):
                    if other in came:
                        continue
                    came[other] = (row, at)
                    if may_give(other):
                        self._give_along(other, came)
                        return
                    queue.append(other)
        raise ArithmeticError("a table whose rows are whole can always be rounded")

    def _give_along(self, column: int, came: Mapping[int, tuple[int, int]]) -> None:
        self._count[column] -= 1
        while True:
            row, after = came[column]
            if row == _NOWHERE:
                self._count[column] += 1
                return
            self._up[row].discard(column)
            self._up[row].add(after)
            column = after
