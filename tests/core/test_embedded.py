"""The embedded engines: shared by handles, stopped by the last, restartable."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from core import embedded

pytestmark = pytest.mark.faults


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_engines_live_as_long_as_somebody_uses_them(tmp_path: Path) -> None:
    home = tmp_path / "a rather long name with blanks, so that a socket path would not fit " / "engines"
    engines = embedded.start(home, durable=False)
    try:
        assert answers(engines.database_url)
        with psycopg.connect(engines.database_url) as connection:
            assert connection.execute("SHOW max_connections").fetchone() == ("400",)
        other = subprocess.Popen(
            [sys.executable, "-c", f"from core import embedded; from pathlib import Path; "
             f"embedded.start(Path({str(home)!r})); input()"],
            stdin=subprocess.PIPE, cwd=Path(__file__).resolve().parents[2], env={**os.environ},
        )  # fmt: skip
        while not (home / "handles" / str(other.pid)).exists():
            assert other.poll() is None
        engines.stop()
        assert answers(engines.database_url)  # the other one is still there
        other.kill()  # it cannot say goodbye; its handle does not count
        other.communicate()
        embedded.release(home)
        assert not answers(engines.database_url)
        assert answers(embedded.start(home, durable=False).database_url)
    finally:
        embedded.destroy(home)
    assert not home.exists()


def test_destroying_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    embedded.destroy(tmp_path / "none")
    embedded.release(tmp_path / "none")
