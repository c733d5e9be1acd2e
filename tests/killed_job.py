"""A job in a process of its own on the test's database, killed with SIGKILL at a place the test chooses."""

import atexit
import contextlib
import functools
import os
import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.ready_django import ROOT, Child, ReadyDjango
from tests.stack import wait_until


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
    for _killed in killed_in_turn(statements, locks=[lock], values=values):
        pass
    yield


def killed_in_turn(
    statements: str, *, locks: Sequence[str], values: dict[str, Any] | None = None
) -> Iterator[None]:
    """The same once for each of these locks: the job is killed where it waits, and the next begins when the body has run."""
    address = _address()
    with psycopg.connect(address) as holder, psycopg.connect(address, autocommit=True) as watcher:
        for lock in locks:
            # Parallel tests share the server: a session is told from other tests' by a name of its own.
            session = f"killed-job-{secrets.token_hex(6)}"
            holder.execute(lock, values)
            job = django_elsewhere().begin(statements, environment={"PGAPPNAME": session})
            try:
                wait_until(
                    partial(_is_waiting, watcher, session, job),
                    within_s=60,
                    what="the job's wait for the rows",
                )
            finally:
                job.kill()
                _end(watcher, session)
            holder.rollback()
            yield


def run_killed(statements: str) -> int:
    """Run the Python statements under Django's test settings elsewhere; they kill their own process. How it ended."""
    begin = "from django.test.utils import setup_test_environment as test; test()\n"
    job = django_elsewhere().begin(begin + statements)
    status = job.wait(60)
    if status >= 0:
        raise AssertionError(f"the process was not killed: {job.errors()}")
    return status


@functools.cache
def django_elsewhere() -> ReadyDjango:
    """A process on this one's test database. One for all tests here, whose database stays the same."""
    ready = ReadyDjango(_environment())
    atexit.register(ready.close)
    return ready


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


def _is_waiting(watcher: psycopg.Connection[Any], session: str, job: Child) -> bool:
    if (status := job.poll()) is not None:
        raise AssertionError(f"the job ended with {status}: {job.errors()}")
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
