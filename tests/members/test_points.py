"""Points come in, go out, are frozen and released; the same request twice is one."""

import datetime as dt
import threading
from functools import partial

import pytest
from django.db import IntegrityError, connection
from django.db.models import F

from core import clock
from core.constraints import violated
from core.errors import NotFound, Refusal
from members import selectors, services
from members.models import PointsAccount, PointsEntry, PointsLot
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
)
from tests.threads import at_once


def freeze(member_id: int, points: int, key: str, **values: object) -> object:
    return services.freeze_points(member_id=member_id, points=points, source_key=key, actor=TILL, **values)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_points_that_expire_first_are_spent_first() -> None:
    member = make_member()
    credit(member, 100, "late", expires_on=in_days(60))
    credit(member, 100, "soon", expires_on=in_days(10))
    credit(member, 100, "sooner", expires_on=in_days(5))
    debit(member, 150, "spend")
    assert remaining_of(member) == [100, 50, 0]
    assert balance_of(member) == 150
    check_sums()


@pytest.mark.django_db
def test_of_lots_of_one_day_the_older_is_spent_first_and_those_without_end_last() -> None:
    member = make_member()
    decide(expiry_months=None)
    credit(member, 10, "for-ever")
    credit(member, 10, "first", expires_on=in_days(3))
    credit(member, 10, "second", expires_on=in_days(3))
    debit(member, 15, "spend")
    assert remaining_of(member) == [10, 0, 5]


@pytest.mark.django_db
def test_the_same_key_gets_the_same_answer_and_another_meaning_is_refused() -> None:
    member = make_member()
    first = credit(member, 100, "sale:1")
    assert credit(member, 100, "sale:1").entry == first.entry
    debit(member, 30, "order:1")
    assert debit(member, 30, "order:1").balance == 70
    for again in (
        partial(credit, member, 101, "sale:1"),
        partial(debit, member, 100, "sale:1"),
        partial(debit, member, 31, "order:1"),
        partial(freeze, member, 30, "order:1"),
    ):
        with pytest.raises(Refusal) as refusal:
            again()
        assert refusal.value.code == "members.source_key_taken"
    assert PointsEntry.objects.count() == 2
    check_sums()


@pytest.mark.django_db
def test_two_members_may_use_one_key() -> None:
    one, other = make_member("one"), make_member("other")
    credit(one, 10, "welcome")
    credit(other, 20, "welcome")
    assert (balance_of(one), balance_of(other)) == (10, 20)


@pytest.mark.django_db
def test_more_than_she_has_is_refused_and_changes_nothing() -> None:
    member = make_member()
    credit(member, 100, "sale:1")
    for more in (partial(debit, member, 101, "x"), partial(freeze, member, 101, "x")):
        with pytest.raises(Refusal) as refusal:
            more()
        assert refusal.value.code == "members.not_enough_points"
    assert PointsEntry.objects.count() == 1
    check_sums()


@pytest.mark.django_db
@pytest.mark.parametrize("points", [0, -1, 1_000_000_001, 1.5, True])
def test_points_are_whole_numbers_from_one_to_a_billion(points: int) -> None:
    member = make_member()
    for move in (credit, debit):
        with pytest.raises(Refusal) as refusal:
            move(member, points, "x")
        assert refusal.value.code == "members.points_unusable"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a" * 81, "expire@1", "空", "a\0b", "a b", "a\n"])
def test_keys_of_our_own_and_strange_keys_are_refused(key: str) -> None:
    with pytest.raises(Refusal) as refusal:
        credit(make_member(), 1, key)
    assert refusal.value.code == "members.source_key_unusable"


@pytest.mark.django_db
def test_unknown_members_are_not_found_and_have_no_account() -> None:
    for move in (credit, debit):
        with pytest.raises(NotFound) as refusal:
            move(987_654, 1, "x")
        assert refusal.value.code == "members.no_such_member"
    assert not PointsAccount.objects.exists()


@pytest.mark.django_db
def test_points_of_the_last_day_are_good_until_shanghai_midnight() -> None:
    member = make_member()
    day = dt.date(2026, 3, 31)
    _start, midnight = clock.day_bounds(day)
    assert midnight == dt.datetime(2026, 3, 31, 16, 0, tzinfo=dt.UTC)
    credit(member, 100, "a", expires_on=day, at=midnight - dt.timedelta(days=1))
    debit(member, 40, "b", at=midnight - dt.timedelta(seconds=1))
    with pytest.raises(Refusal) as refusal:
        debit(member, 40, "c", at=midnight)
    assert refusal.value.code == "members.not_enough_points"
    assert selectors.get_points_summary(member, at=midnight).balance == 0
    assert selectors.list_points_balances([member, 10**9], at=midnight) == {member: 0}
    assert selectors.get_points_summary(member, at=midnight - dt.timedelta(seconds=1)).balance == 60
    assert selectors.list_points_balances([member], at=midnight - dt.timedelta(seconds=1)) == {member: 60}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("earned", "months", "last"),
    [
        (dt.datetime(2026, 1, 31, 4, tzinfo=dt.UTC), 1, dt.date(2026, 2, 28)),
        # 16:30 UTC is the next morning in Shanghai.
        (dt.datetime(2026, 1, 31, 16, 30, tzinfo=dt.UTC), 1, dt.date(2026, 3, 1)),
        (dt.datetime(2027, 2, 28, 4, tzinfo=dt.UTC), 12, dt.date(2028, 2, 28)),
        (dt.datetime(2028, 2, 29, 4, tzinfo=dt.UTC), 12, dt.date(2029, 2, 28)),
        (dt.datetime(2026, 12, 1, 4, tzinfo=dt.UTC), 1, dt.date(2027, 1, 1)),
        (dt.datetime(2026, 12, 1, 4, tzinfo=dt.UTC), 0, dt.date(2026, 12, 1)),
    ],
)
def test_points_expire_after_the_chains_months_counted_in_shanghai(
    earned: dt.datetime, months: int, last: dt.date
) -> None:
    member = make_member()
    decide(expiry_months=months)
    credit(member, 10, "a", at=earned)
    assert PointsLot.objects.get().expires_at == clock.day_bounds(last)[1]
    assert selectors.get_points_summary(member, at=earned).expires_on == last


@pytest.mark.django_db
def test_a_day_that_is_over_is_no_day_to_expire_on() -> None:
    with pytest.raises(Refusal) as refusal:
        credit(make_member(), 10, "a", expires_on=in_days(-1))
    assert refusal.value.code == "members.expiry_unusable"


@pytest.mark.django_db
def test_frozen_points_cannot_be_spent_and_come_back_to_their_lots() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(5))
    credit(member, 50, "b", expires_on=in_days(9))
    freeze(member, 70, "order:1")
    with pytest.raises(Refusal):
        debit(member, 31, "x")
    check_sums()
    back = services.release_points(member_id=member, freeze_key="order:1", source_key="cancel:1", actor=TILL)
    assert (back.balance, back.frozen, remaining_of(member)) == (100, 0, [50, 50])
    again = services.release_points(member_id=member, freeze_key="order:1", source_key="cancel:1", actor=TILL)
    assert again == back
    with pytest.raises(Refusal) as refusal:
        services.release_points(member_id=member, freeze_key="order:1", source_key="cancel:2", actor=TILL)
    assert refusal.value.code == "members.not_frozen"
    check_sums()


@pytest.mark.django_db
def test_frozen_points_do_not_expire_but_their_lot_does_when_they_are_released_late() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(1))
    credit(member, 50, "b", expires_on=in_days(30))
    freeze(member, 70, "order:1")
    late = clock.day_bounds(in_days(2))[0] + dt.timedelta(hours=5)
    services.expire_points(actor=TILL, at=late)
    assert PointsAccount.objects.get().frozen == 70
    back = services.release_points(
        member_id=member, freeze_key="order:1", source_key="cancel:1", actor=TILL, at=late
    )
    assert (back.balance, back.frozen, remaining_of(member)) == (50, 0, [0, 50])
    check_sums()


@pytest.mark.django_db
def test_spending_what_was_frozen_takes_the_very_lots_also_after_their_day() -> None:
    member = make_member()
    credit(member, 50, "a", expires_on=in_days(1))
    credit(member, 50, "b", expires_on=in_days(30))
    freeze(member, 70, "order:1")
    late = clock.day_bounds(in_days(2))[0]
    spend = partial(
        services.spend_frozen_points, member_id=member, freeze_key="order:1", source_key="pay:1", actor=TILL
    )
    done = spend(at=late)
    assert (done.balance, done.frozen, remaining_of(member)) == (30, 0, [0, 30])
    assert spend(at=late).entry == done.entry
    check_sums()
    with pytest.raises(Refusal) as refusal:
        services.release_points(member_id=member, freeze_key="order:1", source_key="c", actor=TILL)
    assert refusal.value.code == "members.not_frozen"


@pytest.mark.django_db
def test_only_a_freeze_of_her_own_is_released() -> None:
    one, other = make_member("one"), make_member("other")
    credit(one, 50, "a")
    credit(other, 50, "a")
    freeze(other, 10, "f")
    for member, key in ((one, "f"), (one, "unknown"), (one, "a")):
        with pytest.raises(Refusal) as refusal:
            services.release_points(member_id=member, freeze_key=key, source_key="r", actor=TILL)
        assert refusal.value.code == "members.not_frozen"


@pytest.mark.django_db
def test_her_ledger_is_paged_newest_first() -> None:
    member = make_member()
    for number in range(5):
        credit(member, number + 1, f"k{number}")
    first = selectors.list_points_entries(member, limit=3)
    assert [line.delta for line in first.lines] == [5, 4, 3]
    rest = selectors.list_points_entries(member, cursor=first.next_cursor, limit=3)
    assert ([line.delta for line in rest.lines], rest.next_cursor) == ([2, 1], None)
    assert selectors.list_points_entries(987_654).lines == ()


@pytest.mark.django_db(transaction=True)
def test_twenty_tills_spending_one_balance_spend_it_once() -> None:
    member = make_member()
    credit(member, 60, "a", expires_on=in_days(3))
    credit(member, 40, "b")
    answers = at_once([partial(debit, member, 30, f"till:{number}") for number in range(20)])
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert {refusal.code for refusal in refused} == {"members.not_enough_points"}
    assert (len(refused), balance_of(member)) == (17, 10)
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_twenty_repeats_of_one_request_are_one_entry() -> None:
    member = make_member()
    answers = at_once([partial(credit, member, 30, "sale:1")] * 20)
    assert {answer.entry for answer in answers} == {answers[0].entry}
    answers = at_once([partial(debit, member, 30, "order:1")] * 20)
    assert {answer.entry for answer in answers} == {answers[0].entry}
    assert (PointsEntry.objects.count(), balance_of(member)) == (2, 0)
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_all_tills_pass_the_check_and_the_database_refuses_most() -> None:
    member = make_member()
    credit(member, 100, "a")
    checked = threading.Barrier(20)

    def check_then_spend() -> str:
        is_enough = balance_of(member) >= 30
        checked.wait(timeout=30)
        try:
            PointsAccount.objects.filter(member_id=member).update(balance=F("balance") - 30)
        except IntegrityError as error:
            return violated(error)
        return "spent" if is_enough else "refused"

    answers = at_once([check_then_spend] * 20)
    assert "refused" not in answers
    assert answers.count("pointsaccount_balance_within_debt") == 17
    connection.close()
