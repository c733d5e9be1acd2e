"""A process that serves coupon requests from a pipe on many threads, as a web server does from sockets.

`Clerk` is the test's side. A request is a line of JSON with the name of a function below; its answer comes when the
service has returned, so a clerk that dies has answered nothing that is not committed.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from tests.stack import ROOT, Stack

THREADS = 24


class Clerk:
    """One running process; `ask` answers a future that is None when the process died before it answered."""

    def __init__(self, stack: Stack) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.coupon_clerk"],
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
def clerks(stack: Stack, count: int = 1) -> Iterator[list[Clerk]]:
    """So many, started together."""
    all_of_them = [Clerk(stack) for _ in range(count)]
    try:
        yield all_of_them
    finally:
        for clerk in all_of_them:
            clerk.kill()


# The process's side ------------------------------------------------------------------------------------------


def make(*, members: int, **batch: Any) -> dict[str, Any]:
    """So many members and an open batch."""
    from tests.coupons import kit

    return {"members": kit.make_members(members), "batch": kit.make_batch(**batch)}


def claim(*, batch: int, member: int, key: str, dies: bool = False) -> int:
    """Her coupon; `dies` ends the process when it is committed and nobody was told."""
    from tests.coupons import kit

    issued = kit.claim(batch, member, key)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return issued.id


def start_job(*, batch: int, members: list[int], key: str, size: int) -> int:
    """A bulk issue in slices of this size, frozen and waiting."""
    from coupons import services
    from coupons.services import bulk
    from tests.coupons import kit

    bulk.SLICE = size  # type: ignore[misc]
    return services.start_issue_job(batch_id=batch, member_ids=members, key=key, actor=kit.BOSS).job_id


def run_job(*, job: int) -> dict[str, Any]:
    """What a worker does with it."""
    from coupons import services
    from tests.coupons import kit

    progress = services.run_issue_job(job_id=job, actor=kit.BOSS)
    return {"state": progress.state, "issued": progress.issued_count, "refused": progress.refused}


def check(*, batch: int) -> None:
    """Counters are what the rows say."""
    from tests.coupons import kit

    kit.check_counters(batch)


def _serve() -> None:
    import django

    django.setup()
    from concurrent.futures import ThreadPoolExecutor

    speaking = threading.Lock()
    with ThreadPoolExecutor(THREADS) as pool:
        for line in sys.stdin:
            pool.submit(_handle, json.loads(line), speaking)


def _handle(request: dict[str, Any], speaking: threading.Lock) -> None:
    from django.db import close_old_connections

    from core.errors import Refusal

    number, name = request.pop("number"), request.pop("name")
    close_old_connections()  # as before each request
    try:
        answer = {"answer": globals()[name](**request)}
    except Refusal as refusal:
        answer = {"refused": refusal.code}
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    with speaking:
        print(json.dumps({"number": number, **answer}), flush=True)


if __name__ == "__main__":
    _serve()
