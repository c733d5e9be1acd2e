"""Workers of segments that die in the middle: whoever comes next does all of it, members, numbers and tags, once."""

from typing import Any

import pytest

from campaigns import services
from campaigns.models import Segment, SegmentMember, SegmentMove, SegmentTouch
from members import selectors as member_selectors
from members.models import Member, MemberTag
from tests.campaigns.test_segment_holdings import living, members_of
from tests.campaigns.test_segment_tags import follow, make_tag, settle
from tests.cast import DIRECTOR, Cast
from tests.killed_job import killed_while_waiting

pytestmark = pytest.mark.django_db(transaction=True)
WORK = "from campaigns import services; services.work_segments()"
# Where the worker is killed: with the notes in hand, before it looks at a segment; while it takes tags off.
PLACES = {
    "notes taken": "SELECT 1 FROM campaigns_segment FOR NO KEY UPDATE",
    "members written": "SELECT 1 FROM members_membertag FOR NO KEY UPDATE",
}


def check(segment: Segment, tag_id: int, wanted: set[int]) -> None:
    assert members_of(segment) == wanted
    assert set(member_selectors.tagged_member_ids(tag_id)) == wanted
    assert not SegmentTouch.objects.exists()


@pytest.mark.parametrize("place", list(PLACES))
def test_a_worker_that_is_killed_while_members_are_followed_loses_and_doubles_nothing(
    cast: Cast, place: str
) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    segment, tag_id = living(), make_tag()
    follow(tag_id, segment)
    Member.objects.filter(pk=she).update(is_following=False)
    notes = SegmentTouch.objects.count()
    with killed_while_waiting(WORK, lock=PLACES[place]):
        assert members_of(segment) == {she, other}
        assert SegmentTouch.objects.count() == notes, "the notes are there again"
    services.work_segments()
    check(segment, tag_id, {other})
    assert SegmentMove.objects.filter(segment=segment).count() == 1
    assert MemberTag.objects.filter(member_id=she).count() == 1


def test_a_worker_that_is_killed_while_all_is_worked_out_leaves_it_due(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    segment, tag_id = living(), make_tag()
    follow(tag_id, segment)
    women = {"all": [{"is": "members.gender", "with": {"genders": ["female"]}}]}
    Member.objects.filter(pk=she).update(gender="female")
    settle()
    services.change_segment(public_id=segment.public_id, version=1, name="女会员", rule=women, actor=DIRECTOR)
    with killed_while_waiting(WORK, lock=PLACES["members written"]):
        assert members_of(segment) == {she, other}
        assert Segment.objects.get().due_at is not None
    settle()
    check(segment, tag_id, set(Member.objects.filter(gender="female").values_list("pk", flat=True)))


@pytest.mark.parametrize("rule", ["nobody", "everybody"])
def test_a_segment_of_nobody_and_of_everybody(cast: Cast, rule: str) -> None:
    follower: dict[str, Any] = {"is": "members.following"}
    nobody = {"all": [follower, {"none": [follower]}]}
    segment = living(rule, nobody if rule == "nobody" else {"none": [nobody]})
    tag_id = make_tag()
    follow(tag_id, segment)
    wanted = set(Member.objects.living().values_list("pk", flat=True)) if rule == "everybody" else set()
    check(segment, tag_id, wanted)
    born = Member.objects.create(source="pos", registered_at=segment.created_at)
    services.work_segments()
    check(segment, tag_id, wanted | ({born.pk} if rule == "everybody" else set()))
    Member.objects.filter(pk=born.pk).update(merged_into_id=cast.xiaomei.id)
    services.work_segments()
    check(segment, tag_id, wanted)
    assert SegmentMember.objects.count() == len(wanted)
