"""Totals that follow a bulk booking within seconds: their moves were appended, and are folded in transactions of their own.

A file touches the totals of the whole chain. Moved in its own transaction they would keep every till waiting that
sells meanwhile; appended, they are nobody else's rows. A fold takes some thousand moves, in the order of the totals'
keys, and is over in a fraction of a second.

In a large chain every slice touches every guide, and moving all their totals takes as long as the slice itself. So
the job beside the importer folds, on another core: those who wait longest first, and with them all that slices since have
left for the same guide in the same store, as one change. A slice appends its moves guide by guide, so those who wait
longest are neighbours in the totals as well.
"""

import time
from typing import Final, NamedTuple

from django.db import connection, transaction

from sales.services.reconciling import share_close_lock
from sales.services.totals import Move, move_totals

FOLDED_AT_ONCE: Final = 5_000
_UNTIL: Final = "SELECT coalesce(max(id), 0) FROM sales_totalmove"
_ANY: Final = 2**63 - 1
# By an array, found by its keys: the table is empty whenever statistics are made of it, and a plan for an empty table
# would compare each of the thousands taken with each of those that wait.
# `after`: what was taken before is still in the way, row by row, as long as some older transaction might have to see it.
_TAKE: Final = """
WITH oldest AS MATERIALIZED (
    SELECT guide_ref, store_ref, max(id) AS last FROM (
        SELECT id, guide_ref, store_ref FROM sales_totalmove WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
        FOR UPDATE SKIP LOCKED) waiting
    GROUP BY guide_ref, store_ref)
DELETE FROM sales_totalmove WHERE id = ANY(ARRAY(
    SELECT move.id FROM oldest JOIN sales_totalmove move USING (guide_ref, store_ref) FOR UPDATE OF move SKIP LOCKED))
RETURNING booked_on, guide_ref, store_ref, metric, value, (SELECT max(last) FROM oldest)
"""
# How long the timetable waits from one fold to the next.
_PERIOD_S: Final = 5.0
# By the server's clock, as they were written; those that somebody is folding do not wait. A job that went round goes round
# again while there is somebody who waits as long as the first.
_SOON: Final = "2 seconds"
_PATIENCE: Final = "6 seconds"
_IS_LATE: Final = """
SELECT written_at < clock_timestamp() - %s::interval FROM sales_totalmove ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


class _Taken(NamedTuple):
    """How many moves were folded, and the last of those that waited longest."""

    moves: int
    last: int


def fold_totals() -> int:
    """Every total has what waited for it when this began; how many moves were folded. Two at once share the work."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTIL)
        [until] = cursor.fetchone()
    folded = after = 0
    while taken := _fold_apart(until, after):
        folded, after = folded + taken.moves, taken.last
    return folded


def keep_totals() -> int:
    """The same, again and again while a file is being booked beside: until nobody waits for long, or the next is due."""
    end = time.monotonic() + _PERIOD_S
    folded = fold_totals()
    while time.monotonic() < end and _is_late(_SOON):
        folded += fold_totals()
    return folded


def fold_late() -> int:
    """What waits too long is folded, by an importer between two slices: the job does so beside it, and only where none is
    running, or it cannot keep up, something does."""
    folded = 0
    while _is_late(_PATIENCE) and (taken := _fold_apart(_ANY)):
        folded += taken.moves
    return folded


def fold_some(limit: int = FOLDED_AT_ONCE) -> int:
    """The oldest moves, so many or with what else waits for the same totals more, are in them, inside the caller's
    transaction; how many."""
    taken = _fold(_ANY, limit)
    return taken.moves if taken else 0


def fold_all() -> None:
    """The same of all there are, for whoever holds the close lock alone."""
    while fold_some():
        pass


def _fold_apart(until: int, after: int = 0) -> _Taken | None:
    with transaction.atomic():
        # Whoever closes a month or proves totals waits until moves that were taken are in their totals.
        share_close_lock()
        return _fold(until, FOLDED_AT_ONCE, after)


def _is_late(patience: str) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_IS_LATE, [patience])
        oldest = cursor.fetchone()
    return bool(oldest and oldest[0])


def _fold(until: int, limit: int, after: int = 0) -> _Taken | None:
    """None when there was nothing that nobody else is folding."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [after, until, limit])
        rows = cursor.fetchall()
    if not rows:
        return None
    moves: list[Move] = [row[:5] for row in rows]
    move_totals(moves)
    return _Taken(len(moves), rows[0][5])
