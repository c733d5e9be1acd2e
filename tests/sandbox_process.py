"""Starting the stand-in for WeChat as a process of its own, for any test that talks to it."""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN_S = 60.0


# Below the ports that kernels give to outgoing connections: one of those could be in use by the time a server starts, or
# starts again. Processes that run side by side begin far from each other.
_PORTS = range(15_000, 32_000)
_places = itertools.count(os.getpid() * 1_009)


def free_port() -> int:
    """A port nobody listens on now, and that this process has not given out before."""
    for place in itertools.islice(_places, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", _PORTS[place % len(_PORTS)]))
            return int(probe.getsockname()[1])
    raise RuntimeError("every port is taken")


def _wait_until_healthy(process: subprocess.Popen[bytes], base_url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the sandbox ended at once with status {process.returncode}")
        try:
            urllib.request.urlopen(f"{base_url}/_/health", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the sandbox did not become healthy")


def stop(process: subprocess.Popen[bytes], *, within_s: float = 20.0) -> int:
    """Ask it to stop, insist if need be, and return its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextlib.contextmanager
def sandbox_process(
    *, port: int | None = None, state: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a sandbox; yields its base URL and the process."""
    port = port or free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    if state is not None:
        command += ["--state", str(state)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    base_url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(process, base_url)
        yield base_url, process
    finally:
        stop(process)


@contextlib.contextmanager
def running_sandbox(*, port: int | None = None, state: Path | None = None) -> Iterator[str]:
    """Run a sandbox until the end of the block; yields its base URL."""
    with sandbox_process(port=port, state=state) as (base_url, _):
        yield base_url
