"""Up to which id a table of facts is complete.

Ids are drawn when a row is written and seen when its transaction commits, so a reader who remembers the greatest id
she saw loses every smaller one that commits later. What is safe: take the greatest id there is, and wait until
everybody who held a lock for writing the table at that moment has ended. An INSERT takes that lock before it draws its
id, and a transaction gives it up only when what it wrote can be seen. After the wait nothing can appear at or below
that id. (pg_incremental reads sequences the same way; PostgreSQL's CREATE INDEX CONCURRENTLY waits for writers so.)

It costs the writers nothing: no column, no index, no row they would meet at. It holds for tables whose ids come from
a sequence with CACHE 1, as Django makes them, and whose rows are not deleted from the top.
"""

import datetime as dt
import time
from typing import Final

from django.db import connection

from core import clock

_POLL_S: Final = 0.02

_GREATEST: Final = "SELECT coalesce(max(id), 0) FROM {table}"
_WRITERS: Final = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = %s::regclass AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


def complete_until(table: str, *, patience: dt.timedelta) -> tuple[int, dt.datetime] | None:
    """The greatest id of the table below which all rows can be seen now, and a moment before which all that had
    committed is included. None when a writer is not done within `patience`: try again later.

    `table` is a name of our own code, never input. Called outside a transaction, or inside one that may see its own
    rows only.
    """
    asked_at = clock.now()
    greatest = _greatest(table)
    return (greatest, asked_at) if writers_ended(table, patience=patience) else None


def writers_ended(*tables: str, patience: dt.timedelta) -> bool:
    """Whether everybody who held a lock for writing one of the tables when this was asked has ended by now: what they wrote
    can be seen, and whoever writes from now on sees what had committed before. False after `patience`.

    The tables are names of our own code, never input.
    """
    writers = set().union(*map(_writers, tables))
    deadline = time.monotonic() + patience.total_seconds()
    while writers:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
        writers &= set().union(*map(_writers, tables))
    return True


def _greatest(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_GREATEST.format(table=connection.ops.quote_name(table)))
        return int(cursor.fetchone()[0])


def _writers(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [table])
        return {row[0] for row in cursor.fetchall()}
