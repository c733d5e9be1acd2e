"""Many members get another guide at once: a few statements for some hundred of them, and a transaction each."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from guides.contracts import Rebinding
from guides.events import MemberBound, MemberUnbound
from guides.models import Binding, BindingSource
from guides.services.bindings import lock_active_guide
from guides.services.guide_changes import forget_new_guides, tell_of_new_guides
from guides.services.history import doer
from members import selectors as member_selectors
from members import services as member_services

_AT_ONCE: Final = 500
# Of more the reactions are left to the jobs that find what was missed: ten messages a member would be queued else.
_ANNOUNCED: Final = 200


def rebind_members(
    *,
    member_ids: Iterable[int],
    guide_id: int,
    source: str,
    reason: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> Rebinding:
    """All of these who have a guide belong to this one; the bindings before are ended and kept, and each member is told
    as `rebind_member` tells one.

    Who is hers already stays; who has no guide any more, was erased or merged away meanwhile is passed over. Refuses a guide
    who has left; then what was done before stands, and repeating it finishes the rest.
    """
    at = at or clock.now()
    wanted = sorted(set(member_ids))
    moved = 0
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        with transaction.atomic():
            living = set(
                member_selectors.living_member_ids().filter(pk__in=member_services.lock_members(some))
            )
            rows = Binding.objects.live().filter(member_id__in=living).exclude(guide_id=guide_id).lock_rows()
            moved += _move(rows, guide_id, BindingSource(source), reason[:120], actor, at)
            if len(wanted) <= _ANNOUNCED:
                _announce(rows, guide_id)
    return Rebinding(moved_count=moved, passed_count=len(wanted) - moved)


def _move(
    rows: Sequence[Binding], guide_id: int, source: BindingSource, reason: str, actor: Actor, at: dt.datetime
) -> int:
    if not rows:
        return 0
    guide = lock_active_guide(guide_id)
    for row in rows:
        row.ended_at, row.ended_by, row.end_reason = max(at, row.bound_at), doer(actor), reason
    Binding.objects.bulk_update(rows, ["ended_at", "ended_by", "end_reason"])
    made = Binding.objects.bulk_create(
        Binding(
            member_id=row.member_id,
            guide=guide,
            store_id=guide.store_id,
            bound_at=max(at, row.bound_at),
            source=source,
            bound_by=doer(actor),
            reason=reason,
        )
        for row in rows
    )
    for action, subjects in (("guides.member_unbound", rows), ("guides.member_bound", made)):
        details = [(row, {"member_id": row.member_id, "guide_id": row.guide_id}) for row in subjects]
        audit.record_each(action=action, subjects=details, actor=actor, at=at)
    forget_new_guides(bindings=rows, at=at)
    tell_of_new_guides(bindings=made, at=at)
    return len(made)


def _announce(ended: Sequence[Binding], guide_id: int) -> None:
    members = [row.member_id for row in ended]
    made = Binding.objects.live().filter(member_id__in=members, guide_id=guide_id)
    for row in ended:
        events.publish(MemberUnbound(row.pk, row.member_id, row.guide_id))
    for binding_id, member_id in made.order_by("pk").values_list("pk", "member_id"):
        events.publish(MemberBound(binding_id, member_id, guide_id))
