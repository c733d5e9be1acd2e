"""Tags that follow a segment: they come and go with its members, no hand changes them, and nothing goes in a circle."""

import datetime as dt
from typing import Any

import psycopg
import pytest

from campaigns import services
from campaigns.errors import RuleUnfit
from campaigns.models import Segment, SegmentTag
from core import clock
from guides import services as guide_services
from members import selectors as member_selectors
from members import services as member_services
from members.models import Member, MemberMerge, MemberTag, Tag
from tests.campaigns.test_segment_holdings import FOLLOWING, living
from tests.cast import DIRECTOR, Cast
from tests.killed_job import database_url
from tests.refusals import refused
from tests.threads import at_once, wait_until_somebody_waits

pytestmark = pytest.mark.django_db


def make_tag(name: str = "关注粉丝", group: str = "自动", *, is_exclusive: bool = False) -> int:
    made = member_services.create_tag_group(name=group, is_exclusive=is_exclusive, actor=DIRECTOR)
    return member_services.create_tag(group_id=made.id, name=name, actor=DIRECTOR).id


def follow(tag_id: int, segment: Segment) -> None:
    services.follow_segment(tag_id=tag_id, public_id=segment.public_id, actor=DIRECTOR)
    settle()


def settle() -> None:
    """As if every transaction of before had ended."""
    services.work_segments()
    Segment.objects.update(due_at=None)


def tagged(tag_id: int) -> set[int]:
    return set(member_selectors.tagged_member_ids(tag_id))


def set_following(member_id: int, is_following: bool) -> None:
    Member.objects.filter(pk=member_id).update(is_following=is_following)
    services.work_segments()


def asks_for(tag_id: int) -> dict[str, Any]:
    return {"all": [{"any": [{"is": "members.tag", "with": {"tags": [tag_id]}}]}]}


def test_the_tag_comes_and_goes_with_the_members_and_keeps_its_history(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    tag_id, segment = make_tag(), living()
    follow(tag_id, segment)
    assert tagged(tag_id) == {she, other}
    set_following(she, False)
    assert tagged(tag_id) == {other}
    set_following(she, True)
    assert tagged(tag_id) == {she, other}
    rows = MemberTag.objects.filter(member_id=she, tag_id=tag_id).order_by("pk")
    assert [(row.origin, row.removed_at is None) for row in rows] == [("rule", False), ("rule", True)]
    assert {rows[0].tagged_by, rows[0].removed_by, rows[1].tagged_by} == {"人群“关注的人”"}
    services.work_segments()
    assert MemberTag.objects.filter(tag_id=tag_id).count() == 3, "who stays is not tagged again"


def test_what_hands_gave_before_is_the_rules_now_and_stays_when_it_is_left(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    set_following(other, False)
    tag_id = make_tag()
    end = clock.now() + dt.timedelta(days=1)
    member_services.tag_members(member_ids=[she, other], tag_id=tag_id, expires_at=end, actor=DIRECTOR)
    follow(tag_id, living())
    assert tagged(tag_id) == {she}
    row = MemberTag.objects.get(tag_id=tag_id, removed_at=None)
    assert (row.origin, row.expires_at) == ("rule", None)
    assert services.leave_segment(tag_id=tag_id, actor=DIRECTOR) == 1
    set_following(she, False)
    assert tagged(tag_id) == {she}
    assert member_services.untag_members(member_ids=[she], tag_id=tag_id, actor=DIRECTOR) == 1
    assert refused(services.leave_segment, tag_id=tag_id, actor=DIRECTOR) == "campaigns.tag_follows_none"


def test_no_hand_changes_a_tag_that_follows(cast: Cast) -> None:
    tag_id = make_tag()
    follow(tag_id, living())
    code = "members.tag_follows_rule"
    she = [cast.xiaomei.id]
    everybody = Member.objects.all()
    assert refused(member_services.tag_members, member_ids=she, tag_id=tag_id, actor=DIRECTOR) == code
    assert refused(member_services.untag_members, member_ids=she, tag_id=tag_id, actor=DIRECTOR) == code
    assert refused(member_services.tag_search, members=everybody, tag_id=tag_id, actor=DIRECTOR) == code
    assert refused(member_services.untag_search, members=everybody, tag_id=tag_id, actor=DIRECTOR) == code
    assert refused(member_services.retire_tag, tag_id=tag_id, actor=DIRECTOR) == code
    pull = {"member_tag_id": tag_id, "follower_tag_id": 1, "direction": "pull", "actor": DIRECTOR}
    assert refused(guide_services.link_tags, **pull) == code
    assert member_services.rename_tag(tag_id=tag_id, name="粉丝", actor=DIRECTOR).is_ruled
    assert [tag.id for tag in member_selectors.list_tags()] == [tag_id]
    assert member_selectors.list_givable_tags() == ()


def test_only_some_tags_follow_and_only_living_segments_are_followed(cast: Cast) -> None:
    tag_id, segment = make_tag(), living()
    listed = services.create_list(name="名单", member_ids=[cast.xiaomei.id], actor=DIRECTOR)

    def attempt(tag: int, public_id: str) -> str:
        return refused(services.follow_segment, tag_id=tag, public_id=public_id, actor=DIRECTOR)

    assert attempt(tag_id, listed) == "campaigns.segment_not_living"
    assert attempt(tag_id, "nothing") == "campaigns.no_such_segment"
    assert attempt(10**12, segment.public_id) == "members.no_such_tag"
    exclusive = make_tag("甲", "单选", is_exclusive=True)
    assert attempt(exclusive, segment.public_id) == "members.tag_cannot_follow"
    retired = make_tag("旧", "旧的")
    member_services.retire_tag(tag_id=retired, actor=DIRECTOR)
    assert attempt(retired, segment.public_id) == "members.tag_retired"
    follow(tag_id, segment)
    assert attempt(tag_id, segment.public_id) == "campaigns.tag_follows_already"
    assert (
        refused(services.retire_segment, public_id=segment.public_id, actor=DIRECTOR)
        == "campaigns.segment_has_tags"
    )
    assert Tag.objects.filter(origin="rule").count() == SegmentTag.objects.count() == 1


def test_a_tag_does_not_follow_who_asks_for_it(cast: Cast) -> None:
    """The segment asks for the tag itself; through another segment; through another tag that follows one."""
    first, second = make_tag("甲", "一"), make_tag("乙", "二")
    direct = living("直接", asks_for(first))
    through = living("间接", {"all": [{"is": "campaigns.segment", "with": {"segments": [direct.public_id]}}]})
    for segment in (direct, through):
        circle = {"tag_id": first, "public_id": segment.public_id, "actor": DIRECTOR}
        assert refused(services.follow_segment, **circle) == "campaigns.tag_circle"
    follow(second, through)
    third = living("跟着标签", asks_for(second))
    circle = {"tag_id": first, "public_id": third.public_id, "actor": DIRECTOR}
    assert refused(services.follow_segment, **circle) == "campaigns.tag_circle"
    for segment in (direct, through):
        with pytest.raises(RuleUnfit) as unfit:
            services.change_segment(
                public_id=segment.public_id,
                version=1,
                name=segment.name,
                rule={"any": [FOLLOWING, asks_for(second)]},
                actor=DIRECTOR,
            )
        [fault] = unfit.value.details["faults"]
        assert (fault["path"], fault["code"]) == ("/any/1/all/0/any/0/with/tags", "tag_cycle")


def test_who_asks_for_a_tag_that_follows_is_settled_in_the_same_run(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    tag_id = make_tag()
    follow(tag_id, living())
    asking = living("有标签的人", asks_for(tag_id))
    second = make_tag("二级", "二")
    follow(second, asking)
    assert tagged(second) == {she, other}
    set_following(other, False)
    assert tagged(tag_id) == tagged(second) == {she}


def test_a_merge_moves_no_tag_that_follows_and_an_erasure_leaves_none(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    set_following(other, False)
    tag_id = make_tag()
    follow(tag_id, living())
    member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)
    Member.objects.filter(pk=other).update(is_following=False)
    services.work_segments()
    assert tagged(tag_id) == set()
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, actor=DIRECTOR)
    services.work_segments()
    assert tagged(tag_id) == set(Member.objects.filter(is_following=True).values_list("pk", flat=True))
    set_following(she, True)
    assert she in tagged(tag_id)
    member_services.erase_member(member_id=she, reason="own_wish", actor=DIRECTOR)
    services.work_segments()
    assert not MemberTag.objects.filter(member_id=she).exists()


@pytest.mark.django_db(transaction=True)
def test_a_merge_waits_for_whoever_writes_the_tags_of_her_segment(cast: Cast) -> None:
    """Taking her tags first and the segment after would wait in a ring with a worker, who takes them the other way."""
    she, other = cast.xiaomei.id, cast.xiaoli.id
    tag_id, segment = make_tag(), living()
    follow(tag_id, segment)
    with psycopg.connect(database_url()) as worker:
        worker.execute("SELECT 1 FROM campaigns_segment WHERE id = %s FOR NO KEY UPDATE", [segment.pk])

        def merge() -> None:
            member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)

        def write() -> None:
            wait_until_somebody_waits(worker)
            worker.execute("UPDATE members_membertag SET tagged_by = '' WHERE member_id = %s", [she])
            worker.commit()

        assert at_once([merge, write]) == [None, None]
    services.work_segments()
    assert tagged(tag_id) == {other}
