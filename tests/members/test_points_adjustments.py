"""Staff adjust points with a reason; above the limit somebody else decides."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound, Refusal
from members import services
from members.models import PointsAccount, PointsAdjustment
from tests.members.points_kit import TILL, balance_of, check_sums, credit, decide, make_member, make_staff
from tests.threads import at_once


def adjust(member: int, delta: int, key: str, actor: Actor, **values: Any) -> Any:
    return services.adjust_points(
        member_id=member, delta=delta, request_key=key, actor=actor, **{"reason": "补登积分", **values}
    )


@pytest.mark.django_db
def test_up_to_the_limit_an_adjustment_is_in_effect_at_once() -> None:
    decide(approval_limit=100)
    member, staff = make_member(), make_staff("one")
    credit(member, 10, "a")
    assert adjust(member, 60, "r1", staff).state == "approved"
    assert adjust(member, 60, "r1", staff).state == "approved"
    assert adjust(member, -40, "r2", staff).state == "approved"
    assert balance_of(member) == 30
    check_sums()


@pytest.mark.django_db
def test_small_pieces_of_one_day_add_up_to_the_limit() -> None:
    decide(approval_limit=100)
    member, staff = make_member(), make_staff("one")
    assert adjust(member, 60, "r1", staff).state == "approved"
    assert adjust(member, 60, "r2", staff).state == "requested"
    assert adjust(member, 60, "r3", make_staff("two")).state == "approved"
    tomorrow = clock.day_bounds(clock.today())[1]
    assert adjust(member, 60, "r4", staff, at=tomorrow).state == "approved"
    assert balance_of(member) == 180


@pytest.mark.django_db
def test_above_the_limit_another_person_decides_and_never_who_asked() -> None:
    decide(approval_limit=100)
    member, one, two = make_member(), make_staff("one"), make_staff("two")
    asked = adjust(member, 500, "r1", one)
    assert (asked.state, balance_of(member)) == ("requested", 0)
    for decision in (
        partial(services.approve_adjustment, adjustment_id=asked.id, actor=one),
        partial(services.reject_adjustment, adjustment_id=asked.id, note="不对", actor=one),
    ):
        with pytest.raises(Refusal) as refusal:
            decision()
        assert refusal.value.code == "members.needs_another_person"
    approved = services.approve_adjustment(adjustment_id=asked.id, actor=two)
    assert (approved.state, balance_of(member)) == ("approved", 500)
    with pytest.raises(Refusal) as refusal:
        services.approve_adjustment(adjustment_id=asked.id, actor=make_staff("three"))
    assert refusal.value.code == "members.adjustment_decided"
    check_sums()


@pytest.mark.django_db
def test_the_database_knows_that_it_takes_two() -> None:
    decide(approval_limit=100)
    one = make_staff("one")
    asked = adjust(make_member(), 500, "r1", one)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        PointsAdjustment.objects.filter(pk=asked.id).update(decided_by_id=one.id, decided_at=clock.now())
    assert violated(error.value) == "pointsadjustment_two_people"


@pytest.mark.django_db
def test_a_rejected_adjustment_changes_nothing_and_needs_a_note() -> None:
    decide(approval_limit=100)
    member, one, two = make_member(), make_staff("one"), make_staff("two")
    asked = adjust(member, 500, "r1", one)
    with pytest.raises(Refusal) as refusal:
        services.reject_adjustment(adjustment_id=asked.id, note=" ", actor=two)
    assert refusal.value.code == "members.reason_missing"
    assert services.reject_adjustment(adjustment_id=asked.id, note="金额不对", actor=two).state == "rejected"
    assert balance_of(member) == 0


@pytest.mark.django_db
def test_only_staff_adjust_with_a_reason_and_a_real_number() -> None:
    member, staff = make_member(), make_staff("one")
    for actor, delta, reason, code in (
        (TILL, 5, "补登", "members.staff_only"),
        (Actor.guide(1, "李娜"), 5, "补登", "members.staff_only"),
        (staff, 0, "补登", "members.points_unusable"),
        (staff, 5, "  ", "members.reason_missing"),
        (staff, -5, "补登", "members.not_enough_points"),
    ):
        with pytest.raises(Refusal) as refusal:
            adjust(member, delta, f"k{delta}", actor, reason=reason)
        assert refusal.value.code == code
    assert not PointsAdjustment.objects.exists()


@pytest.mark.django_db
def test_a_request_key_means_one_request_and_an_unknown_one_is_not_found() -> None:
    one, other, staff = make_member("one"), make_member("other"), make_staff("one")
    adjust(one, 5, "r1", staff)
    for again in (partial(adjust, one, 6, "r1", staff), partial(adjust, other, 5, "r1", staff)):
        with pytest.raises(Refusal) as refusal:
            again()
        assert refusal.value.code == "members.source_key_taken"
    with pytest.raises(NotFound):
        services.approve_adjustment(adjustment_id=987_654, actor=staff)


@pytest.mark.django_db
def test_points_gone_meanwhile_are_not_taken_on_approval() -> None:
    decide(approval_limit=10)
    member, one, two = make_member(), make_staff("one"), make_staff("two")
    credit(member, 100, "a")
    asked = adjust(member, -80, "r1", one)
    services.debit_points(member_id=member, points=50, source_key="o", actor=TILL)
    with pytest.raises(Refusal) as refusal:
        services.approve_adjustment(adjustment_id=asked.id, actor=two)
    assert refusal.value.code == "members.not_enough_points"
    assert PointsAdjustment.objects.get().state == "requested"
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_apply_it_once() -> None:
    decide(approval_limit=10)
    member, one = make_member(), make_staff("one")
    asked = adjust(member, 80, "r1", one, at=clock.now() - dt.timedelta(minutes=1))
    approvers = [make_staff(f"approver{number}") for number in range(6)]
    answers = at_once(
        [
            partial(services.approve_adjustment, adjustment_id=asked.id, actor=approver)
            for approver in approvers
        ]
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert PointsAccount.objects.get().balance == 80
    check_sums()
