"""What happened, told to whoever cares.

An event is a frozen dataclass of ids and plain strings. `publish` always waits for the commit of the
surrounding transaction and then hands the event to the dispatcher (Celery, set by `config`), one task a
handler. Events can be lost when the broker dies at that instant; every reaction that matters has a job
that finds what was missed. `deliver` runs the handlers here and now, for callers that are durable
themselves (the gateway's inbox: it marks a push processed only when all handlers returned).

`dispatch_soon` is for wake-ups on a hot path: equal events that wait together become one, and the broker is
talked to from a thread of its own, so that a slow or missing broker delays nobody.

The table from event to handlers is `config/event_routes.py`; it is installed with `install`.
"""

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Base of all events. Fields are ids, numbers, strings or None, so that an event survives JSON."""


Handler = Callable[[Any], None]
Dispatcher = Callable[[str, Event], None]

_routes: dict[type[Event], tuple[str, ...]] = {}
_names: dict[str, type[Event]] = {}
_dispatcher: Dispatcher | None = None


def install(routes: Mapping[type[Event], Sequence[str]], dispatcher: Dispatcher) -> None:
    """Put the event table and the way to reach workers in place; called once at start by `config`."""
    global _dispatcher
    _routes.clear()
    _names.clear()
    for kind, handlers in routes.items():
        _routes[kind] = tuple(handlers)
        _names[event_name(kind)] = kind
    _dispatcher = dispatcher


def event_name(kind: type[Event]) -> str:
    """`guides.MemberBound`: the app and the class, as tasks carry it."""
    return f"{kind.__module__.split('.')[0]}.{kind.__name__}"


def pack(event: Event) -> dict[str, Any]:
    return {"name": event_name(type(event)), "data": dataclasses.asdict(event)}


def unpack(packed: Mapping[str, Any]) -> Event:
    """The event of a packed form. Raises KeyError for a name that is not in the table."""
    return _names[packed["name"]](**packed["data"])


def handlers_of(kind: type[Event]) -> tuple[str, ...]:
    return _routes.get(kind, ())


def publish(event: Event) -> None:
    """Tell the handlers after commit; at once when no transaction is open. Never raises."""
    transaction.on_commit(lambda: _dispatch(event), robust=True)


def _dispatch(event: Event) -> None:
    for path in handlers_of(type(event)):
        if _dispatcher is None:
            raise RuntimeError("core.events.install() was not called")
        try:
            _dispatcher(path, event)
        except Exception:
            # The broker is away. The row that caused the event is committed; the rescue job finds it.
            logger.warning("event.not_dispatched", extra={"event": event_name(type(event)), "handler": path})


class _Waker:
    """Dispatches wake-ups from one background thread a process; waiting duplicates are one."""

    _PAUSE_S = 0.02  # at most 50 wake-ups a second and process; workers drain all there is at each

    def __init__(self) -> None:
        self._pending: dict[Event, None] = {}
        self._filled = threading.Event()
        self._lock = threading.Lock()
        self._owner = 0  # pid: a forked child has no thread and starts its own

    def add(self, event: Event) -> None:
        self._pending[event] = None
        if self._owner != os.getpid():
            self._start()
        if not self._filled.is_set():
            self._filled.set()

    def _start(self) -> None:
        with self._lock:
            if self._owner != os.getpid():
                threading.Thread(target=self._run, name="event-waker", daemon=True).start()
                self._owner = os.getpid()

    def _run(self) -> None:
        while True:
            self._filled.wait()
            self._filled.clear()
            # What is there now, not until none is left: under load something always is, and publishing
            # without a pause would take the web server's threads a third of their time.
            for event in list(self._pending):
                self._pending.pop(event, None)  # before dispatching: what comes during it is told again
                _dispatch(event)
            time.sleep(self._PAUSE_S)


_waker = _Waker()


def dispatch_soon(event: Event) -> None:
    """Hand a wake-up to the workers without waiting for the broker; it may be merged with equal ones.

    Only for events that carry no fact of their own (their rows are committed, a rescue job finds them too).
    """
    _waker.add(event)


def deliver(event: Event) -> None:
    """Run every handler of the event in order, in this process; the first failure is raised."""
    for path in handlers_of(type(event)):
        run_handler(path, event)


def run_handler(path: str, event: Event) -> None:
    handler: Handler = import_string(path)
    handler(event)
