"""A migrated database of a bench's own, processes that work on it, and what the bulk benches of members share."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.figures import ROOT
from bench.servers import settings_module, temporary_home
from core import embedded

# The time limit of processes that work whole tables out.
LONG_MS: Final = 600_000
# %(count)s members with nothing but their rows, for others to stand beside.
FILLER: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, %(stage)s, '', '{}', '', '', '', 'import', '', false, now() - n * interval '1 minute'
FROM generate_series(1, %(count)s) n
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Private:
    """The engines' folder, the environment of processes, and a connection without time limits."""

    home: Path
    environment: dict[str, str]
    connection: "psycopg.Connection[Any]"

    def run(self, *command: str, given: str = "") -> str:
        """What the command printed, to which `given` was told. Raises RuntimeError with all of it when it failed."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[:3]} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    def ask(self, text: str, told: Any = None) -> Any:
        """What a job printed as JSON, which was told `told` as JSON; run as a worker runs it."""
        return json.loads(self.run(sys.executable, "-c", text, given=json.dumps(told)))

    def job(self, text: str, *arguments: str) -> list[str]:
        """The words of the last line that a job printed, run as a worker runs it: in a process of its own."""
        return self.run(sys.executable, "-c", text, *arguments).splitlines()[-1].split()

    def state(self, statement: str) -> tuple[Any, ...]:
        """The one row the statement reads."""
        row = self.connection.execute(statement).fetchone()
        assert row is not None
        return tuple(row)

    def timed(self, statements: Sequence[str]) -> float:
        """Seconds that these take in one transaction."""
        began = time.monotonic()
        with self.connection.transaction():
            for statement in statements:
                self.connection.execute(statement)
        return time.monotonic() - began


# What `docs/deployment.md` advises for 4 GB of memory. With PostgreSQL's own settings, which suit a laptop, a file of a million
# orders drives the pages it needs out of the cache again and again, and each checkpoint has them logged whole once more.
SERVER_OF_A_CHAIN: Final[Mapping[str, str]] = {
    "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "effective_cache_size": "3GB",
}  # fmt: skip


@contextlib.contextmanager
def private_database(
    settings: str = "", *, statement_timeout_ms: int | None = None, server: Mapping[str, str] | None = None
) -> Iterator[Private]:
    """All of it is stopped and deleted at the end. Processes have the project's time limit unless another is named, the server
    PostgreSQL's own settings."""
    with temporary_home() as home:
        engines = _started(home / "engines", server or {})
        (home / "static").mkdir()
        environment = {
            **os.environ,
            **engines.environment(),
            "DJANGO_SETTINGS_MODULE": settings or settings_module(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
            "IMPORT_ROOT": str(home / "imports"),
            "EXPORT_ROOT": str(home / "exports"),
        }
        if statement_timeout_ms is not None:
            environment["STATEMENT_TIMEOUT_MS"] = str(statement_timeout_ms)
        with psycopg.connect(engines.database_url, autocommit=True) as connection:
            private = Private(home, environment, connection)
            private.run(sys.executable, "manage.py", "migrate", "--verbosity", "0")
            yield private


def _started(home: Path, server: Mapping[str, str]) -> embedded.Engines:
    """The engines; PostgreSQL reads some of its settings only when it starts."""
    engines = embedded.start(home)
    if not server:
        return engines
    with psycopg.connect(engines.database_url, autocommit=True) as connection:
        for name, value in server.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    embedded.stop_postgres(home / "postgres")
    return embedded.start(home)


def in_turns(
    rounds: int,
    *,
    floor: Callable[[], float],
    ours: Callable[[], float],
    check: Callable[[], tuple[Any, ...]],
) -> tuple[list[float], list[float], tuple[Any, ...]]:
    """Seconds of the floor, of ours, and the state both left; who goes first changes with every round.

    Each half prepares its own rows before it starts the clock. Raises RuntimeError when the two leave another state.
    """
    taken: dict[str, list[float]] = {"floor": [], "ours": []}
    left: dict[str, tuple[Any, ...]] = {}
    halves = [("floor", floor), ("ours", ours)]
    for number in range(rounds):
        for name, half in halves if number % 2 == 0 else reversed(halves):
            taken[name].append(half())
            left[name] = check()
        if left["floor"] != left["ours"]:
            raise RuntimeError(f"the two ends differ: {left['floor']} and {left['ours']}")
        print(
            f"  round {number + 1} of {rounds}: floor {taken['floor'][-1]:.1f} s, ours {taken['ours'][-1]:.1f} s",
            flush=True,
        )
    return taken["floor"], taken["ours"], left["ours"]
