"""What the coupon benches share: an own server with members, a template and batches; pgbench; clients in processes.

Both kinds of client are given the same work: so many threads or connections, each doing so many calls, all released at
once with their connections open. A connection's first call is not counted: the server reads functions and plans then.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from bench.figures import ROOT, percentile
from bench.servers import settings_module, temporary_home
from core import embedded

PROCESSES: Final = 2

_MEMBERS: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'prospect', '', '{}', '', '', '', 'import', '', false, now()
FROM generate_series(1, %(count)s) n
"""
TEMPLATE: Final = """
INSERT INTO coupons_coupontemplate (
    public_id, series, version, title, usage_words, colour, kind, off_fen, min_spend_fen, min_quantity, store_ids,
    region_ids, dealer_ids, tier_ids, channels, include_products, include_categories, exclude_products,
    exclude_categories, weekdays, hours, validity, valid_days, stacking_group, is_exclusive, gifting, gift_name, state,
    frozen_at, created_at)
VALUES ('bench', 'bench', 1, 'bench', '', 'red', 'cash_off', 3000, 0, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
        '{}', '{}', '{}', 'from_today', 7, '', false, 'nobody', '', 'active', now(), now())
RETURNING id
"""
BATCH: Final = """
INSERT INTO coupons_couponbatch (
    public_id, template_id, name, state, quota, member_limit, doors, guide_quota_period, cost_fen, has_partner_codes,
    partner_name, created_at)
VALUES (left(md5(random()::text), 16), %(template)s, 'bench', 'open', %(quota)s, 1, '{claim,system}', 'whole', 3000, false,
        '', now())
RETURNING id
"""
SHARDS: Final = """
INSERT INTO coupons_couponbatchshard (batch_id, shard, quota, issued_count, reserved_fen, redeemed_count, voided_count,
                                      expired_count, discount_fen, sales_fen)
SELECT %(batch)s, n, CASE WHEN %(is_single)s THEN CASE n WHEN 0 THEN %(quota)s ELSE 0 END
                          ELSE (%(quota)s + 15 - n) / 16 END, 0, 0, 0, 0, 0, 0, 0
FROM generate_series(0, 15) n
"""
# Before each client's own part: each thread calls `warm(place)`, then `calls` times `call(place, number)`, and counts
# what that answers.
_CLIENT_HEAD: Final = """
import collections, json, sys, threading, time, django
django.setup()
from django.db import connection
from core.actor import Actor
from core.errors import Refusal
from coupons import services
first, threads, calls, given = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), json.load(open(sys.argv[4]))
actor = Actor.system("bench")
"""
# For clients that are tills: `request` signs a call of the open API, `ask` sends it through WSGI in this process and
# answers status and body. Tills sign before the clock starts.
TILL: Final = """
import hashlib, hmac, io
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
def request(key, path, name, nonce, content):
    key_id, secret = key
    body, stamp = json.dumps(content).encode(), str(int(time.time()))
    text = chr(10).join(["XIAOER1-HMAC-SHA256", "POST", path, key_id, stamp, nonce, hashlib.sha256(body).hexdigest()])
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "HTTP_X_XIAOER_KEY": key_id,
        "HTTP_X_XIAOER_TIME": stamp, "HTTP_X_XIAOER_NONCE": nonce, "HTTP_X_XIAOER_SIGNATURE": signature,
        "HTTP_IDEMPOTENCY_KEY": name}
def ask(environ):
    told = []
    answer = application(environ, lambda status, _headers, _error=None: told.append(status))
    body = b"".join(answer)
    answer.close()
    return told[0], body
"""
_CLIENT_TAIL: Final = """
gate = threading.Barrier(threads + 1)
took, counted = [], collections.Counter()
def run(place):
    mine, words = [], collections.Counter()
    try:
        warm(place)
    except BaseException:
        gate.abort()  # nobody waits for this one
        raise
    gate.wait()
    for number in range(calls):
        began = time.monotonic()
        try:
            call(place, number)
        except Refusal as refusal:
            words[refusal.code] += 1
        else:
            words["ok"] += 1
        mine.append(time.monotonic() - began)
    took.extend(mine)
    counted.update(words)
workers = [threading.Thread(target=run, args=(first + place,)) for place in range(threads)]
[worker.start() for worker in workers]
print("ready", flush=True)
sys.stdin.readline()
gate.wait()
began = time.monotonic()
[worker.join() for worker in workers]
print(json.dumps([time.monotonic() - began, took, counted]))
"""


class Round(NamedTuple):
    """What clients did: calls a second, the time within which 99 of 100 were answered, answers by kind."""

    rate: float
    p99_s: float
    answers: dict[str, int]


class Shop:
    """A server with members and one template."""

    def __init__(self, home: Path, members: int) -> None:
        self.home = home
        self.engines = embedded.start(home / "engines")
        (home / "static").mkdir()
        self.environment = {
            **os.environ,
            **self.engines.environment(),
            "DJANGO_SETTINGS_MODULE": settings_module(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
        }
        self.run(sys.executable, "manage.py", "migrate", "--verbosity", "0")
        self.connection: psycopg.Connection[Any] = psycopg.connect(self.engines.database_url, autocommit=True)
        self.connection.execute(_MEMBERS, {"count": members})
        self.connection.execute("VACUUM ANALYZE")
        self.template = self.value(TEMPLATE)

    def value(self, sql: str, values: dict[str, Any] | None = None) -> Any:
        return (self.connection.execute(sql, values).fetchone() or [None])[0]

    def batch(self, quota: int, *, is_single: bool = False) -> int:
        """An open batch; `is_single` puts the whole quota into one of its counters."""
        batch = int(self.value(BATCH, {"template": self.template, "quota": quota}))
        self.connection.execute(SHARDS, {"batch": batch, "quota": quota, "is_single": is_single})
        self.connection.execute("CHECKPOINT")
        return batch

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[:2]} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    def by_pgbench(
        self, script: str, *, clients: int, calls: int, start: dict[str, int] | None = None
    ) -> Round:
        """pgbench, from the wheel of the embedded PostgreSQL, running a script; `start` has its variables' first
        values. Every transaction counts as "ok"."""
        path = self.home / "script.sql"
        path.write_text(script, encoding="utf-8")
        command = [str(embedded.postgres_binaries() / "pgbench"), "-n", "-c", str(clients), "-j", "2"]
        command += ["-t", str(calls), "-l", "--log-prefix", str(self.home / "pgbench"), "-f", str(path)]
        command += [word for name, value in (start or {}).items() for word in ("-D", f"{name}={value}")]
        self.run(*command, self.engines.database_url)
        lines = []
        for log in self.home.glob("pgbench.*"):
            lines += [[int(word) for word in line.split()[:6]] for line in log.read_text().splitlines()]
            log.unlink()
        if len(lines) != clients * calls:
            raise RuntimeError(f"pgbench did {len(lines)} of {clients * calls} transactions")
        # client, its how-many-eth (from 1), microseconds, script, second and microsecond of the end
        warm = max(
            second + micro / 1e6 for _client, number, _took, _script, second, micro in lines if number == 1
        )
        ended = [second + micro / 1e6 for *_, second, micro in lines]
        took = [one[2] / 1e6 for one, end in zip(lines, ended, strict=True) if end > warm]
        return Round(len(took) / (max(ended) - warm), percentile(took, 0.99), {"ok": len(lines)})

    def by_service(self, code: str, *, clients: int, calls: int, given: dict[str, Any]) -> Round:
        """The same number of threads in processes of ours; `code` defines `warm` and `call`
        and may use `given`."""
        threads = clients // PROCESSES
        program = _CLIENT_HEAD + code + _CLIENT_TAIL
        facts = self.home / "given.json"
        facts.write_text(json.dumps(given), encoding="utf-8")
        running = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(place * threads), str(threads), str(calls), str(facts)],
                cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for place in range(PROCESSES)
        ]  # fmt: skip
        for one in running:
            if one.stdout is None or one.stdout.readline().strip() != "ready":
                raise RuntimeError("a client did not start")
        time.sleep(0.2)  # its last threads connect
        for one in running:
            if one.stdin is not None:
                one.stdin.write("\n")
                one.stdin.flush()
        took: list[float] = []
        answers: dict[str, int] = {}
        longest = 0.0
        for one in running:
            output = one.communicate()[0]
            if one.returncode:
                raise RuntimeError(f"a client ended with {one.returncode}")
            seconds, its_own, counted = json.loads(output)
            longest = max(longest, seconds)
            took += its_own
            for word, count in counted.items():
                answers[word] = answers.get(word, 0) + count
        return Round(len(took) / longest, percentile(took, 0.99), answers)


@contextlib.contextmanager
def running_shop(members: int) -> Iterator[Shop]:
    """A shop on engines of its own; all ends and is deleted with the block."""
    with temporary_home() as home:
        shop = Shop(home, members)
        with contextlib.closing(shop.connection):
            yield shop
