"""Bindings of members who turned out to be one person."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.actor import Actor
from guides.models import Binding, BindingSource, Guide
from guides.services.bindings import end_binding, open_binding
from members import selectors as member_selectors
from members import services as member_services


def settle_merged_member(*, from_member_id: int, actor: Actor, at: dt.datetime | None = None) -> bool:
    """The merged row has no live binding any more; the member it lives on in has the older of the two.

    A guide who has left loses to one who has not, whichever is older. False when there was nothing to do: the
    row is not merged, or has no live binding.
    """
    at = at or clock.now()
    reason = _("会员合并")
    with transaction.atomic():
        into_id = member_selectors.list_merge_targets([from_member_id]).get(from_member_id)
        if into_id is None or into_id == from_member_id:
            return False
        member_services.lock_members([from_member_id, into_id])
        rows = Binding.objects.live().filter(member_id__in=[from_member_id, into_id]).lock_rows()
        theirs = next((row for row in rows if row.member_id == from_member_id), None)
        hers = next((row for row in rows if row.member_id == into_id), None)
        if theirs is None:
            return False
        moves = hers is None or (hers.guide_id != theirs.guide_id and _wins(theirs, hers))
        guide = Guide.objects.lock(theirs.guide_id)
        end_binding(theirs, reason=reason, actor=actor, at=at)
        if not moves:
            return True
        if hers is not None:
            end_binding(hers, reason=reason, actor=actor, at=at)
        open_binding(
            member_id=into_id,
            guide=guide,
            source=BindingSource.MERGE,
            actor=actor,
            at=at if hers is None else max(at, hers.bound_at),
            channel_code_id=theirs.channel_code_id,
            reason=reason,
        )
        return True


def _wins(theirs: Binding, hers: Binding) -> bool:
    active = set(
        Guide.objects.active().filter(pk__in=[theirs.guide_id, hers.guide_id]).values_list("pk", flat=True)
    )
    if (theirs.guide_id in active) != (hers.guide_id in active):
        return theirs.guide_id in active
    return (theirs.bound_at, theirs.pk) < (hers.bound_at, hers.pk)
