"""`python -m bench [names]`: run the benches named, or all; print one table; keep what was measured.

Exit status 1 when a target is missed, 2 when a bench failed. BENCH_ROUNDS and BENCH_PUSHES shorten or lengthen the
callback's rounds, BENCH_CLAIM_ROUNDS, BENCH_CLAIM_CALLS, BENCH_REDEEM_ROUNDS and BENCH_REDEEM_CALLS those of the
coupons. BENCH_ACCOUNTS_COUNT sets the size of the points bench, BENCH_COUPONS_COUNT of the bulk issue (1000000 is the
target's), BENCH_MEMBERS_COUNT of those of tiers and of the import; BENCH_FULL=1 includes the slow part of demo_start.
"""

import importlib
import os
import signal
import sys
import time
from types import FrameType
from typing import Final

from bench.figures import ROOT, Figure, Report, table

NAMES: Final = (
    "callback",
    "scan_to_greeted",
    "points_expiry",
    "tier_reassessment",
    "pricing",
    "mini_profile",
    "member_360",
    "member_import",
    "coupon_claim",
    "coupon_issue",
    "coupon_redeem",
    "demo_start",
)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"No bench is called {', '.join(unknown)}. There are: {', '.join(NAMES)}")
        return 2
    signal.signal(signal.SIGTERM, _end)  # so that engines and processes are stopped too
    if names:
        os.environ["BENCH_FULL"] = "1"
    figures: list[Figure] = []
    notes: list[str] = []
    has_failed = False
    for name in names or NAMES:
        started = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            report = _run(name)
        except Exception as error:
            has_failed = True
            print(f"{name} failed: {type(error).__name__}: {error}", flush=True)
            continue
        report.save(ROOT / "var" / "bench" / f"{name}.json")
        figures += report.figures
        notes += [f"{name}: {note}" for note in report.notes]
        print(f"{name} took {time.monotonic() - started:.0f} s", flush=True)
    if figures:
        print(f"\n{table(figures)}\n")
    print("\n".join(notes))
    if has_failed:
        return 2
    return 1 if any(figure.is_met is False for figure in figures) else 0


def _run(name: str) -> Report:
    report: Report = importlib.import_module(f"bench.{name}").bench()
    return report


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
