"""Segments as other systems read them: one, all, how they grew, who is in them."""

import datetime as dt

from campaigns.contracts.segments import SegmentCard, SegmentSizeLine
from campaigns.errors import NoSuchSegment
from campaigns.models import Segment, SegmentMember, SegmentSize
from members import selectors as member_selectors


def get_segment_card(public_id: str) -> SegmentCard:
    """Also of a retired one. Raises NoSuchSegment."""
    row = Segment.objects.filter(public_id=public_id).first()
    if row is None:
        raise NoSuchSegment
    return _card(row)


def list_segment_cards(*, before: int | None = None, limit: int) -> tuple[SegmentCard, ...]:
    """Those in use, newest first, older than the id `before`."""
    rows = Segment.objects.active().order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return tuple(map(_card, rows[:limit]))


def list_segment_sizes(segment_id: int, *, since: dt.date, until: dt.date) -> tuple[SegmentSizeLine, ...]:
    """Of these days, both included, oldest first; days on which nothing was worked out are missing."""
    rows = SegmentSize.objects.filter(segment_id=segment_id, day__gte=since, day__lte=until).order_by("day")
    found = rows.values_list("day", "member_count", "entered_count", "left_count")
    return tuple(SegmentSizeLine(*line) for line in found)


def list_segment_member_ids(segment_id: int, *, after: int | None = None, limit: int) -> tuple[int, ...]:
    """Living members of it with ids above `after`, in their order."""
    rows = SegmentMember.objects.filter(segment_id=segment_id)
    rows = rows.filter(member_id__in=member_selectors.living_member_ids())
    if after is not None:
        rows = rows.filter(member_id__gt=after)
    return tuple(rows.order_by("member_id").values_list("member_id", flat=True)[:limit])


def _card(row: Segment) -> SegmentCard:
    return SegmentCard(
        id=row.pk,
        public_id=row.public_id,
        name=row.name,
        note=row.note,
        kind=row.kind,
        rule=row.rule,
        version=row.version,
        is_active=row.is_active,
        is_due=row.due_at is not None,
        fault=row.fault,
        member_count=None if row.filled_at is None else row.member_count,
        filled_at=row.filled_at,
    )
