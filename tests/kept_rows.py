"""Rows that are costly to make, made once for a module: each of its tests undoes only what it did itself."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction
from pytest_django import DjangoDbBlocker


@contextlib.contextmanager
def kept_rows(blocker: DjangoDbBlocker, make: Callable[[], Any]) -> Iterator[Any]:
    """What `make` writes is there until the end, in an open transaction in which tests' own are savepoints.

    For fixtures of scope "module" whose tests do not commit.
    """
    whole = contextlib.ExitStack()
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined]  # as Django marks its own: a durable block inside is not refused
    with blocker.unblock():
        whole.enter_context(outer)
        whole.callback(transaction.set_rollback, True)
        try:
            made = make()
            with connection.cursor() as cursor:
                # A bulk issue in `make` leaves its short limit to the whole transaction; a busy machine rests longer.
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        except BaseException:
            whole.close()
            raise
    try:
        yield made
    finally:
        with blocker.unblock():
            whole.close()
