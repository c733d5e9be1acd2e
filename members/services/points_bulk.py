"""Points of many members at once: the entries and lots that `credit_points` writes one by one."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from core import audit, events
from core.actor import Actor
from core.arrays import array_words
from members.contracts import PointsCredit
from members.events import PointsCredited
from members.models import PointsAccount
from members.services.points import credit_points, expiry_of
from members.services.points_ledger import actor_words, usable_key, usable_points

_ACCOUNTS: Final = """
INSERT INTO members_pointsaccount (member_id, balance, frozen, debt_allowed, opened_at)
SELECT member_id, 0, 0, 0, %(at)s FROM unnest(%(members)s::bigint[]) AS given(member_id) ORDER BY member_id
ON CONFLICT (member_id) DO NOTHING
"""
_LOCK: Final = """
SELECT id FROM members_pointsaccount WHERE member_id = ANY(%(members)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
# Asked in a statement of its own, so that it sees what was committed while the locks were waited for.
_NOT_PLAIN: Final = """
SELECT account.member_id
FROM unnest(%(members)s::bigint[], %(keys)s::text[]) AS given(member_id, source_key)
JOIN members_pointsaccount account ON account.member_id = given.member_id
WHERE account.balance < 0
    OR EXISTS (SELECT FROM members_pointslot lot
               WHERE lot.account_id = account.id AND lot.remaining > 0 AND lot.expires_at <= %(at)s)
    OR EXISTS (SELECT FROM members_pendingreversal waiting
               WHERE waiting.account_id = account.id AND waiting.entry_id IS NULL)
    OR EXISTS (SELECT FROM members_pointsentry entry
               WHERE entry.account_id = account.id AND entry.source_key = given.source_key)
    OR EXISTS (SELECT FROM members_pointsentry entry
               WHERE entry.origin_id = account.id AND entry.source_key = given.source_key)
"""
_CREDIT: Final = """
WITH entry AS (
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT account.id, account.id, 'earn', given.points, given.points, %(reason)s, given.source_key, %(at)s,
           %(actor)s, account.balance + given.points
    FROM unnest(%(members)s::bigint[], %(points)s::bigint[], %(keys)s::text[]) AS given(member_id, points, source_key)
    JOIN members_pointsaccount account ON account.member_id = given.member_id
    ORDER BY account.id
    RETURNING id, account_id, delta),
lot AS (
    INSERT INTO members_pointslot (account_id, entry_id, granted, remaining, expires_at)
    SELECT account_id, id, delta, delta, %(expires_at)s::timestamptz FROM entry)
UPDATE members_pointsaccount account SET balance = account.balance + entry.delta
FROM entry WHERE entry.account_id = account.id
RETURNING account.id, account.member_id, entry.id, entry.delta
"""


def credit_points_in_bulk(
    *, given: Sequence[PointsCredit], reason: str, is_told: bool = False, actor: Actor, at: dt.datetime
) -> None:
    """Every member has so many points more: the same entries, lots and balances as `credit_points` gives one by one.

    At most one credit for each member, all of them living and locked by the caller's transaction. Whoever owes
    points, has some that are past their day, or a return or an entry under that key, goes through `credit_points`.
    The entries are the record: there is an audit row and an event for each only when `is_told`. Raises as
    `credit_points`.
    """
    if not given:
        return
    by_member = {credit.member_id: credit for credit in given}
    if len(by_member) != len(given):
        raise ValueError("one credit a member at once")
    for credit in given:
        usable_points(credit.points)
        usable_key(credit.source_key)
    with connection.cursor() as cursor:
        values = {**_columns(list(by_member.values())), "at": at}
        cursor.execute(_ACCOUNTS, values)
        cursor.execute(_LOCK, values)
        cursor.execute(_NOT_PLAIN, values)
        apart = [by_member.pop(row[0]) for row in cursor.fetchall()]
        if by_member:
            told = {
                "reason": reason,
                "actor": actor_words(actor),
                "expires_at": expiry_of(at=at, expires_on=None),
            }
            left = _columns(list(by_member.values())) if apart else values
            cursor.execute(_CREDIT, {**left, "at": at, **told})
            if is_told:
                _tell(cursor.fetchall(), actor, at)
    for credit in sorted(apart, key=lambda one: one.member_id):
        credit_points(
            member_id=credit.member_id, points=credit.points, source_key=credit.source_key, reason=reason, actor=actor,
            at=at,
        )  # fmt: skip


def _tell(credited: Sequence[tuple[int, int, int, int]], actor: Actor, at: dt.datetime) -> None:
    audit.record_each(
        action="members.points_credited",
        subjects=[
            (PointsAccount(pk=account_id), {"entry_id": entry_id, "delta": delta})
            for account_id, _member_id, entry_id, delta in credited
        ],
        actor=actor,
        at=at,
    )
    for _account_id, member_id, entry_id, _delta in credited:
        events.publish(PointsCredited(member_id, entry_id))


def _columns(given: Sequence[PointsCredit]) -> dict[str, Any]:
    return {
        "members": array_words(credit.member_id for credit in given),
        "points": array_words(credit.points for credit in given),
        "keys": array_words(credit.source_key for credit in given),
    }
