"""The whole system as real processes on private engines, for tests and benches that stop, freeze and kill them.

Web (granian), worker (Celery with its timetable) and sandbox each run as a process of their own; PostgreSQL and
Redis live in a home of this stack's, so that freezing them disturbs nobody else.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core import embedded
from tests.deleting import THESE_AND_WHO_REFER, Deleting
from tests.ready_django import Child, ReadyDjango
from tests.sandbox_process import free_port
from tests.wechat import push_kit

ROOT = Path(__file__).resolve().parent.parent
SLUG = "main"
_CLEARED = """
campaigns_campaign campaigns_campaignmember campaigns_campaignoutcome campaigns_outcometouch
campaigns_segment campaigns_segmentmember campaigns_segmentmove campaigns_segmenttouch campaigns_segmentwatch
campaigns_journey campaigns_enrolmentstep campaigns_journeymoment campaigns_journeytally campaigns_webhookendpoint
wechat_inboundevent wechat_follower wechat_outboundmessage guides_channelscan guides_guidenotice guides_binding
members_memberidentity members_member core_auditentry coupons_coupontemplate coupons_issuejob
members_earningrule members_taggroup
sales_performanceentry sales_totalmove sales_guidetotal sales_guidestoretotal sales_storetotal
sales_placetotal sales_boardsize sales_boardmove sales_totalsproof
"""


def wait_until(check: Callable[[], Any], *, within_s: float = 60, what: str = "it") -> Any:
    """The first true answer of `check`. Raises AssertionError in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, psycopg.Error):
            if answer := check():
                return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {within_s} s")


def http(method: str, url: str, body: Any = None, timeout_s: float = 15) -> tuple[int, bytes]:
    """(status, body); refusals are answers, a broken connection raises OSError."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Stack:
    """`durable=False` leaves fsync off: what was committed survives a killed server, though not a power cut, and all
    is there sooner."""

    def __init__(self, home: Path, *, durable: bool = False, **settings: str) -> None:
        self.home = home
        self.web_url = f"http://127.0.0.1:{free_port()}"
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self.engines = embedded.start(home / "engines", durable=durable)
        (home / "static").mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            **self.engines.environment(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "PUBLIC_BASE_URL": self.web_url,
            "WECHAT_BASE_URL": self.sandbox_url,
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
            "WECHAT_LEASE_S": "3",
            "CELERY_SKIP_CHECKS": "1",  # a second at every start of a worker for what `make lint` checks once
            "SMS_GATEWAY": "tencent",
            "SMS_ENDPOINT": f"{self.sandbox_url}/sms",
            "SMS_APP_ID": "1400009001",
            "SMS_KEY_ID": "stack-sms",
            "SMS_KEY_SECRET": "planted-sms-secret",
            "SMS_CALLBACK_KEY": "planted-callback-key-0001",
            **settings,
        }
        self._frozen: list[int] = []
        self._looking: psycopg.Connection[Any] | None = None
        self.processes: dict[str, subprocess.Popen[bytes] | Child] = {}
        self.logs = home / "log"
        self.logs.mkdir()
        self.django = ReadyDjango(self.environment)
        try:
            seed = "from tests import stack_seed; stack_seed.seed()"
            self.facts: dict[str, Any] = json.loads(self.run_in_django(seed).splitlines()[-1])
            self.execute("CHECKPOINT")  # a server that is killed need not go through all this again
        except BaseException:  # a test that is out of time is no Exception, and its engines would stay
            self.django.close()
            embedded.destroy(home / "engines")
            raise

    def run_in_django(self, statements: str) -> str:
        """Run Python in a process of the stack's own; what it printed."""
        return self.django.run(statements)

    def new_activation_code(self, guide: int) -> str:
        return self.run_in_django(
            "from guides import services; from core.actor import Actor; "
            f"print(services.issue_activation_code(guide_id={self.facts['guides'][guide]}, actor=Actor.system('test')))"
        )

    # Processes -------------------------------------------------------------------------------------------

    def is_running(self, name: str) -> bool:
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def start_sandbox(self) -> None:
        """Starting what runs already does nothing, here and below."""
        if self.is_running("sandbox"):
            return
        port = self.sandbox_url.rpartition(":")[2]
        self._start("sandbox", sys.executable, "-m", "sandbox", "--port", port)
        wait_until(lambda: http("GET", f"{self.sandbox_url}/_/health")[0] == 200, what="the sandbox")
        self.sandbox("PUT", f"/_/accounts/{push_kit.APP_ID}", self.sandbox_account())

    def sandbox_account(self) -> dict[str, Any]:
        return {
            "name": "素衣",
            "kind": "official",
            "app_secret": "planted-app-secret",
            "original_id": push_kit.ORIGINAL_ID,
            "token": push_kit.TOKEN,
            "aes_key": push_kit.AES_KEY,
            "mode": "safe",
            "format": "xml",
            "callback_url": f"{self.web_url}/wechat/callback/{SLUG}/",
            "open_platform": "suyi",
            "oauth_domains": [urllib.parse.urlsplit(self.web_url).netloc],
        }

    def start_web(self, workers: int = 1) -> None:
        if self.is_running("web"):
            return
        self._start(
            "web", str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", self.web_url.rpartition(":")[2], "--workers", str(workers), "--blocking-threads", "32",
            "--no-ws", "--log-level", "warning", "config.wsgi:application",
        )  # fmt: skip
        wait_until(
            lambda: http("GET", f"{self.web_url}/healthz", timeout_s=2)[0] in {200, 503},
            what="the web server",
        )

    def start_worker(self) -> None:
        """Celery with its timetable, forked from the process that has Django ready: it begins in half the time."""
        if self.is_running("worker"):
            return
        command = [
            "worker", "-B", "--concurrency", "2", "--loglevel", "warning", "--schedule", str(self.home / "beat"),
        ]  # fmt: skip
        self.processes["worker"] = self.django.begin(
            f"from config.celery import app; app.worker_main({command!r})", log=self.logs / "worker.log"
        )

    def start_job(self, name: str, statements: str) -> None:
        """A process of the stack's own that runs this Python again and again, whatever goes wrong in it."""
        code = (
            "import time; from django.db import connection\n"
            f"while True:\n    try:\n        exec({statements!r})\n    except Exception:\n        connection.close()\n"
            "    time.sleep(0.05)"
        )
        self.processes[name] = self.django.begin(code, log=self.logs / f"{name}.log")

    def _start(self, name: str, *command: str) -> None:
        log = (self.logs / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        log.close()

    def kill(self, name: str) -> None:
        """kill -9 of the process and all its children."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_worker(self) -> None:
        if "worker" in self.processes:
            self.kill("worker")

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)  # to itself: it stops its own children in its own time
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        for name in list(self.processes):
            self.stop(name)
        self.django.close()
        if self._looking is not None:
            self._looking.close()
        self.thaw_postgres()
        embedded.destroy(self.home / "engines")

    # Engines ---------------------------------------------------------------------------------------------

    @property
    def postgres_home(self) -> Path:
        return self.home / "engines" / "postgres"

    def freeze_postgres(self) -> None:
        self._frozen = embedded.postgres_pids(self.postgres_home)
        for pid in self._frozen:
            os.kill(pid, signal.SIGSTOP)

    def thaw_postgres(self) -> None:
        """Wake what was frozen; connections that the postmaster made since are not among them and need no waking."""
        for pid in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._frozen = []

    def stop_postgres(self, mode: str = "immediate") -> None:
        embedded.stop_postgres(self.postgres_home, mode=mode)

    def kill_postgres(self) -> None:
        """kill -9 of the server and all its children: nothing of what they had in hand is written."""
        pids = embedded.postgres_pids(self.postgres_home)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=10)

    def start_engines(self) -> None:
        embedded.start(self.home / "engines")

    def stop_redis(self) -> None:
        embedded.stop_redis(self.home / "engines")

    def freeze_redis(self) -> None:
        os.kill(embedded.redis_pid(self.home / "engines") or 0, signal.SIGSTOP)

    def thaw_redis(self) -> None:
        os.kill(embedded.redis_pid(self.home / "engines") or 0, signal.SIGCONT)

    def flush_redis(self) -> None:
        import redis

        with redis.Redis.from_url(self.engines.redis_url) as client:
            client.flushall()

    # Looking and acting ----------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """On a connection that is kept, as tests look twenty times a second; a new one where the database was killed."""
        if self._looking is not None:
            with contextlib.suppress(psycopg.OperationalError):
                return self._looking.execute(sql, values).fetchall()
            self._looking.close()
        self._looking = psycopg.connect(self.engines.database_url, connect_timeout=3, autocommit=True)
        return self._looking.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]

    def execute(self, sql: str, *values: Any) -> None:
        with psycopg.connect(self.engines.database_url, autocommit=True) as connection:
            connection.execute(sql, values)

    def clear(self) -> None:
        """Forget what earlier tests made; the chain stays. Jobs of a running worker hold some of the tables, in an order
        of their own."""
        for _attempt in range(10):
            try:
                with psycopg.connect(self.engines.database_url) as session:
                    Deleting(session, THESE_AND_WHO_REFER, _CLEARED.split()).empty()
                return
            except psycopg.errors.DeadlockDetected:
                continue
        raise AssertionError("the worker's jobs did not let the tables be emptied")

    def push(self, fields: dict[str, Any], timeout_s: float = 15) -> tuple[int, bytes]:
        """One safe-mode push straight to our callback, freshly encrypted."""
        query, body = push_kit.sealed(push_kit.xml(fields))
        url = f"{self.web_url}/wechat/callback/{SLUG}/?{urllib.parse.urlencode(query)}"
        return http("POST", url, body, timeout_s)

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = http(method, f"{self.sandbox_url}{path}", body, timeout_s=60)
        assert status < 300, (status, answer)
        return json.loads(answer or b"null")

    def person(self, name: str) -> dict[str, Any]:
        return dict(self.sandbox("POST", "/_/people", {"name": name, "key": name}))

    def scan(self, person: dict[str, Any], code_url: str, **options: Any) -> Any:
        return self.sandbox(
            "POST",
            f"/_/people/{person['id']}/scan",
            {"app_id": push_kit.APP_ID, "content": code_url, **options},
        )

    def chat(self, person: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self.sandbox("GET", f"/_/people/{person['id']}/chat?app_id={push_kit.APP_ID}")["bubbles"])

    def log_text(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.logs.glob("*.log"))


@contextlib.contextmanager
def running_stack(home: Path, *, durable: bool = False, **settings: str) -> Iterator[Stack]:
    stack = Stack(home, durable=durable, **settings)
    try:
        yield stack
    finally:
        stack.close()
