"""Basket pricing against trying every legal set of coupons.

The floor applies each set to the basket in plain floats and keeps the cheapest: no bounds, no shares on lines, no
explanation, nothing rounded. Ours is the whole answer. Both must name the same price. Two baskets: 20 lines with 10
coupons in 6 groups, as a till sends them, and 200 lines with 20 coupons in 7 groups. Runs in a process of its own.
"""

import json
import os
import statistics
import subprocess
import sys
from typing import Final

from bench.figures import ROOT, Figure, Report, at_most
from bench.servers import settings_module

# name, lines, coupons, groups, rounds, most of the floor's time
_BASKETS: Final = (("20 lines, 10 coupons", 20, 10, 6, 9, 1.0), ("200 lines, 20 coupons", 200, 20, 7, 5, 0.1))


def bench() -> Report:
    """Time both on both baskets. Raises RuntimeError when the prices differ or the search was not complete."""
    shapes = json.dumps([shape for _name, *shape, _limit in _BASKETS])
    done = subprocess.run(
        [sys.executable, "-m", "bench.pricing_load", shapes],
        cwd=ROOT, env=os.environ | {"DJANGO_SETTINGS_MODULE": settings_module()}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
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
