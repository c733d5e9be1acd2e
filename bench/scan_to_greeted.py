"""From a scan in the sandbox to bound and to greeted, through real pushes and real processes.

A scan starts when the request that makes the person scan leaves here. Bound is when PostgreSQL committed her binding
(its own commit timestamps), greeted is when the greeting lay in her chat (the sandbox's clock; all clocks are this
machine's). Nothing is polled while scans are under way. The floor of each scan is its own push: when the
callback had it.
"""

import concurrent.futures
import dataclasses
import datetime as dt
import statistics
import time
from typing import Any, Final

from bench.figures import Figure, Report, percentile
from bench.servers import settings_module, temporary_home
from tests.stack import Stack, running_stack, wait_until
from tests.wechat import push_kit

STEADY: Final = 200
PACE_S: Final = 0.25
BURST: Final = 50
MEDIAN_TARGET_S: Final = 0.3
_SETTLE_S: Final = 120


@dataclasses.dataclass(frozen=True, slots=True)
class Scan:
    """One person's way, in seconds since her scan."""

    stored: float
    bound: float
    queued: float
    greeted: float


def bench() -> Report:
    """Run both parts on one stack. Raises AssertionError when somebody is not bound and greeted once."""
    with (
        temporary_home() as home,
        running_stack(home, durable=True, DJANGO_SETTINGS_MODULE=settings_module()) as stack,
    ):
        _keep_commit_times(stack)
        stack.start_sandbox()
        stack.start_web()
        stack.start_worker()
        urls = wait_until(lambda: _code_urls(stack), within_s=60, what="the codes' tickets")
        _measure(stack, urls, _people(stack, "warm", 10), pace_s=0.1)
        steady = _measure(stack, urls, _people(stack, "steady", STEADY), pace_s=PACE_S)
        burst = _measure(stack, urls, _people(stack, "burst", BURST), pace_s=None)
    pace = f"one every {PACE_S:g} s"
    figures = (
        *_figures(f"{STEADY} scans, {pace}", steady, MEDIAN_TARGET_S),
        *_figures(f"{BURST} scans at once", burst),
    )
    notes = (_stages("steady", steady), _stages("burst", burst))
    measured = {
        "steady": [dataclasses.asdict(s) for s in steady],
        "burst": [dataclasses.asdict(s) for s in burst],
    }
    return Report(figures, notes, measured)


def _keep_commit_times(stack: Stack) -> None:
    stack.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    stack.stop_postgres("fast")
    stack.start_engines()


def _code_urls(stack: Stack) -> list[str]:
    """The guides' codes, once WeChat knows all of them."""
    scenes = set(stack.facts["codes"])
    known = [
        code["url"] for code in stack.sandbox("GET", "/_/codes?limit=100")["codes"] if code["scene"] in scenes
    ]
    return known if len(known) == len(scenes) else []


def _people(stack: Stack, label: str, count: int) -> list[dict[str, Any]]:
    return [stack.person(f"{label}-{number}") for number in range(count)]


def _measure(
    stack: Stack, urls: list[str], people: list[dict[str, Any]], *, pace_s: float | None
) -> list[Scan]:
    """Let everybody scan, in turn or (without a pace) all at once, and read off what came of it."""

    def scan(number: int) -> float:
        if pace_s is not None:
            time.sleep(max(0.0, begin + number * pace_s - time.monotonic()))
        started = time.time()
        stack.scan(people[number], urls[number % len(urls)], wait=False)
        return started

    with concurrent.futures.ThreadPoolExecutor(1 if pace_s is not None else len(people)) as pool:
        begin = time.monotonic()
        starts = list(pool.map(scan, range(len(people))))
    openids = [person["openids"][push_kit.APP_ID] for person in people]
    wait_until(lambda: _unsent_count(stack, openids) == 0, within_s=_SETTLE_S, what="the last greeting")
    rows = {row[0]: row[1:] for row in stack.rows(_MOMENTS, openids)}
    scans = []
    for person, openid, started in zip(people, openids, starts, strict=True):
        stored, bound, queued = (_unix(moment) - started for moment in rows[openid])
        (greeting,) = [bubble for bubble in stack.chat(person) if bubble["side"] == "account"]
        scans.append(Scan(stored, bound, queued, greeting["at"] - started))
    return scans


def _unsent_count(stack: Stack, openids: list[str]) -> int:
    sent = stack.value(
        "SELECT count(*) FROM wechat_outboundmessage WHERE state = 'sent' AND openid = ANY(%s)", openids
    )
    return len(openids) - int(sent)


_MOMENTS: Final = """
SELECT push.openid, push.received_at, pg_xact_commit_timestamp(binding.xmin), message.created_at
FROM wechat_inboundevent AS push
JOIN guides_binding AS binding ON binding.request_key = 'push:' || push.id
JOIN wechat_outboundmessage AS message ON message.reason_key = 'greet:' || push.id
WHERE push.openid = ANY(%s)
"""


def _unix(moment: dt.datetime) -> float:
    return moment.timestamp()


# Figures -------------------------------------------------------------------------------------------------


def _figures(part: str, scans: list[Scan], target_s: float | None = None) -> list[Figure]:
    floor = [scan.stored for scan in scans]
    return [
        _figure(f"{part}: bound, ms", floor, [scan.bound for scan in scans], None),
        _figure(f"{part}: greeted, ms", floor, [scan.greeted for scan in scans], target_s),
    ]


def _figure(name: str, floor: list[float], ours: list[float], target_s: float | None) -> Figure:
    target = "–" if target_s is None else f"median ≤ {target_s * 1000:.0f} ms"
    is_met = None if target_s is None else statistics.median(ours) <= target_s
    return Figure(name, f"stored {_pair(floor)}", _pair(ours), None, target, is_met)


def _pair(values: list[float]) -> str:
    return f"median {statistics.median(values) * 1000:,.0f}, p99 {percentile(values, 0.99) * 1000:,.0f}"


def _stages(part: str, scans: list[Scan]) -> str:
    """Where the time of a scan goes, medians in ms."""
    stages = {
        "scan to stored": [s.stored for s in scans],
        "stored to bound": [s.bound - s.stored for s in scans],
        "bound to greeted": [s.greeted - s.bound for s in scans],
    }
    return f"{part}: " + ", ".join(
        f"{name} {statistics.median(v) * 1000:.0f} ms" for name, v in stages.items()
    )
