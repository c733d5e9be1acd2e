"""Both halves of the pricing bench, in a process of their own: prints the times as JSON."""

import itertools
import json
import math
import sys
import time
from typing import Any

import django

django.setup()

from coupons.contracts import BasketLine, CouponTerms  # noqa: E402
from coupons.services import price_basket  # noqa: E402
from coupons.services.pricing_chain import Chain, Slot  # noqa: E402
from coupons.services.pricing_terms import prepare  # noqa: E402


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
    print(json.dumps([_measure(*shape) for shape in json.loads(sys.argv[1])]))
