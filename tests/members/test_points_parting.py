"""One account that becomes two again: whatever happened meanwhile, both ledgers add up."""

import datetime as dt
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from core import clock
from core.actor import Actor
from members import selectors, services
from members.models import MemberIdentity, MemberMerge, PointsAccount, PointsEntry
from tests.members.merge_kit import code_of, merge, undo
from tests.members.points_kit import (
    TILL,
    balance_of,
    check_sums,
    credit,
    debit,
    decide,
    in_days,
    make_member,
    make_staff,
    remaining_of,
    reverse,
)
from tests.members.test_points_machine import PointsMachine

pytestmark = pytest.mark.django_db


def _pair() -> tuple[int, int]:
    """The one who lives on (the older row), and the other."""
    return make_member("one"), make_member("other")


def test_lots_and_entries_go_back_to_whom_they_came_from() -> None:
    one, other = _pair()
    credit(one, 100, "a", expires_on=in_days(30))
    credit(other, 50, "b", expires_on=in_days(5))
    debit(other, 8, "o")
    record = merge(one, other)
    undo(record)
    assert (balance_of(one), balance_of(other)) == (100, 42)
    assert (remaining_of(one), remaining_of(other)) == ([100], [42])
    keys = PointsEntry.objects.filter(account__member_id=other).values_list("source_key", flat=True)
    assert sorted(keys) == ["b", "o"]
    check_sums()


def test_points_spent_since_are_the_survivors_also_from_the_others_lots() -> None:
    one, other = _pair()
    credit(one, 100, "a", expires_on=in_days(30))
    credit(other, 50, "b", expires_on=in_days(5))
    record = merge(one, other)
    debit(other, 60, "order")
    assert remaining_of(one) == [90, 0]
    undo(record)
    assert (balance_of(one), balance_of(other)) == (40, 50)
    assert remaining_of(other) == [50]
    check_sums()
    reverse(one, "order", "back")
    assert (balance_of(one), balance_of(other)) == (100, 50)
    check_sums()


def test_points_earned_since_stay_with_the_survivor() -> None:
    one, other = _pair()
    credit(other, 50, "b")
    record = merge(one, other)
    credit(other, 7, "c")
    undo(record)
    assert (balance_of(one), balance_of(other)) == (7, 50)
    check_sums()


@pytest.mark.parametrize(
    ("policy", "balance"),
    [("forgive", 0), ("debt", -30), ("refuse", None)],
)
def test_more_spent_since_than_was_hers_goes_by_the_chains_policy(policy: str, balance: int | None) -> None:
    decide(shortage_policy=policy)
    one, other = _pair()
    credit(one, 20, "a")
    credit(other, 50, "b")
    record = merge(one, other)
    debit(one, 50, "order")
    if balance is None:
        assert code_of(undo, record=record) == "members.not_enough_points"
        assert balance_of(one) == 20
    else:
        undo(record)
        assert (balance_of(one), balance_of(other)) == (balance, 50)
    check_sums()


def test_a_return_of_her_sale_and_the_release_of_her_freeze_go_with_her() -> None:
    one, other = _pair()
    credit(one, 100, "a")
    credit(other, 50, "sale:1")
    services.freeze_points(member_id=other, points=20, source_key="f", actor=TILL)
    record = merge(one, other)
    reverse(one, "sale:1", "return:1")
    services.release_points(member_id=one, freeze_key="f", source_key="r", actor=TILL)
    assert balance_of(one) == 100
    undo(record)
    assert (balance_of(one), balance_of(other)) == (100, 0)
    check_sums()


def test_a_freeze_that_holds_is_hers_again_and_can_be_released() -> None:
    one, other = _pair()
    credit(other, 50, "b")
    services.freeze_points(member_id=other, points=20, source_key="f", actor=TILL)
    undo(merge(one, other))
    account = PointsAccount.objects.get(member_id=other)
    assert (account.balance, account.frozen) == (30, 20)
    services.release_points(member_id=other, freeze_key="f", source_key="r", actor=TILL)
    assert balance_of(other) == 50
    check_sums()


def test_points_of_hers_that_expired_meanwhile_have_expired() -> None:
    one, other = _pair()
    credit(one, 5, "a")
    credit(other, 50, "b", expires_on=in_days(1))
    record = merge(one, other)
    night = clock.day_bounds(in_days(2))[0]
    services.expire_points(actor=TILL, at=night)
    undo(record, at=night)
    assert (balance_of(one), balance_of(other)) == (5, 0)
    check_sums()


@pytest.mark.parametrize("debtor", [0, 1])
def test_a_debt_that_the_merge_paid_is_a_debt_again(debtor: int) -> None:
    decide(shortage_policy="debt")
    pair = _pair()
    credit(pair[debtor], 30, "sale:1")
    debit(pair[debtor], 30, "o")
    reverse(pair[debtor], "sale:1", "return:1")
    credit(pair[1 - debtor], 80, "b", expires_on=in_days(9))
    record = merge(*pair)
    assert balance_of(pair[0]) == 50
    decide(shortage_policy="refuse")
    undo(record)
    assert (balance_of(pair[debtor]), balance_of(pair[1 - debtor])) == (-30, 80)
    check_sums()


def test_waiting_returns_adjustments_and_notices_go_back() -> None:
    one, other = _pair()
    credit(one, 5, "a", expires_on=in_days(3))
    credit(other, 5, "b", expires_on=in_days(3))
    services.announce_expiring_points(actor=TILL)
    assert reverse(other, "sale:9", "return:9").is_pending
    asked = services.adjust_points(
        member_id=other, delta=9_000, reason="补登", request_key="r", actor=make_staff("a")
    )
    undo(merge(one, other))
    credit(other, 40, "sale:9")
    services.approve_adjustment(adjustment_id=asked.id, actor=make_staff("b"))
    assert (balance_of(one), balance_of(other)) == (5, 9_005)
    assert services.announce_expiring_points(actor=TILL) == 0
    check_sums()


def test_without_points_before_the_merge_all_points_are_the_survivors() -> None:
    one, other = _pair()
    record = merge(one, other)
    credit(other, 9, "c")
    undo(record)
    assert (balance_of(one), selectors.get_points_summary(other).balance) == (9, 0)
    check_sums()


def test_a_row_merged_parted_and_merged_again_keeps_its_sums() -> None:
    one, other = _pair()
    credit(one, 10, "a")
    credit(other, 20, "b")
    for turn in range(3):
        record = merge(one, other, at=clock.now() + dt.timedelta(seconds=turn))
        debit(one, 4, f"o{turn}")
        undo(record, at=clock.now() + dt.timedelta(seconds=turn))
        check_sums()
    assert (balance_of(one), balance_of(other)) == (0, 20)


class PartingMachine(PointsMachine):
    """The same person's two rows, merged and parted again and again while all else goes on."""

    @precondition(lambda self: self.is_merged)
    @rule()
    def part(self) -> None:
        record = MemberMerge.objects.live().filter(emptier_id__in=self.members).get()
        if self.at >= record.undo_until:
            return
        services.undo_merge(merge_id=record.pk, actor=Actor.system("desk"), at=self.at)
        self.is_merged = False
        for member_id in self.members:
            assert MemberIdentity.objects.filter(member_id=member_id).count() == 1

    @precondition(lambda self: not self.is_merged)
    @rule(dice=st.booleans())
    def merge_either_way(self, dice: bool) -> None:
        """The survivor is anybody's choice."""
        self.at += dt.timedelta(microseconds=1)
        services.merge_members(
            first_id=self.members[0],
            second_id=self.members[1],
            survivor_id=self.members[dice],
            actor=Actor.system("desk"),
            at=self.at,
        )
        self.is_merged = True


@pytest.mark.timeout(300)
def test_the_sums_hold_however_often_they_are_merged_and_parted() -> None:
    run_state_machine_as_test(
        PartingMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_request_after_parting_is_asked_of_the_right_account() -> None:
    one, other = _pair()
    credit(one, 10, "k")
    credit(other, 20, "k")
    undo(merge(one, other))
    again = partial(credit, key="k")
    assert again(one, 10).entry == again(one, 10).entry
    assert (balance_of(one), balance_of(other)) == (10, 20)
