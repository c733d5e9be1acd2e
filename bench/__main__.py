"""`python -m bench [names]`: run the benches named, or all; print one table; keep what was measured.

Exit status 1 when a target is missed, 2 when a bench failed. Each bench loads its own data into engines of its own and
deletes them at the end. Sizes and lengths come from the environment:

    BENCH_ROUNDS          rounds, in turns with the floor; medians are printed (callback, mini_profile 7; members' 5)
    BENCH_PUSHES          pushes in a round of callback
    BENCH_REQUESTS        requests in a round of mini_profile
    BENCH_MEMBERS_COUNT   rows of member_import (200,000); members of tier_reassessment, mini_profile and the
                          pages' benches (50,000)
    BENCH_MEMBERS_COUNT   also members of sales_metrics, nine_numbers, segments and contacts (20,000), with five orders each
    BENCH_SEGMENT_ROUNDS  rounds of segments (5)
    BENCH_TRIGGER_ROUNDS  rounds of segment_triggers (15) and order_triggers (9)
    BENCH_MEMBERS_COUNT   also members of campaign_launch (100,000)
    BENCH_RELEASE_COUNT   members that campaign_launch releases (10,000)
    BENCH_LAUNCH_ROUNDS   rounds of campaign_launch (5)
    BENCH_CAMPAIGN_COUNT, BENCH_CAMPAIGN_RATE    members of campaign_sending (8,000), and messages a second (200)
    BENCH_REPORT_ROUNDS   rounds of campaign_report (5), of BENCH_MEMBERS_COUNT members (1,000,000 is the target's)
    BENCH_ACCOUNTS_COUNT  accounts of points_expiry (50,000)
    BENCH_DUE_COUNT       members who are due in journeys (20,000)
    BENCH_ORDERS_COUNT    orders of sales_import and sales_care (20,000; 1,000,000 is the target's)
    BENCH_FACTS_COUNT     facts of sales_facts (20,000)
    BENCH_COUPONS_COUNT   coupons of coupon_issue (1,000,000 is the target's) and coupon_stats
    BENCH_CLAIM_ROUNDS, BENCH_CLAIM_CALLS, BENCH_REDEEM_ROUNDS, BENCH_REDEEM_CALLS    of coupon_claim and coupon_redeem
    BENCH_SALES_ROUNDS, BENCH_SALES_CALLS    rounds of sales_api, and orders of each till in one
    BENCH_ORDERS_COUNT    orders of sales_boards after they grew tenfold (500,000; P5 speaks of 5,000,000)
    BENCH_GUIDES_COUNT    guides of commission (1,000), each with a hundred entries in the month
    BENCH_SENDS, BENCH_LATENCY_MS    messages in a round of wechat_sends (6,400), and the stub's latency (10)
    BENCH_REACHES         reaches in a round of reaches (6,000; 100,000 is the target's, with BENCH_ROUNDS=1)
    BENCH_FOLLOWERS_COUNT, BENCH_SYNC_ROUNDS    followers of follower_sync (100,000), and its rounds (3)
    BENCH_BEHAVIOURS      rows of a half of behaviour (20,000)
    BENCH_FULL=1          with the slow part of demo_start

What P11, P12 and P13 speak of, on a quiet machine (P12 needs some 6 GB of disk; a round of it takes minutes):

    make bench ARGS=member_import
    BENCH_MEMBERS_COUNT=1000000 make bench ARGS=tier_reassessment
    BENCH_ACCOUNTS_COUNT=1000000 make bench ARGS=points_expiry
    BENCH_MEMBERS_COUNT=1000000 make bench ARGS="mini_profile member_360 assistant_pages mini_pages"
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
    "reply_match",
    "scan_to_greeted",
    "points_expiry",
    "tier_reassessment",
    "pricing",
    "mini_profile",
    "member_360",
    "assistant_pages",
    "mini_pages",
    "member_import",
    "sales_import",
    "sales_api",
    "sales_care",
    "sales_facts",
    "coupon_claim",
    "coupon_issue",
    "coupon_stats",
    "coupon_redeem",
    "sales_boards",
    "sales_metrics",
    "nine_numbers",
    "segments",
    "segment_triggers",
    "order_triggers",
    "campaign_launch",
    "campaign_sending",
    "campaign_report",
    "contacts",
    "commission",
    "wechat_sends",
    "reaches",
    "journeys",
    "follower_sync",
    "behaviour",
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
