"""Races on real threads: everybody starts at once, each with a connection of her own.

Whatever must happen while something else is under way is met, not hoped for: a barrier in the middle of both, or the
one who holds a lock goes on when PostgreSQL says that another waits for it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from tests.stack import wait_until

_WAITING_FOR_ME = (
    "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls on as many threads, released together; answers or exceptions in the calls' order.

    Raises AssertionError when somebody is not done after 100 s.
    """
    gate = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=30)
            answers[place] = call()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    ends = time.monotonic() + 100
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=max(0.0, ends - time.monotonic()))
    if late := [place for place, thread in enumerate(threads) if thread.is_alive()]:
        raise AssertionError(f"not done after 100 s: {late}")
    return answers


def somebody_waits(holder: psycopg.Connection[Any] | None = None) -> bool:
    """Whether another session waits for a lock of the holder's session, which is this thread's unless it is named."""
    return bool(_who_waits(holder))


def wait_until_somebody_waits(holder: psycopg.Connection[Any] | None = None) -> None:
    """Return when another session stands behind a lock of the holder's session."""
    wait_until(lambda: somebody_waits(holder), within_s=30, what="somebody's wait for this session's locks")


def wait_until_so_many_wait(count: int) -> None:
    """Return when that many sessions of this database stand before a lock, of whomever: of many before one row only the
    first waits for its holder, the others for the first."""
    wait_until(lambda: _count_waiting() >= count, within_s=60, what=f"{count} sessions that wait")


def _count_waiting() -> int:
    with connection.cursor() as cursor:
        # Inside a transaction the view would stay as it was first read.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def somebody_asks_for_writers() -> bool:
    """Whether another session has asked `core.horizons` who writes, was told and is about to ask again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%%pg_locks%%' AND state = 'idle'"
            " AND pid <> pg_backend_pid() AND datname = current_database())",
            [],
        )
        return bool(cursor.fetchone()[0])


def while_held(hold: Callable[[], Any], calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls at once, as `at_once`, and hold what `hold` locks until every one of them waits: all have begun
    before one goes on.

    Raises AssertionError when not all of them come to wait.
    """
    told: list[Any] = []
    racing = threading.Thread(target=lambda: told.extend(at_once(calls)))
    with transaction.atomic():
        hold()
        racing.start()
        wait_until_so_many_wait(len(calls))
    racing.join(110)
    return told


def end_who_waits() -> None:
    """End the statement of whoever comes to stand behind a lock of this thread's session, as the server does with one
    that takes too long."""
    wait_until_somebody_waits()
    with connection.cursor() as cursor:
        for pid in _who_waits():
            cursor.execute("SELECT pg_cancel_backend(%s)", [pid])
    wait_until(lambda: not somebody_waits(), within_s=30, what="the end of the statement that waited")


def end_while_waiting(hold: Callable[[], Any], job: Callable[[], Any]) -> None:
    """Run the job here, while another session holds what `hold` locks; its statement is ended where it waits for that.

    Raises AssertionError when it never waited.
    """
    held, stopped = threading.Event(), []

    def holder() -> None:
        try:
            with transaction.atomic():
                hold()
                held.set()
                end_who_waits()
            stopped.append(True)
        finally:
            connection.close()

    thread = threading.Thread(target=holder)
    thread.start()
    assert held.wait(30)
    try:
        with pytest.raises(Exception, match="canceling statement due to user request"):
            job()
    finally:
        thread.join()
        connection.close()
    assert stopped


def _who_waits(holder: psycopg.Connection[Any] | None = None) -> list[int]:
    if holder is not None:
        return [pid for (pid,) in holder.execute(_WAITING_FOR_ME)]
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_FOR_ME)
        return [pid for (pid,) in cursor.fetchall()]
