"""Points whose day is over, and notice to those whose day is near: set-based, a slice of accounts at a time."""

import datetime as dt
from array import array
from collections.abc import Iterator
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from members.contracts import ExpiryRun
from members.events import PointsExpired, PointsExpiring
from members.models import PointsSettings
from members.selectors.points import get_points_decisions
from members.services.points_ledger import actor_words

SLICE: Final = (
    20_000  # accounts in one transaction: well within the statement time-out, few locks held for long
)

_DUE = """
SELECT DISTINCT account_id FROM members_pointslot
WHERE remaining > 0 AND expires_at > %(after)s AND expires_at <= %(until)s ORDER BY account_id
"""
# Every writer of lots holds its account's lock, so what the second statement reads is settled. A statement of its
# own: one that waits for a lock goes on seeing the lots as they were before the wait.
_LOCK = "SELECT id FROM members_pointsaccount WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"
_EXPIRE = """
WITH due AS MATERIALIZED (
    SELECT id, account_id, remaining FROM members_pointslot
    WHERE account_id = ANY(%(ids)s) AND remaining > 0 AND expires_at <= %(until)s
), total AS (
    SELECT account_id, sum(remaining)::bigint AS points FROM due GROUP BY account_id
), entry AS (
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT account.id, account.id, 'expire', -points, -points, %(reason)s, %(key)s, %(at)s, %(actor)s,
           account.balance - points
    FROM total JOIN members_pointsaccount account ON account.id = total.account_id
    ON CONFLICT (origin_id, source_key) DO NOTHING
    RETURNING id, account_id, delta
), emptied AS (
    UPDATE members_pointslot lot SET remaining = 0
    FROM due JOIN entry USING (account_id) WHERE lot.id = due.id
), used AS (
    INSERT INTO members_pointslotuse (entry_id, lot_id, amount)
    SELECT entry.id, due.id, due.remaining FROM due JOIN entry USING (account_id)
), lowered AS (
    UPDATE members_pointsaccount account SET balance = account.balance + entry.delta
    FROM entry WHERE account.id = entry.account_id
)
SELECT count(*), coalesce(-sum(delta), 0)::bigint, min(id), max(id) FROM entry
"""
_ANNOUNCE = """
WITH told AS (
    INSERT INTO members_expirynotice (account_id, expires_on, points, announced_at)
    SELECT account_id, ((expires_at AT TIME ZONE 'Asia/Shanghai') - interval '1 microsecond')::date,
           sum(remaining)::bigint, %(at)s
    FROM members_pointslot
    WHERE account_id = ANY(%(ids)s) AND remaining > 0 AND expires_at > %(after)s AND expires_at <= %(until)s
    GROUP BY account_id, expires_at ORDER BY account_id, expires_at
    ON CONFLICT (account_id, expires_on) DO NOTHING
    RETURNING account_id, expires_on, points
)
SELECT account.member_id, told.expires_on, told.points
FROM told JOIN members_pointsaccount account ON account.id = told.account_id
"""
_LONG_AGO: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def expire_points(*, actor: Actor, at: dt.datetime | None = None) -> ExpiryRun:
    """All points whose last day (Shanghai) is over by `at` are gone: one entry for an account and day.

    Each slice of accounts is one transaction, so a job that is killed has done whole slices, and the next run does
    the others; run twice, or by two at once, it changes nothing the second time. Announces PointsExpired for each
    slice. The entries are the trail of each account; the audit has one row for the run.
    """
    at = at or clock.now()
    day = clock.business_day(at)
    until = clock.day_bounds(day)[0]
    values = {
        "until": until,
        "at": at,
        "reason": _("积分过期"),
        "key": f"expire-day@{day.isoformat()}",
        "actor": actor_words(actor),
    }
    accounts = points = 0
    for ids in _slices(after=_LONG_AGO, until=until):
        with transaction.atomic():
            _run(_LOCK, {"ids": ids})
            count, gone, first, last = _run(_EXPIRE, {**values, "ids": ids})[0]
            if count:
                events.publish(PointsExpired(first, last))
        accounts += count
        points += gone
    _tell_run("members.points_expired", actor=actor, at=at, accounts=accounts, points=points)
    return ExpiryRun(accounts, points)


def announce_expiring_points(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Everybody whose points expire within the chain's notice days is announced (PointsExpiring), once for a day.

    Answers how many announcements there were. An account that gets more points of a day already announced is not
    announced again.
    """
    at = at or clock.now()
    last = clock.business_day(at) + dt.timedelta(days=get_points_decisions().notice_days)
    span = {"after": at, "until": clock.day_bounds(last)[1]}
    told = 0
    for ids in _slices(after=span["after"], until=span["until"]):
        with transaction.atomic():
            rows = _run(_ANNOUNCE, {**span, "ids": ids, "at": at})
            for member_id, expires_on, points in rows:
                events.publish(PointsExpiring(member_id, expires_on.isoformat(), points))
        told += len(rows)
    _tell_run("members.points_expiry_announced", actor=actor, at=at, accounts=told)
    return told


def _slices(*, after: dt.datetime, until: dt.datetime) -> Iterator[list[int]]:
    """The accounts with lots that expire in the span, in pk order; 8 bytes each while the job runs."""
    due = array("q", (row[0] for row in _run(_DUE, {"after": after, "until": until})))
    for start in range(0, len(due), SLICE):
        yield list(due[start : start + SLICE])


def _run(sql: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _tell_run(action: str, *, actor: Actor, at: dt.datetime, accounts: int, **counts: int) -> None:
    if accounts:
        audit.record(
            action=action,
            subject=PointsSettings(pk=1),
            actor=actor,
            at=at,
            account_count=accounts,
            **counts,
        )
