"""Points added or taken by staff, with a reason, and above a limit with a second person's approval."""

import datetime as dt

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Abs

from core import audit, clock, events
from core.actor import Actor
from core.errors import NotFound
from members.contracts import AdjustmentCard
from members.errors import (
    AdjustmentDecided,
    NeedsAnotherPerson,
    ReasonMissing,
    SourceKeyTaken,
    StaffOnly,
)
from members.events import PointsAdjustmentRequested, PointsGranted
from members.models import AdjustmentState, PointsAdjustment, PointsEntryKind
from members.selectors.points import get_points_decisions
from members.services.points import bring_in, take_out
from members.services.points_ledger import Ledger, open_ledger, usable_key, usable_points


def adjust_points(
    *,
    member_id: int,
    delta: int,
    reason: str,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> AdjustmentCard:
    """She has `delta` points more (or fewer), or the request waits for a second person.

    It waits when what this staff account has asked for her on this Shanghai day adds up to more than the chain's
    limit, so that a large adjustment in small pieces waits too. The same `request_key` gets the same answer.
    Refuses everybody but staff, an empty reason, and taking more than she has.
    """
    at = at or clock.now()
    usable_points(abs(delta))
    usable_key(request_key)
    reason, staff_id = _usable_reason(reason), _staff_id(actor)
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        known = PointsAdjustment.objects.filter(request_key=request_key).first()
        if known is not None:
            if (known.account_id, known.delta, known.requested_by_id) != (
                ledger.account.pk,
                delta,
                staff_id,
            ):
                raise SourceKeyTaken
            return _card(known)
        needs_approval = _asked_today(ledger, staff_id) + abs(delta) > get_points_decisions().approval_limit
        adjustment = PointsAdjustment.objects.create(
            account=ledger.account,
            delta=delta,
            reason=reason,
            request_key=request_key,
            requested_by_id=staff_id,
            requested_at=at,
        )
        audit.record(
            action="members.adjustment_requested", subject=adjustment, actor=actor, at=at, delta=delta
        )
        if needs_approval:
            events.publish(PointsAdjustmentRequested(adjustment.pk))
        else:
            _apply(adjustment, ledger)
        return _card(adjustment)


def approve_adjustment(
    *, adjustment_id: int, note: str = "", actor: Actor, at: dt.datetime | None = None
) -> AdjustmentCard:
    """The adjustment is in effect. Refuses who asked for it, one that is decided, and taking more than she has."""
    at = at or clock.now()
    with transaction.atomic():
        ledger, adjustment = _decide(adjustment_id, note=note, actor=actor, at=at)
        _apply(adjustment, ledger)
        return _card(adjustment)


def reject_adjustment(
    *, adjustment_id: int, note: str, actor: Actor, at: dt.datetime | None = None
) -> AdjustmentCard:
    """The adjustment will not happen; `note` says why. Refuses who asked for it, and one that is decided."""
    at = at or clock.now()
    note = _usable_reason(note)
    with transaction.atomic():
        _ledger, adjustment = _decide(adjustment_id, note=note, actor=actor, at=at)
        adjustment.state = AdjustmentState.REJECTED
        adjustment.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
        audit.record(action="members.adjustment_rejected", subject=adjustment, actor=actor, at=at)
        return _card(adjustment)


def _decide(
    adjustment_id: int, *, note: str, actor: Actor, at: dt.datetime
) -> tuple[Ledger, PointsAdjustment]:
    """The account and the adjustment, locked in that order, with who decides filled in."""
    staff_id = _staff_id(actor)
    member_id = (
        PointsAdjustment.objects.filter(pk=adjustment_id).values_list("account__member_id", flat=True).first()
    )
    if member_id is None:
        raise NotFound
    ledger = open_ledger(member_id=member_id, actor=actor, at=at)
    adjustment = PointsAdjustment.objects.lock(adjustment_id)
    if adjustment.state != AdjustmentState.REQUESTED:
        raise AdjustmentDecided
    if adjustment.requested_by_id == staff_id:
        raise NeedsAnotherPerson
    adjustment.decided_by_id = staff_id
    adjustment.decided_at = at
    adjustment.decision_note = note[:120]
    return ledger, adjustment


def _apply(adjustment: PointsAdjustment, ledger: Ledger) -> None:
    change = bring_in if adjustment.delta > 0 else take_out
    adjustment.entry = change(
        ledger=ledger,
        kind=PointsEntryKind.ADJUST,
        points=abs(adjustment.delta),
        source_key=f"adjust@{adjustment.pk}",
        reason=adjustment.reason,
    )
    events.deliver(PointsGranted(ledger.account.member_id, adjustment.entry.pk))
    adjustment.state = AdjustmentState.APPROVED
    adjustment.save(update_fields=["entry", "state", "decided_by", "decided_at", "decision_note"])
    audit.record(
        action="members.adjustment_applied",
        subject=adjustment,
        actor=ledger.actor,
        at=ledger.at,
        delta=adjustment.delta,
    )


def _asked_today(ledger: Ledger, staff_id: int) -> int:
    start, end = clock.day_bounds(clock.business_day(ledger.at))
    rows = PointsAdjustment.objects.filter(
        account=ledger.account, requested_by_id=staff_id, requested_at__gte=start, requested_at__lt=end
    ).exclude(state=AdjustmentState.REJECTED)
    return rows.aggregate(points=Sum(Abs("delta")))["points"] or 0


def _staff_id(actor: Actor) -> int:
    if actor.kind != "staff" or not actor.id:
        raise StaffOnly
    return actor.id


def _usable_reason(reason: str) -> str:
    reason = " ".join(reason.replace("\0", "").split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    return reason


def _card(adjustment: PointsAdjustment) -> AdjustmentCard:
    return AdjustmentCard(
        id=adjustment.pk,
        member_id=adjustment.account.member_id,
        delta=adjustment.delta,
        state=adjustment.state,  # type: ignore[arg-type]
        entry_id=adjustment.entry_id,
    )
