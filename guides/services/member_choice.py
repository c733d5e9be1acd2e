"""A member chooses her guide herself."""

import datetime as dt

from django.db import transaction

from core import clock
from core.actor import Actor
from guides.contracts import BindingCard
from guides.errors import ChangeReasonUnknown, GuideChangedLately, NoSuchGuide
from guides.models import Binding, BindingSource, Guide
from guides.selectors.member_side import CHANGE_REASONS, change_free_on
from guides.services.bindings import rebind_member
from members import services as member_services


def change_guide(
    *,
    member_id: int,
    guide_public_id: str,
    reason: str,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> BindingCard:
    """She belongs to the guide she chose; the one before is told why nobody asked her.

    Refuses an unknown reason, an unknown guide, one who has left, and a second choice within the policy's pause
    (GuideChangedLately); a guide she has already and the same `request_key` again are answered with the binding
    there is.
    """
    at = at or clock.now()
    if reason not in CHANGE_REASONS:
        raise ChangeReasonUnknown(field="reason")
    guide_id = Guide.objects.filter(public_id=guide_public_id).values_list("pk", flat=True).first()
    if guide_id is None:
        raise NoSuchGuide
    with transaction.atomic():
        member_id = member_services.lock_member(member_id)
        live = _live_of(member_id)
        is_repeat = Binding.objects.filter(request_key=request_key).exists()
        if live is not None and live.guide_id != guide_id and not is_repeat:
            free_on = change_free_on(live, at)
            if free_on is not None:
                raise GuideChangedLately(free_on=free_on.isoformat())
        return rebind_member(
            member_id=member_id,
            guide_id=guide_id,
            source=BindingSource.MEMBER,
            reason=str(CHANGE_REASONS[reason]),
            request_key=request_key,
            actor=actor,
            at=at,
        )


def _live_of(member_id: int) -> Binding | None:
    paths = ("guide__store__region",)
    return Binding.objects.live().filter(member_id=member_id).select_related(*paths).first()
