"""Assessing all members by new rules, against the best SQL written by hand for the same work.

Both start from the same rows: four entries of activity a member, and tiers of which three in ten no longer fit. Both
end with the same tiers and write the same history. The floor is one transaction of set-based statements: all members
are summed and judged at once, those who change are locked, then written. Ours is the job that staff start after the
rules were changed, in slices, which looks again at those who change after it has locked them.
Each half runs on fresh rows. BENCH_MEMBERS_COUNT sets the size (50,000 unless it is set; P12 speaks of a million),
BENCH_ROUNDS the rounds.
"""

import os
import statistics
from typing import Any, Final

import psycopg

from bench.figures import Figure, Report, at_most, ratios, spread
from bench.private import FILLER, in_turns, private_database

LIMIT: Final = 1.5
_ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 5)
_MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT", "50000"))
_TABLES: Final = ("tierchange", "membertier", "tierreassessment")

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
    with private_database() as private:
        private.connection.execute(FILLER, {"count": _MEMBERS, "stage": "member"})
        private.connection.execute(_LADDER)
        private.connection.execute(_ACTIVITY)

        def floor() -> float:
            _fill(private.connection)
            return private.timed(_FLOOR)

        def ours() -> float:
            _fill(private.connection)
            return float(private.job(_JOB)[-1])

        floors, mine, end = in_turns(_ROUNDS, floor=floor, ours=ours, check=lambda: private.state(_STATE))
    if not end[4]:
        raise RuntimeError(f"nobody changed: {end}")
    figures = (
        at_most(
            f"P12 tier reassessment, {_MEMBERS:,} members, s",
            spread(floors, 1),
            spread(mine, 1),
            ratios(mine, floors),
            LIMIT,
        ),
        Figure("tier reassessment, members a second", "–", f"{_MEMBERS / statistics.median(mine):,.0f}"),
    )
    notes = (f"median of {_ROUNDS} rounds in turns, {end[4]:,} members changed in each, ends equal",)
    return Report(figures, notes, {"floors": floors, "ours": mine})


def _fill(connection: "psycopg.Connection[Any]") -> None:
    """The same rows each time, in fresh files, with the planner told."""
    connection.execute("TRUNCATE " + ", ".join(f"members_{name}" for name in _TABLES) + " CASCADE")
    connection.execute(_STANDINGS)
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
