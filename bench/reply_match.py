"""Which of 2,000 reply rules answers a message, against one pass of `in` over the same keywords.

Ours names the winner by specificity, length, priority, age and validity; the floor only whether any word is there. For
patterns the floor is a bare loop over the same compiled expressions. Runs in a process of its own, without a database.
"""

import json
import os
import statistics
import subprocess
import sys
from typing import Final

from bench.figures import ROOT, Figure, Report, at_most
from bench.servers import settings_module

_LIMITS: Final = {
    "keywords, 20 characters": 1.0,
    "keywords, 2,000 characters": 1.0,
    "patterns, 20 characters": 1.5,
}


def bench() -> Report:
    """Time all three. Raises RuntimeError when the process fails."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.reply_match_load"],
        cwd=ROOT, env=os.environ | {"DJANGO_SETTINGS_MODULE": settings_module()}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    measured: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    figures: list[Figure] = []
    for name, limit in _LIMITS.items():
        times = measured[name]
        shares = [our / floor for floor, our in zip(times["floor"], times["ours"], strict=True)]
        figures.append(
            at_most(
                f"2,000 replies, {name}, ms", _millis(times["floor"]), _millis(times["ours"]), shares, limit
            )
        )
    return Report(tuple(figures), measured=measured)


def _millis(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:,.3f}"
