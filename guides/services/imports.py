"""Taking over bindings from another system, in bulk."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from core import clock
from core.actor import Actor
from core.constraints import violated
from core.models import AuditEntry
from guides.contracts import BindingImport
from guides.errors import MemberAlreadyBound
from guides.models import Binding, BindingSource, ChannelCode, ChannelScan, ScanOutcome
from guides.services.history import doer

_BATCH = 1000


def import_bindings(
    *, lines: Sequence[BindingImport], actor: Actor, at: dt.datetime | None = None
) -> list[int]:
    """All these bindings are history or live, with one audit row each; ids in the order of `lines`.

    Lines with a channel code also leave the scan that made them, and count on the code. No event is
    published: nothing happened now. Refuses the whole import when a member would have two live bindings.
    """
    at = at or clock.now()
    bindings = [_row(line, actor) for line in lines]
    try:
        with transaction.atomic():
            Binding.objects.bulk_create(bindings, batch_size=_BATCH)
            codes = dict(ChannelCode.objects.in_bulk({line.channel_code_id for line in lines} - {None}))
            scans = [_scan(line, codes) for line in lines if line.channel_code_id is not None]
            ChannelScan.objects.bulk_create(scans, batch_size=_BATCH)
            _count(scans)
            AuditEntry.objects.bulk_create([_audit(row, actor, at) for row in bindings], batch_size=_BATCH)
            _tell_planner()
    except IntegrityError as error:
        if violated(error) == "binding_one_live_per_member":
            raise MemberAlreadyBound from None
        raise
    return [row.pk for row in bindings]


def _tell_planner() -> None:
    """Thousands of new rows: until the planner has counted them, it reads member lists in the slowest way."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE guides_binding, guides_channelscan")


def _key(line: BindingImport) -> str:
    return f"import:{line.member_id}:{line.bound_at.timestamp():.6f}"


def _row(line: BindingImport, actor: Actor) -> Binding:
    return Binding(
        member_id=line.member_id,
        guide_id=line.guide_id,
        store_id=line.store_id,
        bound_at=line.bound_at,
        source=BindingSource(line.source),
        channel_code_id=line.channel_code_id,
        request_key=_key(line),
        bound_by=doer(Actor.wechat() if line.channel_code_id is not None else actor),
        ended_at=line.ended_at,
        ended_by=doer(actor) if line.ended_at is not None else "",
        end_reason=line.end_reason[:120],
    )


def _scan(line: BindingImport, codes: Mapping[int, ChannelCode]) -> ChannelScan:
    assert line.channel_code_id is not None
    return ChannelScan(
        channel_code_id=line.channel_code_id,
        scene=codes[line.channel_code_id].code,
        member_id=line.member_id,
        guide_id=line.guide_id,
        request_key=_key(line),
        is_new_follower=line.is_new_follower,
        outcome=ScanOutcome.BOUND,
        scanned_at=line.bound_at,
    )


def _count(scans: Sequence[ChannelScan]) -> None:
    """The counters of each code, in pk order."""
    totals = Counter(scan.channel_code_id for scan in scans)
    follows = Counter(scan.channel_code_id for scan in scans if scan.is_new_follower)
    for code_id in sorted(code_id for code_id in totals if code_id is not None):
        ChannelCode.objects.filter(pk=code_id).update(
            scan_count=F("scan_count") + totals[code_id],
            follow_count=F("follow_count") + follows[code_id],
            binding_count=F("binding_count") + totals[code_id],
        )


def _audit(binding: Binding, actor: Actor, at: dt.datetime) -> AuditEntry:
    return AuditEntry(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:80],
        action="guides.binding_imported",
        subject_kind=Binding._meta.label_lower,
        subject_id=binding.pk,
        details={"member_id": binding.member_id, "guide_id": binding.guide_id},
    )
