"""How many processes do one kind of work at the same time."""

import contextlib
from collections.abc import Iterator
from typing import Final

from django.db import connection

_TAKE: Final = """
SELECT slot FROM generate_series(%s::int, %s::int) AS slot WHERE pg_try_advisory_lock(%s, slot) LIMIT 1
"""


@contextlib.contextmanager
def slot(*, kind: int, count: int, first: int = 1) -> Iterator[bool]:
    """One of so many slots of a kind is this process's until the end; the database gives it back when the connection ends,
    however it ends. Slots are numbered from `first`: with one slot it may be a row's id."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [first, first + count - 1, kind])
        taken = cursor.fetchone()
    if taken is None:
        yield False
        return
    try:
        yield True
    finally:
        # A connection that was lost has given its slot back; on a new one there is nothing to give.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, taken[0]])
