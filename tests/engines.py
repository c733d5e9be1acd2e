"""Starts the engines once for all test workers, before Django reads its settings (pytest's `-p`, see pyproject)."""

import os
from pathlib import Path

from core import embedded

ROOT = Path(__file__).resolve().parent.parent
ENGINES_HOME = Path(os.environ.get("TEST_ENGINES_HOME") or ROOT / "var" / "test")


def _own_redis_database(worker: str) -> None:
    """Every xdist worker has its own Redis database, as it has its own PostgreSQL database."""
    number = int(worker.removeprefix("gw")) + 1
    base = os.environ["REDIS_URL"]
    if base.startswith("unix://"):
        os.environ["REDIS_URL"] = f"{base.partition('?')[0]}?db={number}"
    else:
        os.environ["REDIS_URL"] = f"{base.rpartition('/')[0]}/{number}"


# The first process starts the engines; xdist's workers inherit the two variables.
embedded.ensure_environment(ENGINES_HOME, durable=False)
# Never the demo's collected files or uploads.
(ENGINES_HOME / "static").mkdir(exist_ok=True)
os.environ["STATIC_ROOT"] = str(ENGINES_HOME / "static")
os.environ["MEDIA_ROOT"] = str(ENGINES_HOME / "media")
if worker_name := os.environ.get("PYTEST_XDIST_WORKER"):
    _own_redis_database(worker_name)
