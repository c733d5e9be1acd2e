"""Points expiry of many accounts against the best SQL written by hand for the same work.

Both start from the same rows: one account in ten has two lots that are due and the others one, beside one that is not.
Both write the same: one entry an account, the lots emptied, the uses, the balances. The floor is one transaction of
set-based statements, with the accounts locked first as any correct answer must; ours is the job of the timetable, in
slices, so that tills wait for one slice at most. BENCH_ACCOUNTS_COUNT sets the size (50,000 unless it is set; a million
takes many minutes). Each half runs on fresh rows.
"""

import os
import statistics
import subprocess
import sys
import time
from typing import Any, Final

import psycopg

from bench.figures import ROOT, Figure, Report, at_most, spread
from bench.servers import settings_module, temporary_home
from core import embedded

LIMIT: Final = 1.5
_ROUNDS: Final = 2
_ACCOUNTS: Final = int(os.environ.get("BENCH_ACCOUNTS_COUNT", "50000"))
_TABLES: Final = ("pointslotuse", "pointslot", "pointsentry", "pointsaccount")

_MEMBERS: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'prospect', '', '{}', '', '', '', 'import', '', false, now()
FROM generate_series(1, %(accounts)s) n
"""
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
    floors: list[float] = []
    ours: list[float] = []
    with temporary_home() as home:
        engines = embedded.start(home / "engines")
        (home / "static").mkdir()
        environment = {
            **os.environ,
            **engines.environment(),
            "DJANGO_SETTINGS_MODULE": settings_module(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
        }
        _run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment)
        with psycopg.connect(engines.database_url, autocommit=True) as connection:
            connection.execute(_MEMBERS, {"accounts": _ACCOUNTS})
            for _number in range(_ROUNDS):
                _fill(connection)
                floors.append(_floor(connection))
                expected = _state(connection)
                _fill(connection)
                ours.append(float(_run([sys.executable, "-c", _JOB], environment).split()[-1]))
                found = _state(connection)
                if found != expected or found[3] != _ACCOUNTS:
                    raise RuntimeError(f"the two ends differ: {expected} and {found}")
    ratios = [our / floor for floor, our in zip(floors, ours, strict=True)]
    middle = statistics.median(ours)
    figures = (
        at_most(
            f"points expiry, {_ACCOUNTS:,} accounts, s", spread(floors, 1), spread(ours, 1), ratios, LIMIT
        ),
        Figure("points expiry, accounts a second", "–", f"{_ACCOUNTS / middle:,.0f}"),
    )
    return Report(figures, (f"{_ROUNDS} rounds, ends equal",), {"floors": floors, "ours": ours})


def _fill(connection: "psycopg.Connection[Any]") -> None:
    """The same rows each time, in fresh files, with the planner told."""
    connection.execute("TRUNCATE " + ", ".join(f"members_{name}" for name in _TABLES) + " CASCADE")
    for statement in _FILL:
        connection.execute(statement.replace("%%", "%"))
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _floor(connection: "psycopg.Connection[Any]") -> float:
    began = time.monotonic()
    with connection.transaction():
        for statement in _FLOOR:
            connection.execute(statement)
    return time.monotonic() - began


def _state(connection: "psycopg.Connection[Any]") -> tuple[Any, ...]:
    row = connection.execute(_STATE).fetchone()
    assert row is not None
    return tuple(row)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:2]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()
