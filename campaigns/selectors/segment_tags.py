"""Which tag follows which segment."""

from campaigns.contracts.segments import FollowingTag
from campaigns.models import Segment, SegmentTag


def find_followed(tag_id: int) -> Segment | None:
    """The segment that the tag follows."""
    bound = SegmentTag.objects.filter(tag_id=tag_id).select_related("segment").first()
    return None if bound is None else bound.segment


def list_following(segment_id: int) -> tuple[FollowingTag, ...]:
    """The tags that follow the segment, by group and name."""
    rows = SegmentTag.objects.filter(segment_id=segment_id).order_by("tag__group__order", "tag__name")
    found = rows.values_list("tag_id", "tag__group__name", "tag__name")
    return tuple(FollowingTag(tag_id, f"{group} · {name}") for tag_id, group, name in found)
