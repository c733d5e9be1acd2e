"""Flash claims, 64 clients on one batch.

First, through the service against pgbench making the same call of the same database function: what Django costs. Then
the same with a commit that takes 2 ms more (`commit_delay`, as a real disk does), and beside it the service on a batch
with all its quota in one counter: what the sixteen are worth. Last, 64 clients who all want more than there is.

Each round is a fresh batch of just as many coupons as the clients ask for, so every one must be sold, to members who
have none yet; rows, counters and limits are compared after each. Rounds of all kinds take turns. BENCH_CLAIM_ROUNDS and
BENCH_CLAIM_CALLS (of each client) lengthen or shorten it.
"""

import os
import statistics
import time
from typing import Any, Final

import psycopg

from bench.coupon_shop import PROCESSES, Round, Shop, running_shop
from bench.figures import Figure, Report, spread

SHARE: Final = 0.75
TIMES: Final = 8.0
_ROUNDS: Final = int(os.environ.get("BENCH_CLAIM_ROUNDS") or 5)
_CALLS: Final = int(os.environ.get("BENCH_CLAIM_CALLS") or 150)
_CLIENTS: Final = 64
_SOLD_OUT: Final = 3_000
_COMMIT_US: Final = 2_000

_SCRIPT: Final = """
SELECT issued.* FROM (SELECT nextval('bench_member') AS id OFFSET 0) member, LATERAL coupons_issue(
    {batch}, member.id, member.id || ':k', 'claim', left(md5(random()::text), 16), NULL, NULL, '', NULL,
    now()) issued;
"""
_CLIENT: Final = """
def warm(place):
    services.claim_coupon(batch_id=given["warm"], member_id=1 + place, request_key="k", actor=actor)
def call(place, number):
    member = 1 + place * calls + number
    services.claim_coupon(batch_id=given["batch"], member_id=member, request_key="k", actor=actor)
"""
_STATE: Final = """
SELECT (SELECT count(*) FROM coupons_coupon WHERE batch_id = %(batch)s),
       (SELECT sum(issued_count) FROM coupons_couponbatchshard WHERE batch_id = %(batch)s),
       (SELECT sum(reserved_fen) / 3000 FROM coupons_couponbatchshard WHERE batch_id = %(batch)s),
       (SELECT count(*) FROM (SELECT 1 FROM coupons_coupon WHERE batch_id = %(batch)s
                              GROUP BY received_by HAVING count(*) > 1) twice)
"""


def bench() -> Report:
    """All on one server of its own. Raises RuntimeError when a coupon is missing, sold twice or over a limit."""
    with running_shop(_CLIENTS * max(_CALLS, _SOLD_OUT)) as shop:
        shop.connection.execute("CREATE SEQUENCE bench_member")
        return _Rush(shop).measure()


class _Rush:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def measure(self) -> Report:
        plain = self._rounds(with_single=False)
        bare_ms = self._commit_ms()
        self._slow_commits()
        slow = self._rounds(with_single=True)
        slow_ms = self._commit_ms()
        sold = self._sell_out()
        figures = (
            *_against("claim", plain),
            *_against("claim, commit + 2 ms", slow),
            _times(slow),
            Figure("batch of 3,000, everybody asks for more", f"{_SOLD_OUT:,}", f"{sold:,}", None, "all, none twice", True),
        )  # fmt: skip
        notes = (
            f"{_ROUNDS} rounds of {_CLIENTS} clients with {_CALLS} claims each, {PROCESSES} processes of ours",
            f"one commit alone takes {bare_ms:.1f} ms, with commit_delay {slow_ms:.1f} ms",
            "after each round: rows = counters = reserves = quota, nobody over her limit",
        )
        return Report(figures, notes, {"plain": plain, "slow": slow})

    def _rounds(self, *, with_single: bool) -> dict[str, list[Round]]:
        found: dict[str, list[Round]] = {"pgbench": [], "service": [], "single": []}
        for _number in range(_ROUNDS):
            found["pgbench"].append(self._by_pgbench())
            found["service"].append(self._by_service(_CALLS, is_single=False))
            if with_single:
                # A tenth of the work: one counter takes one commit after the other.
                found["single"].append(self._by_service(max(1, _CALLS // 10), is_single=True))
        return found

    def _by_pgbench(self) -> Round:
        quota = _CLIENTS * _CALLS
        batch = self.shop.batch(quota)
        self.shop.connection.execute("SELECT setval('bench_member', 1, false)")
        done = self.shop.by_pgbench(
            _SCRIPT.format(batch=batch).replace("\n", " "), clients=_CLIENTS, calls=_CALLS
        )
        self._check(batch, quota)
        return done

    def _by_service(self, calls: int, *, is_single: bool) -> Round:
        quota = _CLIENTS * calls
        batch = self.shop.batch(quota, is_single=is_single)
        done = self._run(batch, calls)
        if done.answers != {"ok": quota}:
            raise RuntimeError(f"not every claim was served: {done.answers}")
        self._check(batch, quota)
        return done

    def _run(self, batch: int, calls: int) -> Round:
        given = {"batch": batch, "warm": self.shop.batch(_CLIENTS)}
        return self.shop.by_service(_CLIENT, clients=_CLIENTS, calls=calls, given=given)

    def _sell_out(self) -> int:
        """Twice as many requests as coupons: one half is served, the other told so."""
        calls = 2 * _SOLD_OUT // _CLIENTS
        batch = self.shop.batch(_SOLD_OUT)
        answers = self._run(batch, calls).answers
        refused = _CLIENTS * calls - _SOLD_OUT
        if answers != {"ok": _SOLD_OUT, "coupons.batch_sold_out": refused}:
            raise RuntimeError(f"answers of the rush: {answers}")
        self._check(batch, _SOLD_OUT)
        return answers["ok"]

    def _check(self, batch: int, quota: int) -> None:
        found = self.shop.connection.execute(_STATE, {"batch": batch}).fetchone()
        if found != (quota, quota, quota, 0):
            raise RuntimeError(f"{quota} coupons should be sold; rows, counted, reserved, twice: {found}")

    def _slow_commits(self) -> None:
        """Every commit waits 2 ms before it is written, and all that come meanwhile are written with it. Raises
        RuntimeError where that would not be so: without fsync the delay does not happen."""
        for setting in (f"commit_delay = {_COMMIT_US}", "commit_siblings = 0"):
            self.shop.connection.execute(f"ALTER SYSTEM SET {setting}")
        self.shop.connection.execute("SELECT pg_reload_conf()")
        with psycopg.connect(self.shop.engines.database_url, autocommit=True) as fresh:
            names = ("fsync", "synchronous_commit", "commit_delay", "commit_siblings")
            shown = tuple((fresh.execute(f"SHOW {name}").fetchone() or [""])[0] for name in names)
        if shown != ("on", "on", str(_COMMIT_US), "0"):
            raise RuntimeError(f"commits are not slowed down: {dict(zip(names, shown, strict=True))}")

    def _commit_ms(self) -> float:
        """What the smallest commit takes when nobody else commits."""
        took: list[float] = []
        with psycopg.connect(self.shop.engines.database_url, autocommit=True) as one:
            one.execute("CREATE TABLE IF NOT EXISTS bench_commit (n int)")
            for _number in range(40):
                began = time.monotonic()
                one.execute("INSERT INTO bench_commit VALUES (1)")
                took.append(time.monotonic() - began)
        return statistics.median(took) * 1000


def _against(name: str, rounds: dict[str, list[Round]]) -> tuple[Figure, Figure]:
    floors, ours = rounds["pgbench"], rounds["service"]
    shares = [our.rate / floor.rate for our, floor in zip(ours, floors, strict=True)]
    share = statistics.median(shares)
    rate = (spread([one.rate for one in floors]), spread([one.rate for one in ours]))
    slowest = (spread([one.p99_s * 1000 for one in floors]), spread([one.p99_s * 1000 for one in ours]))
    return (
        Figure(f"{name}: a second, pgbench and service", *rate, share, f"≥ {SHARE:g}", share >= SHARE),
        Figure(f"{name}: p99 of {_CLIENTS} clients, ms", *slowest),
    )


def _times(rounds: dict[str, list[Round]]) -> Figure:
    single, sharded = rounds["single"], rounds["service"]
    times: Any = statistics.median(many.rate / one.rate for many, one in zip(sharded, single, strict=True))
    rate = (spread([one.rate for one in single]), spread([one.rate for one in sharded]))
    return Figure(
        "service, commit + 2 ms: one counter and sixteen", *rate, times, f"≥ {TIMES:g}", times >= TIMES
    )
