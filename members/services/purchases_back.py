"""Goods of purchases came back, of many members at once: the points they earned are undone, what is left earns its own, and
so much less counts towards a tier.

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
from members.contracts import PointsGift, PurchaseBack
from members.events import PointsReversed
from members.models import PointsAccount
from members.selectors.earning import Earning, get_earning
from members.services.points import credit_points
from members.services.points_ledger import actor_words, usable_key
from members.services.points_reversal import reverse_points_entry
from members.services.purchases_writing import quote_purchase, tell_credited, write_purchases
from members.services.tiers import record_activity
from members.services.tiers_looking import PLAIN_STANDING, SUMS, Ladder

# Her account is locked. Plain is a credit that nobody touched: its lot has all of it, nobody undid it or waits to, and she
# neither owes points nor has some that are past their day; and what is left finds its key free.
_LOOK: Final = """
SELECT given.place, member.stage, member.birthday, standing.earned_tier_id, standing.manual_tier_id, standing.manual_until,
       account.id, entry.id, lot.id, entry.delta,
       given.reversed_key = '' OR coalesce(account.balance >= 0 AND entry.delta > 0 AND entry.kind = 'earn'
           AND lot.remaining = entry.delta
           AND NOT EXISTS (SELECT FROM members_pointslotuse used WHERE used.lot_id = lot.id)
           AND NOT EXISTS (SELECT FROM members_pointsentry undone WHERE undone.reversed_entry_id = entry.id)
           AND NOT EXISTS (SELECT FROM members_pointslot late
                           WHERE late.account_id = account.id AND late.remaining > 0 AND late.expires_at <= %(at)s::timestamptz)
           AND NOT EXISTS (SELECT FROM members_pendingreversal waiting
                           WHERE waiting.account_id = account.id AND waiting.entry_id IS NULL)
           AND NOT EXISTS (SELECT FROM members_pointsentry same WHERE same.account_id = account.id
                           AND same.source_key IN (given.points_key, given.again_key))
           AND NOT EXISTS (SELECT FROM members_pointsentry same WHERE same.origin_id = account.id
                           AND same.source_key IN (given.points_key, given.again_key)), false),
       standing.id IS NOT NULL AND <plain_standing>, <sums>
FROM unnest(%(members)s::bigint[], %(reversed_keys)s::text[], %(points_keys)s::text[], %(again_keys)s::text[],
            %(activity_keys)s::text[])
     WITH ORDINALITY AS given(member_id, reversed_key, points_key, again_key, activity_key, place)
JOIN members_member member ON member.id = given.member_id
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
    """A member under lock, and what is there of her purchase. `sums` has what she did in each window that is assessed."""

    place: int
    stage: str
    birthday: dt.date | None
    earned_tier_id: int | None
    manual_tier_id: int | None
    manual_until: dt.date | None
    account_id: int | None
    entry_id: int | None
    lot_id: int | None
    points: int | None
    has_plain_points: bool
    has_plain_standing: bool
    sums: list[list[int]]


def take_back_purchases(
    *, given: Sequence[PurchaseBack], reason: str, again_reason: str = "", actor: Actor, at: dt.datetime
) -> list[int]:
    """What is left of each purchase has the points that it earns by the rules of its day and its member's tier, instead of
    those it had, and it counts so much less towards that: as `reverse_points_entry`, `credit_points` and `record_activity`
    leave it, in audit and events as well; how many points each has now, in order.

    Points that stay the same stay as they are. At most one purchase for each member, all of them living and locked by the
    caller's transaction. Raises as these do.
    """
    if not given:
        return []
    if len({one.member_id for one in given}) != len(given):
        raise ValueError("one purchase a member at once")
    # Points expire without the member's lock, and a moment later than ours.
    PointsAccount.objects.filter(member_id__in=[one.member_id for one in given]).lock_rows()
    work = _Work(given, get_earning(), actor, at)
    work.take_back(reason, again_reason or reason)
    return work.points


class _Work:
    """Purchases of members who are locked, with the rules of now."""

    def __init__(
        self, given: Sequence[PurchaseBack], earning: Earning, actor: Actor, at: dt.datetime
    ) -> None:
        self.given = given
        self.earning = earning
        self.actor = actor
        self.at = at
        self.ladder = Ladder(earning, clock.business_day(at))
        rows = _look(given, self.ladder, at)
        # Two entries of one key met by a merge: which of them is meant is for the verb.
        found = Counter(look.place for look in rows)
        self.looks = [look for look in rows if found[look.place] == 1]
        self.points = [0] * len(given)
        for look in rows:
            one = given[look.place]
            if one.sold_at is not None:
                self.points[look.place] = quote_purchase(
                    earning=earning, lines=one.lines, sold_at=one.sold_at, buyer=look
                )

    def take_back(self, reason: str, again_reason: str) -> None:
        given = self.given
        changed = {place for place, one in enumerate(given) if self.points[place] != one.points}
        undone = [
            look
            for look in self.looks
            if look.place in changed and look.entry_id is not None and look.has_plain_points
        ]
        active = [look for look in self.looks if _stays(given[look.place], look, self.ladder)]
        told = _write(given, undone, active, reason, self.actor, self.at)
        audit.record_each(
            action="members.points_reversed",
            subjects=[
                (PointsAccount(pk=account_id), {"entry_id": entry_id, "delta": delta})
                for account_id, _member_id, entry_id, delta in told
            ],
            actor=self.actor,
            at=self.at,
        )
        for _account_id, member_id, entry_id, _delta in told:
            events.publish(PointsReversed(member_id, entry_id))
        self._credit([look.place for look in undone], again_reason)
        apart = changed - {look.place for look in undone}
        self._take_back_apart(apart, {look.place for look in active}, reason, again_reason)

    def _credit(self, undone: Sequence[int], reason: str) -> None:
        """What is left of those whose points were undone earns its own."""
        earned = [
            PointsGift(self.given[place].member_id, self.points[place], self.given[place].again_key)
            for place in undone
            if self.points[place]
        ]
        if earned:
            told = write_purchases(
                credited=earned, reason=reason, earning=self.earning, asking=ask, actor=self.actor, at=self.at
            )
            tell_credited(told, actor=self.actor, at=self.at)

    def _take_back_apart(self, changed: set[int], active: set[int], reason: str, again_reason: str) -> None:
        """What the verbs for one do better."""
        for place in sorted(range(len(self.given)), key=lambda place: self.given[place].member_id):
            one = self.given[place]
            if one.reversed_key and place in changed:
                reverse_points_entry(
                    member_id=one.member_id, reversed_key=one.reversed_key, source_key=one.points_key, reason=reason,
                    actor=self.actor, at=self.at,
                )  # fmt: skip
            if self.points[place] and place in changed:
                credit_points(
                    member_id=one.member_id, points=self.points[place], source_key=one.again_key, reason=again_reason,
                    actor=self.actor, at=self.at,
                )  # fmt: skip
            if (one.spend_fen or one.order_count) and place not in active:
                record_activity(
                    member_id=one.member_id, day=one.day, spend_fen=one.spend_fen, order_count=one.order_count, growth=0,
                    source_key=one.activity_key, actor=self.actor, at=self.at,
                )  # fmt: skip


def _look(given: Sequence[PurchaseBack], ladder: Ladder, at: dt.datetime) -> list[_Look]:
    rows = ask(
        _LOOK,
        {
            "members": array_words(one.member_id for one in given),
            "reversed_keys": array_words(one.reversed_key for one in given),
            "points_keys": array_words(usable_key(one.points_key) for one in given),
            "again_keys": array_words(one.again_key and usable_key(one.again_key) for one in given),
            "activity_keys": array_words(usable_key(one.activity_key) for one in given),
            "at": at,
            "froms": array_words(window[0] for window in ladder.windows),
            "untils": array_words(window[1] for window in ladder.windows),
        },
    )
    return [_Look(row[0] - 1, *row[1:]) for row in sorted(rows, key=lambda row: row[0])]


def _stays(one: PurchaseBack, look: _Look, ladder: Ladder) -> bool:
    """Whether nothing follows from it for her tier but that it counts less."""
    return (
        bool(one.spend_fen or one.order_count)
        and look.has_plain_standing
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
