"""P1: pushes taken a second, each committed, against a bare wechatpy app with the same insert on the same server.

All servers run at once and are loaded in turn, the order turning with the round, so that whatever else the machine
does falls on all of them. Ratios are taken within a round; the median of the rounds counts.
"""

import dataclasses
import os
import statistics
from typing import Final

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.load import Order, Outcome, send
from bench.servers import THREADS, Servers, running_servers

TARGET: Final = 1.3
MODES: Final = ("plain", "safe")
FLOOR: Final = "floor"
MOUNT: Final = "mount"
VIEW: Final = "view"
GUNICORN: Final = "gunicorn"
SERVERS: Final = (FLOOR, MOUNT, VIEW, GUNICORN)
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 7)
PUSHES: Final = int(os.environ.get("BENCH_PUSHES") or 2_000)
CONNECTIONS: Final = 16
_WARM_UP: Final = 400


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """One server under one mode's load, once."""

    server: str
    mode: str
    outcome: Outcome
    cpu_ms: float  # of the web server, a push


def bench() -> Report:
    """Run all rounds. Raises RuntimeError when a server refused or lost a push."""
    with running_servers() as servers:
        servers.start_granian(FLOOR, "bench.floor_callback:application")
        servers.start_granian(MOUNT, "config.wsgi:application")
        servers.start_granian(VIEW, "bench.django_view:application")
        servers.start_gunicorn(GUNICORN, "config.wsgi:application")
        series = iter(range(1, 100_000))
        for server in SERVERS:
            for mode in MODES:
                _load(servers, server, mode, next(series), _WARM_UP)
        ceiling = _echo(servers, next(series))
        rounds = [
            _load(servers, server, mode, next(series), PUSHES)
            for number in range(ROUNDS)
            for mode in MODES
            for server in SERVERS[number % 4 :] + SERVERS[: number % 4]
        ]
    return _report(rounds, ceiling)


def _order(servers: Servers, server: str, mode: str, path: str, series: int, count: int) -> Order:
    app_id = servers.accounts[mode]["app_id"]
    return Order(servers.ports[server], path, mode, app_id, count, CONNECTIONS, series)


def _load(servers: Servers, server: str, mode: str, series: int, count: int) -> Round:
    servers.clear()
    before = servers.cpu_seconds(server)
    outcome = send(_order(servers, server, mode, f"/wechat/callback/{mode}/", series, count))
    cpu_ms = (servers.cpu_seconds(server) - before) / count * 1000
    stored = servers.stored_count()
    if outcome.refused_count or stored != count:
        raise RuntimeError(f"{server}, {mode}: {outcome.refused_count} refused, {stored} of {count} stored")
    return Round(server, mode, outcome, cpu_ms)


def _echo(servers: Servers, series: int) -> Outcome:
    """What the load generator and the server reach when nothing is done with a push."""
    return send(_order(servers, FLOOR, "safe", "/echo/", series, PUSHES * 2))


def _report(rounds: list[Round], ceiling: Outcome) -> Report:
    figures: list[Figure] = []
    for mode in MODES:
        figures += _of_mode(
            mode, {name: [r for r in rounds if (r.server, r.mode) == (name, mode)] for name in SERVERS}
        )
    busiest = max(r.outcome.busy for r in rounds)
    figures.append(
        Figure(
            "load generator: echo/s, busy share at most",
            f"{ceiling.rate:,.0f}/s",
            f"{busiest:.2f}",
            None,
            "< 0.8",
            busiest < 0.8,
        )
    )
    notes = (
        f"median of {ROUNDS} interleaved rounds of {PUSHES:,} unique pushes (least–greatest), {CONNECTIONS} keep-alive "
        f"connections, one worker process with {THREADS} threads, fsync on; every push committed before its answer",
    )
    return Report(tuple(figures), notes, [dataclasses.asdict(r) for r in rounds])


def _of_mode(mode: str, by: dict[str, list[Round]]) -> list[Figure]:
    rate = {name: [r.outcome.rate for r in some] for name, some in by.items()}
    p50 = {name: [r.outcome.p50_ms for r in some] for name, some in by.items()}
    p99 = {name: [r.outcome.p99_ms for r in some] for name, some in by.items()}
    cpu = {name: [r.cpu_ms for r in some] for name, some in by.items()}

    def compared(
        what: str, low: str, ours: str, values: dict[str, list[float]], *, digits: int, is_rate: bool
    ) -> Figure:
        pairs = (values[low], values[ours]) if is_rate else (values[ours], values[low])
        ratio = statistics.median(ratios(*pairs))
        return Figure(
            f"callback {mode}: {what}", spread(values[low], digits), spread(values[ours], digits), ratio
        )

    return [
        at_most(
            f"callback {mode}: pushes/s",
            spread(rate[FLOOR]),
            spread(rate[MOUNT]),
            ratios(rate[FLOOR], rate[MOUNT]),
            TARGET,
        ),
        compared("p50 ms", FLOOR, MOUNT, p50, digits=1, is_rate=False),
        compared("p99 ms", FLOOR, MOUNT, p99, digits=1, is_rate=False),
        compared("web CPU ms a push", FLOOR, MOUNT, cpu, digits=3, is_rate=False),
        compared("pushes/s, mount against Django view", MOUNT, VIEW, rate, digits=0, is_rate=True),
        compared("pushes/s, granian against gunicorn", MOUNT, GUNICORN, rate, digits=0, is_rate=True),
        compared("p99 ms, granian against gunicorn", MOUNT, GUNICORN, p99, digits=1, is_rate=False),
    ]
