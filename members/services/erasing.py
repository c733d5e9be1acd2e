"""A member leaves for good: nothing personal is left of her in any app."""

import datetime as dt
from typing import Final

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from core.errors import Conflict
from members.contracts import Erasure
from members.errors import ErasureReasonUnknown, NoSuchMember
from members.events import MemberErased
from members.models import (
    DataRequest,
    DataRequestKind,
    DataRequestState,
    ErasureReason,
    Member,
    MemberStage,
)
from members.selectors import list_merge_targets
from members.services.holdings import all_holdings
from members.services.privacy_parts import erase_identities, erase_profile
from members.services.tags import tag_doer

_ATTEMPTS: Final = 5


def erase_member(*, member_id: int, reason: str, actor: Actor, at: dt.datetime | None = None) -> Erasure:
    """Every part of every app has forgotten her and the rows merged into her; she may join again as somebody new.

    What stays is books without a person: points entries, bindings with their days, that she once agreed. Her open
    requests are closed, with the counts of what was touched, which the audit keeps too. A second call changes
    nothing. Refuses an unknown member and a reason that is none of ErasureReason. The cooling-off period is the
    requests' (`members.services.data_requests`).
    """
    at = at or clock.now()
    if reason not in ErasureReason.values:
        raise ErasureReasonUnknown(field="reason")
    with transaction.atomic():
        family = lock_family(member_id)
        living = family[0]
        if living.stage == MemberStage.ERASED:
            return Erasure(living.pk, is_new=False, counts={})
        counts = _erase_parts([row.pk for row in family], actor=actor, at=at)
        _close_requests([row.pk for row in family], counts, actor=actor, at=at)
        audit.record(
            action="members.erased",
            subject=living,
            actor=actor,
            at=at,
            reason=reason,
            row_count=len(family),
            counts=[f"{part}:{count}" for part, count in counts.items() if count],
        )
        for row in family:
            events.publish(MemberErased(row.pk))
    return Erasure(living.pk, is_new=True, counts=counts)


def lock_family(member_id: int) -> list[Member]:
    """Her living row, then all rows merged into it, locked in pk order. Raises NoSuchMember.

    A merge may come between the look and the locks: then they are given up and she is looked for again.
    """
    for _attempt in range(_ATTEMPTS):
        target = list_merge_targets([member_id]).get(member_id)
        if target is None:
            raise NoSuchMember
        ids = _family_ids(target)
        with transaction.atomic():
            rows = {row.pk: row for row in Member.objects.lock_all(ids)}
            if rows[target].merged_into_id is None and _family_ids(target) == ids:
                return [rows.pop(target), *rows.values()]
            transaction.set_rollback(True)
    raise Conflict


def _family_ids(target: int) -> set[int]:
    family, fresh = {target}, {target}
    while fresh:
        fresh = set(Member.objects.filter(merged_into__in=fresh).values_list("pk", flat=True)) - family
        family |= fresh
    return family


def _erase_parts(member_ids: list[int], *, actor: Actor, at: dt.datetime) -> dict[str, int]:
    """Part by part, in the order of the table. Identities and the row itself are erased here too, whatever the
    table says: nobody is half erased."""
    counts = {
        holding.label: sum(holding.erase(member_id=pk, actor=actor, at=at) for pk in member_ids)
        for holding in all_holdings()
    }
    for label, erase in (("identities", erase_identities), ("profile", erase_profile)):
        counts[label] = counts.get(label, 0) + sum(
            erase(member_id=pk, actor=actor, at=at) for pk in member_ids
        )
    return counts


def _close_requests(member_ids: list[int], counts: dict[str, int], *, actor: Actor, at: dt.datetime) -> None:
    """An erasure that was asked for is done; a copy that was asked for cannot be given any more."""
    for request in DataRequest.objects.open().filter(member_id__in=member_ids).lock_rows():
        is_erasure = request.kind == DataRequestKind.ERASE
        request.state = DataRequestState.DONE if is_erasure else DataRequestState.WITHDRAWN
        request.result = counts if is_erasure else {}
        request.closed_at, request.closed_by = at, tag_doer(actor)
        request.save(update_fields=["state", "result", "closed_at", "closed_by"])
