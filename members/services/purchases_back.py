"""What purchases had meant for their members is taken back, many at once: all the points they earned, and their activity.

Most of what comes back was bought days ago by somebody whose points of it still lie there. Everybody else goes through the
verbs for one.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core import audit, clock, events
from core.actor import Actor
from core.arrays import array_words
from core.compiled import Rows, ask
from members.contracts import PurchaseBack
from members.events import PointsReversed
from members.models import PointsAccount
from members.selectors.earning import get_earning
from members.services.points_ledger import actor_words, usable_key
from members.services.points_reversal import reverse_points_entry
from members.services.tiers import record_activity
from members.services.tiers_looking import PLAIN_STANDING, SUMS, Ladder

# Her account is locked. Plain is a credit that nobody touched: its lot has all of it, nobody undid it or waits to, and she
# neither owes points nor has some that are past their day.
_LOOK: Final = """
SELECT given.place, account.id, entry.id, lot.id, entry.delta,
       given.reversed_key = '' OR coalesce(account.balance >= 0 AND entry.delta > 0 AND entry.kind = 'earn'
           AND lot.remaining = entry.delta
           AND NOT EXISTS (SELECT FROM members_pointslotuse used WHERE used.lot_id = lot.id)
           AND NOT EXISTS (SELECT FROM members_pointsentry undone WHERE undone.reversed_entry_id = entry.id)
           AND NOT EXISTS (SELECT FROM members_pointslot late
                           WHERE late.account_id = account.id AND late.remaining > 0 AND late.expires_at <= %(at)s::timestamptz)
           AND NOT EXISTS (SELECT FROM members_pendingreversal waiting
                           WHERE waiting.account_id = account.id AND waiting.entry_id IS NULL)
           AND NOT EXISTS (SELECT FROM members_pointsentry same
                           WHERE same.account_id = account.id AND same.source_key = given.points_key)
           AND NOT EXISTS (SELECT FROM members_pointsentry same
                           WHERE same.origin_id = account.id AND same.source_key = given.points_key), false),
       standing.earned_tier_id, standing.id IS NOT NULL AND <plain_standing>, <sums>
FROM unnest(%(members)s::bigint[], %(reversed_keys)s::text[], %(points_keys)s::text[], %(activity_keys)s::text[])
     WITH ORDINALITY AS given(member_id, reversed_key, points_key, activity_key, place)
LEFT JOIN members_membertier standing ON standing.member_id = given.member_id
LEFT JOIN members_pointsaccount account ON account.member_id = given.member_id
LEFT JOIN members_pointsentry entry ON entry.account_id = account.id AND entry.source_key = given.reversed_key
LEFT JOIN members_pointslot lot ON lot.entry_id = entry.id
""".replace("<plain_standing>", PLAIN_STANDING).replace("<sums>", SUMS)
_WRITE: Final = """
WITH undone AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(entries)s::bigint[], %(lots)s::bigint[], %(points)s::bigint[],
                         %(points_keys)s::text[])
        AS given(account_id, entry_id, lot_id, points, source_key)
), account AS (
    UPDATE members_pointsaccount mine SET balance = mine.balance - undone.points, debt_allowed = 0
    FROM undone WHERE mine.id = undone.account_id RETURNING mine.id, mine.member_id, mine.balance
), lot AS (
    UPDATE members_pointslot SET remaining = 0 FROM undone WHERE members_pointslot.id = undone.lot_id
), entry AS (
    INSERT INTO members_pointsentry
        (account_id, origin_id, kind, delta, asked, reason, source_key, reversed_entry_id, at, actor, balance_after)
    SELECT account.id, account.id, 'reverse', -undone.points, -undone.points, %(reason)s, undone.source_key, undone.entry_id,
           %(at)s::timestamptz, %(actor)s, account.balance
    FROM account JOIN undone ON undone.account_id = account.id ORDER BY account.id
    RETURNING id, account_id, reversed_entry_id, delta
), used AS (
    INSERT INTO members_pointslotuse (entry_id, lot_id, amount)
    SELECT entry.id, undone.lot_id, undone.points FROM entry JOIN undone ON undone.entry_id = entry.reversed_entry_id
), active AS (
    INSERT INTO members_activityentry
        (member_id, origin_id, day, spend_fen, order_count, growth, source_key, recorded_at)
    SELECT member_id, member_id, day, spend_fen, order_count, 0, source_key, %(at)s::timestamptz
    FROM unnest(%(active)s::bigint[], %(days)s::date[], %(spends)s::bigint[], %(counts)s::bigint[], %(activity_keys)s::text[])
        AS given(member_id, day, spend_fen, order_count, source_key)
    ORDER BY member_id
)
SELECT account.id, account.member_id, entry.id, entry.delta
FROM entry JOIN account ON account.id = entry.account_id ORDER BY entry.id
"""


class _Look(NamedTuple):
    """What is there of a purchase. `sums` has what she did in each window that is assessed."""

    place: int
    account_id: int | None
    entry_id: int | None
    lot_id: int | None
    points: int | None
    has_plain_points: bool
    earned_tier_id: int | None
    has_plain_standing: bool
    sums: list[list[int]]


def take_back_purchases(*, given: Sequence[PurchaseBack], reason: str, actor: Actor, at: dt.datetime) -> None:
    """The credit of each purchase is undone, whole, and it counts no more towards its member's tier: as
    `reverse_points_entry` and `record_activity` leave it, in audit and events as well.

    At most one purchase for each member, all of them living and locked by the caller's transaction. Raises as these do.
    """
    if not given:
        return
    if len({one.member_id for one in given}) != len(given):
        raise ValueError("one purchase a member at once")
    # Points expire without the member's lock, and a moment later than ours.
    PointsAccount.objects.filter(member_id__in=[one.member_id for one in given]).lock_rows()
    ladder = Ladder(get_earning(), clock.business_day(at))
    looks = _look(given, ladder, at)
    undone = [look for look in looks if look.entry_id is not None and look.has_plain_points]
    active = [look for look in looks if _stays(given[look.place], look, ladder)]
    told = _write(given, undone, active, reason, actor, at)
    audit.record_each(
        action="members.points_reversed",
        subjects=[
            (PointsAccount(pk=account_id), {"entry_id": entry_id, "delta": delta})
            for account_id, _member_id, entry_id, delta in told
        ],
        actor=actor,
        at=at,
    )
    for _account_id, member_id, entry_id, _delta in told:
        events.publish(PointsReversed(member_id, entry_id))
    _take_back_apart(
        given, {look.place for look in undone}, {look.place for look in active}, reason, actor, at
    )


def _look(given: Sequence[PurchaseBack], ladder: Ladder, at: dt.datetime) -> list[_Look]:
    rows = ask(
        _LOOK,
        {
            "members": array_words(one.member_id for one in given),
            "reversed_keys": array_words(one.reversed_key for one in given),
            "points_keys": array_words(usable_key(one.points_key) for one in given),
            "activity_keys": array_words(usable_key(one.activity_key) for one in given),
            "at": at,
            "froms": array_words(window[0] for window in ladder.windows),
            "untils": array_words(window[1] for window in ladder.windows),
        },
    )
    # Two entries of one key met by a merge: which of them is meant is for the verb.
    found = Counter(row[0] for row in rows)
    return [_Look(row[0] - 1, *row[1:]) for row in sorted(rows) if found[row[0]] == 1]


def _stays(one: PurchaseBack, look: _Look, ladder: Ladder) -> bool:
    """Whether nothing follows from it for her tier but that it counts less."""
    return (
        look.has_plain_standing
        and ladder.has(look.earned_tier_id)
        and not ladder.is_risen(
            day=one.day, spend_fen=one.spend_fen, order_count=one.order_count, sums=look.sums,
            earned_tier_id=look.earned_tier_id,
        )
    )  # fmt: skip


def _write(
    given: Sequence[PurchaseBack],
    undone: Sequence[_Look],
    active: Sequence[_Look],
    reason: str,
    actor: Actor,
    at: dt.datetime,
) -> Rows:
    values: dict[str, Any] = {
        "accounts": array_words(look.account_id for look in undone),
        "entries": array_words(look.entry_id for look in undone),
        "lots": array_words(look.lot_id for look in undone),
        "points": array_words(look.points for look in undone),
        "points_keys": array_words(given[look.place].points_key for look in undone),
        "active": array_words(given[look.place].member_id for look in active),
        "days": array_words(given[look.place].day for look in active),
        "spends": array_words(given[look.place].spend_fen for look in active),
        "counts": array_words(given[look.place].order_count for look in active),
        "activity_keys": array_words(given[look.place].activity_key for look in active),
        "reason": reason,
        "actor": actor_words(actor),
        "at": at,
    }
    return ask(_WRITE, values)


def _take_back_apart(
    given: Sequence[PurchaseBack],
    undone: set[int],
    active: set[int],
    reason: str,
    actor: Actor,
    at: dt.datetime,
) -> None:
    """What the verbs for one do better."""
    for place in sorted(range(len(given)), key=lambda place: given[place].member_id):
        one = given[place]
        if one.reversed_key and place not in undone:
            reverse_points_entry(
                member_id=one.member_id, reversed_key=one.reversed_key, source_key=one.points_key, reason=reason,
                actor=actor, at=at,
            )  # fmt: skip
        if place not in active:
            record_activity(
                member_id=one.member_id, day=one.day, spend_fen=one.spend_fen, order_count=one.order_count, growth=0,
                source_key=one.activity_key, actor=actor, at=at,
            )  # fmt: skip
