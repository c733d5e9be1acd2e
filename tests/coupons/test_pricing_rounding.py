"""Tables of fractions rounded together."""

import math
from fractions import Fraction

from hypothesis import event, given, settings
from hypothesis import strategies as st

from coupons.services.pricing_rounding import round_table


@st.composite
def tables(draw: st.DrawFn) -> list[list[Fraction]]:
    """Rows whose sums are whole; the last column makes them so. Small denominators make many equal remainders, which
    is where giving the fen to the largest alone ends in a corner."""
    columns, below = draw(st.integers(1, 5)), draw(st.sampled_from((2, 3, 4, 7, 60)))
    rows = []
    for _ in range(draw(st.integers(1, 7))):
        row = [Fraction(draw(st.integers(0, 2 * below)), below) for _ in range(columns)]
        rows.append([*row, -sum(row, start=Fraction()) % 1])
    return rows


@settings(max_examples=600, deadline=None)
@given(tables())
def test_entries_rows_and_columns_are_all_rounded_to_a_neighbour(table: list[list[Fraction]]) -> None:
    sums = [sum(column, start=Fraction()) for column in zip(*table, strict=True)]
    rounded = round_table(rows=[dict(enumerate(row)) for row in table], sums=sums)
    for row, got in zip(table, rounded, strict=True):
        assert sum(got.values()) == sum(row)
        assert all(math.floor(entry) <= got[at] <= math.ceil(entry) for at, entry in enumerate(row))
    for at, exact in enumerate(sums):
        total = sum(got[at] for got in rounded)
        assert math.floor(exact) <= total <= math.ceil(exact)
    assert sum(got[len(sums) - 1] for got in rounded) == math.ceil(sums[-1])
    event("whole" if sums[-1].denominator == 1 else "rounded up")


def test_the_largest_remainders_are_rounded_up() -> None:
    tenth = Fraction(1, 10)
    rows = [{0: 3 * tenth, 1: 7 * tenth}, {0: 6 * tenth, 1: 4 * tenth}, {0: 1 * tenth, 1: 9 * tenth}]
    rounded = round_table(rows=rows, sums=[Fraction(1), Fraction(2)])
    assert rounded == [{0: 0, 1: 1}, {0: 1, 1: 0}, {0: 0, 1: 1}]
