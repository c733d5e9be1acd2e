"""A process that serves requests from a pipe on many threads, as a web server does from sockets.

`Clerk` is the test's side. A request is a line of JSON with the name of a function of the clerk's desk (a module);
its answer comes when the function has returned, so a clerk that dies has answered nothing that is not committed.
"""

import contextlib
import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from tests.stack import ROOT, Stack

THREADS = 24


class Clerk:
    """One running process; `ask` answers a future that is None when the process died before it answered."""

    def __init__(self, stack: Stack, desk: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.clerk", desk],
            cwd=ROOT, env=stack.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._numbers = itertools.count()
        self._open: dict[int, Future[dict[str, Any] | None]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, name: str, **values: Any) -> "Future[dict[str, Any] | None]":
        number, future = next(self._numbers), Future[dict[str, Any] | None]()
        self._open[number] = future
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"number": number, "name": name, **values}) + "\n")
            self.process.stdin.flush()
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
        self.process.wait()
        self._reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
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


def _serve(name: str) -> None:
    import django

    django.setup()
    desk = importlib.import_module(name)
    from concurrent.futures import ThreadPoolExecutor

    speaking = threading.Lock()
    with ThreadPoolExecutor(THREADS) as pool:
        for line in sys.stdin:
            pool.submit(_handle, desk, json.loads(line), speaking)


def _handle(desk: Any, request: dict[str, Any], speaking: threading.Lock) -> None:
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
        print(json.dumps({"number": number, **answer}), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
