"""Emptying the database after a test that commits.

Django truncates all tables, which makes a new file for each table and each index: a third of a second for ours, nine
hundred times a run. Here a connection that stays open waits for everybody who still writes, finds the few tables that
have rows and deletes those. What the migrations wrote is put back, so every test begins with the same rows. What
`post_migrate` wrote (content types, permissions) stays; had a test changed it, Django's own flush puts it right.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

# Filled by post_migrate and never touched by the tests of ours.
KEPT = ("auth_permission", "django_content_type")
_TABLES = f"""
SELECT relname::text FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
  AND relname <> ALL (ARRAY['django_migrations', {", ".join(f"'{name}'" for name in KEPT)}])
ORDER BY 1
"""
# Who may still write. A session that begins later would write after our DELETE, whatever we lock.
_OTHERS = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL)
"""
_COUNTS = "SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in KEPT)


class Emptier:
    """One connection to the test database and what it knows of the tables there."""

    def __init__(self) -> None:
        values = connection.get_connection_params()
        chosen = {name: values[name] for name in values if name not in {"context", "cursor_factory"}}
        self._session: psycopg.Connection[Any] = psycopg.connect(**chosen)
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), self._session.transaction():
            # No foreign key is looked at: everything goes. Without the right they are looked at when it commits.
            self._session.execute("SET session_replication_role = replica")
        self._tables: list[str] = []
        self._lock = self._look = sql.Composed([])
        self._first: dict[str, bytes] = {}
        with self._session.transaction():
            self._kept = self._session.execute(_COUNTS).fetchone()
            self._first = {name: self._rows_of(name) for name in self._filled()}

    def empty(self) -> bool:
        """No row is left of any test; False when that is beyond what deleting can do."""
        with self._session.transaction():
            if filled := self._filled():
                self._session.execute(
                    sql.SQL(";").join(
                        sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in filled
                    )
                )
            return self._session.execute(_COUNTS, prepare=True).fetchone() == self._kept

    def close(self) -> None:
        self._session.close()

    def _filled(self) -> list[str]:
        self._learn([name for (name,) in self._session.execute(_TABLES, prepare=True)])
        [(is_anybody_at_work,)] = self._session.execute(_OTHERS, prepare=True)
        if is_anybody_at_work:
            # Waits for a thread that a test left writing, as TRUNCATE would.
            self._session.execute(self._lock)
        return [name for (name,) in self._session.execute(self._look, prepare=True)]

    def _rows_of(self, name: str) -> bytes:
        with self._session.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
            return b"".join(bytes(block) for block in copy)

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


# A session as it began, but for what it knows of tables and functions, which a new one would have to learn again.
_BEGIN_ANEW = """
CLOSE ALL; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES
"""


def begun_anew() -> bool:
    """The connection of this thread is as a new one; False when that takes a new one."""
    session = connection.connection
    if session is None:
        return True
    if (
        session.closed
        or session.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
        or connection.in_atomic_block
        or not connection.autocommit
    ):
        return False
    try:
        session.execute(_BEGIN_ANEW)
    except psycopg.Error:
        return False
    connection.ensure_timezone()
    connection.needs_rollback = connection.errors_occurred = False
    connection.run_on_commit = []
    return True


@contextlib.contextmanager
def emptied_by_deleting() -> Iterator[None]:
    """Tests that commit leave an empty database behind in milliseconds."""
    emptier = Emptier()
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def empty(case: TransactionTestCase) -> None:
        if case.available_apps is not None or case.serialized_rollback or not emptier.empty():
            flush(case)

    with contextlib.closing(emptier), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda case: not begun_anew())
        yield
