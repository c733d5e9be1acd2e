"""What a clerk does with segments."""

from typing import Final

from campaigns import services
from campaigns.models import Segment, SegmentMember, SegmentTouch
from core import clock
from core.actor import Actor
from members import services as member_services
from members.models import Member, MemberTag, Tag

_ACTOR: Final = Actor.system("segments_desk")


def make(*, count: int) -> None:
    """So many members of whom half follow, the segment of those who do, and a tag that follows it; all worked out."""
    at = clock.now()
    Member.objects.bulk_create(
        [Member(source="pos", registered_at=at, is_following=bool(place % 2)) for place in range(count)],
        batch_size=5_000,
    )
    group = member_services.create_tag_group(name="自动", actor=_ACTOR)
    tag = member_services.create_tag(group_id=group.id, name="粉丝", actor=_ACTOR)
    public_id = services.create_segment(
        name="粉丝", kind="living", rule={"is": "members.following"}, actor=_ACTOR
    )
    services.follow_segment(tag_id=tag.id, public_id=public_id, actor=_ACTOR)
    services.work_segments()
    Segment.objects.update(due_at=None)


def turn(*, every: int) -> int:
    """One in so many members follows who did not, and the other way round; how many."""
    ids = [pk for pk in Member.objects.values_list("pk", flat=True) if pk % every == 0]
    followers = set(Member.objects.filter(pk__in=ids, is_following=True).values_list("pk", flat=True))
    Member.objects.filter(pk__in=followers).update(is_following=False)
    Member.objects.filter(pk__in=set(ids) - followers).update(is_following=True)
    return len(ids)


def work(*, whole: bool = False) -> None:
    """Who changed is followed, or all is worked out."""
    if whole:
        Segment.objects.update(due_at=clock.now())
    services.work_segments()


def check() -> None:
    """Members, their number and their tags are what the rule says, and nothing waits."""
    wanted = set(Member.objects.filter(is_following=True).values_list("pk", flat=True))
    assert set(SegmentMember.objects.values_list("member_id", flat=True)) == wanted
    assert SegmentMember.objects.count() == Segment.objects.get().member_count == len(wanted)
    tagged = MemberTag.objects.filter(tag=Tag.objects.get(), removed_at=None)
    assert set(tagged.values_list("member_id", flat=True)) == wanted
    assert not SegmentTouch.objects.exists()
