"""Rows in a runner's hand: claimed journey by journey, walked in memory, written by one statement.

A claim locks its rows until they are written. Who then stands at a step that does something for her is leased: her member has to
be locked before her row, in a transaction of its own. A lease that ran out, or a way that ended meanwhile, is found when she is
held.
"""

import dataclasses
import datetime as dt
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.db import connection

from core.arrays import array_words

# Longer than the slowest group of acts.
LEASE: Final = dt.timedelta(seconds=120)
# Of one journey in one hand: who has a million due does not keep the others waiting, nor fill the memory.
EACH: Final = 2_000

_PARTS: Final = {
    # A lease that ends later than any that is given now was written by a clock that went wrong.
    "free": """row.state = 'waiting' AND row.due_at <= %(now)s
        AND (row.leased_until IS NULL OR row.leased_until < %(now)s OR row.leased_until > %(unbelievable)s)""",
    # Who has a moment that nobody heard yet is left alone until it was: it may end her way, or wake her. OFFSET keeps it a
    # look-up for each row: joined, everybody who is due would be read and sorted when many moments wait.
    "heard": "NOT EXISTS (SELECT FROM campaigns_journeymoment moment WHERE moment.member_id = row.member_id OFFSET 0)",
    "runs": "EXISTS (SELECT FROM campaigns_journey WHERE id = %(journey)s AND state = 'running')",
}
_JOURNEYS: Final = """
SELECT journey.id FROM campaigns_journey journey CROSS JOIN LATERAL (
    SELECT row.due_at FROM campaigns_enrolment row
    WHERE row.journey_id = journey.id AND {free} ORDER BY row.due_at, row.id LIMIT 1
) oldest
WHERE journey.state = 'running' ORDER BY oldest.due_at, journey.id
"""
_CLAIM: Final = """
SELECT row.id, row.version_id, row.member_id, row.step, row.due_at, row.is_woken, row.heard, row.values::text,
    row.moved_count, row.round_count, row.attempt_count
FROM campaigns_enrolment row
WHERE row.journey_id = %(journey)s AND {free} AND {heard} AND {runs}
ORDER BY row.due_at, row.id LIMIT %(each)s FOR NO KEY UPDATE SKIP LOCKED
"""
# In their order, as whoever hears moments locks them.
_HOLD: Final = """
SELECT row.id, row.member_id, row.is_woken, row.heard FROM campaigns_enrolment row
WHERE row.id = ANY(%(ids)s::bigint[]) AND row.lease_holder = %(holder)s AND row.state = 'waiting' AND {heard} AND {runs}
ORDER BY row.id FOR NO KEY UPDATE
"""
_WRITE: Final = """
UPDATE campaigns_enrolment row SET
    state = told.state, step = told.step, due_at = told.due_at, waiting_for = told.waiting_for, is_woken = told.woken,
    moved_count = told.moves, round_count = told.rounds, attempt_count = told.attempts, code = told.code,
    ended_at = CASE WHEN told.state IN ('waiting', 'failed') THEN NULL ELSE %(now)s::timestamptz END,
    lease_holder = CASE WHEN told.keeps THEN %(holder)s ELSE '' END,
    leased_until = CASE WHEN told.keeps THEN %(until)s::timestamptz END
FROM unnest(
    %(ids)s::bigint[], %(states)s::text[], %(steps)s::text[], %(due)s::timestamptz[], %(waiting)s::text[], %(wokens)s::boolean[],
    %(moves)s::int[], %(rounds)s::int[], %(attempts)s::int[], %(codes)s::text[], %(keeps)s::boolean[])
    AS told (id, state, step, due_at, waiting_for, woken, moves, rounds, attempts, code, keeps)
WHERE row.id = told.id
"""
_LOG: Final = """
INSERT INTO campaigns_enrolmentstep (enrolment_id, step, at, way, code, ref)
SELECT told.id, told.step, %(now)s, told.way, told.code, told.ref
FROM unnest(%(ids)s::bigint[], %(steps)s::text[], %(ways)s::text[], %(codes)s::text[], %(refs)s::text[])
    AS told (id, step, way, code, ref)
"""
_RELEASE: Final = """
UPDATE campaigns_enrolment SET lease_holder = '', leased_until = NULL
WHERE id = ANY(%s::bigint[]) AND lease_holder = %s
"""
_TALLY: Final = """
INSERT INTO campaigns_journeytally (version_id, step, way, count)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[])
"""


class Passed(NamedTuple):
    """She left a step this way, and what came of it."""

    step: str
    way: str
    code: str
    ref: str


@dataclasses.dataclass(slots=True, eq=False)
class Held:
    """One enrolment in hand, as it is or as it is going to be written. `passed`: what happened since it was read; `keeps`: the
    hand goes on with her."""

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
    state: str = "waiting"
    waiting_for: str = ""
    code: str = ""
    keeps: bool = False
    passed: tuple[Passed, ...] = ()


@dataclasses.dataclass(slots=True, eq=False)
class Move:
    """What becomes of one in hand at her step. `way` is written down and counted unless it is empty; `keeps`: she comes to a step
    that is due at once."""

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

    def made(self) -> Held:
        """She, after it."""
        held = self.held
        passed = (*held.passed, Passed(held.step, self.way, self.code, self.ref)) if self.way else held.passed
        return Held(
            held.id,
            held.version_id,
            held.member_id,
            self.step,
            self.due_at,
            False,
            held.heard,
            held.values,
            held.moved_count + bool(self.way),
            held.round_count + self.rounds,
            self.attempts,
            self.state,
            self.waiting_for,
            self.code,
            self.keeps,
            passed,
        )


def new_holder() -> str:
    """A name for one runner's hand."""
    return secrets.token_hex(16)


def due_journeys(*, at: dt.datetime) -> list[int]:
    """The running journeys in which somebody is due whom nobody holds, the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(_JOURNEYS.format(**_PARTS), {"now": at, "unbelievable": at + 2 * LEASE})
        return [pk for (pk,) in cursor.fetchall()]


def claim_due(*, journey_id: int, at: dt.datetime, each: int = EACH) -> list[Held]:
    """The longest waiting of a running journey, locked until the transaction ends; by age."""
    values = {"now": at, "unbelievable": at + 2 * LEASE, "journey": journey_id, "each": each}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(**_PARTS), values)
        return [Held(*row[:7], _values(row[7]), *row[8:]) for row in cursor.fetchall()]


def hold(*, journey_id: int, group: Sequence[Held], holder: str) -> list[Held]:
    """Those of these that are still this holder's and may move, locked, as they are now."""
    with connection.cursor() as cursor:
        values = {"journey": journey_id, "ids": array_words(one.id for one in group), "holder": holder}
        cursor.execute(_HOLD.format(**_PARTS), values)
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    kept = []
    for one in group:
        if one.id in found:
            one.member_id, one.is_woken, one.heard = found[one.id]
            kept.append(one)
    return kept


def write(*, rows: Sequence[Held], holder: str, at: dt.datetime) -> int:
    """These rows, which the transaction has locked, are as told, and what happened is written down and counted; how many steps
    were made. Who is kept is this holder's for the length of a lease."""
    if not rows:
        return 0
    values: dict[str, Any] = {
        "ids": array_words(row.id for row in rows),
        "states": array_words(row.state for row in rows),
        "steps": array_words(row.step for row in rows),
        "due": array_words(row.due_at for row in rows),
        "waiting": array_words(row.waiting_for for row in rows),
        "wokens": _truths(row.is_woken for row in rows),
        "moves": array_words(row.moved_count for row in rows),
        "rounds": array_words(row.round_count for row in rows),
        "attempts": array_words(row.attempt_count for row in rows),
        "codes": array_words(row.code for row in rows),
        "keeps": _truths(row.keeps for row in rows),
        "holder": holder,
        "now": at,
        "until": at + LEASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, values)
    _log([(row.id, passed) for row in rows for passed in row.passed], at)
    tally(counts=Counter(counted for row in rows for counted in _counted(row)))
    return sum(len(row.passed) for row in rows)


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


def _log(lines: Sequence[tuple[int, Passed]], at: dt.datetime) -> None:
    if not lines:
        return
    values = {
        "ids": array_words(pk for pk, _passed in lines),
        "steps": array_words(passed.step for _pk, passed in lines),
        "ways": array_words(passed.way for _pk, passed in lines),
        "codes": array_words(passed.code for _pk, passed in lines),
        "refs": array_words(passed.ref for _pk, passed in lines),
        "now": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOG, values)


def _counted(row: Held) -> Iterator[tuple[int, str, str]]:
    """At each step itself, and for the journey when it is over with it."""
    for passed in row.passed:
        yield row.version_id, passed.step, passed.way
    if row.passed and row.state != "waiting":
        yield row.version_id, "", row.state


def _values(text: str) -> dict[str, Any]:
    return {} if text == "{}" else dict(json.loads(text))


def _truths(values: Iterator[bool]) -> str:
    return "{" + ",".join("t" if value else "f" for value in values) + "}"
