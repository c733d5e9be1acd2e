"""Bulk issue to all members against one INSERT … SELECT written by hand.

The floor makes the same rows with the same codes and counts them in the same counters, in one transaction, without
asking anything: no limits, no merged members, no slices, nothing to resume. Ours is the service in a process of its
own, from the id queryset to the finished job. BENCH_COUPONS_COUNT sets the size (200,000 unless it is set). Each half
runs on fresh rows.
"""

import os
import statistics
import subprocess
import sys
import time
from typing import Any, Final

import psycopg

from bench.coupon_claim import _BATCH, _SHARDS, _TEMPLATE
from bench.figures import ROOT, Figure, Report, at_most, spread
from bench.servers import settings_module, temporary_home
from core import embedded

LIMIT: Final = 1.5
_ROUNDS: Final = int(os.environ.get("BENCH_ISSUE_ROUNDS", "3"))
_COUNT: Final = int(os.environ.get("BENCH_COUPONS_COUNT", "200000"))
_MEMBERS: Final = """
INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                            is_following, registered_at)
SELECT 'b' || n, 'B' || n, 'prospect', '', '{}', '', '', '', 'import', '', false, now()
FROM generate_series(1, %(count)s) n
"""
_FLOOR: Final = """
WITH made AS (
    INSERT INTO coupons_coupon (
        code, batch_id, shard, member_id, received_by, ordinal, state, valid_from, valid_until, request_key, source_key,
        door, issued_at, partner_code, lock_key, gifted_count)
    SELECT coupons_code_of(raw), %(batch)s, turn %% 16, id, id, 1, 'issued', now(), now() + interval '7 days',
           'job:1:' || id, '', 'system', now(), '', '', 0
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS turn, uuid_send(gen_random_uuid()) AS raw
          FROM members_member) member
    RETURNING shard
)
UPDATE coupons_couponbatchshard one SET issued_count = one.issued_count + total.n
FROM (SELECT shard, count(*) AS n FROM made GROUP BY shard) total
WHERE one.batch_id = %(batch)s AND one.shard = total.shard
"""
_STATE: Final = """
SELECT (SELECT count(*) FROM coupons_coupon), (SELECT count(DISTINCT code) FROM coupons_coupon),
       (SELECT count(DISTINCT received_by) FROM coupons_coupon), (SELECT sum(issued_count) FROM coupons_couponbatchshard)
"""
# The job in a process of its own, as a worker runs it; only the call is timed.
_JOB: Final = """
import sys, time, django
django.setup()
from core.actor import Actor
from coupons import services
from members.selectors import living_member_ids
began = time.monotonic()
done = services.issue_coupons(batch_id=int(sys.argv[1]), member_ids=living_member_ids(), key="bench", actor=Actor.system("bench"))
print(done.issued_count, time.monotonic() - began)
"""


def bench() -> Report:
    """Empty, run one half, look, empty, run the other, in turns. Raises RuntimeError when the two ends differ."""
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
            connection.execute(_MEMBERS, {"count": _COUNT})
            [template] = connection.execute(_TEMPLATE).fetchone() or [0]
            for _number in range(_ROUNDS):
                batch = _empty(connection, template)
                began = time.monotonic()
                connection.execute(_FLOOR, {"batch": batch})
                floors.append(time.monotonic() - began)
                expected = connection.execute(_STATE).fetchone()
                batch = _empty(connection, template)
                ours.append(float(_run([sys.executable, "-c", _JOB, str(batch)], environment).split()[-1]))
                found = connection.execute(_STATE).fetchone()
                if found != expected or found is None or found[0] != _COUNT:
                    raise RuntimeError(f"the two ends differ: {expected} and {found}")
    values = [our / floor for floor, our in zip(floors, ours, strict=True)]
    rate = f"{_COUNT / statistics.median(ours):,.0f}"
    figures = (
        at_most(f"bulk issue, {_COUNT:,} coupons, s", spread(floors, 1), spread(ours, 1), values, LIMIT),
        Figure("bulk issue, coupons a second", "–", rate),
    )
    return Report(figures, (f"{_ROUNDS} rounds, ends equal",), {"floors": floors, "ours": ours})


def _empty(connection: "psycopg.Connection[Any]", template: int) -> int:
    """A fresh batch in fresh files, with the planner told."""
    tables = ("coupon", "couponevent", "issueslice", "issuejob", "couponbatchshard", "couponbatch")
    connection.execute("TRUNCATE " + ", ".join(f"coupons_{name}" for name in tables) + " CASCADE")
    [batch] = connection.execute(_BATCH, {"template": template, "quota": _COUNT}).fetchone() or [0]
    connection.execute(_SHARDS, {"batch": batch, "quota": _COUNT, "is_single": False})
    # Every member's row has just been locked by the half before; both halves start from vacuumed pages.
    connection.execute("VACUUM ANALYZE members_member")
    connection.execute("CHECKPOINT")
    return int(batch)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:2]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()
