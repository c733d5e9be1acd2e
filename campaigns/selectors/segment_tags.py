"""Which tag follows which segment, and what following one would do to a tag."""

from campaigns.contracts.segments import FollowingSight, FollowingTag
from campaigns.errors import SegmentBeingWorkedOut
from campaigns.models import Segment, SegmentMember, SegmentTag
from members import selectors as member_selectors


def find_followed(tag_id: int) -> Segment | None:
    """The segment that the tag follows."""
    bound = SegmentTag.objects.filter(tag_id=tag_id).select_related("segment").first()
    return None if bound is None else bound.segment


def list_following(segment_id: int) -> tuple[FollowingTag, ...]:
    """The tags that follow the segment, by group and name."""
    rows = SegmentTag.objects.filter(segment_id=segment_id).order_by("tag__group__order", "tag__name")
    found = rows.values_list("tag_id", "tag__group__name", "tag__name")
    return tuple(FollowingTag(tag_id, f"{group} · {name}") for tag_id, group, name in found)


def sight_following(*, tag_id: int, segment: Segment) -> FollowingSight:
    """Whom the tag would be taken off and given to if it followed the segment, by the members that are kept of it: a living
    one's are seconds old. Raises SegmentBeingWorkedOut while they are not those of its rule."""
    if segment.filled_at is None or segment.filled_at < segment.changed_at:
        raise SegmentBeingWorkedOut
    tagged = member_selectors.tagged_member_ids(tag_id)
    inside = SegmentMember.objects.filter(segment=segment)
    kept = inside.filter(member_id__in=tagged).count()
    return FollowingSight(
        kept_count=kept, lost_count=tagged.count() - kept, given_count=inside.count() - kept
    )
