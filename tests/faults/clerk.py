"""A process that serves requests from a socket on many threads, as a web server does.

`Clerk` is the test's side. A request is a line of JSON with the name of a function of the clerk's desk (a module);
its answer comes when the function has returned, so a clerk that dies has answered nothing that is not committed.
"""

import contextlib
import importlib
import itertools
import json
import os
import signal
import socket
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from tests.stack import Stack

THREADS = 24


class Clerk:
    """One running process; `ask` answers a future that is None when the process died before it answered."""

    def __init__(self, stack: Stack, desk: str) -> None:
        with tempfile.TemporaryDirectory(prefix="clerk-") as home, socket.socket(socket.AF_UNIX) as door:
            place = f"{home}/door"
            door.bind(place)
            door.listen()
            door.settimeout(60)
            self.process = stack.django.begin(
                f"from tests.faults import clerk; clerk.serve({desk!r}, {place!r})"
            )
            self._line, _address = door.accept()
        self._numbers = itertools.count()
        self._open: dict[int, Future[dict[str, Any] | None]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, name: str, **values: Any) -> "Future[dict[str, Any] | None]":
        number, future = next(self._numbers), Future[dict[str, Any] | None]()
        self._open[number] = future
        try:
            self._line.sendall(json.dumps({"number": number, "name": name, **values}).encode() + b"\n")
        except OSError:
            self._answer(number, None)
        return future

    def done(self, name: str, **values: Any) -> Any:
        """The answer, which must be one."""
        answer = self.ask(name, **values).result(60)
        assert answer is not None
        assert "answer" in answer, answer
        return answer["answer"]

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """kill -9; what was asked and not answered is None."""
        self.process.kill()
        self._reader.join(10)
        self._line.close()

    def _read(self) -> None:
        with contextlib.suppress(ConnectionError), self._line.makefile() as answers:
            for line in answers:
                answer = json.loads(line)
                self._answer(answer["number"], answer)
        for number in list(self._open):
            self._answer(number, None)

    def _answer(self, number: int, answer: dict[str, Any] | None) -> None:
        future = self._open.pop(number, None)
        if future is not None:
            future.set_result(answer)


@contextlib.contextmanager
def clerks(stack: Stack, desk: str, count: int = 1) -> Iterator[list[Clerk]]:
    """So many of one desk, started together."""
    all_of_them = [Clerk(stack, desk) for _ in range(count)]
    try:
        yield all_of_them
    finally:
        for clerk in all_of_them:
            clerk.kill()


# The process's side ------------------------------------------------------------------------------------------


def serve(desk_name: str, place: str) -> None:
    """Serve whoever listens at `place` until killed."""
    from concurrent.futures import ThreadPoolExecutor

    desk = importlib.import_module(desk_name)
    speaking = threading.Lock()
    with socket.socket(socket.AF_UNIX) as line, ThreadPoolExecutor(THREADS) as pool:
        line.connect(place)
        for request in line.makefile():
            pool.submit(_handle, desk, json.loads(request), line, speaking)


def _handle(desk: Any, request: dict[str, Any], line: socket.socket, speaking: threading.Lock) -> None:
    from django.db import close_old_connections

    from core.errors import Refusal

    number, name = request.pop("number"), request.pop("name")
    close_old_connections()  # as before each request
    try:
        answer = {"answer": getattr(desk, name)(**request)}
    except Refusal as refusal:
        answer = {"refused": refusal.code}
    except Exception as error:
        where = traceback.format_exc()[-1_500:]
        answer = {"failed": f"{type(error).__name__}: {error}", "where": where}
    with speaking:
        line.sendall(json.dumps({"number": number, **answer}).encode() + b"\n")
