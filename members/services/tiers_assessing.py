"""One member's standing under lock: assessed by her activity, and written with its history."""

import datetime as dt
from collections.abc import Sequence

from core import audit, clock, events
from core.actor import Actor
from members.contracts import TierCard, TierDecisions, TierSums
from members.events import TierChanged
from members.models import Member, MemberTier, Tier, TierCause, TierChange
from members.selectors.tier_rules import (
    ONE_DAY,
    Window,
    assessed_windows,
    keeping_window,
    kept_until,
    position_of,
    position_reached,
    rungs_of,
    tier_at,
)
from members.selectors.tiers import get_tier_decisions, held_tier, list_tiers, sum_activity, tier_card_from
from members.services.points_ledger import actor_words


class Standing:
    """One locked row of MemberTier at one moment. Whoever holds it holds the member's lock, taken before."""

    def __init__(self, row: MemberTier, *, actor: Actor, at: dt.datetime) -> None:
        self.row = row
        self.actor = actor
        self.at = at
        self.day = clock.business_day(at)
        self.rungs: Sequence[TierCard] = rungs_of(list_tiers())
        self.decisions: TierDecisions = get_tier_decisions()
        self._evidence: tuple[Window, TierSums] | None = None

    @property
    def earned_position(self) -> int:
        return position_of(self.rungs, self.row.earned_tier_id)

    def assess(self) -> None:
        """What she reached is hers at once; what she did in her grace keeps her tier. Nobody falls here."""
        reached, evidence = max(
            (
                (position_reached(self.rungs, sums), (window, sums))
                for window in assessed_windows(self.decisions, self.day)
                for sums in [sum_activity(self.row.member_id, window)]
            ),
            key=lambda found: (found[0], found[1][0]),
        )
        if reached > self.earned_position:
            self._earn(reached)
            self._evidence = evidence
        elif self.row.grace_until is not None and self.row.valid_until is not None:
            # A calendar period that ended is prolonged up to today; a sliding one has been looked at above.
            window = keeping_window(self.decisions, self.row.valid_until, self.day + ONE_DAY)
            prolonged = position_reached(self.rungs, sum_activity(self.row.member_id, window))
            if max(reached, prolonged) >= self.earned_position:
                self._earn(self.earned_position)

    def give(self, tier_id: int, until: dt.date) -> None:
        """Staff's gift, in place of an earlier one."""
        self.row.manual_tier = Tier.objects.get(pk=tier_id)
        self.row.manual_until = until

    def take_back(self) -> None:
        self.row.manual_tier = None
        self.row.manual_until = None

    def close(self, cause: TierCause, note: str = "") -> TierChange | None:
        """The row holds what was decided; when her tier changed by it, history, audit and event say so."""
        if self.row.manual_until is not None and self.row.manual_until <= self.day:
            self.take_back()  # the job has not come by yet
        before, after = self.row.tier, held_tier(self.row, self.day)
        self.row.tier = after
        if before != after:
            self.row.since = self.day
        self.row.save(
            update_fields=[
                "tier",
                "since",
                "earned_tier",
                "valid_until",
                "grace_until",
                "manual_tier",
                "manual_until",
                "warned_for",
            ]
        )
        if before == after:
            return None
        return self._tell(before, after, cause, note)

    def card(self) -> TierCard | None:
        """Her tier as the row has it."""
        return None if self.row.tier is None else tier_card_from(self.row.tier)

    def _earn(self, position: int) -> None:
        tier = tier_at(self.rungs, position)
        self.row.earned_tier = None if tier is None else Tier.objects.get(pk=tier.id)
        self.row.valid_until = None if tier is None else kept_until(self.decisions, self.day)
        self.row.grace_until = None

    def _tell(self, before: Tier | None, after: Tier | None, cause: TierCause, note: str) -> TierChange:
        window, sums = self._evidence or ((None, None), None)
        change = TierChange.objects.create(
            member_id=self.row.member_id,
            from_tier=before,
            to_tier=after,
            is_upgrade=(0 if after is None else after.rank) > (0 if before is None else before.rank),
            cause=cause,
            at=self.at,
            actor=actor_words(self.actor),
            note=note[:120],
            until=self._until(after),
            window_from=window[0],
            window_until=window[1],
            spend_fen=None if sums is None else sums.spend_fen,
            order_count=None if sums is None else sums.order_count,
            growth=None if sums is None else sums.growth,
        )
        audit.record(
            action="members.tier_changed",
            subject=Member(pk=self.row.member_id),
            actor=self.actor,
            at=self.at,
            from_tier="" if before is None else before.name,
            to_tier="" if after is None else after.name,
        )
        events.publish(TierChanged(change.pk, change.pk))
        return change

    def _until(self, after: Tier | None) -> dt.date | None:
        if after is None:
            return None
        earned = self.row.valid_until if self.row.earned_tier_id == after.pk else None
        return earned or self.row.manual_until


def open_standing(*, member_id: int, actor: Actor, at: dt.datetime) -> Standing:
    """The member's row, made when she has none, locked after her own (`lock_member` comes first)."""
    defaults = {"since": clock.business_day(at)}
    made, _is_new = MemberTier.objects.get_or_create(member_id=member_id, defaults=defaults)
    MemberTier.objects.lock(made.pk)
    row = MemberTier.objects.select_related("tier", "earned_tier", "manual_tier").get(pk=made.pk)
    return Standing(row, actor=actor, at=at)
