"""One stack of real processes for all tests that need one, started by the first."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import ENGINES_HOME
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def shared_stack() -> Iterator[Stack]:
    """Not below pytest's own folder: another run on the machine closes that to everybody but root while it begins, and
    PostgreSQL runs as somebody else."""
    home = Path(tempfile.mkdtemp(prefix="stack-", dir=ENGINES_HOME))
    home.chmod(0o755)
    try:
        with running_stack(home) as stack:
            yield stack
    finally:
        shutil.rmtree(home, ignore_errors=True)
