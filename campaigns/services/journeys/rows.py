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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

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
SELECT row.id, row.version_id, row.member_id, row.step, row.is_woken, array_to_string(row.heard, ','), row.values::text,
    row.moved_count, row.round_count, row.attempt_count
FROM campaigns_enrolment row
WHERE row.journey_id = %(journey)s AND {free} AND {heard} AND {runs}
ORDER BY row.due_at, row.id LIMIT %(each)s FOR NO KEY UPDATE SKIP LOCKED
"""
# In their order, as whoever hears moments locks them.
_HOLD: Final = """
SELECT row.id, row.version_id, row.member_id, row.step, row.is_woken, array_to_string(row.heard, ','), row.values::text,
    row.moved_count, row.round_count, row.attempt_count
FROM campaigns_enrolment row
WHERE row.id = ANY(%(ids)s::bigint[]) AND row.lease_holder = %(holder)s AND row.state = 'waiting' AND {heard} AND {runs}
ORDER BY row.id FOR NO KEY UPDATE
"""
_LEASE: Final = """
UPDATE campaigns_enrolment SET lease_holder = %(holder)s, leased_until = %(until)s WHERE id = ANY(%(ids)s::bigint[])
"""
_MOVE: Final = """
UPDATE campaigns_enrolment row SET
    state = %(state)s, step = %(step)s, due_at = %(due)s, waiting_for = %(waiting)s, is_woken = false,
    moved_count = row.moved_count + %(moves)s, round_count = row.round_count + %(rounds)s, attempt_count = %(attempts)s,
    code = %(code)s, ended_at = %(ended)s::timestamptz, lease_holder = %(holder)s, leased_until = %(until)s::timestamptz
WHERE row.id = ANY(%(ids)s::bigint[])
"""
_LOG: Final = """
INSERT INTO campaigns_enrolmentstep (enrolment_id, step, at, way, code, ref)
SELECT told.id, %(step)s, %(now)s, %(way)s, %(code)s, told.ref
FROM unnest(%(ids)s::bigint[], %(refs)s::text[]) AS told (id, ref)
"""
_RELEASE: Final = """
UPDATE campaigns_enrolment SET lease_holder = '', leased_until = NULL
WHERE id = ANY(%s::bigint[]) AND lease_holder = %s
"""
_TALLY: Final = """
INSERT INTO campaigns_journeytally (version_id, step, way, count)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[])
"""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What becomes of those who leave a step of a version one way, shared by all who do: where they are then and when that is
    due. `way` is written down and counted unless it is empty; `keeps`: they come to a step that is due at once."""

    version_id: int
    left: str
    way: str
    state: str
    step: str
    due_at: dt.datetime
    code: str = ""
    waiting_for: str = ""
    rounds: int = 0
    attempts: int = 0
    keeps: bool = False


@dataclasses.dataclass(slots=True, eq=False)
class Held:
    """One enrolment in hand. `turns`: what happened since it was read, with what came of each; `keeps`: the hand goes on with
    her."""

    id: int
    version_id: int
    member_id: int
    step: str
    is_woken: bool
    heard: str
    values: dict[str, Any]
    moved_count: int
    round_count: int
    attempt_count: int
    keeps: bool = False
    turns: list[tuple[Turn, str]] = dataclasses.field(default_factory=list)

    def take(self, turn: Turn, ref: str) -> None:
        """She goes where the turn leads."""
        self.turns.append((turn, ref))
        self.step, self.keeps, self.is_woken = turn.step, turn.keeps, False
        if turn.way:
            self.moved_count += 1
        self.round_count += turn.rounds
        self.attempt_count = turn.attempts


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
    values: dict[str, Any] = {"now": at, "unbelievable": at + 2 * LEASE, "journey": journey_id, "each": each}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(**_PARTS), values)
        return [_held(row) for row in cursor.fetchall()]


def hold(*, journey_id: int, ids: Iterable[int], holder: str) -> list[Held]:
    """Those of these that are still this holder's and may move, locked, as they are now."""
    values: dict[str, Any] = {"journey": journey_id, "ids": array_words(ids), "holder": holder}
    with connection.cursor() as cursor:
        cursor.execute(_HOLD.format(**_PARTS), values)
        return [_held(row) for row in cursor.fetchall()]


def write(*, rows: Sequence[Held], holder: str, at: dt.datetime) -> int:
    """What happened to these rows, which the transaction has locked, is written down and counted; how many steps were made. Who
    is kept is this holder's for the length of a lease."""
    moved: dict[tuple[int, int, int], tuple[Turn, list[int]]] = {}
    leased: list[int] = []
    passed: dict[int, tuple[Turn, list[int], list[str]]] = {}
    for row in rows:
        rounds = 0
        for turn, ref in row.turns:
            rounds += turn.rounds
            if turn.way:
                _turn, ids, refs = passed.setdefault(id(turn), (turn, [], []))
                ids.append(row.id)
                refs.append(ref)
        if row.turns:
            last, count = row.turns[-1][0], sum(bool(turn.way) for turn, _ref in row.turns)
            moved.setdefault((id(last), count, rounds), (last, []))[1].append(row.id)
        elif row.keeps:
            leased.append(row.id)
    with connection.cursor() as cursor:
        if leased:
            cursor.execute(_LEASE, {"ids": array_words(leased), "holder": holder, "until": at + LEASE})
        for (_id, count, rounds), (turn, ids) in moved.items():
            cursor.execute(_MOVE, _values_of(turn, ids, holder, at) | {"moves": count, "rounds": rounds})
        for turn, ids, refs in passed.values():
            told: dict[str, Any] = {"step": turn.left, "now": at, "way": turn.way, "code": turn.code}
            cursor.execute(_LOG, told | {"ids": array_words(ids), "refs": array_words(refs)})
    tally(counts=_counts([(turn, len(ids)) for turn, ids, _refs in passed.values()]))
    return sum(len(ids) for _turn, ids, _refs in passed.values())


def release(*, ids: Sequence[int], holder: str) -> None:
    """Nobody holds these; they are due as before."""
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, [array_words(ids), holder])


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


def _values_of(turn: Turn, ids: Sequence[int], holder: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "state": turn.state,
        "step": turn.step,
        "due": turn.due_at,
        "waiting": turn.waiting_for,
        "attempts": turn.attempts,
        "code": turn.code,
        "ended": None if turn.state in {"waiting", "failed"} else at,
        "holder": holder if turn.keeps else "",
        "until": at + LEASE if turn.keeps else None,
        "ids": array_words(ids),
    }


def _counts(passed: Sequence[tuple[Turn, int]]) -> Mapping[tuple[int, str, str], int]:
    """At each step itself, and for the journey when it is over with them."""
    counts: Counter[tuple[int, str, str]] = Counter()
    for turn, count in passed:
        counts[turn.version_id, turn.left, turn.way] += count
        if turn.state != "waiting":
            counts[turn.version_id, "", turn.state] += count
    return counts


def _held(row: Sequence[Any]) -> Held:
    pk, version_id, member_id, step, is_woken, heard, told, moved_count, round_count, attempt_count = row
    values = {} if told == "{}" else dict(json.loads(told))
    return Held(
        pk,
        version_id,
        member_id,
        step,
        is_woken,
        heard,
        values,
        moved_count,
        round_count,
        attempt_count,
    )
