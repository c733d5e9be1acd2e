"""Segments when members are merged, parted, copied and erased; and writers who began before anybody listened."""

import datetime as dt

import psycopg
import pytest

from campaigns import services
from campaigns.models import Segment, SegmentMember, SegmentMove
from campaigns.services.holdings_segments import SegmentHoldings
from core import clock
from members import services as member_services
from members.models import Member, MemberMerge
from tests.cast import DIRECTOR, Cast
from tests.killed_job import database_url
from tests.threads import at_once, wait_until_somebody_waits

FOLLOWING = {"all": [{"is": "members.following"}]}
FAMILY = {"all": [{"is": "members.source", "with": {"sources": ["import"]}}]}


def living(name: str = "关注的人", rule: object = FOLLOWING) -> Segment:
    """A segment that is worked out, and nobody's writes are waited for."""
    public_id = services.create_segment(name=name, kind="living", rule=rule, actor=DIRECTOR)
    services.work_segments()
    Segment.objects.update(due_at=None)
    return Segment.objects.get(public_id=public_id)


def members_of(segment: Segment) -> set[int]:
    segment.refresh_from_db()
    found = set(SegmentMember.objects.filter(segment=segment).values_list("member_id", flat=True))
    assert segment.member_count == len(found)
    return found


@pytest.mark.django_db
def test_lists_name_the_survivor_and_living_segments_find_her_by_themselves(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    alive = living()
    only = Segment.objects.get(public_id=services.create_list(name="一人", member_ids=[she], actor=DIRECTOR))
    both = Segment.objects.get(
        public_id=services.create_list(name="两人", member_ids=[she, other], actor=DIRECTOR)
    )
    member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)
    services.work_segments()
    assert members_of(only) == members_of(both) == members_of(alive) == {other}
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, actor=DIRECTOR)
    services.work_segments()
    assert members_of(only) == {she}
    assert members_of(both) == members_of(alive) == {she, other}


@pytest.mark.django_db
def test_a_copy_names_her_segments_and_an_erasure_leaves_none(cast: Cast) -> None:
    she = cast.xiaomei.id
    alive = living()
    listed = Segment.objects.get(
        public_id=services.create_list(name="名单", member_ids=[she], actor=DIRECTOR)
    )
    Member.objects.filter(pk=she).update(is_following=False)
    services.work_segments()
    Member.objects.filter(pk=she).update(is_following=True)
    services.work_segments()
    assert SegmentMove.objects.filter(member_id=she).count() == 2
    assert [line["人群"] for line in SegmentHoldings().export(she)["人群"]] == ["名单", "关注的人"]
    member_services.erase_member(member_id=she, reason="own_wish", actor=DIRECTOR)
    services.work_segments()
    assert she not in members_of(alive) | members_of(listed)
    assert not SegmentMove.objects.filter(member_id=she).exists()


@pytest.mark.django_db(transaction=True)
def test_who_wrote_before_anybody_listened_is_found(cast: Cast) -> None:
    """Her writer noted nothing, for nothing was watched, and commits after the first count."""
    she = cast.xiaoli.id
    with psycopg.connect(database_url()) as writer:
        writer.execute("UPDATE members_member SET source = 'import' WHERE id = %s", [she])
        public_id = services.create_segment(name="导入", kind="living", rule=FAMILY, actor=DIRECTOR)
        services.work_segments()
        segment = Segment.objects.get(public_id=public_id)
        assert members_of(segment) == set()
        assert segment.due_at is not None, "somebody is still writing"
        writer.commit()
    later = clock.now() + dt.timedelta(minutes=1)
    with psycopg.connect(database_url(), dbname="postgres") as stranger:
        stranger.execute("SELECT pg_current_xact_id()")  # writes, but in another database
        services.work_segments(at=later)
    assert members_of(segment) == {she}
    assert segment.due_at is None


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_lose_and_double_nothing(cast: Cast) -> None:
    segment = living(rule=FAMILY)
    Member.objects.bulk_create(Member(source="import", registered_at=clock.now()) for _ in range(200))

    def work() -> None:
        services.work_segments()

    def join() -> None:
        Member.objects.bulk_create(Member(source="import", registered_at=clock.now()) for _ in range(50))

    answers = at_once([work, join, work, join, work])
    assert answers == [None] * 5
    services.work_segments()
    assert members_of(segment) == set(Member.objects.filter(source="import").values_list("pk", flat=True))
    assert SegmentMove.objects.filter(segment=segment, is_entry=True).count() == 300


@pytest.mark.django_db(transaction=True)
def test_a_merge_waits_for_whoever_works_her_segment_out(cast: Cast) -> None:
    """Taking her rows first and the segment after would wait in a ring with a worker, who takes them the other way."""
    she, other = cast.xiaomei.id, cast.xiaoli.id
    segment = living()
    with psycopg.connect(database_url()) as worker:
        worker.execute("SELECT 1 FROM campaigns_segment WHERE id = %s FOR NO KEY UPDATE", [segment.pk])

        def merge() -> None:
            member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)

        def delete() -> None:
            wait_until_somebody_waits(worker)
            worker.execute("DELETE FROM campaigns_segmentmember WHERE member_id = %s", [she])
            worker.rollback()

        assert at_once([merge, delete]) == [None, None]
    services.work_segments()
    assert members_of(segment) == {other}
