"""From the chosen coupons to fen: the chain in fractions, points, and the share of each coupon on each line."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

from core.shares import split
from coupons.contracts import BasketLine, CouponShare, PointsTerms, PricedLine, PricedPoints
from coupons.services.pricing_chain import Chain, Slot, State
from coupons.services.pricing_input import ONE
from coupons.services.pricing_rounding import round_table


@dataclasses.dataclass(frozen=True, slots=True)
class Shares:
    """`off_fen` and `exact_off` are by the coupon's key; `cells` are what coupons left, before points."""

    lines: tuple[PricedLine, ...]
    points: PricedPoints
    off_fen: dict[str, int]
    exact_off: dict[str, Fraction]
    cells: tuple[Fraction, ...]


class _Table:
    """Lines × (coupons, points, payable) in fractions. Where a whole cell shrank, each of its lines shrank by the same
    share of what coupons for units had left of it."""

    def __init__(self, lines: Sequence[BasketLine], cell_of: Sequence[int]) -> None:
        self._cell_of = cell_of
        self.rows: list[dict[int, Fraction]] = [{} for _ in lines]
        self.sums: list[Fraction] = []
        self._left = [Fraction(line.amount_fen) for line in lines]

    def add_lines(self, offs: Sequence[tuple[int, Fraction]]) -> None:
        for line, off in offs:
            if off:
                self.rows[line][len(self.sums)] = off
                self._left[line] -= off
        self.sums.append(sum((off for _, off in offs), start=Fraction()))

    def add_cells(self, offs: Sequence[Fraction], bases: Sequence[Fraction]) -> None:
        shares = [off / base if off else off for off, base in zip(offs, bases, strict=True)]
        for line, cell in enumerate(self._cell_of):
            if shares[cell] and self._left[line]:
                self.rows[line][len(self.sums)] = self._left[line] * shares[cell]
        self.sums.append(sum(offs, start=Fraction()))


def share_out(
    *,
    lines: Sequence[BasketLine],
    cell_of: Sequence[int],
    slots: Sequence[tuple[Slot, int]],
    points: PointsTerms | None,
    use_points: bool,
) -> Shares:
    """Every fen of the basket on its line and under what pays it: a coupon, points, or money."""
    chain = Chain(Fraction, lines, cell_of)
    state, table = chain.start(), _Table(lines, cell_of)
    columns: list[str] = []
    bases = state.cells.copy()
    for slot, units in slots:
        if slot.coupon.kind == "gift":
            continue
        columns.append(slot.coupon.key)
        before = state.cells.copy()
        if slot.takes_units:
            table.add_lines(chain.take(slot, state, units))
            bases = state.cells.copy()
        else:
            chain.reduce(slot, state, units)
            table.add_cells([old - new for old, new in zip(before, state.cells, strict=True)], bases)
    cells = tuple(state.cells)
    priced_points = _pay_with_points(lines, cell_of, state, points, use_points)
    table.add_cells([old - new for old, new in zip(cells, state.cells, strict=True)], bases)
    table.add_cells(state.cells, bases)
    rounded = round_table(rows=table.rows, sums=table.sums)
    return Shares(
        lines=_lines(lines, columns, rounded, priced_points.points),
        points=priced_points,
        off_fen={key: sum(row.get(at, 0) for row in rounded) for at, key in enumerate(columns)},
        exact_off=dict(zip(columns, table.sums, strict=False)),
        cells=cells,
    )


def _pay_with_points(
    lines: Sequence[BasketLine],
    cell_of: Sequence[int],
    state: State[Fraction],
    points: PointsTerms | None,
    use_points: bool,
) -> PricedPoints:
    """As many whole steps as balance, limit and share allow. The state changes when they are used."""
    if points is None:
        return PricedPoints()
    open_cells = sorted({cell for line, cell in zip(lines, cell_of, strict=True) if line.is_discountable})
    left = sum((state.cells[cell] for cell in open_cells), start=Fraction())
    most = points.balance if points.max_points is None else min(points.balance, points.max_points)
    payable_by_points = left * points.max_share_bp // ONE
    steps = min(most // points.step, payable_by_points // points.fen_per_step)
    off_fen = steps * points.fen_per_step
    if not use_points or not steps:
        return PricedPoints(most_points=steps * points.step, most_off_fen=off_fen)
    for cell in open_cells:
        state.cells[cell] *= 1 - off_fen / left
    return PricedPoints(steps * points.step, off_fen, steps * points.step, off_fen)


def _lines(
    lines: Sequence[BasketLine], columns: Sequence[str], rounded: Sequence[dict[int, int]], points: int
) -> tuple[PricedLine, ...]:
    by_points = len(columns)
    points_of = split(amount=points, weights=[row.get(by_points, 0) for row in rounded])
    return tuple(
        PricedLine(
            key=line.key,
            quantity=line.quantity,
            amount_fen=line.amount_fen,
            coupon_shares=tuple(CouponShare(key, row[at]) for at, key in enumerate(columns) if row.get(at)),
            points=points_of[number],
            points_fen=row.get(by_points, 0),
            payable_fen=row.get(by_points + 1, 0),
        )
        for number, (line, row) in enumerate(zip(lines, rounded, strict=True))
    )
