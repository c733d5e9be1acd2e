"""What purchases earn by the rules, and the one statement that books it for many members."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from core import audit, clock, events
from core.actor import Actor
from core.arrays import array_words
from core.compiled import Rows
from members.contracts import EarningLine, PointsGift
from members.events import PointsCredited
from members.models import MemberStage, PointsAccount
from members.selectors.earning import Earning
from members.selectors.points_quote import ONE, quote_earned_points
from members.selectors.tier_rules import floor_of
from members.services.points import expiry_after
from members.services.points_bulk import CREDITS
from members.services.points_ledger import actor_words, usable_points

_WRITE: Final = """
WITH <credits>
, standing AS (
    INSERT INTO members_membertier (member_id, since)
    SELECT member_id, %(day)s::date FROM unnest(%(newcomers)s::bigint[]) AS given(member_id) ORDER BY member_id
), active AS (
    INSERT INTO members_activityentry
        (member_id, origin_id, day, spend_fen, order_count, growth, source_key, recorded_at)
    SELECT member_id, member_id, day, spend_fen, 1, 0, source_key, %(at)s::timestamptz
    FROM unnest(%(active)s::bigint[], %(days)s::date[], %(spends)s::bigint[], %(activity_keys)s::text[])
        AS given(member_id, day, spend_fen, source_key)
    ORDER BY member_id
)
SELECT account.id, account.member_id, entry.id, entry.delta
FROM entry JOIN account ON account.id = entry.account_id ORDER BY entry.id
""".replace("<credits>", CREDITS)


class Buyer(Protocol):
    """What a quote looks at of a member."""

    @property
    def stage(self) -> str: ...
    @property
    def birthday(self) -> dt.date | None: ...
    @property
    def earned_tier_id(self) -> int | None: ...
    @property
    def manual_tier_id(self) -> int | None: ...
    @property
    def manual_until(self) -> dt.date | None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Active:
    """An order that counts towards a member's tier; `is_new`: she had no standing yet."""

    member_id: int
    day: dt.date
    spend_fen: int
    source_key: str
    is_new: bool


def quote_purchase(
    *, earning: Earning, lines: Sequence[EarningLine], sold_at: dt.datetime, buyer: Buyer
) -> int:
    """What a purchase of hers at that moment earns by the rules of that day and her tier, in points."""
    on = clock.business_day(sold_at)
    held = earning.held(buyer.manual_tier_id, buyer.manual_until, buyer.earned_tier_id, on)
    if held is None and buyer.stage == MemberStage.MEMBER:
        held = floor_of(earning.ladder)
    return quote_earned_points(
        lines=lines,
        rules=earning.rules_on(on),
        multipliers=earning.multipliers_on(on),
        on=on,
        birthday=buyer.birthday,
        tier_multiplier_bp=ONE if held is None else held.multiplier_bp,
    ).points


def write_purchases(
    *,
    credited: Sequence[PointsGift],
    active: Sequence[Active] = (),
    reason: str,
    earning: Earning,
    asking: Callable[[str, Mapping[str, Any]], Rows],
    actor: Actor,
    at: dt.datetime,
) -> Rows:
    """These points and this activity are booked, of members who are locked and have plain books; account, member, entry and
    points of each credit."""
    return asking(
        _WRITE,
        {
            "credited": array_words(one.member_id for one in credited),
            "points": array_words(usable_points(one.points) for one in credited),
            "points_keys": array_words(one.source_key for one in credited),
            "newcomers": array_words(one.member_id for one in active if one.is_new),
            "active": array_words(one.member_id for one in active),
            "days": array_words(one.day for one in active),
            "spends": array_words(one.spend_fen for one in active),
            "activity_keys": array_words(one.source_key for one in active),
            "reason": reason,
            "actor": actor_words(actor),
            "at": at,
            "day": clock.business_day(at),
            "expires_at": expiry_after(at=at, months=earning.expiry_months),
        },
    )


def tell_credited(credited: Rows, *, actor: Actor, at: dt.datetime) -> None:
    """The audit trail and whoever listens hear of each of these credits."""
    if not credited:
        return
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
