"""Where unfinished requests belong: with the member's exclusive guide, or with a store.

The rule, in `_belongs`: a request that follows the binding goes to the guide she is bound to, if that guide is at
work, and else waits in the store where it is. One that people gave to a guide or a store stays there, until that
guide leaves or works elsewhere: then any guide of the store may accept it. Accepted ones go back to waiting, for
the new guide has promised nothing yet. What is done stays with whoever did it.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from guides.models import (
    Binding,
    Guide,
    GuideState,
    RequestAct,
    ServiceRequest,
)
from guides.selectors.requests import misplaced_member_ids
from guides.services.request_steps import take_step
from members import services as member_services

_BATCH: Final = 500


def settle_member_requests(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """Her unfinished requests are where they belong; how many moved. Repeating it changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        member_id = member_services.lock_member(member_id)
        live = Binding.objects.live().filter(member_id=member_id, guide__state=GuideState.ACTIVE)
        binding = live.select_related("guide").first()
        rows = ServiceRequest.objects.unfinished().filter(member_id=member_id).lock_rows()
        return sum(_settle(row, binding.guide if binding else None, actor, at) for row in rows)


def settle_guide_requests(*, guide_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """The same for everybody whose unfinished request a guide has who left or moved, or whose guide she is."""
    held = ServiceRequest.objects.unfinished().filter(guide_id=guide_id)
    return sum(
        settle_member_requests(member_id=member_id, actor=actor, at=at)
        for member_id in sorted(set(held.values_list("member_id", flat=True)))
    )


def repoint_requests(*, emptier_id: int, survivor_id: int) -> list[int]:
    """The requests of one row are another's; the ids of those that moved. The caller has locked both members.

    A key that both have used stays with the survivor's request: each key opened one.
    """
    rows = ServiceRequest.objects.filter(member_id=emptier_id).lock_rows()
    moved = [row.pk for row in rows]
    used = ServiceRequest.objects.filter(member_id=survivor_id, request_key__isnull=False)
    theirs = ServiceRequest.objects.filter(pk__in=moved)
    theirs.filter(request_key__in=used.values("request_key")).update(request_key=None)
    theirs.update(member_id=survivor_id)
    return moved


def mend_requests(*, at: dt.datetime | None = None) -> int:
    """Requests nobody moved are where they belong; how many moved. Events are lost when the broker dies."""
    at = at or clock.now()
    moved = 0
    for member_id in misplaced_member_ids(_BATCH):
        moved += settle_member_requests(member_id=member_id, actor=Actor.system("mend"), at=at)
    return moved


def _settle(request: ServiceRequest, bound: Guide | None, actor: Actor, at: dt.datetime) -> bool:
    guide, store_id = _belongs(request, bound)
    if guide is not None and guide.pk == request.guide_id:
        if store_id != request.store_id:
            take_step(request, act=RequestAct.STORE_CHANGED, actor=actor, at=at, store_id=store_id)
            return True
        return False
    if guide is None and request.guide_id is None:
        return False
    take_step(request, act=RequestAct.FOLLOWED, actor=actor, at=at, guide=guide, store_id=store_id)
    return True


def _belongs(request: ServiceRequest, bound: Guide | None) -> tuple[Guide | None, int]:
    if request.follows_binding:
        return (bound, bound.store_id) if bound is not None else (None, request.store_id)
    holder = request.guide
    if holder is None or (holder.state == GuideState.ACTIVE and holder.store_id == request.store_id):
        return holder, request.store_id
    return None, request.store_id
