"""What a member does with her service requests: asking, taking back, confirming, reading."""

import datetime as dt
from typing import Final

from django.db import IntegrityError, transaction

from core import clock
from core.actor import Actor
from core.constraints import violated
from guides.contracts import RequestCard
from guides.errors import (
    NoSuchRequest,
    RequestKeyReused,
    RequestKindClosed,
    RequestStoreMissing,
    RequestTimeUnusable,
    StoreClosed,
    TooManyRequests,
)
from guides.models import (
    RUNNING,
    Binding,
    Guide,
    GuideState,
    RequestAct,
    RequestKind,
    RequestState,
    ServiceRequest,
    ServiceRequestStep,
    Store,
)
from guides.selectors.requests import acts_for_member, card_of
from guides.services.request_deadlines import add_open_hours
from guides.services.request_steps import (
    card_for_member,
    keep_step,
    take_step,
    usable_words,
)
from members import services as member_services

MOST_UNFINISHED: Final = 10
_FARTHEST: Final = dt.timedelta(days=366)
_KEY_LENGTH: Final = 80


def open_request(
    *,
    member_id: int,
    kind: str,
    words: str,
    wanted_at: dt.datetime | None = None,
    store_id: int | None = None,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RequestCard:
    """She has asked for this: her exclusive guide has it, or else the store, where any guide may accept it.

    `store_id` is her guide's store unless she chooses another, which then has it instead of her guide; without a
    guide at work she has to choose. The same `request_key` again answers with the same request. Refuses a kind
    that is off or unknown, no words where no time says it all, more than 300 characters, a missing or unusable
    time, a closed store, and an eleventh request while ten are unfinished.
    """
    at = at or clock.now()
    key = request_key.replace("\0", "")[:_KEY_LENGTH]
    asked = RequestKind.objects.filter(code=kind.replace("\0", "")[:17], is_active=True).first()
    try:
        with transaction.atomic():
            member_id = member_services.lock_member(member_id)
            if (first := _answered(member_id, key, kind)) is not None:
                return first
            if asked is None:
                raise RequestKindClosed
            words = usable_words(text=words, is_required=not asked.wants_time)
            _check_time(wanted_at, asked, at)
            if ServiceRequest.objects.unfinished().filter(member_id=member_id).count() >= MOST_UNFINISHED:
                raise TooManyRequests
            guide, store, is_chosen = _place(member_id, store_id)
            request = ServiceRequest.objects.create(
                member_id=member_id,
                kind=asked,
                words=words,
                wanted_at=wanted_at,
                store=store,
                guide=guide,
                follows_binding=not is_chosen,
                opened_at=at,
                state_at=at,
                due_at=add_open_hours(
                    since=at, hours=asked.accept_within_hours, opening_hours=store.opening_hours
                ),
                request_key=key,
            )
            step = keep_step(request, act=RequestAct.OPENED, before="", actor=actor, at=at)
            return card_of(request, acts_for_member(request), int(step.read_at is None))
    except IntegrityError as error:
        if violated(error) == "servicerequest_once_per_key":
            raise RequestKeyReused from None
        raise


def cancel_request(
    *, member_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None
) -> RequestCard:
    """She wants it no more. Twice is once. Refuses what is done or over, and another's as an unknown one."""
    return _end(member_id, public_id, RequestAct.CANCELLED, RequestState.CANCELLED, actor, at)


def close_request(
    *, member_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None
) -> RequestCard:
    """She confirms that it is done. Twice is once. Refuses what is not done, and another's as an unknown one."""
    return _end(member_id, public_id, RequestAct.CLOSED, RequestState.CLOSED, actor, at)


def withdraw_all(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """Her unfinished requests are cancelled and her done ones closed; how many. The caller has locked the member."""
    rows = ServiceRequest.objects.filter(member_id=member_id, state__in=RUNNING).lock_rows()
    for row in rows:
        is_done = row.state == RequestState.DONE
        take_step(row, act=RequestAct.CLOSED if is_done else RequestAct.CANCELLED, actor=actor, at=at)
    return len(rows)


def read_request(*, member_id: int, public_id: str, up_to_step_id: int, at: dt.datetime | None = None) -> int:
    """She has seen what happened up to this step; how many steps were unread. Newer ones stay unread."""
    unread = ServiceRequestStep.objects.filter(
        request__member_id=member_id,
        request__public_id=public_id.replace("\0", "")[:17],
        pk__lte=up_to_step_id,
        read_at__isnull=True,
    )
    return unread.update(read_at=at or clock.now())


def _end(
    member_id: int,
    public_id: str,
    act: RequestAct,
    target: RequestState,
    actor: Actor,
    at: dt.datetime | None,
) -> RequestCard:
    at = at or clock.now()
    with transaction.atomic():
        request = _lock_own(member_id, public_id)
        if request.state != target:
            take_step(request, act=act, actor=actor, at=at)
        return card_for_member(request)


def _lock_own(member_id: int, public_id: str) -> ServiceRequest:
    member_id = member_services.lock_member(member_id)
    found = ServiceRequest.objects.filter(member_id=member_id, public_id=public_id.replace("\0", "")[:17])
    request_id = found.values_list("pk", flat=True).first()
    if request_id is None:
        raise NoSuchRequest
    return ServiceRequest.objects.lock(request_id)


def _answered(member_id: int, key: str, kind: str) -> RequestCard | None:
    first = ServiceRequest.objects.filter(member_id=member_id, request_key=key).first()
    if first is None:
        return None
    if first.kind.code != kind:
        raise RequestKeyReused
    return card_for_member(first)


def _check_time(wanted_at: dt.datetime | None, kind: RequestKind, at: dt.datetime) -> None:
    if wanted_at is None:
        if kind.wants_time:
            raise RequestTimeUnusable(field="wanted_at")
        return
    check_time(time=wanted_at, field="wanted_at", at=at)


def check_time(*, time: dt.datetime, field: str, at: dt.datetime) -> None:
    """A time people can meet at: with a time zone, from now on, within a year. Raises RequestTimeUnusable."""
    if time.tzinfo is None or not at <= time <= at + _FARTHEST:
        raise RequestTimeUnusable(field=field)


def _place(member_id: int, store_id: int | None) -> tuple[Guide | None, Store, bool]:
    """Who has it and in which store; whether the member chose a store that is not her guide's.

    The guide is locked: she cannot leave between this look and the insert, and one who leaves later is heard of.
    """
    live = Binding.objects.live().filter(member_id=member_id).first()
    guide = Guide.objects.lock(live.guide_id) if live is not None else None
    if guide is not None and guide.state != GuideState.ACTIVE:
        guide = None
    if guide is not None and store_id in (None, guide.store_id):
        return guide, guide.store, False
    if store_id is None:
        raise RequestStoreMissing(field="store")
    store = Store.objects.filter(pk=store_id).first()
    if store is None:
        raise RequestStoreMissing(field="store")
    if not store.is_active:
        raise StoreClosed
    return None, store, guide is not None
