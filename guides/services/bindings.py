"""Exclusive bindings: one live guide per member."""

import datetime as dt

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from guides.contracts import BindingCard
from guides.errors import GuideHasLeft, MemberAlreadyBound, MemberNotBound, RequestKeyReused
from guides.events import MemberBound, MemberUnbound
from guides.models import Binding, BindingSource, Guide, GuideState
from guides.services.guide_changes import forget_new_guides, tell_of_new_guides
from guides.services.history import doer
from guides.services.people import lock_guide
from members import selectors as member_selectors
from members import services as member_services


def bind_member(
    *,
    member_id: int,
    guide_id: int,
    source: str,
    actor: Actor,
    at: dt.datetime | None = None,
    channel_code_id: int | None = None,
    request_key: str | None = None,
    reason: str = "",
) -> BindingCard:
    """She belongs to this guide, from nobody.

    Refuses when another guide has her (also one who has left: that is `rebind_member`) and a guide who has
    left. Hers already, or the same `request_key` again: the binding there is. The member's row is locked
    before looking, and the partial unique index has the last word.
    """
    at = at or clock.now()
    with transaction.atomic():
        member_id = member_services.lock_member(member_id)
        if (first := _answered(request_key, member_id, guide_id)) is not None:
            return first
        live = lock_live(member_id)
        if live is not None and live.guide_id == guide_id:
            return card_of(live)
        if live is not None:
            raise MemberAlreadyBound
        return open_binding(
            member_id=member_id,
            guide=lock_active_guide(guide_id),
            source=BindingSource(source),
            actor=actor,
            at=at,
            channel_code_id=channel_code_id,
            request_key=request_key,
            reason=reason,
        )


def rebind_member(
    *,
    member_id: int,
    guide_id: int,
    source: str,
    reason: str,
    actor: Actor,
    at: dt.datetime | None = None,
    channel_code_id: int | None = None,
    request_key: str | None = None,
) -> BindingCard:
    """She belongs to this guide, from whomever or nobody; the binding before is ended and kept.

    The choice of staff, a store manager or the member herself. Refuses a guide who has left. Hers already, or
    the same `request_key` again: the binding there is.
    """
    at = at or clock.now()
    with transaction.atomic():
        member_id = member_services.lock_member(member_id)
        if (first := _answered(request_key, member_id, guide_id)) is not None:
            return first
        live = lock_live(member_id)
        if live is not None and live.guide_id == guide_id:
            return card_of(live)
        guide = lock_active_guide(guide_id)
        if live is not None:
            end_binding(live, reason=reason, actor=actor, at=at)
        return open_binding(
            member_id=member_id,
            guide=guide,
            source=BindingSource(source),
            actor=actor,
            at=at if live is None else max(at, live.bound_at),
            channel_code_id=channel_code_id,
            request_key=request_key,
            reason=reason,
        )


def unbind_member(*, member_id: int, reason: str, actor: Actor, at: dt.datetime | None = None) -> BindingCard:
    """She belongs to no guide. Refuses a member who has none."""
    at = at or clock.now()
    with transaction.atomic():
        live = lock_live(member_services.lock_member(member_id))
        if live is None:
            raise MemberNotBound
        return end_binding(live, reason=reason, actor=actor, at=at)


def lock_live(member_id: int) -> Binding | None:
    """Her live binding, locked; the caller holds the member's lock, so that none can appear meanwhile."""
    rows = Binding.objects.live().filter(member_id=member_id).lock_rows()
    return rows[0] if rows else None


def open_binding(
    *,
    member_id: int,
    guide: Guide,
    source: BindingSource,
    actor: Actor,
    at: dt.datetime,
    channel_code_id: int | None = None,
    request_key: str | None = None,
    reason: str = "",
) -> BindingCard:
    """Insert a live binding to a locked guide. Refuses when the database says there is one."""
    try:
        with transaction.atomic():
            binding = Binding.objects.create(
                member_id=member_id,
                guide=guide,
                store_id=guide.store_id,
                bound_at=at,
                source=source,
                channel_code_id=channel_code_id,
                request_key=request_key,
                bound_by=doer(actor),
                reason=reason[:120],
            )
    except IntegrityError as error:
        if violated(error) == "binding_one_live_per_member":
            raise MemberAlreadyBound from None
        if violated(error) == "binding_once_per_request":
            raise RequestKeyReused from None
        raise
    audit.record(
        action="guides.member_bound",
        subject=binding,
        actor=actor,
        at=at,
        member_id=member_id,
        guide_id=guide.pk,
        source=source.value,
    )
    tell_of_new_guides(bindings=[binding], at=at)
    events.publish(MemberBound(binding.pk, member_id, guide.pk))
    return card_of(binding)


def end_binding(live: Binding, *, reason: str, actor: Actor, at: dt.datetime) -> BindingCard:
    """End a locked live binding; never before it began, whatever clock the request came with."""
    live.ended_at = max(at, live.bound_at)
    live.ended_by = doer(actor)
    live.end_reason = reason[:120]
    live.save(update_fields=["ended_at", "ended_by", "end_reason"])
    audit.record(
        action="guides.member_unbound",
        subject=live,
        actor=actor,
        at=at,
        member_id=live.member_id,
        guide_id=live.guide_id,
    )
    forget_new_guides(bindings=[live], at=at)
    events.publish(MemberUnbound(live.pk, live.member_id, live.guide_id))
    return card_of(live)


def card_of(binding: Binding) -> BindingCard:
    """The contract of a binding row."""
    return BindingCard(
        id=binding.pk,
        member_id=binding.member_id,
        guide_id=binding.guide_id,
        store_id=binding.store_id,
        bound_at=binding.bound_at,
        ended_at=binding.ended_at,
    )


def lock_active_guide(guide_id: int) -> Guide:
    """The guide's row, locked, so that she cannot leave before the insert. Raises NoSuchGuide, GuideHasLeft."""
    guide = lock_guide(guide_id)
    if guide.state != GuideState.ACTIVE:
        raise GuideHasLeft
    return guide


def _answered(request_key: str | None, member_id: int, guide_id: int) -> BindingCard | None:
    if request_key is None:
        return None
    first = Binding.objects.filter(request_key=request_key).first()
    if first is None:
        return None
    # She may have been merged since: her old row stands for the living one.
    targets = member_selectors.list_merge_targets([first.member_id])
    if (targets[first.member_id], first.guide_id) != (member_id, guide_id):
        raise RequestKeyReused
    return card_of(first)
