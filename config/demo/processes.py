"""The demo's child processes: started, watched and stopped together."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any, Final

from config.demo import accounts

_START_LIMIT_S: Final = 60
_STOP_LIMIT_S: Final = 8


class ProcessFailed(RuntimeError):
    """A part of the demo did not come up or died; the message says which and where its log is."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    web: int
    sandbox: int


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def request_json(method: str, url: str, body: dict[str, Any] | None = None, timeout_s: float = 10) -> Any:
    """One JSON call to a process on this machine. Raises OSError (URLError) or ValueError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  (loopback only, built here)
        url, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310
        return json.loads(response.read() or b"null")


class Supervisor:
    """Owns the sandbox, the web server and the worker."""

    def __init__(self, root: Path, home: Path, ports: Ports) -> None:
        self.root = root
        self.home = home
        self.ports = ports
        self.web_url = f"http://127.0.0.1:{ports.web}"
        self.sandbox_url = f"http://127.0.0.1:{ports.sandbox}"
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []

    def settings(self) -> dict[str, str]:
        """The environment of every part. A sandbox clock may be moved by days, so age proves nothing here."""
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PUBLIC_BASE_URL": os.environ.get("PUBLIC_BASE_URL") or self.web_url,
            "WECHAT_BASE_URL": self.sandbox_url,
            "WECHAT_PUSH_MAX_AGE_S": str(10 * 365 * 24 * 3600),
            "SMS_GATEWAY": "tencent",
            "SMS_ENDPOINT": f"{self.sandbox_url}/sms",
            "SMS_APP_ID": accounts.SMS_APP_ID,
            "SMS_KEY_ID": accounts.SMS_KEY_ID,
            "SMS_KEY_SECRET": accounts.SMS_KEY_SECRET,
            "SMS_CALLBACK_KEY": accounts.SMS_CALLBACK_KEY,
            "STATIC_ROOT": str(self.home / "static"),
            "STATIC_HASHED": "true",
            "MEDIA_ROOT": str(self.home / "media"),
        }

    def start_sandbox(self) -> None:
        state = str(self.home / "sandbox.json")
        self._start(
            "sandbox", [sys.executable, "-m", "sandbox", "--port", str(self.ports.sandbox), "--state", state]
        )

    def start_web(self) -> None:
        self._start(
            "web",
            [
                str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", "127.0.0.1",
                "--port", str(self.ports.web), "--workers", "1", "--blocking-threads", "16",
                "--no-ws", "--log-level", "warning", "config.wsgi:application",
            ],
        )  # fmt: skip

    def start_worker(self) -> None:
        """It gets ready, and touches nothing before it is told to begin."""
        schedule = str(self.home / "beat-schedule")
        self._start("worker", [sys.executable, "-m", "config.demo.worker", schedule], stdin=subprocess.PIPE)

    def let_worker_begin(self) -> None:
        door = self._children["worker"].stdin
        assert door is not None
        with contextlib.suppress(BrokenPipeError), door:  # one that died is found by whoever waits for it
            door.write(b"begin\n")

    def _start(self, name: str, command: list[str], stdin: int = subprocess.DEVNULL) -> None:
        log = (self.home / "log" / f"{name}.log").open("ab")
        self._logs.append(log)
        # A session of its own: Ctrl-C reaches only us, and we stop the parts in order.
        self._children[name] = subprocess.Popen(
            command, cwd=self.root, stdout=log, stderr=log, stdin=stdin, start_new_session=True
        )

    def wait_until_healthy(self, stop: threading.Event) -> None:
        """Until web and worker answer. Raises ProcessFailed."""
        for name in ("sandbox", "web", "worker"):
            self.wait_for(name, stop)

    def wait_for(self, name: str, stop: threading.Event | None = None) -> None:
        """Until one part answers. Raises ProcessFailed when it does not in a minute, or any part dies."""
        stop = stop or threading.Event()
        check = {"sandbox": self._ping_sandbox, "web": self._ping_web, "worker": self._ping_worker}[name]
        deadline = time.monotonic() + _START_LIMIT_S
        while not stop.is_set():
            self._raise_if_dead()
            with contextlib.suppress(OSError, ValueError):
                if check():
                    return
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{name} did not become healthy; see {self.home / 'log' / name}.log")
            stop.wait(0.1)

    def _ping_sandbox(self) -> bool:
        return bool(request_json("GET", f"{self.sandbox_url}/_/health", timeout_s=2))

    def _ping_web(self) -> bool:
        return bool(request_json("GET", f"{self.web_url}/healthz", timeout_s=2))

    def _ping_worker(self) -> bool:
        from config.celery import app

        return bool(app.control.ping(timeout=0.5))

    def watch(self, stop: threading.Event) -> None:
        """Until a signal asks to stop. Raises ProcessFailed when a part dies."""
        while not stop.wait(0.5):
            self._raise_if_dead()

    def _raise_if_dead(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ProcessFailed(
                    f"{name} stopped ({child.returncode}); see {self.home / 'log' / name}.log"
                )

    def stop(self) -> None:
        """Ask all parts to end, then insist."""
        for child in self._children.values():
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_LIMIT_S
        for child in self._children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()
        for log in self._logs:
            log.close()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number) if number == signal.SIGKILL else child.send_signal(number)
