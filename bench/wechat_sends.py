"""P10: template messages through the gateway against a bare keep-alive loop with the same client library on the same stub,
and the rate that two processes hold together when the limit is 200 a second.

WeChat is not at hand in no time, so the target is judged with a stub that answers after BENCH_LATENCY_MS (10), less than any
answer over the internet takes; beside it stands what is left of it when the stub answers at once and only the processor
counts.
"""

import concurrent.futures
import contextlib
import os
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Final

from bench.figures import ROOT, Figure, Report, at_most, spread
from bench.private import Private, private_database

TARGET: Final = 1.15
RATE: Final = 200
RATE_SLACK: Final = 0.05
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
COUNT: Final = int(os.environ.get("BENCH_SENDS") or 6_400)
LATENCY_MS: Final = int(os.environ.get("BENCH_LATENCY_MS") or 10)
RATE_S: Final = 10
THREADS: Final = 16

_ACCOUNT: Final = """
import django; django.setup()
from core import clock
from wechat.models import Account
from wechat.services import lanes
account = Account.objects.create(slug="bench", name="bench", app_id="wxbench", original_id="gh", app_secret="s" * 32,
                                 push_token="token", aes_key="A" * 43)
lanes.open_lane(account_id=account.pk, channel="template", at=clock.now())
print(account.pk)
"""


def bench() -> Report:
    """Rounds in turns with the floor, then the rate. Raises RuntimeError when a message was not sent."""
    with private_database() as private:
        private.job(_ACCOUNT)
        private.connection.execute("UPDATE wechat_sendlane SET rate_per_s = 5000")
        slow = _against_floor(private, LATENCY_MS)
        bare = _against_floor(private, 0)
        private.connection.execute("UPDATE wechat_sendlane SET rate_per_s = %s", (RATE,))
        achieved = [_rate(private) for _ in range(3)]
    return _report(slow, bare, achieved)


def _against_floor(private: Private, latency_ms: int) -> dict[str, list[tuple[float, float]]]:
    """Messages a second and processor's milliseconds a message, of floor and ours, round by round."""
    found: dict[str, list[tuple[float, float]]] = {"floor": [], "ours": []}
    with stub(latency_ms) as (base_url, _count_posts):
        private.environment["WECHAT_BASE_URL"] = base_url
        for number in range(ROUNDS):
            for kind in ("floor", "ours") if number % 2 == 0 else ("ours", "floor"):
                seconds, sent, busy_s = _senders(private, kind, COUNT)
                if sent != COUNT:
                    raise RuntimeError(f"{kind}: {sent:.0f} of {COUNT} sent")
                found[kind].append((COUNT / seconds, busy_s / COUNT * 1000))
            print(
                f"  round {number + 1} of {ROUNDS}, {latency_ms} ms: floor {found['floor'][-1][0]:,.0f}/s, "
                f"ours {found['ours'][-1][0]:,.0f}/s",
                flush=True,
            )
    return found


def _senders(private: Private, kind: str, amount: int) -> tuple[float, ...]:
    command = (sys.executable, "-m", "bench.wechat_senders", kind, str(amount), str(THREADS))
    return tuple(float(word) for word in private.run(*command).split())


def _rate(private: Private) -> float:
    """Messages a second that arrive when two processes send as fast as they may."""
    with stub(LATENCY_MS) as (base_url, count_posts), concurrent.futures.ThreadPoolExecutor(2) as pool:
        private.environment["WECHAT_BASE_URL"] = base_url
        halves = list(pool.map(lambda _: _senders(private, "rate", RATE_S), range(2)))
        sent = sum(half[1] for half in halves)
        if count_posts() < sent:
            raise RuntimeError("fewer arrived than were sent")
    return sent / statistics.mean(half[0] for half in halves)


@contextlib.contextmanager
def stub(latency_ms: int) -> Iterator[tuple[str, Callable[[], int]]]:
    """The stub's address, and how many messages it has had."""
    command = [sys.executable, "-m", "bench.wechat_stub", str(latency_ms)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        base_url = f"http://127.0.0.1:{process.stdout.readline().strip()}"

        def count_posts() -> int:
            with urllib.request.urlopen(f"{base_url}/count") as answer:
                return int(answer.read())

        yield base_url, count_posts
    finally:
        process.terminate()
        process.wait(5)


def _report(
    slow: dict[str, list[tuple[float, float]]],
    bare: dict[str, list[tuple[float, float]]],
    achieved: list[float],
) -> Report:
    figures = [
        _speed(f"P10 template messages a second, answers after {LATENCY_MS} ms", slow, TARGET),
        _speed("P10 the same, answers at once", bare, None),
        Figure(
            "P10 processor a message, ms",
            spread([busy for _rate_, busy in bare["floor"]], 2),
            spread([busy for _rate_, busy in bare["ours"]], 2),
        ),
    ]
    rate = statistics.median(achieved)
    off = abs(rate - RATE) / RATE
    figures.append(
        Figure(
            "P10 a second at a limit of 200, two processes",
            f"{RATE}",
            spread(achieved, 1),
            rate / RATE,
            f"± {RATE_SLACK:.0%}",
            off <= RATE_SLACK,
        )
    )
    notes = (
        f"{COUNT} messages a round on {THREADS} threads, {ROUNDS} rounds in turns; chunks of 500, permits in handfuls of 50",
    )
    return Report(tuple(figures), notes, {"slow": slow, "bare": bare, "achieved": achieved})


def _speed(name: str, found: dict[str, list[tuple[float, float]]], target: float | None) -> Figure:
    floors, ours = [rate for rate, _ in found["floor"]], [rate for rate, _ in found["ours"]]
    values = [floor / our for floor, our in zip(floors, ours, strict=True)]
    if target is None:
        return Figure(name, spread(floors), spread(ours), statistics.median(values))
    return at_most(name, spread(floors), spread(ours), values, target)
