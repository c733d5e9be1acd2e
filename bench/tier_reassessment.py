"""Assessing all members by new rules, against the best SQL written by hand for the same work.

Both start from the same rows: four entries of activity a member, and tiers of which three in ten no longer fit. Both
end with the same tiers and write the same history. The floor is one transaction of set-based statements: all members
are summed and judged at once, those who change are locked, then written. Ours is the job that staff start after the
rules were changed, in slices, which looks again at those who change after it has locked them.
BENCH_MEMBERS_COUNT sets the size (50,000 unless it is set). Each half runs on fresh rows.
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
_ROUNDS: Final = 3
_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "50000"))
_TABLES: Final = ("tierchange", "membertier", "tierreassessment")

_PEOPLE: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'member', '', '{}', '', '', '', 'import', '', false, now()
FROM generate_series(1, %(members)s) n
"""
_LADDER: Final = """
INSERT INTO members_tier (rank, name, color, mode, spend_fen, order_count, multiplier_bp, benefits, birthday_gift,
                          upgrade_gift, is_active)
VALUES (1, '1', '#000000', 'any', NULL, NULL, 10000, '', '', '', true),
       (2, '2', '#000000', 'any', 100000, 4, 10000, '', '', '', true),
       (3, '3', '#000000', 'any', 300000, NULL, 10000, '', '', '', true),
       (4, '4', '#000000', 'all', 500000, 3, 10000, '', '', '', true)
"""
# 0 to 2,400 yuan an entry, spread over 500 days: a fifth of them lie outside of the twelve months.
_ACTIVITY: Final = """
INSERT INTO members_activityentry (member_id, origin_id, day, spend_fen, order_count, growth, source_key, recorded_at)
SELECT id, id, (now() AT TIME ZONE 'Asia/Shanghai')::date - ((id * 7919 + k * 131) % 500)::int,
       ((id * 104729 + k * 7907) % 240000) + 1, 1, 0, 's' || k, now()
FROM generate_series(1, 4) k, members_member ORDER BY k, id
"""
_TODAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
# What a member's sums reach, 0 to 3. Order of the rungs: tier ids 2, 3 and 4 of the ladder above.
_JUDGED: Final = f"""
SELECT member_id, spend, orders, growth,
       CASE WHEN spend >= 500000 AND orders >= 3 THEN 4 WHEN spend >= 300000 THEN 3
            WHEN spend >= 100000 OR orders >= 4 THEN 2 END AS rank
FROM (SELECT member_id, sum(spend_fen)::bigint AS spend, sum(order_count)::bigint AS orders,
             sum(growth)::bigint AS growth
      FROM members_activityentry
      WHERE day > {_TODAY} - interval '12 months' AND day <= {_TODAY} GROUP BY member_id) sums
"""
_STANDINGS: Final = f"""
INSERT INTO members_membertier (member_id, tier_id, earned_tier_id, since, valid_until)
SELECT member_id, tier.id, tier.id, {_TODAY} - 90, {_TODAY} + 200
FROM ({_JUDGED}) judged
JOIN members_tier tier ON tier.rank = CASE WHEN member_id % 10 < 3 THEN 5 - judged.rank ELSE judged.rank END AND tier.rank > 1
"""
_FLOOR: Final = (
    f"""
    CREATE TEMP TABLE aim ON COMMIT DROP AS
    SELECT coalesce(judged.member_id, mine.member_id) AS member_id, tier.id AS tier_id, tier.rank,
           mine.tier_id AS before_id, old.rank AS before_rank, coalesce(spend, 0) AS spend,
           coalesce(orders, 0) AS orders, coalesce(judged.growth, 0) AS growth
    FROM ({_JUDGED}) judged LEFT JOIN members_tier tier ON tier.rank = judged.rank
    FULL JOIN members_membertier mine ON mine.member_id = judged.member_id
    LEFT JOIN members_tier old ON old.id = mine.tier_id
    WHERE tier.id IS DISTINCT FROM mine.tier_id
    """,
    "ANALYZE aim",
    """
    SELECT count(*) FROM (SELECT id FROM members_member WHERE id IN (SELECT member_id FROM aim)
                          ORDER BY id FOR NO KEY UPDATE) locked
    """,
    f"""
    WITH written AS (
        INSERT INTO members_membertier AS mine (member_id, tier_id, since, earned_tier_id, valid_until)
        SELECT member_id, tier_id, {_TODAY}, tier_id,
               CASE WHEN tier_id IS NOT NULL THEN ({_TODAY} + interval '12 months')::date END FROM aim
        ON CONFLICT (member_id) DO UPDATE SET tier_id = excluded.tier_id, since = excluded.since,
            earned_tier_id = excluded.earned_tier_id, valid_until = excluded.valid_until)
    INSERT INTO members_tierchange
        (member_id, from_tier_id, to_tier_id, is_upgrade, cause, at, actor, note, until, window_from, window_until,
         spend_fen, order_count, growth)
    SELECT member_id, before_id, tier_id, coalesce(rank, 0) > coalesce(before_rank, 0), 'rules', now(), 'bench', '',
           CASE WHEN tier_id IS NOT NULL THEN ({_TODAY} + interval '12 months')::date END,
           ({_TODAY} - interval '12 months')::date + 1, {_TODAY} + 1, spend, orders, growth
    FROM aim
    """,
)
_STATE: Final = """
SELECT (SELECT count(*) FROM members_membertier), (SELECT sum(tier_id * (member_id % 97)) FROM members_membertier),
       (SELECT sum(valid_until - date '2000-01-01') FROM members_membertier),
       (SELECT count(*) FROM members_tierchange WHERE is_upgrade), (SELECT count(*) FROM members_tierchange),
       (SELECT sum(spend_fen) FROM members_tierchange)
"""
# The job in a process of its own, as a worker runs it; only the call is timed.
_JOB: Final = """
import time, django
django.setup()
from core.actor import Actor
from members import services
services.request_reassessment(may_fall=True, actor=Actor.staff(1, "bench"))
began = time.monotonic()
services.run_reassessments(actor=Actor.system("bench"))
print(time.monotonic() - began)
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
            connection.execute(_PEOPLE, {"members": _MEMBERS})
            connection.execute(_LADDER)
            connection.execute(_ACTIVITY)
            for _number in range(_ROUNDS):
                _fill(connection)
                floors.append(_floor(connection))
                expected = _state(connection)
                _fill(connection)
                ours.append(float(_run([sys.executable, "-c", _JOB], environment).split()[-1]))
                found = _state(connection)
                if found != expected or not found[4]:
                    raise RuntimeError(f"the two ends differ: {expected} and {found}")
    ratios = [our / floor for floor, our in zip(floors, ours, strict=True)]
    middle = statistics.median(ours)
    figures = (
        at_most(
            f"tier reassessment, {_MEMBERS:,} members, s", spread(floors, 1), spread(ours, 1), ratios, LIMIT
        ),
        Figure("tier reassessment, members a second", "–", f"{_MEMBERS / middle:,.0f}"),
    )
    notes = (f"{_ROUNDS} rounds, {expected[4]:,} members changed in each, ends equal",)
    return Report(figures, notes, {"floors": floors, "ours": ours})


def _fill(connection: "psycopg.Connection[Any]") -> None:
    """The same rows each time, in fresh files, with the planner told."""
    connection.execute("TRUNCATE " + ", ".join(f"members_{name}" for name in _TABLES) + " CASCADE")
    connection.execute(_STANDINGS)
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
