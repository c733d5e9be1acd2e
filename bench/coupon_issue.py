"""Bulk issue to all members against one INSERT … SELECT written by hand.

The floor makes the same rows with the same codes and counts them in the same counters, in one transaction, without
asking anything: no limits, no merged members, no slices, nothing to resume. Ours is the service in a process of its
own, from the id queryset to the finished job. BENCH_COUPONS_COUNT sets the size (200,000 unless it is set). Each half
runs on fresh rows.
"""

import os
import statistics
import sys
import time
from typing import Final

from bench.coupon_shop import Shop, running_shop
from bench.figures import Figure, Report, at_most, spread

LIMIT: Final = 1.5
_ROUNDS: Final = int(os.environ.get("BENCH_ISSUE_ROUNDS", "3"))
_COUNT: Final = int(os.environ.get("BENCH_COUPONS_COUNT", "200000"))
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
    with running_shop(_COUNT) as shop:
        for _number in range(_ROUNDS):
            batch = _empty(shop)
            began = time.monotonic()
            shop.connection.execute(_FLOOR, {"batch": batch})
            floors.append(time.monotonic() - began)
            expected = shop.connection.execute(_STATE).fetchone()
            batch = _empty(shop)
            ours.append(float(shop.run(sys.executable, "-c", _JOB, str(batch)).split()[-1]))
            found = shop.connection.execute(_STATE).fetchone()
            if found != expected or found is None or found[0] != _COUNT:
                raise RuntimeError(f"the two ends differ: {expected} and {found}")
    values = [our / floor for floor, our in zip(floors, ours, strict=True)]
    rate = f"{_COUNT / statistics.median(ours):,.0f}"
    figures = (
        at_most(f"bulk issue, {_COUNT:,} coupons, s", spread(floors, 1), spread(ours, 1), values, LIMIT),
        Figure("bulk issue, coupons a second", "–", rate),
    )
    return Report(figures, (f"{_ROUNDS} rounds, ends equal",), {"floors": floors, "ours": ours})


def _empty(shop: Shop) -> int:
    """A fresh batch in fresh files, with the planner told."""
    tables = ("coupon", "couponevent", "issueslice", "issuejob", "couponbatchshard", "couponbatch")
    shop.connection.execute("TRUNCATE " + ", ".join(f"coupons_{name}" for name in tables) + " CASCADE")
    # Every member's row has just been locked by the half before; both halves start from vacuumed pages.
    shop.connection.execute("VACUUM ANALYZE members_member")
    return shop.batch(_COUNT)
