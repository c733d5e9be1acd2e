"""Rows in a runner's hand: claimed fairly, held under their lease, moved by one statement for a group.

Every write names the holder, so that what a runner writes that was frozen past its lease changes nothing.
"""

import dataclasses
import datetime as dt
import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection

from core.arrays import array_words

# Longer than the slowest group of acts.
LEASE: Final = dt.timedelta(seconds=120)
# Of each journey in one hand: who has a million due does not keep the others waiting.
EACH: Final = 2_000

# A lease that ends later than any that is given now was written by a clock that went wrong. Who has a moment that nobody heard
# yet is left alone until it was: it may end her way, or wake her.
_CLAIM: Final = """
WITH due AS (
    SELECT found.id FROM campaigns_journey journey CROSS JOIN LATERAL (
        SELECT id FROM campaigns_enrolment row
        WHERE row.journey_id = journey.id AND row.state = 'waiting' AND row.due_at <= %(now)s
          AND (row.leased_until IS NULL OR row.leased_until < %(now)s OR row.leased_until > %(unbelievable)s)
          AND NOT EXISTS (SELECT FROM campaigns_journeymoment moment WHERE moment.member_id = row.member_id)
        ORDER BY row.due_at, row.id LIMIT %(each)s FOR NO KEY UPDATE SKIP LOCKED
    ) found
    WHERE journey.state = 'running'
)
UPDATE campaigns_enrolment row SET lease_holder = %(holder)s, leased_until = %(until)s
FROM due WHERE row.id = due.id
RETURNING row.id, row.version_id, row.member_id, row.step, row.due_at, row.is_woken, row.heard, row.values::text,
    row.moved_count, row.round_count, row.attempt_count
"""
# In their order, as whoever hears moments locks them.
_HOLD: Final = """
SELECT row.id, row.member_id, row.is_woken, row.heard FROM campaigns_enrolment row
JOIN campaigns_journey journey ON journey.id = row.journey_id
WHERE row.id = ANY(%(ids)s::bigint[]) AND row.lease_holder = %(holder)s AND row.state = 'waiting'
  AND journey.state = 'running'
ORDER BY row.id FOR NO KEY UPDATE OF row
"""
# PostgreSQL would take a holder that it has never seen for one of a row or two, and look through all of `told` for each row: the
# condition is written so that it has no opinion of it.
_MOVE: Final = """
WITH told AS (
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(states)s::text[], %(steps)s::text[], %(due)s::timestamptz[], %(waiting)s::text[],
        %(moves)s::int[], %(rounds)s::int[], %(attempts)s::int[], %(codes)s::text[], %(keeps)s::boolean[],
        %(passed)s::text[], %(ways)s::text[], %(refs)s::text[])
    AS told (id, state, step, due_at, waiting_for, moves, rounds, attempts, code, keeps, passed, way, ref)
), moved AS (
    UPDATE campaigns_enrolment row SET
        state = told.state, step = told.step, due_at = told.due_at, waiting_for = told.waiting_for, is_woken = false,
        moved_count = row.moved_count + told.moves, round_count = row.round_count + told.rounds,
        attempt_count = told.attempts, code = told.code,
        ended_at = CASE WHEN told.state IN ('waiting', 'failed') THEN NULL ELSE %(now)s::timestamptz END,
        lease_holder = CASE WHEN told.keeps THEN row.lease_holder ELSE '' END,
        leased_until = CASE WHEN told.keeps THEN %(until)s::timestamptz END
    FROM told WHERE row.id = told.id AND CASE WHEN row.lease_holder = %(holder)s THEN row.state = 'waiting' ELSE false END
    RETURNING row.id
), logged AS (
    INSERT INTO campaigns_enrolmentstep (enrolment_id, step, at, way, code, ref)
    SELECT told.id, told.passed, %(now)s, told.way, told.code, told.ref
    FROM told JOIN moved ON moved.id = told.id WHERE told.way <> '' ORDER BY told.id
)
SELECT id FROM moved
"""
_RELEASE: Final = """
UPDATE campaigns_enrolment SET lease_holder = '', leased_until = NULL
WHERE id = ANY(%s::bigint[]) AND lease_holder = %s
"""
_TALLY: Final = """
INSERT INTO campaigns_journeytally (version_id, step, way, count)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[])
"""


@dataclasses.dataclass(slots=True, eq=False)
class Held:
    """One enrolment in hand."""

    id: int
    version_id: int
    member_id: int
    step: str
    due_at: dt.datetime
    is_woken: bool
    heard: Sequence[str]
    values: dict[str, Any]
    moved_count: int
    round_count: int
    attempt_count: int


@dataclasses.dataclass(slots=True, eq=False)
class Move:
    """What becomes of one in hand. `way` is written down and counted unless it is empty; `keeps`: she goes on in this hand."""

    held: Held
    state: str
    step: str
    due_at: dt.datetime
    way: str
    code: str = ""
    ref: str = ""
    waiting_for: str = ""
    rounds: int = 0
    attempts: int = 0
    keeps: bool = False


def new_holder() -> str:
    """A name for one runner's hand."""
    return secrets.token_hex(16)


def claim_due(*, holder: str, at: dt.datetime, each: int = EACH) -> list[Held]:
    """The longest waiting of each running journey are this holder's; by age."""
    values: dict[str, Any] = {
        "now": at,
        "until": at + LEASE,
        "unbelievable": at + 2 * LEASE,
        "holder": holder,
        "each": each,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    held = [Held(*(*row[:7], json.loads(row[7]), *row[8:])) for row in rows]
    return sorted(held, key=lambda one: (one.due_at, one.id))


def hold(*, group: Sequence[Held], holder: str) -> list[Held]:
    """Those of these that are still this holder's and may move, locked, as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"ids": array_words(one.id for one in group), "holder": holder})
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    kept = []
    for one in group:
        if one.id in found:
            one.member_id, one.is_woken, one.heard = found[one.id]
            kept.append(one)
    return kept


def write(*, moves: Sequence[Move], holder: str, at: dt.datetime) -> set[int]:
    """These moves are made, written down and counted; the ids of those that were."""
    if not moves:
        return set()
    values: dict[str, Any] = {
        "ids": array_words(move.held.id for move in moves),
        "states": array_words(move.state for move in moves),
        "steps": array_words(move.step for move in moves),
        "due": array_words(move.due_at for move in moves),
        "waiting": array_words(move.waiting_for for move in moves),
        "moves": array_words(int(bool(move.way)) for move in moves),
        "rounds": array_words(move.rounds for move in moves),
        "attempts": array_words(move.attempts for move in moves),
        "codes": array_words(move.code for move in moves),
        "keeps": "{" + ",".join("t" if move.keeps else "f" for move in moves) + "}",
        "passed": array_words(move.held.step for move in moves),
        "ways": array_words(move.way for move in moves),
        "refs": array_words(move.ref for move in moves),
        "holder": holder,
        "now": at,
        "until": at + LEASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)
        moved = {pk for (pk,) in cursor.fetchall()}
    tally(
        counts=Counter(
            (move.held.version_id, step, way)
            for move in moves
            if move.held.id in moved
            for step, way in _counted(move)
        )
    )
    return moved


def release(*, group: Sequence[Held], holder: str) -> None:
    """Nobody holds these; they are due as before."""
    if group:
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, [array_words(one.id for one in group), holder])


def tally(*, counts: Mapping[tuple[int, str, str], int]) -> None:
    """So many went this way at a step of a version."""
    if counts:
        keys = sorted(counts)
        with connection.cursor() as cursor:
            cursor.execute(
                _TALLY,
                [
                    array_words(version for version, _step, _way in keys),
                    array_words(step for _version, step, _way in keys),
                    array_words(way for _version, _step, way in keys),
                    array_words(counts[key] for key in keys),
                ],
            )


def _counted(move: Move) -> list[tuple[str, str]]:
    """At the step itself, and for the journey when it is over with it."""
    if not move.way:
        return []
    ended = [] if move.state == "waiting" else [("", move.state)]
    return [(move.held.step, move.way), *ended]
