"""Many coupons end at once: voided by staff, or past their last day. Set-based, a slice at a time.

A slice is one transaction: lock the coupons in pk order, then the shards of their batches in order, then one
statement that changes only what is still unused. Whoever redeems or gives one of them away holds its lock, so each
coupon ends one way. A run that is killed has done whole slices, and the next run does the others.
"""

import datetime as dt
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from coupons.contracts import CouponRun
from coupons.errors import CouponExpired, CouponRedeemed
from coupons.events import CouponsExpired, CouponsExpiring, CouponsVoided
from coupons.models import CouponState
from coupons.services.batches import spread_room
from coupons.services.history import actor_words, lock_by_id, usable_reason
from coupons.services.redeeming import OFFLINE_SPAN

SLICE: Final = 10_000
NOTICE_DAYS: Final = 3

_LOCK: Final = "SELECT id FROM coupons_coupon WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"
_LOCK_SHARDS: Final = """
SELECT DISTINCT batch_id FROM (
    SELECT batch_id FROM coupons_couponbatchshard
    WHERE batch_id IN (SELECT batch_id FROM coupons_coupon WHERE id = ANY(%(ids)s))
    ORDER BY batch_id, shard FOR NO KEY UPDATE) held
"""
_CLOSE: Final = """
WITH due AS MATERIALIZED (
    SELECT coupon.id, coupon.batch_id, coupon.shard, coupon.state, coupon.member_id, batch.cost_fen
    FROM coupons_coupon coupon JOIN coupons_couponbatch batch ON batch.id = coupon.batch_id
    WHERE coupon.id = ANY(%(ids)s) AND coupon.state IN ('issued', 'locked', 'gifting')
      AND (%(to)s = 'voided' OR coupon.valid_until <= %(until)s
           AND (coupon.state <> 'locked' OR coupon.locked_until <= %(at)s))
), closed AS (
    UPDATE coupons_coupon coupon SET state = %(to)s, lock_key = '', locked_until = NULL
    FROM due WHERE coupon.id = due.id
), told AS (
    INSERT INTO coupons_couponevent (coupon_id, at, from_state, to_state, what, reason, actor)
    SELECT id, %(at)s, state, %(to)s, %(to)s, %(reason)s, %(actor)s FROM due
), given_back AS (
    UPDATE coupons_coupongift gift SET state = 'returned', ended_at = %(at)s
    FROM due WHERE gift.coupon_id = due.id AND gift.state = 'open'
), counted AS (
    UPDATE coupons_couponbatchshard shard
    SET voided_count = shard.voided_count + CASE WHEN %(to)s = 'voided' THEN n ELSE 0 END,
        expired_count = shard.expired_count + CASE WHEN %(to)s = 'expired' THEN n ELSE 0 END,
        reserved_fen = shard.reserved_fen - freed
    FROM (SELECT batch_id, shard AS place, count(*) AS n, sum(cost_fen) AS freed FROM due GROUP BY 1, 2) total
    WHERE shard.batch_id = total.batch_id AND shard.shard = total.place
)
SELECT count(*), count(DISTINCT member_id) FROM due
"""
_OF_SOURCE: Final = """
SELECT id FROM coupons_coupon
WHERE source_key = %(source)s AND source_key <> '' AND state IN ('issued', 'locked', 'gifting') ORDER BY id
"""
_DUE: Final = """
SELECT id FROM coupons_coupon
WHERE state IN ('issued', 'locked', 'gifting') AND valid_until <= %(until)s
  AND (state <> 'locked' OR locked_until <= %(at)s) ORDER BY id
"""
_EXPIRING: Final = """
SELECT id FROM coupons_coupon
WHERE state IN ('issued', 'locked', 'gifting') AND valid_until > %(at)s AND valid_until <= %(until)s
  AND told_at IS NULL ORDER BY id
"""
_TELL: Final = """
WITH told AS (
    UPDATE coupons_coupon SET told_at = %(at)s WHERE id = ANY(%(ids)s) AND told_at IS NULL
    RETURNING member_id, ((valid_until AT TIME ZONE 'Asia/Shanghai') - interval '1 microsecond')::date AS day
)
SELECT member_id, day, count(*) FROM told GROUP BY member_id, day ORDER BY member_id, day
"""


def void_coupon(*, coupon_id: int, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The coupon is void. Refuses one that was used or has expired; doing it again changes nothing."""
    at, reason = at or clock.now(), usable_reason(reason=reason)
    with transaction.atomic():
        coupon = lock_by_id(coupon_id=coupon_id)
        if coupon.state == CouponState.REDEEMED:
            raise CouponRedeemed
        if coupon.state == CouponState.EXPIRED:
            raise CouponExpired
        _close([coupon.pk], "voided", reason=reason, actor=actor, at=at)
        if coupon.state != CouponState.VOIDED:
            audit.record(action="coupons.coupon_voided", subject=coupon, actor=actor, at=at)
            events.publish(CouponsVoided(coupon.batch_id, 1))


def void_coupons_of_source(
    *, source_key: str, reason: str, actor: Actor, at: dt.datetime | None = None
) -> CouponRun:
    """The coupons that were earned by this source (a sale that is returned) are void where nobody has used them."""
    at, reason = at or clock.now(), usable_reason(reason=reason)
    return _close_all(_OF_SOURCE, {"source": source_key}, "voided", reason=reason, actor=actor, at=at)


def hold_counters(*, coupon_ids: list[int]) -> None:
    """The counters of these coupons' batches are locked in the order in which everybody takes several of them, for
    a transaction that closes some coupons and counts others."""
    _run(_LOCK_SHARDS, {"ids": coupon_ids})


def void_locked(*, coupon_ids: list[int], reason: str, actor: Actor, at: dt.datetime) -> int:
    """Those of these coupons that nobody has used are void, inside the caller's transaction; how many. They are
    locked in pk order, as are their counters after them."""
    return _close(coupon_ids, "voided", reason=reason, actor=actor, at=at)[0] if coupon_ids else 0


def expire_coupons(*, actor: Actor, at: dt.datetime | None = None) -> CouponRun:
    """Coupons whose last day was over a day ago are closed, and their share of the budget is free again.

    A day ago, because a till that was offline may still report what it redeemed in time; every rule and every screen
    counts them as expired from the last day on. Run twice, or by two at once, it changes nothing the second time.
    """
    at = at or clock.now()
    values = {"until": at - OFFLINE_SPAN, "at": at}
    run = _close_all(_DUE, values, "expired", reason=str(_("已过有效期")), actor=actor, at=at)
    if run.coupon_count:
        events.publish(CouponsExpired(run.coupon_count))
    return run


def announce_expiring_coupons(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Everybody whose coupons are over within three days is announced (CouponsExpiring): once for a coupon, one
    event for a member and day. Answers how many announcements there were."""
    at = at or clock.now()
    last = clock.business_day(at) + dt.timedelta(days=NOTICE_DAYS)
    values = {"at": at, "until": clock.day_bounds(last)[1]}
    told = 0
    for ids in _slices(_EXPIRING, values):
        with transaction.atomic():
            _run(_LOCK, {"ids": ids})
            for member_id, day, count in _run(_TELL, {"ids": ids, "at": at}):
                events.publish(CouponsExpiring(member_id, day.isoformat(), count))
                told += 1
    return told


def _close_all(
    query: str, values: dict[str, Any], to: str, *, reason: str, actor: Actor, at: dt.datetime
) -> CouponRun:
    return _close_slices(_slices(query, values), to, reason=reason, actor=actor, at=at)


def _close_slices(
    slices: Iterable[list[int]], to: str, *, reason: str, actor: Actor, at: dt.datetime
) -> CouponRun:
    coupons = members = 0
    for ids in slices:
        with transaction.atomic():
            count, holders = _close(ids, to, reason=reason, actor=actor, at=at)
        coupons += count
        members += holders
    return CouponRun(coupons, members)


def _close(ids: list[int], to: str, *, reason: str, actor: Actor, at: dt.datetime) -> tuple[int, int]:
    _run(_LOCK, {"ids": ids})
    batches = [row[0] for row in _run(_LOCK_SHARDS, {"ids": ids})]
    values = {"ids": ids, "to": to, "at": at, "until": at - OFFLINE_SPAN, "reason": reason}
    count, holders = _run(_CLOSE, values | {"actor": actor_words(actor=actor)})[0]
    if count:
        spread_room(batch_ids=batches)
    return count, holders


def _slices(query: str, values: dict[str, Any]) -> Iterator[list[int]]:
    """The coupons in pk order; 8 bytes each while the job runs."""
    due = array("q", (row[0] for row in _run(query, values)))
    for start in range(0, len(due), SLICE):
        yield list(due[start : start + SLICE])


def _run(sql: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
