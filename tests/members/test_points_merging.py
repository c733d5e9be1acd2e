"""Two rows that are one person have one account."""

import datetime as dt
from functools import partial

import pytest

from core import clock
from core.actor import Actor
from members import selectors, services
from members.models import ExpiryNotice, PointsAccount, PointsEntry, PointsLot
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
from tests.threads import at_once

STAFF = Actor.system("desk")


def _pair() -> tuple[int, int]:
    """The one who lives on (the older row), and the other."""
    return make_member("one"), make_member("other")


def _merge(one: int, other: int, at: dt.datetime | None = None) -> int:
    return services.merge_members(first_id=one, second_id=other, actor=STAFF, at=at).id


@pytest.mark.django_db
def test_lots_of_both_rows_are_spent_in_turn() -> None:
    one, other = _pair()
    credit(one, 100, "a", expires_on=in_days(30))
    credit(other, 50, "b", expires_on=in_days(5))
    services.freeze_points(member_id=other, points=10, source_key="f", actor=TILL)
    assert _merge(one, other) == one
    debit(one, 60, "order:1")
    assert (balance_of(one), balance_of(other), remaining_of(one)) == (80, 0, [80, 0])
    services.release_points(member_id=other, freeze_key="f", source_key="r", actor=TILL)
    assert (balance_of(one), selectors.get_points_summary(other).balance) == (90, 90)
    assert selectors.list_points_balances([one, other]) == {one: 90, other: 90}
    check_sums()


@pytest.mark.django_db
def test_the_account_moves_when_only_the_merged_row_had_one() -> None:
    one, other = _pair()
    credit(other, 50, "b")
    _merge(one, other)
    assert balance_of(one) == 50
    assert PointsLot.objects.get().account.member_id == one
    check_sums()


@pytest.mark.django_db
def test_members_without_points_stay_without_an_account() -> None:
    one, other = _pair()
    _merge(one, other)
    assert not PointsAccount.objects.exists()


@pytest.mark.django_db
def test_one_key_in_both_ledgers_stays_two_entries_and_a_third_request_changes_nothing() -> None:
    one, other = _pair()
    credit(one, 10, "birthday:2026")
    credit(other, 10, "birthday:2026")
    _merge(one, other)
    assert balance_of(one) == 20
    credit(other, 10, "birthday:2026")
    assert balance_of(one) == 20
    reverse(one, "birthday:2026", "r1")
    reverse(one, "birthday:2026", "r2")
    assert balance_of(one) == 0
    check_sums()


@pytest.mark.django_db
def test_a_debt_of_one_row_is_paid_from_the_points_of_the_other() -> None:
    decide(shortage_policy="debt")
    one, other = _pair()
    credit(one, 100, "sale:1")
    debit(one, 60, "o")
    reverse(one, "sale:1", "return:1")
    credit(other, 80, "b", expires_on=in_days(3))
    _merge(one, other)
    assert (balance_of(one), sum(remaining_of(one))) == (20, 20)
    check_sums()


@pytest.mark.django_db
def test_a_return_that_waited_in_one_ledger_finds_its_sale_in_the_other() -> None:
    one, other = _pair()
    credit(one, 5, "a")
    credit(other, 80, "sale:1")
    assert reverse(one, "sale:1", "return:1").is_pending
    _merge(one, other)
    assert balance_of(one) == 5
    assert not reverse(one, "sale:1", "return:1").is_pending
    check_sums()


@pytest.mark.django_db
def test_points_past_their_day_do_not_come_along_and_the_job_runs_on() -> None:
    one, other = _pair()
    credit(one, 5, "a", expires_on=in_days(1))
    credit(other, 80, "b", expires_on=in_days(1))
    credit(other, 7, "c", expires_on=in_days(9))
    night = clock.day_bounds(in_days(2))[0]
    _merge(one, other, at=night)
    assert balance_of(one) == 7
    assert services.expire_points(actor=TILL, at=night).points == 0
    check_sums()


@pytest.mark.django_db
def test_she_is_not_told_again_of_a_day_she_was_told_of() -> None:
    one, other = _pair()
    for member in (one, other):
        credit(member, 5, "a", expires_on=in_days(3))
    services.announce_expiring_points(actor=TILL)
    _merge(one, other)
    assert services.announce_expiring_points(actor=TILL) == 0
    assert ExpiryNotice.objects.filter(account__member_id=one).count() == 1


@pytest.mark.django_db
def test_an_adjustment_that_waits_is_for_the_one_who_lives_on() -> None:
    one, other = _pair()
    asked = services.adjust_points(
        member_id=other, delta=9_000, reason="补登", request_key="r", actor=make_staff("a")
    )
    _merge(one, other)
    services.approve_adjustment(adjustment_id=asked.id, actor=make_staff("b"))
    assert balance_of(one) == 9_000
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_merging_while_both_rows_spend_and_earn_loses_nothing() -> None:
    for number in range(3):
        one, other = make_member(f"one{number}"), make_member(f"other{number}")
        for member in (one, other):
            credit(member, 100, f"start:{member}")
        answers = at_once(
            [
                partial(_merge, one, other),
                *[partial(debit, member, 7, f"o:{member}:{n}") for member in (one, other) for n in range(5)],
                *[partial(credit, member, 3, f"c:{member}:{n}") for member in (one, other) for n in range(4)],
            ]
        )
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        assert (balance_of(one), balance_of(other)) == (200 - 70 + 24, 0)
    assert not PointsEntry.objects.filter(account__member__merged_into__isnull=False).exists()
    check_sums()
