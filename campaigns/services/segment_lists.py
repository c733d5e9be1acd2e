"""Lists: segments whose members somebody named."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from campaigns.errors import NoSuchSegment, SegmentIsNoList
from campaigns.models import Segment, SegmentKind, SegmentMember
from campaigns.services.segment_filling import note_size
from campaigns.services.segments import locked_segment, name_segment, one_rule_at_a_time, tell_users
from core import audit, clock
from core.actor import Actor
from members import selectors as member_selectors

_BATCH: Final = 5_000


def create_list(
    *, name: str, note: str = "", member_ids: Iterable[int], actor: Actor, at: dt.datetime | None = None
) -> str:
    """A list of these members, of whom merged ones stand for whom they became. Its public id. Refuses names as above."""
    at = at or clock.now()
    living = sorted(set(member_selectors.list_merge_targets(member_ids).values()))
    with transaction.atomic():
        row = Segment(kind=SegmentKind.LISTED, rule={}, created_at=at, changed_at=at, filled_at=at)
        row.member_count = len(living)
        name_segment(row, name=name, note=note)
        SegmentMember.objects.bulk_create(
            [SegmentMember(segment=row, member_id=member_id, entered_at=at) for member_id in living],
            batch_size=5_000,
        )
        note_size(row, day=clock.business_day(at), entered=len(living), left=0)
        audit.record(
            action="campaigns.segment_created",
            subject=row,
            actor=actor,
            at=at,
            kind=row.kind,
            member_count=len(living),
        )
    return row.public_id


def note_members_read(*, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """It is on record that another system began to read who is in the segment. Raises NoSuchSegment."""
    row = Segment.objects.filter(public_id=public_id).first()
    if row is None:
        raise NoSuchSegment
    audit.record(
        action="campaigns.segment_read", subject=row, actor=actor, at=at, member_count=row.member_count
    )


def change_list(
    *,
    public_id: str,
    added: Iterable[int] = (),
    removed: Iterable[int] = (),
    actor: Actor,
    at: dt.datetime | None = None,
) -> tuple[int, int]:
    """The list names the first too, and the second no more (who is in both is taken off); how many came and left. Merged
    ones stand for whom they became. Refuses a segment that is no list."""
    at = at or clock.now()
    leaving = set(member_selectors.list_merge_targets(removed).values())
    coming = sorted(set(member_selectors.list_merge_targets(added).values()) - leaving)
    with transaction.atomic():
        one_rule_at_a_time()
        row = locked_segment(public_id)
        if row.kind != SegmentKind.LISTED:
            raise SegmentIsNoList
        inside = SegmentMember.objects.filter(segment=row)
        left = inside.filter(member_id__any_of=sorted(leaving)).delete()[0]
        there = set(inside.filter(member_id__any_of=coming).values_list("member_id", flat=True))
        new = [member_id for member_id in coming if member_id not in there]
        SegmentMember.objects.bulk_create(
            [SegmentMember(segment=row, member_id=member_id, entered_at=at) for member_id in new],
            batch_size=_BATCH,
        )
        if new or left:
            row.member_count += len(new) - left
            row.filled_at = row.changed_at = at
            row.save(update_fields=["member_count", "filled_at", "changed_at"])
            note_size(row, day=clock.business_day(at), entered=len(new), left=left)
            tell_users(segment_id=row.pk, at=at)
            audit.record(
                action="campaigns.list_changed",
                subject=row,
                actor=actor,
                at=at,
                added_count=len(new),
                removed_count=left,
            )
    return len(new), left
