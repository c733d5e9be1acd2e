"""How many processes send reaches at the same time.

The timetable wakes a sender every few seconds and a run lasts up to a minute: without a bound one large broadcast would come
to hold every process of the workers, and pushes, answers and orders would wait behind it.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db import connection

from campaigns.services.sending import send_due_reaches

# First half of the advisory lock's key; the second is the slot's number. Nothing else uses it.
SENDER_SLOT: Final = 7_316_001
_TAKE: Final = """
SELECT slot FROM generate_series(1, %s) AS slot WHERE pg_try_advisory_lock(%s, slot) LIMIT 1
"""


def work_reaches() -> int:
    """`send_due_reaches`, unless `REACH_SENDERS` processes are at it already; how many reaches were taken in hand."""
    with slot(kind=SENDER_SLOT, count=settings.REACH_SENDERS) as is_free:
        return send_due_reaches() if is_free else 0


@contextlib.contextmanager
def slot(*, kind: int, count: int) -> Iterator[bool]:
    """One of so many slots of a kind is this process's until the end; the database gives it back when the connection ends,
    however it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [count, kind])
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
