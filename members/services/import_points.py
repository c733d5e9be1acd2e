"""Opening points of imported members: many credits at once, each under the key of its row."""

import datetime as dt
from typing import Any, Final

from django.utils.translation import gettext as _

from core.actor import Actor
from members.services.points import credit_points, expiry_of
from members.services.points_ledger import actor_words

# The key of a row is its strongest identity: the same card of another file is not credited again.
_WANTED: Final = """
CREATE TEMP TABLE import_credit ON COMMIT DROP AS
SELECT DISTINCT ON (member_id, source_key) member_id, source_key, points, line
FROM (SELECT plan.member_id, plan.line, row.points,
             'import:' || left(encode(sha256(convert_to(coalesce(
                 'card:' || nullif(row.card, ''), 'phone:' || nullif(row.phone_index, ''),
                 'union:' || nullif(row.unionid, ''), 'open:' || nullif(row.openid, ''),
                 'mini:' || row.mini_openid), 'UTF8')), 'hex'), 40) AS source_key
      FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
      WHERE plan.verdict IN ('created', 'matched') AND row.points > 0) given
ORDER BY member_id, source_key, line
"""
_ACCOUNTS: Final = """
INSERT INTO members_pointsaccount (member_id, balance, frozen, debt_allowed, opened_at)
SELECT DISTINCT member_id, 0, 0, 0, %(at)s::timestamptz FROM import_credit ORDER BY member_id
ON CONFLICT (member_id) DO NOTHING
"""
_LOCK: Final = """
SELECT count(*) FROM (SELECT id FROM members_pointsaccount WHERE member_id IN (SELECT member_id FROM import_credit)
                      ORDER BY id FOR NO KEY UPDATE) locked
"""
_FORGET_DONE: Final = """
DELETE FROM import_credit credit USING members_pointsaccount account, members_pointsentry entry
WHERE account.member_id = credit.member_id AND entry.source_key = credit.source_key
    AND (entry.account_id = account.id OR entry.origin_id = account.id)
"""
# Who owes something pays it from what comes in: her credit is made by the rules for one.
_DEBTORS: Final = """
DELETE FROM import_credit credit USING members_pointsaccount account
WHERE account.member_id = credit.member_id AND account.balance < 0
RETURNING credit.member_id, credit.points, credit.source_key
"""
_CREDIT: Final = """
WITH entry AS (
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT account.id, account.id, 'earn', credit.points, credit.points, %(reason)s, credit.source_key,
           %(at)s::timestamptz, %(actor)s,
           account.balance + sum(credit.points) OVER (PARTITION BY account.id ORDER BY credit.line)
    FROM import_credit credit JOIN members_pointsaccount account ON account.member_id = credit.member_id
    ORDER BY credit.line
    RETURNING id, account_id, delta),
lot AS (
    INSERT INTO members_pointslot (account_id, entry_id, granted, remaining, expires_at)
    SELECT account_id, id, delta, delta, %(expires_at)s::timestamptz FROM entry),
total AS (SELECT account_id, sum(delta)::bigint AS points FROM entry GROUP BY account_id)
UPDATE members_pointsaccount account SET balance = account.balance + total.points
FROM total WHERE total.account_id = account.id
RETURNING account.member_id
"""


def credit_opening_points(*, cursor: Any, actor: Actor, at: dt.datetime) -> set[int]:
    """The points of the plan's rows are their members', once for each row however often it is imported.

    They lie in lots that expire after the chain's months from now. No event is published: the members spent
    nothing and earned nothing today. Returns who got any.
    """
    cursor.execute("DROP TABLE IF EXISTS import_credit")
    cursor.execute(_WANTED)
    if cursor.rowcount == 0:
        return set()
    values = {
        "at": at,
        "reason": _("期初积分"),
        "actor": actor_words(actor),
        "expires_at": expiry_of(at=at, expires_on=None),
    }
    cursor.execute(_ACCOUNTS, values)
    cursor.execute(_LOCK)
    cursor.execute(_FORGET_DONE)
    cursor.execute(_DEBTORS)
    debtors = cursor.fetchall()
    cursor.execute(_CREDIT, values)
    credited = {row[0] for row in cursor.fetchall()}
    for member_id, points, source_key in debtors:
        credit_points(
            member_id=member_id,
            points=points,
            source_key=source_key,
            reason=str(values["reason"]),
            actor=actor,
            at=at,
        )
        credited.add(member_id)
    return credited
