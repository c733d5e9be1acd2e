"""Returns: exactly what an entry did is undone, in whatever order and however often the news comes."""

import datetime as dt
import itertools
from functools import partial

import pytest

from core import clock
from core.errors import NotFound, Refusal
from members import selectors, services
from members.models import PendingReversal, PointsAccount, PointsEntry
from tests.members.points_kit import (
    TILL,
    balance_of,
    check_sums,
    credit,
    debit,
    decide,
    in_days,
    make_member,
    remaining_of,
    reverse,
)
from tests.threads import at_once


@pytest.mark.django_db
def test_a_returned_sale_takes_its_own_points_first() -> None:
    member = make_member()
    credit(member, 100, "old", expires_on=in_days(5))
    credit(member, 80, "sale:1", expires_on=in_days(50))
    reverse(member, "sale:1", "return:1")
    assert remaining_of(member) == [100, 0]
    check_sums()


@pytest.mark.django_db
def test_what_was_spent_of_it_is_taken_from_the_other_lots() -> None:
    member = make_member()
    credit(member, 80, "sale:1", expires_on=in_days(5))
    credit(member, 100, "other", expires_on=in_days(50))
    debit(member, 30, "order:1")
    done = reverse(member, "sale:1", "return:1")
    assert (done.balance, remaining_of(member)) == (70, [0, 70])
    assert done.entry is not None
    assert (done.entry.delta, done.entry.shortfall) == (-80, 0)
    check_sums()


@pytest.mark.django_db
def test_a_cancelled_order_gives_back_the_very_lots_it_took_from() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(5))
    credit(member, 50, "b", expires_on=in_days(9))
    debit(member, 70, "order:1")
    credit(member, 10, "c", expires_on=in_days(1))
    reverse(member, "order:1", "cancel:1")
    assert remaining_of(member) == [50, 50, 10]
    check_sums()


@pytest.mark.django_db
def test_points_given_back_after_their_day_expire_at_once_under_an_entry_of_their_own() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(1))
    credit(member, 50, "b", expires_on=in_days(30))
    debit(member, 70, "order:1")
    late = clock.day_bounds(in_days(2))[0]
    done = reverse(member, "order:1", "cancel:1", at=late)
    assert (done.balance, remaining_of(member)) == (50, [0, 50])
    assert list(PointsEntry.objects.order_by("-pk").values_list("kind", "delta")[:2]) == [
        ("expire", -50),
        ("reverse", 70),
    ]
    check_sums()


@pytest.mark.django_db
def test_a_return_after_the_points_expired_does_not_take_them_twice() -> None:
    member = make_member()
    credit(member, 50, "sale:1", expires_on=in_days(1))
    credit(member, 100, "other", expires_on=in_days(30))
    debit(member, 20, "order:1")
    late = clock.day_bounds(in_days(2))[0]
    services.expire_points(actor=TILL, at=late)
    assert balance_of(member) == 100
    done = reverse(member, "sale:1", "return:1", at=late)
    # 30 expired; the 20 she spent are taken from the others.
    assert (done.balance, remaining_of(member)) == (80, [0, 80])
    check_sums()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("policy", "balance", "delta", "shortfall"), [("forgive", 0, -40, 60), ("debt", -60, -100, 0)]
)
def test_points_already_spent_are_forgiven_or_owed_as_the_chain_decided(
    policy: str, balance: int, delta: int, shortfall: int
) -> None:
    member = make_member()
    decide(shortage_policy=policy)
    credit(member, 100, "sale:1")
    debit(member, 60, "order:1")
    done = reverse(member, "sale:1", "return:1")
    assert done.entry is not None
    assert (done.balance, done.entry.delta, done.entry.shortfall) == (balance, delta, shortfall)
    check_sums()
    credit(member, 70, "sale:2")
    assert balance_of(member) == balance + 70
    check_sums()


@pytest.mark.django_db
def test_points_already_spent_are_refused_where_the_chain_refuses() -> None:
    member = make_member()
    decide(shortage_policy="refuse")
    credit(member, 100, "sale:1")
    debit(member, 60, "order:1")
    with pytest.raises(Refusal) as refusal:
        reverse(member, "sale:1", "return:1")
    assert refusal.value.code == "members.not_enough_points"
    assert (balance_of(member), PointsEntry.objects.count()) == (40, 2)


@pytest.mark.django_db
def test_she_who_owes_cannot_spend_and_given_back_points_pay_first() -> None:
    member = make_member()
    decide(shortage_policy="debt")
    credit(member, 100, "sale:1")
    debit(member, 60, "order:1")
    reverse(member, "sale:1", "return:1")
    with pytest.raises(Refusal):
        debit(member, 1, "order:2")
    reverse(member, "order:1", "cancel:1")
    assert (balance_of(member), PointsAccount.objects.get().debt_allowed) == (0, 0)
    check_sums()


@pytest.mark.django_db
def test_a_return_before_its_sale_waits_and_is_applied_with_it() -> None:
    member = make_member()
    credit(member, 100, "other")
    early = reverse(member, "sale:1", "return:1")
    assert (early.is_pending, early.balance) == (True, 100)
    assert reverse(member, "sale:1", "return:1").is_pending
    assert credit(member, 80, "sale:1").balance == 100
    late = reverse(member, "sale:1", "return:1")
    assert late.entry is not None
    assert (late.entry.delta, late.balance) == (-80, 100)
    assert remaining_of(member) == [100, 0]
    assert PendingReversal.objects.get().entry_id == late.entry.id
    check_sums()


@pytest.mark.django_db
def test_a_cancellation_before_its_order_waits_too() -> None:
    member = make_member()
    credit(member, 100, "a")
    assert reverse(member, "order:1", "cancel:1").is_pending
    assert debit(member, 60, "order:1").balance == 100
    check_sums()


@pytest.mark.django_db
def test_a_second_return_of_one_sale_is_refused_and_a_repeat_is_answered() -> None:
    member = make_member()
    credit(member, 80, "sale:1")
    first = reverse(member, "sale:1", "return:1")
    assert reverse(member, "sale:1", "return:1").entry == first.entry
    with pytest.raises(Refusal) as refusal:
        reverse(member, "sale:1", "return:2")
    assert refusal.value.code == "members.entry_already_reversed"
    assert reverse(member, "sale:9", "return:9").is_pending
    with pytest.raises(Refusal) as refusal:
        reverse(member, "sale:9", "return:10")
    assert refusal.value.code == "members.entry_already_reversed"
    check_sums()


@pytest.mark.django_db
def test_a_key_of_a_return_means_one_return() -> None:
    member = make_member()
    credit(member, 80, "sale:1")
    credit(member, 80, "sale:2")
    reverse(member, "sale:1", "return:1")
    reverse(member, "sale:3", "return:3")
    for again in (
        partial(reverse, member, "sale:2", "return:1"),
        partial(reverse, member, "sale:2", "sale:1"),
        partial(reverse, member, "sale:4", "return:3"),
        partial(credit, member, 80, "return:1"),
        partial(credit, member, 80, "return:3"),
    ):
        with pytest.raises(Refusal) as refusal:
            again()
        assert refusal.value.code == "members.source_key_taken"


@pytest.mark.django_db
def test_a_return_is_not_returned_and_a_freeze_is_released_instead() -> None:
    member = make_member()
    credit(member, 80, "sale:1")
    services.freeze_points(member_id=member, points=10, source_key="freeze:1", actor=TILL)
    reverse(member, "sale:1", "return:1")
    for key in ("return:1", "freeze:1"):
        with pytest.raises(Refusal) as refusal:
            reverse(member, key, "x")
        assert refusal.value.code == "members.entry_not_reversible"


@pytest.mark.django_db
def test_a_spending_that_had_been_frozen_is_reversed_like_any_other() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(3))
    credit(member, 50, "b", expires_on=in_days(30))
    services.freeze_points(member_id=member, points=70, source_key="freeze:1", actor=TILL)
    services.spend_frozen_points(member_id=member, freeze_key="freeze:1", source_key="pay:1", actor=TILL)
    reverse(member, "pay:1", "cancel:1")
    assert remaining_of(member) == [50, 50]
    check_sums()


@pytest.mark.django_db
def test_another_members_key_looks_like_an_unknown_one() -> None:
    one, other = make_member("one"), make_member("other")
    credit(other, 80, "sale:1")
    credit(one, 5, "a")
    assert reverse(one, "sale:1", "return:1").is_pending
    assert reverse(one, "sale:none", "return:2").is_pending
    assert (balance_of(one), balance_of(other)) == (5, 80)
    with pytest.raises(NotFound):
        reverse(987_654, "sale:1", "return:1")


@pytest.mark.django_db
def test_any_order_of_delivery_ends_the_same() -> None:
    ends = set()
    for number, order in enumerate(itertools.permutations(range(4))):
        member = make_member(f"m{number}")
        steps = [
            partial(credit, member, 100, "sale:1", expires_on=in_days(9)),
            partial(reverse, member, "sale:1", "return:1"),
            partial(credit, member, 50, "sale:2", expires_on=in_days(5)),
            partial(reverse, member, "sale:2", "return:2"),
        ]
        for step in order:
            steps[step]()
            steps[step]()
        summary = selectors.get_points_summary(member)
        ends.add((summary.balance, summary.frozen, tuple(remaining_of(member))))
    assert ends == {(0, 0, (0, 0))}
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_a_return_and_its_sale_at_once_end_the_same() -> None:
    for number in range(5):
        member = make_member(f"m{number}")
        credit(member, 10, "other")
        at_once(
            [
                partial(credit, member, 80, "sale:1"),
                *[partial(reverse, member, "sale:1", "return:1")] * 4,
            ]
        )
        assert balance_of(member) == 10
        assert PointsEntry.objects.filter(account__member_id=member, kind="reverse").count() == 1
    check_sums()


@pytest.mark.django_db
def test_a_reversal_at_another_time_than_the_job_meets_no_key_of_it() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(1))
    late = clock.day_bounds(in_days(2))[0]
    debit_key = in_days(2).isoformat()
    credit(member, 20, debit_key, at=late + dt.timedelta(hours=1))
    services.expire_points(actor=TILL, at=late + dt.timedelta(hours=2))
    assert balance_of(member) == 20
    check_sums()
