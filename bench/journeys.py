"""Members who are due in a journey against the statements that move the same rows, written by hand.

Both begin with as many enrolments whose wait is over, and both leave them one step on, waiting again, with a line of what
happened to each. The floor is one UPDATE with one INSERT over all of them. Ours is a runner in a process of its own: it claims,
groups, locks and moves by five hundred. Besides, the same members through an act: points for each, against the statements of bulk
credits alone. BENCH_DUE_COUNT sets the size (20,000 unless it is set), BENCH_ROUNDS the rounds.
"""

import os
import statistics
from typing import Final

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.private import FILLER, Private, in_turns, private_database

LIMIT: Final = 4.0
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
_DUE: Final = int(os.environ.get("BENCH_DUE_COUNT", "20000"))
_MAKE: Final = """
import django
django.setup()
from campaigns.services import journeys
from core.actor import Actor
actor = Actor.system("bench")
wait = {"kind": "wait", "with": {"amount": 1, "unit": "days"}}
for name, first in (("waits", {**wait, "next": "b"}), ("points", {
        "kind": "points", "with": {"points": 5, "reason": "bench"}, "next": "b"})):
    row = journeys.create_journey(name=name, draft={
        "trigger": {"on": "api"}, "first": "a", "steps": {"a": first, "b": wait}}, actor=actor)
    journeys.start_journey(journey_id=row.pk, actor=actor)
"""
_FILL: Final = """
INSERT INTO campaigns_enrolment (journey_id, version_id, member_id, entry_key, state, step, due_at, waiting_for, is_woken,
    heard, "values", moved_count, round_count, attempt_count, code, entered_at, lease_holder)
SELECT journey.id, journey.version_id, member.id, 'bench', 'waiting', 'a',
    now() - member.id * interval '1 millisecond', '', false,
    '{{}}', '{{}}', 0, 0, 0, '', now() - interval '2 days', ''
FROM campaigns_journey journey, members_member member WHERE journey.name = '{name}' ORDER BY member.id
"""
_FLOOR: Final = (
    """
    WITH moved AS (
        UPDATE campaigns_enrolment SET step = 'b', due_at = now() + interval '1 day', moved_count = moved_count + 1
        WHERE state = 'waiting' AND due_at <= now() RETURNING id)
    INSERT INTO campaigns_enrolmentstep (enrolment_id, step, at, way, code, ref)
    SELECT id, 'a', now(), 'next', '', '' FROM moved ORDER BY id
    """,
)
_POINTS_FLOOR: Final = (
    """
    WITH account AS (
        INSERT INTO members_pointsaccount AS mine (member_id, balance, frozen, debt_allowed, opened_at)
        SELECT member_id, 5, 0, 0, now() FROM campaigns_enrolment WHERE state = 'waiting' AND due_at <= now() ORDER BY member_id
        RETURNING id, member_id, balance
    ), entry AS (
        INSERT INTO members_pointsentry
            (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
        SELECT id, id, 'earn', 5, 5, 'bench', 'act:j:' || member_id, now(), 'bench', balance FROM account
        RETURNING id, account_id, delta
    )
    INSERT INTO members_pointslot (account_id, entry_id, granted, remaining, expires_at)
    SELECT account_id, id, delta, delta, now() + interval '1 year' FROM entry
    """,
    *_FLOOR,
)
_STATE: Final = """
SELECT (SELECT count(*) FROM campaigns_enrolment WHERE step = 'b' AND state = 'waiting' AND moved_count = 1),
       (SELECT count(*) FROM campaigns_enrolmentstep), (SELECT coalesce(sum(balance), 0) FROM members_pointsaccount)
"""
_JOB: Final = """
import time, django
django.setup()
from campaigns.services import journeys
journeys.hear_moments()
began = time.monotonic()
print(journeys.run_journeys(), time.monotonic() - began)
"""


def bench() -> Report:
    """Waits that are over, then points for as many. Raises RuntimeError when the two ends differ."""
    with private_database() as private:
        private.connection.execute(FILLER, {"count": _DUE, "stage": "prospect"})
        private.job(_MAKE + "\nprint('made')")
        waits = _measure(private, "waits", _FLOOR)
        points = _measure(private, "points", _POINTS_FLOOR)
    figures = []
    for name, (floors, mine) in (("waits", waits), ("points", points)):
        figures += [
            at_most(
                f"journeys, {_DUE:,} due, {name}, s",
                spread(floors, 2),
                spread(mine, 2),
                ratios(mine, floors),
                LIMIT,
            ),
            Figure(f"journeys, {name}, steps a second", "–", f"{_DUE / statistics.median(mine):,.0f}"),
        ]
    return Report(
        tuple(figures),
        (f"median of {_ROUNDS} rounds in turns, ends equal",),
        {"waits": waits[1], "points": points[1]},
    )


def _measure(private: Private, name: str, statements: tuple[str, ...]) -> tuple[list[float], list[float]]:
    def floor() -> float:
        _fill(private, name)
        return private.timed(statements)

    def ours() -> float:
        _fill(private, name)
        return float(private.job(_JOB)[-1])

    floors, mine, end = in_turns(_ROUNDS, floor=floor, ours=ours, check=lambda: private.state(_STATE))
    if end[:2] != (_DUE, _DUE):
        raise RuntimeError(f"not everybody moved: {end}")
    return floors, mine


def _fill(private: Private, name: str) -> None:
    private.connection.execute(
        "TRUNCATE campaigns_enrolment, campaigns_enrolmentstep, campaigns_journeytally, members_pointsaccount CASCADE"
    )
    private.connection.execute(_FILL.format(name=name))
    private.connection.execute("VACUUM ANALYZE")
    private.connection.execute("CHECKPOINT")
