"""Emptying the database after a test that commits.

Django truncates all tables and closes the connection. Here rows are deleted where there are any (tests/deleting.py), by a
session that stays, and the test's own connection is made as new. What `post_migrate` wrote (content types, permissions)
stays; had a test changed it, Django's own flush puts it right.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests.deleting import THESE_AND_WHO_REFER, Deleting

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
    """One session of the test database, all of whose tables are empty but for what `post_migrate` wrote."""

    def __init__(self) -> None:
        values = connection.get_connection_params()
        chosen = {name: values[name] for name in values if name not in {"context", "cursor_factory"}}
        self._session: psycopg.Connection[Any] = psycopg.connect(**chosen)
        self._of_some: dict[tuple[str, ...], Deleting] = {}
        self._deleting = Deleting(self._session, _TABLES)
        with self._session.transaction():
            self._kept = self._session.execute(_COUNTS).fetchone()
            # What migrations wrote as well: the first test finds what all others find.
            self._deleting.empty()

    def empty(self) -> bool:
        """No row is left of any test; False when that is beyond what deleting can do."""
        with self._session.transaction():
            self._deleting.empty()
            return self._session.execute(_COUNTS, prepare=True).fetchone() == self._kept

    def forget(self, tables: tuple[str, ...]) -> None:
        """No row is left in these tables and those that refer to them."""
        if tables not in self._of_some:
            self._of_some[tables] = Deleting(self._session, THESE_AND_WHO_REFER, list(tables))
        with self._session.transaction():
            self._of_some[tables].empty()

    def close(self) -> None:
        """Nobody is left at the database, which is dropped next: a live server's threads and Playwright's loop keep sessions."""
        self._session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self._session.close()


_emptiers: list[Emptier] = []  # one, while there is a test database


def forget(*tables: str) -> None:
    """What TRUNCATE … CASCADE of these does, in milliseconds: between the examples of a test that commits."""
    _emptiers[0].forget(tables)


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
    _emptiers.append(emptier)
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def empty(case: TransactionTestCase) -> None:
        if case.available_apps is not None or case.serialized_rollback or not emptier.empty():
            flush(case)

    with contextlib.closing(emptier), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda case: not begun_anew())
        yield
    _emptiers.remove(emptier)
