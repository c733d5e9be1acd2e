"""Points expiry of many accounts against the best SQL written by hand for the same work.

Both start from the same rows: one account in ten has two lots that are due and the others one, beside one that is not.
Both write the same: one entry an account, the lots emptied, the uses, the balances. The floor is one transaction of
set-based statements, with the accounts locked first as any correct answer must; ours is the job of the timetable, in
slices, so that tills wait for one slice at most. Each half runs on fresh rows. BENCH_ACCOUNTS_COUNT sets the size (50,000
unless it is set; P12 speaks of a million), BENCH_ROUNDS the rounds.
"""

import os
import statistics
from typing import Any, Final

import psycopg

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.private import FILLER, in_turns, private_database

LIMIT: Final = 1.5
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
_ACCOUNTS: Final = int(os.environ.get("BENCH_ACCOUNTS_COUNT", "50000"))
_TABLES: Final = ("pointslotuse", "pointslot", "pointsentry", "pointsaccount")

_FILL: Final = (
    """
    INSERT INTO members_pointsaccount (member_id, balance, frozen, debt_allowed, opened_at)
    SELECT id, CASE WHEN id %% 10 = 0 THEN 400 ELSE 300 END, 0, 0, now() FROM members_member ORDER BY id
    """,
    """
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT id, id, 'earn', points, points, '', 'k' || points, now(), 'bench', points
    FROM members_pointsaccount, (VALUES (100), (200)) lots (points)
    """,
    """
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT id, id, 'earn', 100, 100, '', 'more', now(), 'bench', 400 FROM members_pointsaccount WHERE balance = 400
    """,
    """
    INSERT INTO members_pointslot (account_id, entry_id, granted, remaining, expires_at)
    SELECT account_id, id, delta, delta, CASE WHEN delta = 100 THEN now() - interval '3 days'
                                              ELSE now() + interval '300 days' END
    FROM members_pointsentry
    """,
)
_FLOOR: Final = (
    """
    CREATE TEMP TABLE due ON COMMIT DROP AS
    SELECT id, account_id, remaining FROM members_pointslot WHERE remaining > 0 AND expires_at <= now()
    """,
    "ANALYZE due",
    """
    SELECT count(*) FROM (
        SELECT id FROM members_pointsaccount WHERE id IN (SELECT account_id FROM due)
        ORDER BY id FOR NO KEY UPDATE) locked
    """,
    """
    WITH total AS (SELECT account_id, sum(remaining)::bigint AS points FROM due GROUP BY account_id),
    entry AS (
        INSERT INTO members_pointsentry
            (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
        SELECT account.id, account.id, 'expire', -points, -points, 'expired', 'expire-day@today', now(), 'bench',
               account.balance - points
        FROM total JOIN members_pointsaccount account ON account.id = total.account_id
        RETURNING id, account_id, delta),
    emptied AS (UPDATE members_pointslot lot SET remaining = 0 FROM due WHERE lot.id = due.id),
    used AS (
        INSERT INTO members_pointslotuse (entry_id, lot_id, amount)
        SELECT entry.id, due.id, due.remaining FROM due JOIN entry USING (account_id))
    UPDATE members_pointsaccount account SET balance = account.balance + entry.delta
    FROM entry WHERE account.id = entry.account_id
    """,
)
_STATE: Final = """
SELECT (SELECT sum(balance) FROM members_pointsaccount), (SELECT sum(remaining) FROM members_pointslot),
       (SELECT sum(delta) FROM members_pointsentry), (SELECT count(*) FROM members_pointsentry WHERE kind = 'expire'),
       (SELECT sum(amount) FROM members_pointslotuse)
"""
# The job in a process of its own, as a worker runs it; only the call is timed.
_JOB: Final = """
import time, django
django.setup()
from core.actor import Actor
from members import services
began = time.monotonic()
run = services.expire_points(actor=Actor.system("bench"))
print(run.account_count, time.monotonic() - began)
"""


def bench() -> Report:
    """Fill, run one half, look, empty, and so on in turns. Raises RuntimeError when the two ends differ."""
    with private_database() as private:
        private.connection.execute(FILLER, {"count": _ACCOUNTS, "stage": "prospect"})

        def floor() -> float:
            _fill(private.connection)
            return private.timed(_FLOOR)

        def ours() -> float:
            _fill(private.connection)
            return float(private.job(_JOB)[-1])

        floors, mine, end = in_turns(_ROUNDS, floor=floor, ours=ours, check=lambda: private.state(_STATE))
    if end[3] != _ACCOUNTS:
        raise RuntimeError(f"not every account lost points: {end}")
    figures = (
        at_most(
            f"P12 points expiry, {_ACCOUNTS:,} accounts, s",
            spread(floors, 1),
            spread(mine, 1),
            ratios(mine, floors),
            LIMIT,
        ),
        Figure("points expiry, accounts a second", "–", f"{_ACCOUNTS / statistics.median(mine):,.0f}"),
    )
    return Report(
        figures, (f"median of {_ROUNDS} rounds in turns, ends equal",), {"floors": floors, "ours": mine}
    )


def _fill(connection: "psycopg.Connection[Any]") -> None:
    """The same rows each time, in fresh files, with the planner told.

    It is told after each statement: foreign keys to a table that was filled since the planner looked are checked by
    going through an index from end to end (PostgreSQL 18 may skip through one that begins with another column).
    """
    connection.execute("TRUNCATE " + ", ".join(f"members_{name}" for name in _TABLES) + " CASCADE")
    for statement in _FILL:
        connection.execute(statement.replace("%%", "%"))
        connection.execute("ANALYZE " + ", ".join(f"members_{name}" for name in _TABLES))
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
