"""A table that cannot grow: the kernel itself refuses every write to its file (ENOSPC, as `/dev/full` does).

Nothing else of the disk is touched, so other tests run beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


@contextmanager
def full_disk(table: str) -> Iterator[None]:
    """Empties the table and what refers to it, and lets PostgreSQL find a full disk when it writes to the table.

    The server keeps files open, so the connection begins anew on both sides. The checkpoint leaves no write of the
    old file behind which a checkpoint in between would flush: PostgreSQL stops when a flush fails.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT current_setting('data_directory'), pg_relation_filepath(%s)", [table])
        home, file = cursor.fetchone()
    path = Path(home) / file
    kept = path.with_name(f"{path.name}.kept")
    connection.close()
    path.rename(kept)
    path.symlink_to("/dev/full")
    try:
        yield
    finally:
        connection.close()
        path.unlink()
        kept.rename(path)
