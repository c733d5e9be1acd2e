"""Totals that follow a bulk booking within seconds: their moves were appended, and are folded in transactions of their own.

A file touches the totals of the whole chain. Moved in its own transaction they would keep every till waiting that
sells meanwhile; appended, they are nobody else's rows. A fold takes some thousand moves, in the order of the totals'
keys, and is over in a fraction of a second.

In a large chain every slice touches every guide, and moving all their totals takes as long as the slice itself. So
the job beside the importer folds, on another core: those who wait longest first, and with them all that slices since have
left for the same guide in the same store, as one change. A slice appends its moves guide by guide, so those who wait
longest are neighbours in the totals as well.
"""

from typing import Final

from django.db import connection, transaction

from sales.services.reconciling import share_close_lock
from sales.services.totals import Move, move_totals

FOLDED_AT_ONCE: Final = 5_000
_UNTIL: Final = "SELECT coalesce(max(id), 0) FROM sales_totalmove"
_ANY: Final = 2**63 - 1
# By an array, found by its keys: the table is empty whenever statistics are made of it, and a plan for an empty table
# would compare each of the thousands taken with each of those that wait.
_TAKE: Final = """
WITH oldest AS MATERIALIZED (
    SELECT DISTINCT guide_ref, store_ref FROM (
        SELECT guide_ref, store_ref FROM sales_totalmove WHERE id <= %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) waiting)
DELETE FROM sales_totalmove WHERE id = ANY(ARRAY(
    SELECT move.id FROM oldest JOIN sales_totalmove move USING (guide_ref, store_ref) FOR UPDATE OF move SKIP LOCKED))
RETURNING booked_on, guide_ref, store_ref, metric, value
"""
# By the server's clock, as they were written; those that somebody is folding do not wait.
_PATIENCE: Final = "8 seconds"
_IS_LATE: Final = """
SELECT written_at < clock_timestamp() - %s::interval FROM sales_totalmove ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


def fold_totals() -> int:
    """Every total has what waited for it when this began; how many moves were folded. Two at once share the work."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTIL)
        [until] = cursor.fetchone()
    folded = 0
    while count := _fold_apart(until):
        folded += count
    return folded


def fold_late() -> int:
    """What waits too long is folded, by an importer between two slices: the job does so beside it, and only where none is
    running, or it cannot keep up, something does."""
    folded = 0
    while _is_late() and (count := _fold_apart(_ANY)):
        folded += count
    return folded


def fold_some(limit: int = FOLDED_AT_ONCE) -> int:
    """The oldest moves, so many or with what else waits for the same totals more, are in them, inside the caller's
    transaction; how many."""
    return _fold(_ANY, limit)


def fold_all() -> None:
    """The same of all there are, for whoever holds the close lock alone."""
    while fold_some():
        pass


def _fold_apart(until: int) -> int:
    with transaction.atomic():
        # Whoever closes a month or proves totals waits until moves that were taken are in their totals.
        share_close_lock()
        return _fold(until, FOLDED_AT_ONCE)


def _is_late() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_IS_LATE, [_PATIENCE])
        oldest = cursor.fetchone()
    return bool(oldest and oldest[0])


def _fold(until: int, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [until, limit])
        moves: list[Move] = cursor.fetchall()
    if moves:
        move_totals(moves)
    return len(moves)
