"""What a guide, or the manager of the store, does with a service request."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from core import clock
from core.actor import Actor
from core.errors import NotAllowed
from guides.contracts import RequestCard
from guides.errors import GuideHasLeft, NoSuchRequest, NotYourColleague, RequestMovedOn, RequestTaken
from guides.models import (
    TRANSITIONS,
    UNFINISHED,
    Guide,
    GuideRole,
    GuideState,
    RequestAct,
    RequestState,
    ServiceRequest,
)
from guides.selectors.requests import acts_for_guide, may_see
from guides.services.people import lock_guide
from guides.services.request_steps import card_for_guide, lock_request, take_step, usable_words
from guides.services.requests import check_time
from members import services as member_services


def accept_request(
    *, guide_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None
) -> RequestCard:
    """The guide has it now and will do it. Hers already: nothing changes.

    Of several guides of the store the first wins; the others are refused with RequestTaken.
    """
    at = at or clock.now()
    with _at_work(guide_id, public_id, RequestAct.ACCEPTED) as (guide, request):
        if not (request.state == RequestState.ACCEPTED and request.guide_id == guide.pk):
            takes_over = request.guide_id != guide.pk
            follows = request.follows_binding and not takes_over
            take_step(
                request, act=RequestAct.ACCEPTED, actor=actor, at=at, guide=guide, follows_binding=follows
            )
        return card_for_guide(request, guide=guide)


def schedule_request(
    *,
    guide_id: int,
    public_id: str,
    scheduled_at: dt.datetime,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RequestCard:
    """They meet at this time; the deadline counts from it. The same time again changes nothing.

    Refuses a time that is over or more than a year ahead.
    """
    at = at or clock.now()
    check_time(time=scheduled_at, field="scheduled_at", at=at)
    with _at_work(guide_id, public_id, RequestAct.SCHEDULED) as (guide, request):
        if request.scheduled_at != scheduled_at:
            take_step(request, act=RequestAct.SCHEDULED, actor=actor, at=at, scheduled_at=scheduled_at)
        return card_for_guide(request, guide=guide)


def start_request(
    *, guide_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None
) -> RequestCard:
    """She is at it. Twice is once. The deadline stays."""
    return _move(guide_id, public_id, RequestAct.STARTED, actor, at)


def write_request(
    *,
    guide_id: int,
    public_id: str,
    words: str,
    request_key: str | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RequestCard:
    """The member is told these words. The same `request_key` again tells her nothing more.

    Refuses no words and more than 300 characters, and a request that is over.
    """
    at, words = at or clock.now(), usable_words(text=words, is_required=True)
    key = (request_key or "").replace("\0", "")[:80] or None
    with _at_work(guide_id, public_id, RequestAct.SAID) as (guide, request):
        if key is None or not request.steps.filter(request_key=key).exists():
            take_step(request, act=RequestAct.SAID, actor=actor, at=at, words=words, request_key=key)
        return card_for_guide(request, guide=guide)


def finish_request(
    *, guide_id: int, public_id: str, words: str = "", actor: Actor, at: dt.datetime | None = None
) -> RequestCard:
    """It is done, with these words to the member if any. Twice is once."""
    words = usable_words(text=words, is_required=False)
    return _move(guide_id, public_id, RequestAct.FINISHED, actor, at, words=words)


def refuse_request(
    *, guide_id: int, public_id: str, words: str, actor: Actor, at: dt.datetime | None = None
) -> RequestCard:
    """It will not be done; `words` tell the member why. Twice is once. Refuses an empty reason."""
    words = usable_words(text=words, is_required=True)
    return _move(guide_id, public_id, RequestAct.REFUSED, actor, at, words=words)


def hand_over_request(
    *,
    guide_id: int,
    public_id: str,
    to_guide_id: int | None,
    note: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> RequestCard:
    """It waits for a colleague to accept it, or with None for anybody of the store; `note` is for them alone.

    Theirs and waiting already: nothing changes. Refuses one of another store and one who has left
    (NotYourColleague).
    """
    at, note = at or clock.now(), usable_words(text=note, is_required=False)
    with _at_work(guide_id, public_id, RequestAct.HANDED_OVER, to_guide_id) as (guide, request):
        if request.guide_id == to_guide_id and request.state == RequestState.OPEN:
            return card_for_guide(request, guide=guide)
        if to_guide_id is not None:
            colleague = Guide.objects.active().filter(pk=to_guide_id, store=request.store_id)
            if not colleague.exists():
                raise NotYourColleague(field="to")
        take_step(
            request,
            act=RequestAct.HANDED_OVER,
            actor=actor,
            at=at,
            note=note,
            guide_id=to_guide_id,
            follows_binding=False,
        )
        return card_for_guide(request, guide=guide)


def reassign_request(
    *,
    request_id: int,
    to_guide_id: int,
    note: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> None:
    """Staff's decision: it waits for this guide, in her store. Hers and waiting already: nothing changes.

    Refuses a guide who has left and a request that is done or over.
    """
    at, note = at or clock.now(), usable_words(text=note, is_required=False)
    with transaction.atomic():
        member_id = ServiceRequest.objects.filter(pk=request_id).values_list("member_id", flat=True).first()
        if member_id is None:
            raise NoSuchRequest
        member_services.lock_member(member_id)
        guide = lock_guide(to_guide_id)
        request = lock_request(request_id=request_id)
        if guide.state != GuideState.ACTIVE:
            raise GuideHasLeft
        if not (request.guide_id == guide.pk and request.state == RequestState.OPEN):
            take_step(
                request,
                act=RequestAct.HANDED_OVER,
                actor=actor,
                at=at,
                note=note,
                guide=guide,
                store=guide.store,
                follows_binding=False,
            )


def _move(
    guide_id: int,
    public_id: str,
    act: RequestAct,
    actor: Actor,
    at: dt.datetime | None,
    *,
    words: str = "",
) -> RequestCard:
    with _at_work(guide_id, public_id, act) as (guide, request):
        if request.state != TRANSITIONS[act].target:
            take_step(request, act=act, actor=actor, at=at or clock.now(), words=words)
        return card_for_guide(request, guide=guide)


@contextmanager
def _at_work(
    guide_id: int, public_id: str, act: RequestAct, other_guide_id: int | None = None
) -> Iterator[tuple[Guide, ServiceRequest]]:
    """The guide and the request, both locked, if she may do this now; the transaction ends with the block.

    A guide who leaves at the same moment either waits until this is done, and her leaving is heard of after
    it, or has left and is refused.
    """
    with transaction.atomic():
        found = ServiceRequest.objects.filter(public_id=public_id.replace("\0", "")[:17])
        known = found.values_list("pk", "member_id").first()
        if known is None:
            raise NoSuchRequest
        member_services.lock_member(known[1])
        guides = {row.pk: row for row in Guide.objects.lock_all({guide_id, other_guide_id or guide_id})}
        guide = guides.get(guide_id)
        if guide is None or guide.state != GuideState.ACTIVE:
            raise NoSuchRequest
        request = lock_request(request_id=known[0])
        _check(request, guide, act)
        yield guide, request


def _check(request: ServiceRequest, guide: Guide, act: RequestAct) -> None:
    seen = ServiceRequest.objects.filter(may_see(guide), pk=request.pk).exists()
    if not seen and act == RequestAct.ACCEPTED and _waited_for_all_of(request, guide):
        raise RequestTaken
    if not seen:
        raise NoSuchRequest
    if act.value in acts_for_guide(request, guide):
        return
    is_hers = request.guide_id == guide.pk
    if act == RequestAct.ACCEPTED and not is_hers and request.state in UNFINISHED:
        raise RequestTaken
    transition = TRANSITIONS[act]
    may_act = is_hers or (guide.role == GuideRole.MANAGER and request.store_id == guide.store_id)
    if may_act and request.state == transition.target:
        return  # a second tap: the caller changes nothing
    if request.state not in transition.sources:
        raise RequestMovedOn(state=request.state)
    raise NotAllowed


def _waited_for_all_of(request: ServiceRequest, guide: Guide) -> bool:
    """Whether it once waited for anybody of her store, so that she may know of it."""
    return request.steps.filter(guide__isnull=True, store_id=guide.store_id).exists()
