"""A process in which Django is ready, and whose children run what a test asks of another process.

Starting Python with Django takes seconds, forking one that has it milliseconds. `ReadyDjango` is the test's side. A request
is a line of JSON; the process forks and says which child began and, later, how it ended. It holds no connection and has one
thread, so a child is as a process that was just started. All end when the test's side has gone.
"""

import contextlib
import gc
import itertools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEGINS_WITHIN_S = 60.0


class Child:
    """A process that was begun; as much of `subprocess.Popen` as tests use. It leads a group of its own."""

    def __init__(self, pid: int, output: Path, errors: Path) -> None:
        self.pid = pid
        self.ended: Future[int] = Future()
        self._output, self._errors = output, errors

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        return self.ended.result() if self.ended.done() else None

    def wait(self, timeout: float | None = None) -> int:
        try:
            return self.ended.result(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(f"child {self.pid}", timeout or 0) from None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def kill(self) -> None:
        """kill -9 of all its group, and its end."""
        self.send_signal(signal.SIGKILL)
        self.wait()

    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text(errors="replace")

    def errors(self) -> str:
        return self._errors.read_text(errors="replace")


class ReadyDjango:
    """The process and its children. Its environment is that of all of them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ready_django"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._outputs = tempfile.TemporaryDirectory(prefix="ready-django-")
        self._asking = threading.Lock()
        self._asked: list[tuple[Future[Child], Path, Path]] = []
        self._numbers = itertools.count()
        self._children: dict[int, Child] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(
        self, statements: str, *, log: Path | None = None, environment: dict[str, str] | None = None
    ) -> Child:
        """Run Python in a child; what it prints goes to `log`, or is kept for the child's `output` and `errors`."""
        future: Future[Child] = Future()
        with self._asking:
            kept = Path(self._outputs.name) / str(next(self._numbers))
            output, errors = (log, log) if log else (kept.with_suffix(".out"), kept.with_suffix(".err"))
            for place in (output, errors):
                place.touch()
            self._asked.append((future, output, errors))
            assert self._process.stdin is not None
            request = {
                "statements": statements,
                "output": str(output),
                "errors": str(errors),
                "environment": environment or {},
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return future.result(BEGINS_WITHIN_S)

    def run(self, statements: str) -> str:
        """Run Python in a child to its end: what it printed. Raises RuntimeError when it failed."""
        child = self.begin(statements)
        if status := child.wait():
            raise RuntimeError(f"it ended with {status}:\n{statements}\n{child.output()}\n{child.errors()}")
        return child.output().strip()

    def close(self) -> None:
        """End it and all children that are left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._outputs.cleanup()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "begun" in told:
                future, output, errors = self._asked.pop(0)
                child = self._children[told["begun"]] = Child(told["begun"], output, errors)
                future.set_result(child)
            else:
                self._children.pop(told["ended"]).ended.set_result(told["status"])
        for future, _output, _errors in self._asked:
            future.set_exception(RuntimeError("the process with Django has ended"))


# The process's side ----------------------------------------------------------------------------------------


def _serve() -> None:
    import django

    django.setup()
    gc.freeze()  # a child that collects need not copy what all have
    living: set[int] = set()
    awake, waking = socket.socketpair()
    for end in (awake, waking):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, _wake)
    signal.set_wakeup_fd(waking.fileno())
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        selector.register(awake, selectors.EVENT_READ)
        unread = b""
        while True:
            for key, _events in selector.select():
                if key.fileobj is awake:
                    awake.recv(4096)
                    _bury(living)
                    continue
                block = os.read(sys.stdin.fileno(), 65_536)
                if not block:
                    for pid in living:
                        os.killpg(pid, signal.SIGKILL)
                    return
                *lines, unread = (unread + block).split(b"\n")
                for line in lines:
                    living.add(_fork(json.loads(line)))


def _wake(number: int, frame: FrameType | None) -> None:
    """A child has ended; the loop hears of it through the socket."""


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        os.setpgid(pid, pid)  # by whoever tells of it: it can be killed from then on
        _tell(begun=pid)
        return pid
    status = 1
    try:
        _become(request)
        exec(request["statements"], {"__name__": "__child__"})
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _become(request: dict[str, Any]) -> None:
    """Nothing of the parent's is left: its pipes, its ear for children."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output, errors = (os.open(request[name], os.O_WRONLY | os.O_APPEND) for name in ("output", "errors"))
    for wanted, number in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(wanted, number)
    os.environ.update(request["environment"])


def _bury(living: set[int]) -> None:
    for pid in list(living):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            living.remove(pid)
            _tell(ended=pid, status=os.waitstatus_to_exitcode(status))


def _tell(**what: int) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    _serve()
