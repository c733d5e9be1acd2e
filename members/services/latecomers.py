"""Rows that were written to a member while she was being merged."""

import datetime as dt
import json
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from members.models import Member, MemberMerge
from members.services.holdings import Snapshot, all_holdings
from members.services.merging import pack_snapshot

# No transaction of ours lives that long: older merges have no latecomers.
_LOOK_BACK: Final = dt.timedelta(days=1)


def sweep_emptied(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> bool:
    """`sweep_merge` for the merge that emptied this row; False when it is not merged."""
    merge = MemberMerge.objects.live().filter(emptier_id=member_id).values_list("pk", flat=True).first()
    return merge is not None and sweep_merge(merge_id=merge, actor=actor, at=at)


def sweep_merge(*, merge_id: int, actor: Actor, at: dt.datetime | None = None) -> bool:
    """What was written to the emptied row while it was being merged is the survivor's too.

    A transaction that inserts a row with a member's key holds no lock of ours: it may commit after the merge
    looked. Moving again finds such rows; the merge's snapshot has them, so that undoing gives them back. False
    when there was nothing, or the merge is undone or unknown.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = MemberMerge.objects.live().filter(pk=merge_id).first()
        if found is None:
            return False
        Member.objects.lock_all([found.emptier_id, found.survivor_id])
        merge = MemberMerge.objects.lock(merge_id)
        if merge.undone_at is not None or not merge.snapshot:
            return False
        snapshot: Snapshot = json.loads(merge.snapshot)
        parts: dict[str, Snapshot] = snapshot["parts"]
        for part in all_holdings():
            moved = part.move(emptier_id=merge.emptier_id, survivor_id=merge.survivor_id, actor=actor, at=at)
            parts[part.label] = part.join(parts.get(part.label, {}), moved)
        packed = pack_snapshot(snapshot)
        if packed == merge.snapshot:
            return False
        merge.snapshot = packed
        merge.save(update_fields=["snapshot"])
        return True


def sweep_latecomers(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Nothing hangs on a row that was merged within the last day; how many merges had latecomers."""
    at = at or clock.now()
    recent = MemberMerge.objects.live().filter(made_at__gt=at - _LOOK_BACK)
    strays: set[int] = set()
    for part in all_holdings():
        strays |= part.strays(recent.order_by().values_list("emptier_id", flat=True))
    # The first link of a chain first: what it brings to its survivor, the next link takes on.
    due = recent.filter(emptier_id__in=strays).order_by("made_at", "pk").values_list("pk", flat=True)
    return sum(sweep_merge(merge_id=merge_id, actor=actor, at=at) for merge_id in list(due))
