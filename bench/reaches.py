"""P10 for the reach layer: what is due is sent as a worker sends it, against a bare keep-alive loop with the same client
library on as many threads, on a stub that answers after BENCH_LATENCY_MS (10).

A reach here is one of a topic with the default chain and the default caps, to a member with an official account and a
mini-program: what decides is read, the row marked and settled, the call logged. Queueing is not in the clock; what it costs
stands beside it. `BENCH_REACHES=100000 BENCH_ROUNDS=1` is the hundred thousand of the target, two minutes each way.
"""

import concurrent.futures
import os
import statistics
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from bench.figures import Figure, Report, at_most, spread
from bench.private import FILLER, Private, private_database
from bench.wechat_sends import LATENCY_MS, RATE, RATE_SLACK, TARGET, stub

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
COUNT: Final = int(os.environ.get("BENCH_REACHES") or 6_000)
RATE_S: Final = 10
THREADS: Final = 16

_JOB: Final = "import django; django.setup(); from bench import reach_senders as senders;"
_PEOPLE: Final = (
    """INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
       SELECT id, kind, 'wx' || kind, kind || lpad(id::text, 24, '0'), now(), '{}'
       FROM members_member, unnest(ARRAY['openid', 'mini_openid']) kind""",
    """INSERT INTO wechat_follower (account_id, openid, is_following, followed_at, first_scene, unionid, window_until)
       SELECT (SELECT id FROM wechat_account WHERE kind = 'official'), value, true, now(), '', '', NULL
       FROM members_memberidentity WHERE kind = 'openid'""",
    "UPDATE campaigns_reachpolicy SET is_quiet_on = false",
    "ANALYZE",
)


class Sent(NamedTuple):
    """What a process of senders prints of its run."""

    seconds: float
    taken: float
    busy_s: float
    statements: float = 0


def bench() -> Report:
    """Rounds in turns with the floor, then the rate. Raises RuntimeError when a message was not sent, or twice."""
    with private_database() as private:
        private.environment["REACH_THREADS"] = str(THREADS)
        private.job(f"{_JOB} senders.prepare(); print(1)")
        private.connection.execute(FILLER, {"stage": "prospect", "count": COUNT})
        for statement in _PEOPLE:
            private.connection.execute(statement)
        private.connection.execute("UPDATE wechat_sendlane SET rate_per_s = 5000")
        rounds = _against_floor(private)
        private.connection.execute("UPDATE wechat_sendlane SET rate_per_s = %s", (RATE,))
        achieved = [_rate(private) for _ in range(3)]
    return _report(rounds, achieved)


def _against_floor(private: Private) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with stub(LATENCY_MS) as (base_url, count_posts):
        private.environment["WECHAT_BASE_URL"] = base_url
        for number in range(ROUNDS):
            for kind in ("floor", "ours") if number % 2 == 0 else ("ours", "floor"):
                for name, value in _half(private, kind, count_posts).items():
                    found.setdefault(f"{kind} {name}", []).append(value)
            print(
                f"  round {number + 1} of {ROUNDS}: floor {found['floor rate'][-1]:,.0f}/s, ours {found['ours rate'][-1]:,.0f}/s",
                flush=True,
            )
    return found


def _half(private: Private, kind: str, count_posts: Callable[[], int]) -> dict[str, float]:
    if kind == "floor":
        sent = _senders(private, "bench.wechat_senders", "floor", COUNT, THREADS)
        return _figures(sent)
    queue_s = _queue(private, COUNT)
    private.connection.execute("VACUUM ANALYZE campaigns_reach")
    size, wal, posts = _size(private), _wal(private), count_posts()
    sent = _senders(private, "bench.reach_senders")
    done = private.state("SELECT count(*) FILTER (WHERE state = 'sent'), count(*) FROM campaigns_reach")
    arrived = count_posts() - posts
    if done != (COUNT, COUNT) or arrived != COUNT:
        raise RuntimeError(f"{done} of {COUNT} sent, {arrived} arrived")
    more = {
        "queue": queue_s / COUNT * 1e6,
        "statements": sent.statements / COUNT,
        "wal": (_wal(private) - wal) / COUNT,
        "queued size": size / COUNT,
        "size": _size(private) / COUNT,
    }
    return _figures(sent) | more


def _figures(sent: Sent) -> dict[str, float]:
    if sent.taken != COUNT:
        raise RuntimeError(f"{sent.taken:.0f} of {COUNT} sent")
    return {"rate": COUNT / sent.seconds, "busy": sent.busy_s / COUNT * 1e3}


def _queue(private: Private, count: int) -> float:
    """Seconds in which so many reaches are queued, in an empty table."""
    private.connection.execute("TRUNCATE campaigns_reach")
    return float(private.job(f"{_JOB} print(senders.queue({count}))")[0])


def _size(private: Private) -> float:
    return float(private.state("SELECT pg_total_relation_size('campaigns_reach')")[0])


def _wal(private: Private) -> float:
    return float(private.state("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0])


def _senders(private: Private, module: str, *arguments: object) -> Sent:
    words = private.run(sys.executable, "-m", module, *map(str, arguments)).split()
    return Sent(*(float(word) for word in words))


def _rate(private: Private) -> float:
    """Messages a second that arrive when two processes send as fast as they may."""
    _queue(private, int(RATE * RATE_S))
    with stub(LATENCY_MS) as (base_url, count_posts), concurrent.futures.ThreadPoolExecutor(2) as pool:
        private.environment["WECHAT_BASE_URL"] = base_url
        halves = list(pool.map(lambda _: _senders(private, "bench.reach_senders"), range(2)))
        arrived = count_posts()
    (sent,) = private.state("SELECT count(*) FROM campaigns_reach WHERE state = 'sent'")
    if not sent == RATE * RATE_S == arrived:
        raise RuntimeError(f"{sent} sent, {arrived} arrived of {RATE * RATE_S}")
    return RATE * RATE_S / max(half.seconds for half in halves)


def _report(found: dict[str, list[float]], achieved: list[float]) -> Report:
    ratios = [floor / our for floor, our in zip(found["floor rate"], found["ours rate"], strict=True)]
    rate = statistics.median(achieved)
    figures = (
        at_most(
            f"P10 reaches a second, answers after {LATENCY_MS} ms",
            spread(found["floor rate"]), spread(found["ours rate"]), ratios, TARGET,
        ),
        Figure("P10 processor of the sender a reach, ms", spread(found["floor busy"], 2), spread(found["ours busy"], 2)),
        Figure(
            "P10 reaches a second at a limit of 200, two processes",
            f"{RATE}", spread(achieved, 1), rate / RATE, f"± {RATE_SLACK:.0%}", abs(rate - RATE) / RATE <= RATE_SLACK,
        ),
        Figure("queueing a reach, µs", ours=spread(found["ours queue"])),
        Figure("statements to send a reach", ours=spread(found["ours statements"], 3)),
        Figure("log of the database to send a reach, bytes", ours=spread(found["ours wal"])),
        Figure("a reach in the database when queued, bytes", ours=spread(found["ours queued size"])),
        Figure("the same after it was sent, before any vacuum", ours=spread(found["ours size"])),
    )  # fmt: skip
    notes = (f"{COUNT} reaches a round on {THREADS} threads, {ROUNDS} rounds in turns",)
    return Report(figures, notes, found | {"achieved": achieved})
