"""Requests for one's own data: a copy of it, or to be erased."""

import datetime as dt
import logging
from typing import Final

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from core.errors import Refusal
from members.contracts import DataRequestCard, Erasure, ExportFile
from members.errors import DataRequestClosed, ErasureReasonUnknown, NoSuchDataRequest, StillCoolingOff
from members.events import ErasureAsked
from members.models import (
    DataRequest,
    DataRequestKind,
    DataRequestState,
    ErasureReason,
    Member,
)
from members.selectors.duties import unfollowed_before
from members.selectors.privacy import data_request_card_of, get_privacy_decisions
from members.services.erasing import erase_member, lock_family
from members.services.exporting import export_file, export_member
from members.services.people import lock_member
from members.services.tags import tag_doer

logger = logging.getLogger(__name__)
_BATCH: Final = 200


def request_export(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> DataRequestCard:
    """Somebody has to give her a copy of her data by the day it is due. Asking again is the same request.

    Refuses an unknown and an erased member.
    """
    return _ask(member_id, DataRequestKind.EXPORT, "", actor=actor, at=at or clock.now())


def request_erasure(
    *,
    member_id: int,
    reason: str = ErasureReason.OWN_WISH,
    actor: Actor,
    at: dt.datetime | None = None,
) -> DataRequestCard:
    """She will be erased. Asked by herself: when the cooling-off period ends, unless she takes it back. Entered by
    staff: when a person carries it out. Asking again is the same request. Refuses an unknown and an erased member.
    """
    if reason not in ErasureReason.values:
        raise ErasureReasonUnknown(field="reason")
    return _ask(member_id, DataRequestKind.ERASE, reason, actor=actor, at=at or clock.now())


def withdraw_data_request(*, request_id: int, actor: Actor, at: dt.datetime | None = None) -> DataRequestCard:
    """The request is taken back; twice is once. Refuses one that is done."""
    at = at or clock.now()
    with transaction.atomic():
        request = _lock(request_id)
        if request.state == DataRequestState.DONE:
            raise DataRequestClosed
        if request.state == DataRequestState.OPEN:
            _close(request, DataRequestState.WITHDRAWN, "members.data_request_withdrawn", actor, at)
    return data_request_card_of(request)


def fulfil_export(*, request_id: int, actor: Actor, at: dt.datetime | None = None) -> ExportFile:
    """The copy, made now and kept nowhere; the request is done. A done one may be fetched again.

    Refuses one that was withdrawn, and an erasure.
    """
    at = at or clock.now()
    with transaction.atomic():
        request = _lock(request_id)
        if request.kind != DataRequestKind.EXPORT:
            raise NoSuchDataRequest
        if request.state == DataRequestState.WITHDRAWN:
            raise DataRequestClosed
        made = export_file(export_member(request.member_id, actor=actor, at=at))
        if request.state == DataRequestState.OPEN:
            _close(request, DataRequestState.DONE, "members.data_request_done", actor, at)
    return made


def fulfil_erasure(*, request_id: int, actor: Actor, at: dt.datetime | None = None) -> Erasure:
    """She is erased as she asked. Refuses before the cooling-off period is over, a withdrawn request, an export."""
    at = at or clock.now()
    with transaction.atomic():
        request = DataRequest.objects.filter(pk=request_id, kind=DataRequestKind.ERASE).first()
        if request is None:
            raise NoSuchDataRequest
        if request.state == DataRequestState.DONE:
            return erase_member(member_id=request.member_id, reason=request.reason, actor=actor, at=at)
        lock_family(request.member_id)
        request.refresh_from_db()  # it may have been taken back while we waited for her
        if request.state == DataRequestState.WITHDRAWN:
            raise DataRequestClosed
        if request.not_before is not None and at < request.not_before:
            raise StillCoolingOff(until=request.not_before.isoformat())
        return erase_member(member_id=request.member_id, reason=request.reason, actor=actor, at=at)


def erase_ripe_members(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Those whose cooling-off period is over are erased; how many. Each in a transaction of her own."""
    at = at or clock.now()
    ripe = list(
        DataRequest.objects.ripe(at).order_by("not_before", "pk").values_list("pk", flat=True)[:_BATCH]
    )
    return sum(_erase_quietly(request_id, actor, at) for request_id in ripe)


def erase_unfollowed(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Prospects who unfollowed longer ago than the chain keeps them are erased; how many (`members.selectors.duties`)."""
    at = at or clock.now()
    days = get_privacy_decisions().unfollow_keep_days
    if days is None:
        return 0
    left = unfollowed_before(at - dt.timedelta(days=days))
    count = 0
    for member_id in list(left.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            # She may have come back while the others were erased.
            if not left.filter(pk=lock_family(member_id)[0].pk).exists():
                continue
            erased = erase_member(member_id=member_id, reason=ErasureReason.UNFOLLOWED, actor=actor, at=at)
        count += erased.is_new
    return count


def _erase_quietly(request_id: int, actor: Actor, at: dt.datetime) -> bool:
    """Erase for one request; whoever took it back this moment stays, and holds up nobody."""
    try:
        return fulfil_erasure(request_id=request_id, actor=actor, at=at).is_new
    except Refusal as refusal:
        logger.info("members.not_erased", extra={"request_id": request_id, "refusal": refusal.code})
        return False


def _ask(
    member_id: int, kind: DataRequestKind, reason: str, *, actor: Actor, at: dt.datetime
) -> DataRequestCard:
    decisions = get_privacy_decisions()
    waits = kind == DataRequestKind.ERASE and actor.kind == "member"
    with transaction.atomic():
        member_id = lock_member(member_id)
        known = DataRequest.objects.open().filter(member_id=member_id, kind=kind).first()
        if known is not None:
            return data_request_card_of(known)
        request = DataRequest.objects.create(
            member_id=member_id,
            kind=kind,
            reason=reason,
            asked_by=tag_doer(actor),
            asked_at=at,
            due_on=clock.business_day(at) + dt.timedelta(days=decisions.request_due_days),
            not_before=at + dt.timedelta(days=decisions.cooling_off_days) if waits else None,
        )
        audit.record(
            action="members.data_request_asked", subject=request, actor=actor, at=at, kind=kind.value
        )
        if kind == DataRequestKind.ERASE:
            events.publish(ErasureAsked(member_id, request.pk))
    return data_request_card_of(request)


def _lock(request_id: int) -> DataRequest:
    """The request, locked after its member. Raises NoSuchDataRequest."""
    request = DataRequest.objects.filter(pk=request_id).first()
    if request is None:
        raise NoSuchDataRequest
    Member.objects.lock(request.member_id)
    return DataRequest.objects.lock(request_id)


def _close(request: DataRequest, state: DataRequestState, action: str, actor: Actor, at: dt.datetime) -> None:
    request.state, request.closed_at, request.closed_by = state, at, tag_doer(actor)
    request.save(update_fields=["state", "closed_at", "closed_by"])
    audit.record(action=action, subject=request, actor=actor, at=at, kind=request.kind)
