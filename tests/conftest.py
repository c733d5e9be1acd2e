"""Starts the engines once for all test workers, and keeps tests off every network but loopback."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINES_HOME = Path(os.environ.get("TEST_ENGINES_HOME") or ROOT / "var" / "test")


def _start_engines() -> None:
    """The first process starts (or joins) the engines; xdist's workers inherit the two variables."""
    from core import embedded

    embedded.ensure_environment(ENGINES_HOME, durable=False)


def _own_redis_database(worker: str) -> None:
    """Every xdist worker has its own Redis database, as it has its own PostgreSQL database."""
    number = int(worker.removeprefix("gw")) + 1
    base = os.environ["REDIS_URL"]
    if base.startswith("unix://"):
        os.environ["REDIS_URL"] = f"{base.partition('?')[0]}?db={number}"
    else:
        os.environ["REDIS_URL"] = f"{base.rpartition('/')[0]}/{number}"


_start_engines()
if worker_name := os.environ.get("PYTEST_XDIST_WORKER"):
    _own_redis_database(worker_name)


_real_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> Any:
    if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
        raise RuntimeError(f"a test tried to reach {address[0]}")
    return _real_connect(self, address)


@pytest.fixture(autouse=True)
def _no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
