"""Journeys when members are merged and parted again: one way each, and what a merge ended goes on."""

import pytest

from campaigns.models import Enrolment, EnrolmentState
from campaigns.services import journeys
from coupons import services as coupon_services
from coupons.models import CouponBatch
from members import selectors as member_selectors
from members import services as member_services
from members.models import MemberMerge
from tests.campaigns.journey_kit import (
    BOSS,
    DAY,
    MINUTE,
    definition,
    enter,
    path,
    points,
    run,
    start,
    state,
    wait,
)
from tests.cast import Cast
from tests.coupons import kit as coupon_kit

pytestmark = pytest.mark.django_db


def balance(member_id: int) -> int:
    return member_selectors.get_points_summary(member_id).balance


def merge(she: int, other: int) -> None:
    member_services.merge_members(first_id=she, second_id=other, survivor_id=she, actor=BOSS)


def part() -> None:
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, actor=BOSS)


def test_a_merge_ends_the_doubled_way_and_its_undoing_brings_it_back(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    both = start(definition({"a": wait(1, "b"), "b": points(1)}))
    only = start(definition({"a": wait(1, "b"), "b": points(10)}), "另一个")
    mine, theirs = enter(both, she, other)
    [lonely] = enter(only, other)
    merge(she, other)
    assert state(theirs)[::2] == ("exited", "merged")
    lonely.refresh_from_db()
    assert lonely.member_id == she
    part()
    assert state(theirs) == ("waiting", "a", "")
    theirs.refresh_from_db()
    lonely.refresh_from_db()
    assert (theirs.member_id, theirs.entry_key, lonely.member_id) == (other, "api:k", other)
    run(DAY + MINUTE)
    assert (balance(she), balance(other)) == (1, 11)
    assert {state(row)[0] for row in (mine, theirs, lonely)} == {"done"}


def test_one_person_gets_what_the_kept_way_gives_once_and_nothing_again_when_parted(cast: Cast) -> None:
    """What the survivor's way did meanwhile stays hers; the other's way goes on from where it stood."""
    she, other = cast.xiaomei.id, cast.xiaoli.id
    both = start(definition({"a": wait(1, "b"), "b": points(1)}))
    only = start(definition({"a": wait(1, "b"), "b": points(10)}), "另一个")
    mine, theirs = enter(both, she, other)
    [lonely] = enter(only, other)
    merge(she, other)
    run(DAY + MINUTE)
    assert balance(she) == 11
    assert state(mine)[0] == "done"
    part()
    assert (state(theirs)[0], state(lonely)[0]) == ("waiting", "done")
    run(2 * DAY)
    assert state(theirs)[0] == "done"
    assert [step for step, _way, _code in path(theirs)] == ["a", "b"]
    assert [step for step, _way, _code in path(lonely)] == ["a", "b"], "the way that ended stays ended"


def test_who_was_parked_is_parked_again_with_her_reason(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    batch_id = coupon_kit.make_batch(5)
    coupon_services.pause_batch(batch_id=batch_id, actor=BOSS)
    give = {"kind": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch_id).public_id}}
    row = start(definition({"a": wait(1, "b"), "b": give}))
    [theirs] = enter(row, other)
    for day in range(1, 20, 2):
        run(day * DAY)
    assert state(theirs) == ("failed", "b", "coupons.batch_paused")
    enter(row, she)
    merge(she, other)
    assert state(theirs) == ("exited", "b", "merged")
    part()
    assert state(theirs) == ("failed", "b", "coupons.batch_paused")
    coupon_services.open_batch(batch_id=batch_id, actor=BOSS)
    journeys.retry_enrolment(enrolment_id=theirs.pk, actor=BOSS)
    run()
    assert state(theirs)[0] == "done"


def test_a_journey_that_was_ended_meanwhile_lets_out_whoever_comes_back(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    _mine, theirs = enter(row, she, other)
    merge(she, other)
    journeys.end_journey(journey_id=row.pk, actor=BOSS)
    assert journeys.finish_ended_journeys() == 1
    part()
    assert journeys.finish_ended_journeys() == 1
    assert state(theirs) == ("exited", "a", "journey_ended")
    assert not Enrolment.objects.filter(state=EnrolmentState.WAITING).exists()


def test_who_is_erased_leaves_every_journey(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    [mine] = enter(row, cast.xiaomei.id)
    member_services.erase_member(member_id=cast.xiaomei.id, reason="staff", actor=BOSS)
    assert state(mine)[::2] == ("exited", "erased")
    assert run(2 * DAY) == 0
    assert mine.state == EnrolmentState.EXITED
