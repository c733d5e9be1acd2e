"""A migrated, empty database that every test database is a copy of.

Migrating takes several seconds, copying a fraction of one. The template's name holds a digest of all that decides what
migrating gives, so it is made once for a state of the code and kept for the next run.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.engines import ENGINES_HOME, ROOT
from tests.killed_job import database_url

_PREFIX = "template_of_tests_"
_BUILDING = f"{_PREFIX}building"


def ensure_template() -> str:
    """The name of the template for the code as it is; made when it is not there. One process at a time."""
    name = f"{_PREFIX}{_digest()}"
    with (
        open(ENGINES_HOME / ".template.lock", "w", encoding="utf-8") as lock,
        connection._nodb_cursor() as cursor,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_PREFIX])
        there = {found for (found,) in cursor.fetchall()}
        if name not in there:
            for old in there:
                cursor.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{_BUILDING}"')
            _migrate(_BUILDING)
            cursor.execute(f'ALTER DATABASE "{_BUILDING}" RENAME TO "{name}"')
    return name


def _migrate(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(name)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"migrating the template failed:\n{done.stderr}")


def _digest() -> str:
    whole = hashlib.sha256(repr(settings.INSTALLED_APPS).encode())
    for path in sorted(_sources()):
        whole.update(str(path.relative_to(ROOT)).encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    """Migrations and models, and `core`, which migrations may import; the versions of what they run on."""
    yield ROOT / "constraints.txt"
    yield ROOT / "requirements.txt"
    yield from ROOT.glob("core/**/*.py")
    for part in ("migrations/*.py", "models.py", "models/**/*.py", "apps.py"):
        yield from ROOT.glob(f"[a-z]*/{part}")
