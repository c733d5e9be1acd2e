"""Basket pricing against trying every legal set of coupons.

The floor applies each set to the basket in plain floats and keeps the cheapest: no bounds, no shares on lines, no
explanation, nothing rounded. Ours is the whole answer. Both must name the same price. Two baskets: 20 lines with 10
coupons in 6 groups, as a till sends them, and 200 lines with 20 coupons in 7 groups. Runs in a process of its own.
"""

import itertools
import json
import math
import statistics
import subprocess
import sys
import time
from typing import Any, Final

from django.conf import settings

from bench.figures import ROOT, Figure, Report, at_most
from coupons.contracts import BasketLine, CouponTerms
from coupons.services import price_basket
from coupons.services.pricing_chain import Chain, Slot
from coupons.services.pricing_terms import prepare

# name, lines, coupons, groups, rounds, most of the floor's time
_BASKETS: Final = (("20 lines, 10 coupons", 20, 10, 6, 9, 1.0), ("200 lines, 20 coupons", 200, 20, 7, 5, 0.1))


def bench() -> Report:
    """Time both on both baskets. Raises RuntimeError when the prices differ or the search was not complete."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.pricing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures: list[Figure] = []
    measured = json.loads(done.stdout)
    for (name, *_, limit), times in zip(_BASKETS, measured, strict=True):
        ratios = [our / floor for floor, our in zip(times["floor"], times["ours"], strict=True)]
        figures.append(
            at_most(f"pricing {name}, µs", _micro(times["floor"]), _micro(times["ours"]), ratios, limit)
        )
    notes = tuple(
        f"{name}: {times['sets']:,} legal sets" for (name, *_), times in zip(_BASKETS, measured, strict=True)
    )
    return Report(tuple(figures), notes, measured)


def _micro(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e6:,.0f}"


def _measure(line_count: int, coupon_count: int, group_count: int, rounds: int) -> dict[str, Any]:
    lines, coupons = _basket(line_count, coupon_count, group_count)
    floors, ours, sets = [], [], 0
    for _ in range(rounds):
        began = time.process_time()
        cheapest, sets = _try_all(lines, coupons)
        floors.append(time.process_time() - began)
        began = time.process_time()
        basket = price_basket(lines=lines, coupons=coupons)
        ours.append(time.process_time() - began)
        if not basket.is_exact or basket.payable_fen != math.ceil(cheapest - 1e-4):
            raise RuntimeError(f"the prices differ: {basket.payable_fen} and {cheapest}")
    return {"floor": floors, "ours": ours, "sets": sets}


def _basket(
    line_count: int, coupon_count: int, group_count: int
) -> tuple[list[BasketLine], list[CouponTerms]]:
    lines = [
        BasketLine(f"{n:03}", f"p{n}", ("all", f"c{n % 8}"), 1_990 + 700 * (n * 37 % 50), 1 + n % 3)
        for n in range(line_count)
    ]
    coupons = [
        CouponTerms(
            key=f"{n:02}",
            name=f"{n}",
            kind="percent" if n % 2 else "cash_off",
            off_fen=1_500 + 111 * n,
            rate_bp=9_700 - 90 * n,
            min_spend_fen=5_000,
            include_categories=frozenset({f"c{n % 8}", f"c{n * 3 % 8}", f"c{n * 5 % 8}"})
            if n % 3
            else frozenset(),
            stacking_group=f"g{n % group_count}",
        )
        for n in range(coupon_count)
    ]
    return lines, coupons


def _try_all(lines: list[BasketLine], coupons: list[CouponTerms]) -> tuple[float, int]:
    prepared = prepare(lines=lines, coupons=coupons)
    chain = Chain[float](lambda above, below: above / below, lines, prepared.cell_of)
    groups: dict[str, list[Slot | None]] = {}
    for slot in prepared.slots:
        groups.setdefault(slot.coupon.stacking_group, [None]).append(slot)
    place = {slot.coupon.key: at for at, slot in enumerate(prepared.slots)}
    cheapest, sets = math.inf, 0
    for picked in itertools.product(*groups.values()):
        state = chain.start()
        used = [slot for slot in picked if slot is not None]
        for slot in sorted(used, key=lambda slot: place[slot.coupon.key]):
            chain.reduce(slot, state, 0)
        cheapest = min(cheapest, sum(state.cells))
        sets += 1
    return cheapest, sets


if __name__ == "__main__":
    settings.configure(USE_I18N=False)
    print(json.dumps([_measure(*shape) for _, *shape, _ in _BASKETS]))
