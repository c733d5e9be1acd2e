"""Living segments: what is kept for members who changed is what everything worked out anew would be."""

import dataclasses
import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from campaigns import services
from campaigns.errors import (
    NoSuchSegment,
    RuleUnfit,
    SegmentChangedMeanwhile,
    SegmentHasNoRule,
    SegmentInUse,
    SegmentNameUnusable,
)
from campaigns.models import Segment, SegmentMember, SegmentMove, SegmentSize, SegmentTouch
from campaigns.selectors import segments
from tests.campaigns.segment_kit import DAY, TESTER, World, fill, make_living, make_world, model, noon
from tests.campaigns.segment_naive import load, members_of
from tests.campaigns.segment_rules import rules
from tests.kept_rows import kept_rows

pytestmark = pytest.mark.django_db
NOON = noon(DAY)
WEEK = dt.timedelta(days=7)
FOLLOWING = {"all": [{"is": "members.following"}]}
WOMEN = {"all": [{"is": "members.gender", "with": {"genders": ["female"]}}]}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with kept_rows(django_db_blocker, make_world) as made:
        yield made


def make(rule: Any, name: str = "人群", kind: str = "living", at: dt.datetime = NOON) -> Segment:
    """A segment that is worked out, and nobody's writes are waited for."""
    public_id = services.create_segment(name=name, kind=kind, rule=rule, actor=TESTER, at=at)
    row = Segment.objects.get(public_id=public_id)
    services.fill_segment(segment_id=row.pk, at=at)
    settle()
    row.refresh_from_db()
    return row


def settle() -> None:
    """As if every transaction of before had ended: a test is one transaction, and never older than itself."""
    Segment.objects.update(due_at=None)


def kept(row: Segment) -> set[int]:
    return set(SegmentMember.objects.filter(segment=row).values_list("member_id", flat=True))


def whole(row: Segment, day: dt.date = DAY) -> set[int]:
    """Whom the rule yields now, worked out anew."""
    rule = Segment.objects.get(pk=row.pk).rule
    wanted = segments.members_sql(segments.node_of(rule), day=day)
    with connection.cursor() as cursor:
        cursor.execute(wanted.text, wanted.params)
        return {member_id for (member_id,) in cursor.fetchall()}


def check(row: Segment) -> None:
    """Members, count and the day's line agree with the rule."""
    row.refresh_from_db()
    assert kept(row) == whole(row)
    assert row.member_count == len(kept(row))
    assert SegmentSize.objects.get(segment=row, day=DAY).member_count == row.member_count


# Changes of every sort of row, by the ORM and in plain SQL: triggers do not ask who wrote.


def _change(world: World, chance: random.Random) -> None:
    member_id = chance.choice(world.people)
    ways = [
        lambda: _update("members.Member", member_id, "pk", is_following=chance.random() < 0.5),
        lambda: _update("members.Member", member_id, "pk", gender=chance.choice(["", "female", "male"])),
        lambda: _update("members.MemberTag", member_id, removed_at=chance.choice([None, NOON])),
        lambda: _update("members.PointsAccount", member_id, balance=chance.choice([0, 100, 1_000])),
        lambda: _update(
            "members.PointsLot", member_id, "account__member_id", remaining=chance.choice([0, 50])
        ),
        lambda: _update("members.MemberAddress", member_id, province="浙江省", city="杭州市"),
        lambda: _update("guides.Binding", member_id, ended_at=NOON),
        lambda: _update("sales.Sale", member_id, is_current=chance.random() < 0.5),
        lambda: _update("sales.MemberMetrics", member_id, amount_fen=chance.choice([0, 60_000])),
        lambda: _update("sales.MemberDay", member_id, order_count=chance.choice([0, 1])),
        lambda: _update("sales.MemberDay", member_id, previous_on=chance.choice([None, DAY - WEEK])),
        lambda: model("sales.MemberDay").objects.filter(member_id=member_id).delete(),
        lambda: _come(member_id, chance),
        lambda: _update("campaigns.CampaignMember", member_id, clicked_at=chance.choice([None, NOON])),
        lambda: model("campaigns.CampaignMember").objects.filter(member_id=member_id).delete(),
        lambda: _update("coupons.Coupon", member_id, state=chance.choice(["issued", "expired"])),
        lambda: _update("campaigns.InboxMessage", member_id, read_at=chance.choice([None, NOON])),
        lambda: _update("members.Behaviour", member_id, member_id=chance.choice(world.people)),
        lambda: model("members.Behaviour").objects.filter(member_id=member_id).delete(),
        lambda: model("campaigns.Reach").objects.filter(member_id=member_id).delete(),
        lambda: _update(
            "members.Member", member_id, "pk", follow_changed_at=chance.choice([NOON, NOON - WEEK])
        ),
        lambda: _update("campaigns.ReachBar", member_id, barred_at=chance.choice([NOON, NOON - 6 * WEEK])),
        lambda: model("campaigns.ReachBar").objects.filter(member_id=member_id).delete(),
        lambda: _update("members.ConsentEntry", member_id, action=chance.choice(["agreed", "withdrawn"])),
        lambda: model("members.ConsentEntry").objects.filter(member_id=member_id).delete(),
        lambda: _bar(world, member_id),
        lambda: model("sales.MemberMetrics").objects.filter(member_id=member_id).delete(),
        lambda: model("members.MemberTier").objects.filter(member_id=member_id).delete(),
        # Rows go over to another, as a merge moves them.
        lambda: _update("campaigns.InboxMessage", member_id, member_id=chance.choice(world.people)),
        lambda: _update("coupons.Coupon", member_id, member_id=chance.choice(world.people)),
        lambda: _merge(member_id, chance.choice(world.people)),
        lambda: _move_guide(world, chance),
        lambda: _join(world, chance),
    ]
    chance.choice(ways)()


def _come(member_id: int, chance: random.Random) -> None:
    key: dict[str, Any] = {"member_id": member_id, "day": DAY, "store_ref": 0}
    model("sales.MemberDay").objects.update_or_create(
        **key, defaults={"traces": 8, "order_count": chance.choice([0, 1])}
    )


def _bar(world: World, member_id: int) -> None:
    model("campaigns.ReachBar").objects.get_or_create(
        member_id=member_id,
        account_id=world.cast.account_id,
        defaults={"code": "wechat.blocked", "barred_at": NOON},
    )


def _update(label: str, who: int, key: str = "member_id", **values: Any) -> None:
    model(label).objects.filter(**{key: who}).update(**values)


def _merge(emptier: int, survivor: int) -> None:
    if emptier != survivor:
        rows = model("members.Member").objects.filter(pk=emptier, erased_at=None)
        rows.update(merged_into_id=survivor)


def _move_guide(world: World, chance: random.Random) -> None:
    store = chance.choice([world.cast.store.id, world.cast.other_store.id])
    model("guides.Guide").objects.filter(number=chance.choice(["T001", "T004"])).update(store_id=store)


def _join(world: World, chance: random.Random) -> None:
    made = model("members.Member").objects.create(
        source="pos", registered_at=NOON, is_following=chance.random() < 0.5
    )
    batches = list(model("coupons.CouponBatch").objects.order_by("pk").values_list("pk", flat=True))
    fill(world, chance, made.pk, batches)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller failure would cost minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_what_is_kept_is_what_is_worked_out_anew_after_any_changes(world: World, data: st.DataObject) -> None:
    with transaction.atomic():
        around = dataclasses.replace(world, living=make_living(world))
        rows = [make(data.draw(rules(around)), name=f"人群{number}") for number in range(3)]
        chance = random.Random(data.draw(st.integers(0, 2**32)))
        for _round in range(data.draw(st.integers(1, 4))):
            for _step in range(data.draw(st.integers(1, 6))):
                _change(world, chance)
            services.work_segments(at=NOON)
            for row in rows:
                check(row)
        assert not SegmentTouch.objects.exists()
        transaction.set_rollback(True)


def test_members_come_and_leave_and_the_day_counts_them(world: World) -> None:
    row = make(FOLLOWING)
    assert not SegmentMove.objects.filter(segment=row).exists(), "the first time nobody moved"
    inside, outside = min(kept(row)), min(set(load(world)) - kept(row))
    _update("members.Member", inside, "pk", is_following=False)
    _update("members.Member", outside, "pk", is_following=True)
    assert services.work_segments(at=NOON) == 1
    moves = SegmentMove.objects.filter(segment=row).values_list("member_id", "is_entry")
    assert set(moves) == {(inside, False), (outside, True)}
    line = SegmentSize.objects.get(segment=row)
    assert (line.entered_count, line.left_count) == (row.member_count + 1, 1)
    assert services.work_segments(at=NOON) == 0, "nothing is left to do"


def test_a_change_that_no_segment_rests_on_is_not_noted(world: World) -> None:
    make(FOLLOWING)
    _update("coupons.Coupon", world.people[5], state="expired")
    _update("members.Member", world.people[5], "pk", code="ABCDEFGHJKLM")
    assert not SegmentTouch.objects.exists()


def test_the_next_day_is_worked_out_whole(world: World) -> None:
    row = make({"all": [{"is": "members.birthday_ahead", "with": {"days": 0}}]})
    today = kept(row)
    assert today, "somebody in the cast was born on this day"
    tomorrow = NOON + dt.timedelta(days=1)
    services.work_segments(at=tomorrow)
    assert kept(row) == whole(row, DAY + dt.timedelta(days=1)) != today
    assert SegmentSize.objects.filter(segment=row).count() == 2


def test_a_snapshot_stays_as_it_was_until_somebody_asks(world: World) -> None:
    row = make(FOLLOWING, kind="snapshot")
    before = kept(row)
    model("members.Member").objects.update(is_following=False)
    services.work_segments(at=NOON + dt.timedelta(days=2))
    assert kept(row) == before
    services.refresh_segment(public_id=row.public_id, actor=TESTER, at=NOON)
    services.work_segments(at=NOON)
    assert kept(row) == set()


def test_a_segment_of_segments_moves_with_them(world: World) -> None:
    first = make(FOLLOWING, "关注的人")
    listed = services.create_list(name="名单", member_ids=world.people[5:8], actor=TESTER, at=NOON)
    both = make(
        {"all": [{"is": "campaigns.segment", "with": {"segments": [first.public_id, listed]}}]}, "合起来"
    )
    check(both)
    assert set(world.people[5:8]) <= kept(both)
    outside = min(set(load(world)) - kept(both))
    _update("members.Member", outside, "pk", is_following=True)
    services.work_segments(at=NOON)
    assert outside in kept(both)
    services.change_segment(
        public_id=first.public_id, version=1, name="女的", rule=WOMEN, actor=TESTER, at=NOON
    )
    services.work_segments(at=NOON)
    settle()
    check(both)
    _update("members.Member", min(kept(both)), "pk", gender="male")
    services.work_segments(at=NOON)
    check(both)


def test_segments_do_not_go_round_in_a_circle(world: World) -> None:
    first = make(FOLLOWING, "甲")
    second = make({"all": [{"is": "campaigns.segment", "with": {"segments": [first.public_id]}}]}, "乙")
    third = make({"any": [{"is": "campaigns.segment", "with": {"segments": [second.public_id]}}]}, "丙")
    for used in (first, second, third):
        rule = {
            "all": [
                FOLLOWING,
                {"none": [{"is": "campaigns.segment", "with": {"segments": [used.public_id]}}]},
            ]
        }
        with pytest.raises(RuleUnfit) as refused:
            services.change_segment(public_id=first.public_id, version=1, name="甲", rule=rule, actor=TESTER)
        [fault] = refused.value.details["faults"]
        assert (fault["path"], fault["code"]) == ("/all/1/none/0/with/segments", "segment_cycle")
    with pytest.raises(SegmentInUse) as in_use:
        services.retire_segment(public_id=first.public_id, actor=TESTER)
    assert in_use.value.details["names"] == ["丙", "乙"]


def test_what_cannot_be_saved_is_refused(world: World) -> None:
    row = make(FOLLOWING, "甲")
    for name in ("", "  ", "甲", "字" * 41, "a\0b"):
        with pytest.raises(SegmentNameUnusable), transaction.atomic():
            services.create_segment(name=name, kind="living", rule=WOMEN, actor=TESTER)
    with pytest.raises(RuleUnfit):
        services.create_segment(name="乙", kind="living", rule={"all": []}, actor=TESTER)
    with pytest.raises(SegmentHasNoRule):
        services.create_segment(name="乙", kind="listed", rule=WOMEN, actor=TESTER)
    with pytest.raises(SegmentChangedMeanwhile):
        services.change_segment(public_id=row.public_id, version=7, name="甲", actor=TESTER)
    services.retire_segment(public_id=row.public_id, actor=TESTER)
    assert kept(row) == set()
    with pytest.raises(NoSuchSegment):
        services.refresh_segment(public_id=row.public_id, actor=TESTER)
    make(WOMEN, "甲")  # the name is free again


def test_a_list_names_whom_merged_members_became(world: World) -> None:
    public_id = services.create_list(
        name="名单", member_ids=[*world.people[:6], 10**15], actor=TESTER, at=NOON
    )
    row = Segment.objects.get(public_id=public_id)
    assert kept(row) == set(world.people[:6]) - {world.people[1]}
    assert row.member_count == 5
    with pytest.raises(SegmentHasNoRule):
        services.refresh_segment(public_id=public_id, actor=TESTER)


def test_a_living_segment_agrees_with_plain_python(world: World) -> None:
    with time_machine.travel(NOON, tick=False):
        assert kept(make(WOMEN)) == members_of(WOMEN, load(world))
