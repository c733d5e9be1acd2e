"""The one door through which a service request changes: guarded by the table of transitions, kept as a step."""

import datetime as dt
from typing import Final

from core import audit, events
from core.actor import Actor
from core.models import changed_fields
from guides.contracts import RequestCard
from guides.errors import NoSuchRequest, RequestMovedOn, RequestWordsUnusable
from guides.events import RequestStepped
from guides.models import (
    TRANSITIONS,
    UNFINISHED,
    Guide,
    RequestAct,
    RequestState,
    ServiceRequest,
    ServiceRequestStep,
)
from guides.selectors.requests import acts_for_guide, acts_for_member, card_of
from guides.services.history import doer
from guides.services.request_deadlines import add_open_hours
from guides.services.words import clean_text
from members import services as member_services

WORDS_LENGTH: Final = 300
_NEW_DEADLINE: Final = frozenset(
    {
        RequestAct.ACCEPTED,
        RequestAct.SCHEDULED,
        RequestAct.FINISHED,
        RequestAct.HANDED_OVER,
        RequestAct.FOLLOWED,
    }
)


def lock_request(*, request_id: int) -> ServiceRequest:
    """The request, locked after its member (order: Member → Guide → ServiceRequest). Raises NoSuchRequest."""
    member_id = ServiceRequest.objects.filter(pk=request_id).values_list("member_id", flat=True).first()
    if member_id is None:
        raise NoSuchRequest
    member_services.lock_member(member_id)
    return ServiceRequest.objects.lock(request_id)


def take_step(
    request: ServiceRequest,
    *,
    act: RequestAct,
    actor: Actor,
    at: dt.datetime,
    words: str = "",
    note: str = "",
    request_key: str | None = None,
    **values: object,
) -> ServiceRequestStep:
    """A locked request is changed (`values` are its columns) and has a step more.

    Refuses an act that TRANSITIONS does not know from its state (RequestMovedOn).
    """
    transition = TRANSITIONS[act]
    if request.state not in transition.sources:
        raise RequestMovedOn(state=request.state)
    before, from_guide_id = request.state, request.guide_id
    after = transition.target or RequestState(before)
    if after != before:
        values |= {"state": after, "state_at": at}
    changed = changed_fields(request, **values)
    if act in _NEW_DEADLINE or (after != before and after not in UNFINISHED):
        changed += changed_fields(request, due_at=_deadline_of(request, at), overdue_since=None)
    if changed:
        request.save(update_fields=changed)
    return keep_step(
        request,
        act=act,
        before=before,
        from_guide_id=from_guide_id,
        words=words,
        note=note,
        request_key=request_key,
        actor=actor,
        at=at,
    )


def keep_step(
    request: ServiceRequest,
    *,
    act: RequestAct,
    before: str,
    from_guide_id: int | None = None,
    words: str = "",
    note: str = "",
    request_key: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> ServiceRequestStep:
    """The step is written, audited without its words, and announced."""
    is_own = actor.kind == "member"
    step = ServiceRequestStep.objects.create(
        request=request,
        act=act,
        from_state=before,
        to_state=request.state,
        guide_id=request.guide_id,
        from_guide_id=from_guide_id,
        store_id=request.store_id,
        words=words,
        note=note,
        scheduled_at=request.scheduled_at if act == RequestAct.SCHEDULED else None,
        at=at,
        done_by=doer(actor),
        is_own=is_own,
        read_at=at if is_own else None,
        request_key=request_key,
    )
    audit.record(
        action=f"guides.request_{act.value}",
        subject=request,
        actor=actor,
        at=at,
        was=before,
        state=request.state,
        guide_id=request.guide_id,
        store_id=request.store_id,
    )
    events.publish(RequestStepped(request.pk, step.pk, request.member_id))
    return step


def _deadline_of(request: ServiceRequest, at: dt.datetime) -> dt.datetime | None:
    """Until when the request should leave its state, looked at now; None when it is over.

    Acceptance counts from now; doing from the time agreed on (or wished, as long as none is), if that is later;
    a done one closes by itself after its kind's days.
    """
    hours = request.store.opening_hours
    if request.state == RequestState.OPEN:
        return add_open_hours(since=at, hours=request.kind.accept_within_hours, opening_hours=hours)
    if request.state in (RequestState.ACCEPTED, RequestState.IN_PROGRESS):
        since = max(at, request.scheduled_at or request.wanted_at or at)
        return add_open_hours(since=since, hours=request.kind.finish_within_hours, opening_hours=hours)
    if request.state == RequestState.DONE:
        return at + dt.timedelta(days=request.kind.close_after_days)
    return None


def usable_words(*, text: str, is_required: bool) -> str:
    """What somebody said, cleaned of control characters. Raises RequestWordsUnusable above 300 characters, and for
    none where some are needed."""
    words = clean_text(text)
    if len(words) > WORDS_LENGTH or (is_required and not words):
        raise RequestWordsUnusable(field="words")
    return words


def card_for_member(request: ServiceRequest) -> RequestCard:
    """The contract of a request, for its member."""
    unread = request.steps.filter(read_at__isnull=True).count()
    return card_of(request, acts_for_member(request), unread)


def card_for_guide(request: ServiceRequest, *, guide: Guide) -> RequestCard:
    """The contract of a request, for a guide."""
    return card_of(request, acts_for_guide(request, guide))
