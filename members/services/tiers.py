"""What members do towards a tier, and tiers that staff give by hand."""

import datetime as dt
from typing import Final

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from members.contracts import ActivityOutcome, TierStanding
from members.errors import (
    ActivityDayUnusable,
    ActivityUnusable,
    NoManualTier,
    NoSuchTier,
    ReasonMissing,
    SourceKeyTaken,
    StaffOnly,
    TierGrantUnusable,
    TierNotHigher,
    TierRetired,
)
from members.models import ActivityEntry, Member, Tier, TierCause
from members.selectors.tier_rules import add_months, position_of
from members.selectors.tiers import get_tier_standing
from members.services.people import lock_member
from members.services.points_ledger import usable_key
from members.services.tiers_assessing import open_standing

_MOST: Final = 10**12
_MOST_COUNT: Final = 10**9
_FIRST_DAY: Final = dt.date(2000, 1, 1)
_LONGEST_GRANT_MONTHS: Final = 120


def record_activity(
    *,
    member_id: int,
    day: dt.date,
    spend_fen: int,
    order_count: int,
    growth: int,
    source_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ActivityOutcome:
    """The numbers count towards her tier on that Shanghai day, and a tier they reach is hers at once.

    A return is a negative entry with the day of its sale, so that it takes away from the period in which the sale
    counted; it lowers nobody at once, the end of her time decides. The same `source_key` with the same numbers gets
    the same answer and changes nothing. May be called inside the caller's transaction. Refuses unusable numbers,
    days and keys, and a key that meant something else.
    """
    at = at or clock.now()
    _refuse_unusable(day=day, spend_fen=spend_fen, order_count=order_count, growth=growth, at=at)
    usable_key(source_key)
    told = {"day": day, "spend_fen": spend_fen, "order_count": order_count, "growth": growth}
    with transaction.atomic():
        living_id = lock_member(member_id)
        standing = open_standing(member_id=living_id, actor=actor, at=at)
        known = ActivityEntry.objects.filter(member_id=living_id, source_key=source_key).order_by("pk")
        entry = known.first()
        if entry is not None:
            if any(getattr(entry, name) != value for name, value in told.items()):
                raise SourceKeyTaken
            return ActivityOutcome(living_id, standing.card(), is_upgraded=False)
        ActivityEntry.objects.create(
            member_id=living_id, origin_id=living_id, source_key=source_key, recorded_at=at, **told
        )
        standing.assess()
        change = standing.close(TierCause.REACHED)
        return ActivityOutcome(living_id, standing.card(), change is not None and change.is_upgrade)


def grant_tier(
    *,
    member_id: int,
    tier_id: int,
    until: dt.date,
    reason: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> TierStanding:
    """She has this tier until that day (on which it holds no more), whatever she does; then what she earned.

    Takes the place of an earlier gift. What she earns meanwhile goes on being counted, and a higher tier that she
    reaches is hers. Refuses everybody but staff, an empty reason, an end that is over or more than ten years away,
    a retired tier, and one that is not above what she earned.
    """
    at = at or clock.now()
    reason = _usable_reason(reason, actor)
    day = clock.business_day(at)
    if not day < until <= add_months(day, _LONGEST_GRANT_MONTHS):
        raise TierGrantUnusable(field="until")
    with transaction.atomic():
        living_id = lock_member(member_id)
        standing = open_standing(member_id=living_id, actor=actor, at=at)
        tier = Tier.objects.filter(pk=tier_id).first()
        if tier is None:
            raise NoSuchTier
        if not tier.is_active:
            raise TierRetired(field="tier")
        if position_of(standing.rungs, tier.pk) <= standing.earned_position:
            raise TierNotHigher(field="tier")
        standing.give(tier.pk, until)
        standing.close(TierCause.GRANTED, reason)
        audit.record(
            action="members.tier_granted",
            subject=Member(pk=living_id),
            actor=actor,
            at=at,
            to_tier=tier.name,
        )
        return get_tier_standing(living_id, at)


def withdraw_tier_grant(
    *, member_id: int, reason: str, actor: Actor, at: dt.datetime | None = None
) -> TierStanding:
    """What staff gave her is taken back; she has what she earned. Refuses when nothing is given, and as
    `grant_tier` does."""
    at = at or clock.now()
    reason = _usable_reason(reason, actor)
    with transaction.atomic():
        living_id = lock_member(member_id)
        standing = open_standing(member_id=living_id, actor=actor, at=at)
        if standing.row.manual_until is None or standing.row.manual_until <= standing.day:
            raise NoManualTier
        standing.take_back()
        standing.close(TierCause.GRANT_WITHDRAWN, reason)
        audit.record(action="members.tier_grant_withdrawn", subject=Member(pk=living_id), actor=actor, at=at)
        return get_tier_standing(living_id, at)


def _refuse_unusable(*, day: dt.date, spend_fen: int, order_count: int, growth: int, at: dt.datetime) -> None:
    numbers = (spend_fen, order_count, growth)
    if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers) or not any(numbers):
        raise ActivityUnusable
    if abs(spend_fen) > _MOST or max(abs(order_count), abs(growth)) > _MOST_COUNT:
        raise ActivityUnusable
    if not _FIRST_DAY <= day <= clock.business_day(at):
        raise ActivityDayUnusable(field="day")


def _usable_reason(reason: str, actor: Actor) -> str:
    if actor.kind != "staff" or actor.id is None:
        raise StaffOnly
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    return reason
