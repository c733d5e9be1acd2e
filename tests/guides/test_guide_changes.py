"""A member is told whose she is now: once, when it lasts, and not of what she did herself."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from core import clock
from core.actor import Actor
from guides import services
from members import services as member_services
from tests.cast import DIRECTOR, Cast, make_follower, openid_of
from tests.members.privacy_kit import withdraw
from tests.told import told_texts

pytestmark = pytest.mark.django_db
KEY = "guide-changed:"


def rebind(cast: Cast, guide: Any, *, at: dt.datetime | None = None, source: str = "staff") -> None:
    services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=guide.id, source=source, reason="x", actor=DIRECTOR, at=at
    )


def states() -> list[tuple[str, str]]:
    rows = apps.get_model("campaigns", "Reach").objects.filter(reason_key__startswith=KEY).order_by("pk")
    return list(rows.values_list("state", "code"))


def test_a_change_is_told_once_after_some_minutes(cast: Cast) -> None:
    now = clock.now()
    rebind(cast, cast.chenjing, at=now)
    rebind(cast, cast.chenjing, at=now)
    [text] = told_texts(KEY)
    assert "换成了陈静（" in text
    assert "天河路店" in text
    row = apps.get_model("campaigns", "Reach").objects.get(reason_key__startswith=KEY)
    assert (row.topic, row.importance, row.not_before) == (
        "guide_changed",
        "normal",
        now + dt.timedelta(minutes=5),
    )


def test_the_first_guide_and_her_own_choice_are_not_told(cast: Cast) -> None:
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="staff", actor=DIRECTOR)
    rebind(cast, cast.chenjing, source="member")
    rebind(cast, cast.wangfang, source="scan")
    assert told_texts(KEY) == []


def test_who_is_given_back_within_minutes_hears_nothing(cast: Cast) -> None:
    now = clock.now()
    rebind(cast, cast.chenjing, at=now)
    rebind(cast, cast.lina, at=now + dt.timedelta(minutes=4))
    assert states() == [("skipped", "taken_back")]


def test_of_two_changes_within_minutes_the_last_is_told(cast: Cast) -> None:
    now = clock.now()
    rebind(cast, cast.chenjing, at=now)
    rebind(cast, cast.wangfang, at=now + dt.timedelta(minutes=4))
    assert states() == [("skipped", "taken_back"), ("queued", "")]
    assert "换成了王芳" in told_texts(KEY)[-1]


def test_given_back_later_she_is_told_both_times(cast: Cast) -> None:
    now = clock.now()
    rebind(cast, cast.chenjing, at=now)
    rebind(cast, cast.lina, at=now + dt.timedelta(minutes=5))
    assert states() == [("queued", ""), ("queued", "")]


def test_unbound_within_minutes_takes_it_back_and_the_next_guide_is_told(cast: Cast) -> None:
    now = clock.now()
    rebind(cast, cast.chenjing, at=now)
    services.unbind_member(
        member_id=cast.xiaomei.id, reason="x", actor=DIRECTOR, at=now + dt.timedelta(minutes=1)
    )
    assert states() == [("skipped", "taken_back")]
    services.bind_member(member_id=cast.xiaomei.id, guide_id=cast.lina.id, source="staff", actor=DIRECTOR)
    assert len(states()) == 1
    services.unbind_member(
        member_id=cast.xiaomei.id, reason="x", actor=DIRECTOR, at=now + dt.timedelta(days=1)
    )
    services.bind_member(
        member_id=cast.xiaomei.id,
        guide_id=cast.wangfang.id,
        source="staff",
        actor=DIRECTOR,
        at=now + dt.timedelta(days=2),
    )
    assert "换成了王芳" in told_texts(KEY)[-1]


def test_what_went_out_cannot_be_taken_back(cast: Cast) -> None:
    now = clock.now()
    rebind(cast, cast.chenjing, at=now)
    apps.get_model("campaigns", "Reach").objects.update(state="sent", sent_at=now, finished_at=now)
    rebind(cast, cast.lina, at=now + dt.timedelta(minutes=1))
    assert states() == [("sent", "")]


def test_nothing_is_told_when_the_change_is_rolled_back(cast: Cast) -> None:
    with transaction.atomic():
        rebind(cast, cast.chenjing)
        assert len(states()) == 1
        transaction.set_rollback(True)
    assert states() == []


def test_who_withdrew_her_consent_is_left_alone(cast: Cast) -> None:
    withdraw(cast.xiaomei.id)
    rebind(cast, cast.chenjing)
    assert states() == []


def test_many_are_handed_over_by_a_few_statements(cast: Cast, django_assert_max_num_queries: Any) -> None:
    people = [make_follower(f"会员{i}", openid_of(f"m{i}")) for i in range(60)]
    hour_ago = clock.now() - dt.timedelta(hours=1)
    for person in people:
        services.bind_member(
            member_id=person.id, guide_id=cast.lina.id, source="scan", actor=Actor.wechat(), at=hour_ago
        )
    ids = [*(person.id for person in people), cast.xiaoli.id]
    with django_assert_max_num_queries(40):
        done = services.rebind_members(
            member_ids=ids, guide_id=cast.wangfang.id, source="handover", reason="李娜离职", actor=DIRECTOR
        )
    assert (done.moved_count, done.passed_count) == (60, 1)
    assert len(states()) == 60
    again = services.rebind_members(
        member_ids=ids, guide_id=cast.wangfang.id, source="handover", reason="李娜离职", actor=DIRECTOR
    )
    assert (again.moved_count, len(states())) == (0, 60)
    assert apps.get_model("guides", "Binding").objects.filter(end_reason="李娜离职").count() == 60


def test_the_merged_and_the_erased_are_passed_over_in_a_hand_over(cast: Cast) -> None:
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="scan", actor=DIRECTOR)
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaomei.id, actor=DIRECTOR
    )
    done = services.rebind_members(
        member_ids=[cast.xiaoli.id, cast.xiaomei.id],
        guide_id=cast.chenjing.id,
        source="handover",
        reason="x",
        actor=DIRECTOR,
    )
    assert (done.moved_count, done.passed_count) == (1, 1)
    assert len(states()) == 1


def test_a_hand_over_to_one_who_has_left_is_refused(cast: Cast) -> None:
    services.leave_guide(guide_id=cast.chenjing.id, actor=DIRECTOR)
    with pytest.raises(Exception, match="离职") as refusal:
        services.rebind_members(
            member_ids=[cast.xiaomei.id],
            guide_id=cast.chenjing.id,
            source="handover",
            reason="x",
            actor=DIRECTOR,
        )
    assert refusal.value.code == "guides.guide_has_left"  # type: ignore[attr-defined]
    assert states() == []
