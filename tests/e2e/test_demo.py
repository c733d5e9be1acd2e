"""`make demo` as its user sees it: up, healthy, stopped by Ctrl-C with nothing left behind, and up again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.sandbox_process import free_port
from tests.stack import ROOT, http

# It installs nothing, but it migrates, seeds and starts everything twice.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]


class Demo:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.web, self.sandbox = free_port(), free_port()

    def start(self) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        environment |= {
            "WEB_PORT": str(self.web),
            "SANDBOX_PORT": str(self.sandbox),
            "DEMO_HOME": str(self.home),
        }
        environment["PYTHONUNBUFFERED"] = "1"
        return subprocess.Popen(
            [sys.executable, "-m", "config.demo"], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def read_until_up(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if "Ctrl-C" in line:
                return text
        raise AssertionError(text)

    def stop(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stdout is not None
        process.stdout.close()


def leftovers(home: Path) -> list[str]:
    return [
        " ".join(p.info["cmdline"] or [])
        for p in psutil.process_iter(["cmdline"])
        if str(home) in str(p.info)
    ]


def test_the_demo_starts_stops_cleanly_and_keeps_its_data(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    process = demo.start()
    try:
        text = demo.read_until_up(process)
        assert f"http://127.0.0.1:{demo.web}/admin/" in text
        assert "Seeded 12 stores, 60 guides, 5000 members." in text
        link = re.search(r"code: (http\S+)", text)
        assert link is not None
        assert http("GET", f"http://127.0.0.1:{demo.web}/healthz") == (
            200,
            b'{"database": "ok", "redis": "ok"}',
        )
        assert http("GET", link.group(1))[0] == 200
        demo.stop(process)
        assert leftovers(demo.home) == []

        started = time.monotonic()
        process = demo.start()
        text = demo.read_until_up(process)
        print(f"warm start: {time.monotonic() - started:.1f} s")
        assert "Seeded" not in text
        demo.stop(process)
        assert leftovers(demo.home) == []
    finally:
        if process.poll() is None:
            process.kill()


def test_a_busy_port_is_said_plainly_and_nothing_is_started(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", demo.web))
        taken.listen()
        process = demo.start()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {demo.web} is in use" in output
    assert "WEB_PORT=" in output
    assert leftovers(demo.home) == []


def test_a_nonsense_port_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo")
    demo.web = 99_999
    process = demo.start()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "WEB_PORT takes a port number" in output
