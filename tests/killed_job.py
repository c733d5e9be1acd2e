"""A job in a process of its own on the test's database, killed with SIGKILL at a place the test chooses."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.stack import ROOT, wait_until


def _address() -> str:
    settings = connection.settings_dict
    parts: dict[str, Any] = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
    }
    return make_conninfo(**{name: value for name, value in parts.items() if value})


@contextlib.contextmanager
def killed_while_waiting(
    statements: str, *, lock: str, values: dict[str, Any] | None = None
) -> Iterator[None]:
    """Run the Python statements under Django elsewhere, with the rows of `lock` (SQL) held here.

    The job comes to those rows, waits, and is killed there; the body runs after its end, with the rows free again.
    Raises AssertionError when the job ends without ever having waited.
    """
    address = _address()
    # Parallel tests share the server: a session is told from other tests' by a name of its own.
    session = f"killed-job-{secrets.token_hex(6)}"
    code = f"import django; django.setup(); exec({statements!r})"
    environment = {**_environment(), "PGAPPNAME": session}
    with psycopg.connect(address) as holder, psycopg.connect(address, autocommit=True) as watcher:
        holder.execute(lock, values)
        job = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=subprocess.PIPE
        )
        try:
            wait_until(
                lambda: _is_waiting(watcher, session, job), within_s=60, what="the job's wait for the rows"
            )
        finally:
            job.kill()
            job.communicate()
            _end(watcher, session)
        holder.rollback()
    yield


def killed_in_turn(statements: str, *, locks: Sequence[str]) -> Iterator[None]:
    """The same once for each of these locks, by children of one process: each is killed where it waits, and the next begins when
    the body has run."""
    address, session = _address(), f"killed-job-{secrets.token_hex(6)}"
    code = (
        "import django, os, sys; django.setup()\n"
        "for _line in sys.stdin:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        f"        exec({statements!r}); os._exit(0)\n"
        "    print(child, flush=True); os.waitpid(child, 0)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT, env={**_environment(), "PGAPPNAME": session}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdin is not None
    assert parent.stdout is not None
    try:
        with psycopg.connect(address) as holder, psycopg.connect(address, autocommit=True) as watcher:
            for lock in locks:
                holder.execute(lock)
                parent.stdin.write("\n")
                parent.stdin.flush()
                child = int(parent.stdout.readline())
                wait_until(
                    lambda: _is_waiting(watcher, session, parent),
                    within_s=60,
                    what="the job's wait for the rows",
                )
                os.kill(child, signal.SIGKILL)
                _end(watcher, session)
                holder.rollback()
                yield
    finally:
        parent.kill()
        parent.communicate()


def run_killed(statements: str) -> int:
    """Run the Python statements under Django's test settings elsewhere; they kill their own process. How it ended."""
    begin = (
        "import django; django.setup(); from django.test.utils import setup_test_environment as test; test()"
    )
    job = subprocess.run(
        [sys.executable, "-c", f"{begin}; exec({statements!r})"],
        cwd=ROOT,
        env=_environment(),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    if job.returncode >= 0:
        raise AssertionError(f"the process was not killed: {job.stderr!r}")
    return job.returncode


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def _end(watcher: psycopg.Connection[Any], session: str) -> None:
    """The session of a killed process would notice the loss only when it gets the lock."""
    watcher.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [session]
    )
    wait_until(lambda: not _waits(watcher, session), what="the end of the killed job's session")


def _is_waiting(watcher: psycopg.Connection[Any], session: str, job: subprocess.Popen[Any]) -> bool:
    if job.poll() is not None:
        raise AssertionError(f"the job ended with {job.returncode}: {job.stderr and job.stderr.read()!r}")
    return any(kind == "Lock" for (kind,) in _waits(watcher, session))


def _waits(watcher: psycopg.Connection[Any], session: str) -> list[tuple[str | None]]:
    return watcher.execute(
        "SELECT wait_event_type FROM pg_stat_activity WHERE application_name = %s", [session]
    ).fetchall()


def database_url(name: str | None = None) -> str:
    """The address of the tests' database, or of another one on its server."""
    settings = connection.settings_dict
    host, port, name = settings["HOST"], settings["PORT"], name or settings["NAME"]
    user = f"{settings['USER']}:{settings['PASSWORD']}@" if settings["PASSWORD"] else f"{settings['USER']}@"
    if host.startswith("/"):
        return f"postgresql://{user if settings['USER'] else ''}/{name}?host={host}&port={port or 5432}"
    return f"postgresql://{user if settings['USER'] else ''}{host}:{port or 5432}/{name}"
