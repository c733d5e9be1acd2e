"""Points for many members at once: by one statement where nothing stands in the way, one by one elsewhere."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from core.actor import Actor
from core.arrays import array_words
from core.compiled import ask_once
from core.errors import Refusal
from members.contracts import GivenPoints, PointsGift
from members.selectors.points import get_points_decisions
from members.services.points import credit_points, expiry_after
from members.services.points_ledger import actor_words, usable_key, usable_points

# Whether an account (`account`, joined to `given`) takes points as one row each in entries and lots: no debt, nothing past
# its day, no return that waits, no entry under the key. Whoever writes an account holds the member's lock, but for the
# expiry of points: that takes lots which are past their day and makes nobody a debtor, so what is plain here stays so.
PLAIN_POINTS: Final = """account.id IS NULL OR (account.balance >= 0
           AND NOT EXISTS (SELECT FROM members_pointslot lot
                           WHERE lot.account_id = account.id AND lot.remaining > 0 AND lot.expires_at <= %(at)s::timestamptz)
           AND NOT EXISTS (SELECT FROM members_pendingreversal waiting
                           WHERE waiting.account_id = account.id AND waiting.entry_id IS NULL)
           AND NOT EXISTS (SELECT FROM members_pointsentry entry
                           WHERE entry.account_id = account.id AND entry.source_key = given.points_key)
           AND NOT EXISTS (SELECT FROM members_pointsentry entry
                           WHERE entry.origin_id = account.id AND entry.source_key = given.points_key))"""
# What such accounts are credited: the accounts that are there in the order in which everybody takes several of them, new ones
# behind them. Leaves `account` and `entry`.
CREDITS: Final = """credit AS (
    SELECT * FROM unnest(%(credited)s::bigint[], %(points)s::bigint[], %(points_keys)s::text[])
        AS given(member_id, points, source_key)
), account AS (
    INSERT INTO members_pointsaccount AS mine (member_id, balance, frozen, debt_allowed, opened_at)
    SELECT credit.member_id, credit.points, 0, 0, %(at)s::timestamptz
    FROM credit LEFT JOIN members_pointsaccount there ON there.member_id = credit.member_id
    ORDER BY there.id NULLS LAST, credit.member_id
    ON CONFLICT (member_id) DO UPDATE SET balance = mine.balance + excluded.balance
    RETURNING id, member_id, balance
), entry AS (
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, at, actor, balance_after)
    SELECT account.id, account.id, 'earn', credit.points, credit.points, %(reason)s, credit.source_key,
           %(at)s::timestamptz, %(actor)s, account.balance
    FROM account JOIN credit USING (member_id) ORDER BY account.id
    RETURNING id, account_id, delta
), lot AS (
    INSERT INTO members_pointslot (account_id, entry_id, granted, remaining, expires_at)
    SELECT account_id, id, delta, delta, %(expires_at)s::timestamptz FROM entry
)"""
_PLAIN: Final = """
SELECT given.place FROM unnest(%(members)s::bigint[], %(points_keys)s::text[]) WITH ORDINALITY
     AS given (member_id, points_key, place)
LEFT JOIN members_pointsaccount account ON account.member_id = given.member_id
WHERE <plain>
""".replace("<plain>", PLAIN_POINTS)
_WRITE: Final = """
WITH <credits>
SELECT account.member_id, entry.id FROM entry JOIN account ON account.id = entry.account_id
""".replace("<credits>", CREDITS)


def give_points(
    *, gifts: Sequence[PointsGift], reason: str, actor: Actor, at: dt.datetime
) -> list[GivenPoints]:
    """Each member has so many points more, once for her key; what became of each, in order.

    All are living and locked by the caller's transaction. A member who comes twice, owes points, has some past their day, a
    return that waits or an entry under the key goes through `credit_points`, and its refusal is hers alone. The entries are
    the record: no audit row and no event for each of the others.
    """
    if not gifts:
        return []
    for gift in gifts:
        usable_points(gift.points)
        usable_key(gift.source_key)
    plain = _plain_places(gifts, at)
    entries = _write([gifts[place] for place in plain], reason, actor, at)
    given = {place: GivenPoints(entries[gifts[place].member_id]) for place in plain}
    apart = [place for place in range(len(gifts)) if place not in given]
    for place in sorted(apart, key=lambda place: gifts[place].member_id):
        given[place] = _give_one(gifts[place], reason, actor, at)
    return [given[place] for place in range(len(gifts))]


def _plain_places(gifts: Sequence[PointsGift], at: dt.datetime) -> list[int]:
    rows = ask_once(
        _PLAIN,
        {
            "members": array_words(gift.member_id for gift in gifts),
            "points_keys": array_words(gift.source_key for gift in gifts),
            "at": at,
        },
    )
    first: dict[int, int] = {}
    for place in sorted(place - 1 for (place,) in rows):
        first.setdefault(gifts[place].member_id, place)
    return sorted(first.values())


def _write(gifts: Sequence[PointsGift], reason: str, actor: Actor, at: dt.datetime) -> dict[int, int]:
    """The entry of each member."""
    if not gifts:
        return {}
    rows = ask_once(
        _WRITE,
        {
            "credited": array_words(gift.member_id for gift in gifts),
            "points": array_words(gift.points for gift in gifts),
            "points_keys": array_words(gift.source_key for gift in gifts),
            "reason": reason,
            "actor": actor_words(actor),
            "at": at,
            "expires_at": expiry_after(at=at, months=get_points_decisions().expiry_months),
        },
    )
    return dict(rows)


def _give_one(gift: PointsGift, reason: str, actor: Actor, at: dt.datetime) -> GivenPoints:
    try:
        change = credit_points(
            member_id=gift.member_id, points=gift.points, source_key=gift.source_key, reason=reason, actor=actor,
            at=at,
        )  # fmt: skip
    except Refusal as refusal:
        return GivenPoints(None, refusal.code)
    return GivenPoints(None if change.entry is None else change.entry.id)
