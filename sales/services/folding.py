"""Totals that follow a bulk booking within seconds: their moves were appended, and are folded in transactions of their own.

A file touches the totals of the whole chain. Moved in its own transaction they would keep every till waiting that
sells meanwhile; appended, they are nobody else's rows. A fold takes some thousand moves, in the order of the totals'
keys, and is over in a fraction of a second.

In a large chain every slice touches every guide, and moving all their totals takes as long as the slice itself. So
the job beside the importer folds, on another core, guide by guide: what several slices left for one is one change. It goes
round: who moved again behind it waits for the next round. Beginning anew with each look, it would move the first guides with
every slice, and the last ones late.
"""

from typing import Final

from django.db import connection, transaction

from sales.services.reconciling import share_close_lock
from sales.services.totals import Move, move_totals

FOLDED_AT_ONCE: Final = 5_000
# By an array, found by its keys: the table is empty whenever statistics are made of it, and a plan for an empty table
# would compare each of the thousands taken with each of those that wait.
_TAKE: Final = """
DELETE FROM sales_totalmove WHERE id = ANY(ARRAY(
    SELECT id FROM sales_totalmove WHERE guide_ref >= %s ORDER BY guide_ref, store_ref LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING booked_on, guide_ref, store_ref, metric, value
"""
_NOBODY: Final = 0  # the guide of what a store sold without one: the first in a round
# By the server's clock, as they were written; those that somebody is folding do not wait.
_PATIENCE: Final = "8 seconds"
_IS_LATE: Final = """
SELECT written_at < clock_timestamp() - %s::interval FROM sales_totalmove ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


def fold_totals() -> int:
    """Every total has what waited for it when the round began; how many moves were folded. Two at once share the work."""
    folded, guide_ref = 0, _NOBODY
    while True:
        with transaction.atomic():
            # Whoever closes a month or proves totals waits until moves that were taken are in their totals.
            share_close_lock()
            count, guide_ref = _fold_from(guide_ref, FOLDED_AT_ONCE)
        folded += count
        if count < FOLDED_AT_ONCE:
            return folded


def fold_late() -> int:
    """The same for an importer between two slices: the job folds beside it, and only where none is running, or it
    cannot keep up, moves wait too long."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_IS_LATE, [_PATIENCE])
        oldest = cursor.fetchone()
    return fold_totals() if oldest and oldest[0] else 0


def fold_some(limit: int = FOLDED_AT_ONCE) -> int:
    """Up to so many moves are in their totals, inside the caller's transaction; how many."""
    return _fold_from(_NOBODY, limit)[0]


def fold_all() -> None:
    """The same of all there are, for whoever holds the close lock alone."""
    while fold_some() == FOLDED_AT_ONCE:
        pass


def _fold_from(guide_ref: int, limit: int) -> tuple[int, int]:
    """How many moves, of this guide and those behind her, and of whom the last one was."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [guide_ref, limit])
        moves: list[Move] = cursor.fetchall()
    if not moves:
        return 0, guide_ref
    move_totals(moves)
    return len(moves), max([guide or _NOBODY for _day, guide, _store, _metric, _value in moves])
