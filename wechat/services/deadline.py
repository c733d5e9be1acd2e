"""A hard end for one database round trip, even when the server is frozen.

PostgreSQL's own `statement_timeout` runs in the server: a stopped or frozen server never fires it, and the
client would wait for ever. One watchdog thread a process shuts the socket of any connection that is past its
deadline; the waiting thread then gets a connection error at once.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

T = TypeVar("T")

_TICK_S: Final = 0.1
_RETRY_NEEDS_S: Final = 0.5


class DeadlinePassed(Exception):
    """The database did not answer in time; whether the statement took effect is not known."""


class _Watchdog:
    def __init__(self) -> None:
        self._entries: dict[int, tuple[float, Any]] = {}
        self._fired: set[int] = set()
        self._lock = threading.Lock()
        self._pid_thread: threading.Thread | None = None

    def watch(self, wrapper: Any, until: float) -> int:
        if self._pid_thread is None or not self._pid_thread.is_alive():
            self._start()
        key = threading.get_ident()
        self._entries[key] = (until, wrapper)
        return key

    def release(self, key: int) -> bool:
        """Whether the deadline fired. The lock keeps the thread from shutting a socket after its release."""
        with self._lock:
            self._entries.pop(key, None)
            if key in self._fired:
                self._fired.discard(key)
                return True
        return False

    def _start(self) -> None:
        with self._lock:
            if self._pid_thread is None or not self._pid_thread.is_alive():
                self._pid_thread = threading.Thread(target=self._run, name="database-deadline", daemon=True)
                self._pid_thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_TICK_S)
            if not self._entries:
                continue
            moment = time.monotonic()
            with self._lock:
                for key, (until, wrapper) in list(self._entries.items()):
                    if moment >= until:  # at every tick: the thread may have reconnected meanwhile
                        self._fired.add(key)
                        _shut(wrapper)


def _shut(wrapper: Any) -> None:
    raw = wrapper.connection
    if raw is None:
        return  # still connecting: connect_timeout ends that
    with contextlib.suppress(Exception), socket.socket(fileno=os.dup(raw.pgconn.socket)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


_watchdog: Final = _Watchdog()


def run_bounded(work: Callable[[Any], T], *, until: float) -> T:
    """Run `work(wrapper)` on this thread's connection, ending at `until` (on time.monotonic()'s clock).

    A connection that was kept dies with the server it was made to: work that fails at once on such a one is
    done again on a fresh connection, so it must be repeatable. Connecting itself ends by `connect_timeout`.
    Raises a database error, or DeadlinePassed in its place when the deadline fired.
    """
    # The thread's own wrapper: `django.db.connection` is a proxy, and would mean the watchdog's in its thread.
    wrapper = connections[DEFAULT_DB_ALIAS]
    was_kept = wrapper.connection is not None
    try:
        return _run_once(wrapper, work, until)
    except (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError):
        if not was_kept or wrapper.in_atomic_block or until - time.monotonic() < _RETRY_NEEDS_S:
            raise
        wrapper.close()
        return _run_once(wrapper, work, until)


def _run_once(wrapper: Any, work: Callable[[Any], T], until: float) -> T:
    key = _watchdog.watch(wrapper, until)
    try:
        wrapper.ensure_connection()
        wrapper.health_check_done = True  # a failing statement tells the same, without a round trip more
        answer = work(wrapper)
    except BaseException as error:
        if _watchdog.release(key):
            raise DeadlinePassed from error
        raise
    _watchdog.release(key)
    return answer
