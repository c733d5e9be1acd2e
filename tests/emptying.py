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
            self._learn([name for (name,) in self._session.execute(_TABLES, prepare=True)])
            # Waits for a thread that a test left writing, as TRUNCATE would.
            self._session.execute(self._lock)
            filled = [name for (name,) in self._session.execute(self._look, prepare=True)]
            if filled:
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
        yield
