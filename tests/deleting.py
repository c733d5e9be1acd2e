"""Tables are emptied by deleting the rows of those that have any.

TRUNCATE makes a new file for each table and each index, which takes a third of a second for ours. Here a session that sees no
foreign keys and no triggers waits for everybody who still writes, finds the few tables that have rows and deletes those.
"""

import contextlib
from typing import Any

import psycopg
from psycopg import sql

# The tables named, and all that refer to them: what TRUNCATE … CASCADE would empty.
THESE_AND_WHO_REFER = """
WITH RECURSIVE cleared AS (
    SELECT oid FROM pg_class WHERE relname = ANY (%s) AND relnamespace = current_schema()::regnamespace
    UNION SELECT conrelid FROM cleared JOIN pg_constraint ON confrelid = cleared.oid AND contype = 'f'
)
SELECT relname::text FROM cleared JOIN pg_class USING (oid) ORDER BY 1
"""
# Who may still write. A session that begins later would write after our DELETE, whatever we lock.
_OTHERS = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL)
"""


class Deleting:
    """A session and what it knows of the tables whose names `tables` (SQL) selects; they are asked for each time."""

    def __init__(self, session: psycopg.Connection[Any], tables: str, *values: Any) -> None:
        self.session = session
        self._ask, self._values = tables, values
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), session.transaction():
            # No foreign key is looked at: everything goes. Without the right they are looked at when it commits.
            session.execute("SET session_replication_role = replica")
        self._tables: list[str] = []
        self._lock = self._look = sql.Composed([])

    def empty(self) -> None:
        """No row is left in them. To be called in a transaction."""
        if filled := self.filled():
            self.session.execute(
                sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in filled)
            )

    def filled(self) -> list[str]:
        """Those that have rows, when nobody writes any more."""
        self._learn([name for (name,) in self.session.execute(self._ask, self._values, prepare=True)])
        [(is_anybody_at_work,)] = self.session.execute(_OTHERS, prepare=True)
        if is_anybody_at_work:
            self.session.execute(self._lock)  # waits, as TRUNCATE would
        return [name for (name,) in self.session.execute(self._look, prepare=True)]

    def _learn(self, tables: list[str]) -> None:
        if tables == self._tables:
            return
        names = [sql.Identifier(name) for name in tables]
        self._lock = sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.SQL(", ").join(names))
        self._look = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), name)
            for table, name in zip(tables, names, strict=True)
        )
        self._tables = tables
