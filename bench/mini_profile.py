"""P13: the mini-program's profile endpoint against a bare Django view with one query, same run, same server.

Both run in one granian process behind the same middlewares. The endpoint checks a bearer token, counts the request
in Redis, reads the member and writes the answer; the floor reads one row by its key. Beside those who ask there are as
many other members, each with a device and its tokens, as BENCH_MEMBERS_COUNT says (50,000 unless it is set; P13 speaks of
a million). BENCH_ROUNDS and BENCH_REQUESTS set how long it runs.
"""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
from typing import Any, Final

from bench.figures import ROOT, Figure, Report, at_most, ratios, spread
from bench.load import Outcome
from bench.servers import THREADS, Servers, running_servers

TARGET: Final = 4.0
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 7)
REQUESTS: Final = int(os.environ.get("BENCH_REQUESTS") or 2_000)
MEMBERS: Final = 200  # who ask, in turns
OTHERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT") or 50_000)
CONNECTIONS: Final = 16
FLOOR: Final = "/bench/one-query/"
ENDPOINT: Final = "/api/mini/v1/profile"
_WARM_UP: Final = 400


def bench() -> Report:
    """Run all rounds. Raises RuntimeError when a request was refused."""
    with running_servers() as servers:
        told: dict[str, Any] = json.loads(
            servers.run(sys.executable, "-m", "bench.mini_profile_seed", str(MEMBERS), str(OTHERS))
        )
        servers.environment["DJANGO_SETTINGS_MODULE"] = "bench.mini_profile_settings"
        servers.start_granian("web", "bench.django_view:application")
        paths = (FLOOR, ENDPOINT)
        for path in paths:
            _load(servers, path, told["tokens"], _WARM_UP)
        rounds: dict[str, list[Outcome]] = {path: [] for path in paths}
        for number in range(ROUNDS):
            for path in paths if number % 2 else reversed(paths):
                rounds[path].append(_load(servers, path, told["tokens"], REQUESTS))
    return _report(rounds)


def _load(servers: Servers, path: str, tokens: list[str], count: int) -> Outcome:
    order = {
        "port": servers.ports["web"],
        "path": path,
        "tokens": tokens,
        "count": count,
        "connections": CONNECTIONS,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.mini_profile_load"],
        input=json.dumps(order),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed:\n{done.stderr}")
    outcome = Outcome(**json.loads(done.stdout))
    if outcome.refused_count:
        raise RuntimeError(f"{path}: {outcome.refused_count} refused")
    return outcome


def _report(rounds: dict[str, list[Outcome]]) -> Report:
    rate = {path: [one.rate for one in some] for path, some in rounds.items()}
    p50 = {path: [one.p50_ms for one in some] for path, some in rounds.items()}
    figures = (
        at_most(
            "P13 mini-program profile: requests/s",
            spread(rate[FLOOR]),
            spread(rate[ENDPOINT]),
            ratios(rate[FLOOR], rate[ENDPOINT]),
            TARGET,
        ),
        Figure(
            "mini-program profile: p50 ms",
            spread(p50[FLOOR], 1),
            spread(p50[ENDPOINT], 1),
            statistics.median(ratios(p50[ENDPOINT], p50[FLOOR])),
        ),
    )
    notes = (
        f"median of {ROUNDS} interleaved rounds of {REQUESTS:,} requests (least–greatest), {CONNECTIONS} keep-alive "
        f"connections, {MEMBERS} members beside {OTHERS:,} others, one worker process with {THREADS} threads; floor: a "
        "Django view that reads "
        "one row behind the same middlewares",
    )
    measured = {path: [dataclasses.asdict(one) for one in some] for path, some in rounds.items()}
    return Report(figures, notes, measured)
