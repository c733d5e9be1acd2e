"""Private engines and web servers for the callback bench; all ends with the block."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from bench.figures import ROOT
from core import embedded
from tests.sandbox_process import free_port
from tests.stack import http, wait_until

_STOP_LIMIT_S: Final = 10
THREADS: Final = 16  # of every server, as `make demo` starts the web


@contextlib.contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter (it is not root); stopped and deleted at the end."""
    home = Path(tempfile.mkdtemp(prefix="xiaoer-bench-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        embedded.destroy(home / "engines")  # also when whoever started them failed half-way
        shutil.rmtree(home, ignore_errors=True)


def settings_module() -> str:
    """The Django settings of every process of a bench."""
    return os.environ.get("DJANGO_SETTINGS_MODULE") or "config.settings"


class Servers:
    """Migrated engines with two accounts, and whatever web servers are started on them."""

    def __init__(self, home: Path) -> None:
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
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}
        self.accounts: dict[str, Any] = json.loads(self.run(sys.executable, "-m", "bench.callback_seed"))
        self.environment["BENCH_ACCOUNTS"] = json.dumps(self.accounts)

    def run(self, *command: str) -> str:
        """The last line a command printed, run in the servers' environment. Raises RuntimeError."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip().splitlines()[-1]

    def start_granian(self, name: str, target: str) -> None:
        port = free_port()
        self._start(
            name, port, "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning", target,
        )  # fmt: skip

    def start_gunicorn(self, name: str, target: str) -> None:
        port = free_port()
        self._start(
            name, port, "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", "gthread",
            "--threads", str(THREADS), "--keep-alive", "75", "--no-control-socket", "--log-level", "warning", target,
        )  # fmt: skip

    def _start(self, name: str, port: int, program: str, *arguments: str) -> None:
        command = [str(Path(sys.executable).parent / program), *arguments]
        log = self.home / f"{name}.log"
        with log.open("ab") as sink:
            self._processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self.ports[name] = port

        def answers() -> bool:
            if self._processes[name].poll() is not None:
                raise RuntimeError(f"{name} ended at once:\n{log.read_text()}")
            return http("POST", f"http://127.0.0.1:{port}/wechat/callback/nobody/", b"", timeout_s=2)[0] > 0

        wait_until(answers, what=name)

    def cpu_seconds(self, name: str) -> float:
        """Processor time that a server and its workers have used so far."""
        parent = psutil.Process(self._processes[name].pid)
        times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
        return sum(time.user + time.system for time in times)

    def clear(self) -> None:
        with psycopg.connect(self.engines.database_url, autocommit=True) as connection:
            connection.execute("TRUNCATE wechat_inboundevent")

    def stored_count(self) -> int:
        with psycopg.connect(self.engines.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM wechat_inboundevent").fetchone()
            return int(row[0]) if row else 0

    def close(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def running_servers() -> Iterator[Servers]:
    """Engines with the callback's two accounts; everything started on them ends with the block."""
    with temporary_home() as home:
        servers = Servers(home)
        try:
            yield servers
        finally:
            servers.close()
