"""What purchases mean for their members, many at once: points, activity, and the tiers that are reached.

Everything is read by two statements and written by one, under the members' locks: the books that a quote, a credit and a
record of activity leave one by one.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from core import clock
from core.actor import Actor
from core.arrays import array_words
from core.compiled import Rows, ask, ask_once
from members.contracts import PointsGift, Purchase
from members.selectors.earning import Earning, get_earning
from members.services.points import credit_points
from members.services.points_bulk import PLAIN_POINTS
from members.services.points_ledger import usable_key
from members.services.purchases_writing import Active, quote_purchase, tell_credited, write_purchases
from members.services.tiers import record_activity
from members.services.tiers_batches import Batch
from members.services.tiers_looking import PLAIN_STANDING, SUMS, Ladder

_FEW: Final = 100
# Whoever writes a standing holds the member's lock.
_BUYERS: Final = (
    """
SELECT given.place, member.stage, member.birthday, standing.earned_tier_id, standing.manual_tier_id, standing.manual_until,
       standing.id IS NULL,
       <plain_points>,
       <plain_standing>, <sums>
FROM unnest(%(members)s::bigint[], %(points_keys)s::text[], %(activity_keys)s::text[]) WITH ORDINALITY
     AS given(member_id, points_key, activity_key, place)
JOIN members_member member ON member.id = given.member_id
LEFT JOIN members_membertier standing ON standing.member_id = given.member_id
LEFT JOIN members_pointsaccount account ON account.member_id = given.member_id
""".replace("<plain_points>", PLAIN_POINTS)
    .replace("<plain_standing>", PLAIN_STANDING)
    .replace("<sums>", SUMS)
)


class _Buyer(NamedTuple):
    """A member under lock. `sums` has what she did in each window that is assessed."""

    place: int
    stage: str
    birthday: dt.date | None
    earned_tier_id: int | None
    manual_tier_id: int | None
    manual_until: dt.date | None
    is_new: bool
    has_plain_points: bool
    has_plain_standing: bool
    sums: list[list[int]]


def reward_purchases(
    *, given: Sequence[Purchase], reason: str, is_told: bool, actor: Actor, at: dt.datetime
) -> list[int]:
    """Each member has the points that her purchase earns by the rules of its day, and it counts towards her tier, which is
    hers at once when she reaches it; how many points each, in order.

    At most one purchase for each member, all of them living and locked by the caller's transaction, no day after `at`.
    Whoever owes points, has some that are past their day, or a return or an entry under that key, goes through
    `credit_points`; who has a tier by hand, in its grace or retired, through `record_activity`. The entries are the
    record: audit rows and events for each credit and each new tier are written only when `is_told`. Raises as these do.
    """
    if not given:
        return []
    if len({one.member_id for one in given}) != len(given):
        raise ValueError("one purchase a member at once")
    work = _Work(given, actor, at, ask if len(given) <= _FEW else ask_once)
    return work.reward(reason, is_told=is_told)


class _Work:
    """Purchases of members who are locked, with the rules of now."""

    def __init__(
        self,
        given: Sequence[Purchase],
        actor: Actor,
        at: dt.datetime,
        asking: Callable[[str, Mapping[str, Any]], Rows],
    ) -> None:
        self.given = given
        self.actor = actor
        self.at = at
        self.day = clock.business_day(at)
        self.asking = asking
        self.earning: Earning = get_earning()
        self.ladder = Ladder(self.earning, self.day)

    def reward(self, reason: str, *, is_told: bool) -> list[int]:
        buyers = self._buyers()
        points = [
            quote_purchase(earning=self.earning, lines=one.lines, sold_at=one.sold_at, buyer=buyer)
            for one, buyer in zip(self.given, buyers, strict=True)
        ]
        rising = {place for place, buyer in enumerate(buyers) if self._rises(self.given[place], buyer)}
        credited = [place for place, buyer in enumerate(buyers) if points[place] and buyer.has_plain_points]
        active = [
            place
            for place, buyer in enumerate(buyers)
            if self._is_plain(buyer) and not (is_told and place in rising)
        ]
        told = self._write(buyers, points, credited, active, reason)
        if is_told:
            tell_credited(told, actor=self.actor, at=self.at)
        risen = sorted(self.given[place].member_id for place in rising.intersection(active))
        if risen:
            batch = Batch(
                rungs=self.ladder.rungs,
                decisions=self.ladder.decisions,
                actor=self.actor,
                at=self.at,
                day=self.day,
            )
            batch.by_activity(risen, self.ladder.windows)
        self._reward_apart(points, set(credited), set(active), reason)
        return points

    def _buyers(self) -> list[_Buyer]:
        rows = self.asking(
            _BUYERS,
            {
                "members": array_words(one.member_id for one in self.given),
                "points_keys": array_words(usable_key(one.points_key) for one in self.given),
                "activity_keys": array_words(usable_key(one.activity_key) for one in self.given),
                "at": self.at,
                "froms": array_words(window[0] for window in self.ladder.windows),
                "untils": array_words(window[1] for window in self.ladder.windows),
            },
        )
        return sorted(_Buyer(*row) for row in rows)

    def _is_plain(self, buyer: _Buyer) -> bool:
        return buyer.has_plain_standing and self.ladder.has(buyer.earned_tier_id)

    def _rises(self, purchase: Purchase, buyer: _Buyer) -> bool:
        """Whether she has a higher tier with this purchase than without it."""
        return self.ladder.is_risen(
            day=purchase.day, spend_fen=purchase.spend_fen, order_count=1, sums=buyer.sums,
            earned_tier_id=buyer.earned_tier_id,
        )  # fmt: skip

    def _write(
        self,
        buyers: Sequence[_Buyer],
        points: Sequence[int],
        credited: Sequence[int],
        active: Sequence[int],
        reason: str,
    ) -> Rows:
        given = self.given
        return write_purchases(
            credited=[
                PointsGift(given[place].member_id, points[place], given[place].points_key) for place in credited
            ],
            active=[
                Active(
                    given[place].member_id, given[place].day, given[place].spend_fen, given[place].activity_key,
                    buyers[place].is_new,
                )
                for place in active
            ],
            reason=reason, earning=self.earning, asking=self.asking, actor=self.actor, at=self.at,
        )  # fmt: skip

    def _reward_apart(
        self, points: Sequence[int], credited: Iterable[int], active: Iterable[int], reason: str
    ) -> None:
        """What the verbs for one do better."""
        in_order = sorted(range(len(self.given)), key=lambda place: self.given[place].member_id)
        for place in in_order:
            one = self.given[place]
            if points[place] and place not in credited:
                credit_points(
                    member_id=one.member_id, points=points[place], source_key=one.points_key, reason=reason,
                    actor=self.actor, at=self.at,
                )  # fmt: skip
            if place not in active:
                record_activity(
                    member_id=one.member_id, day=one.day, spend_fen=one.spend_fen, order_count=1, growth=0,
                    source_key=one.activity_key, actor=self.actor, at=self.at,
                )  # fmt: skip
