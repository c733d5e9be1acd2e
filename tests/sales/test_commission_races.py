"""Commission while others write: two who close, a return that is being booked, a rule that changes, a killed worker."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from core.errors import Refusal
from sales import errors, services
from sales.models import (
    CommissionLine,
    CommissionMonth,
    CommissionRule,
    CommissionState,
    CommissionStatement,
)
from sales.services import commission_preparing, commission_work
from tests.cast import Cast
from tests.sales.commission_kit import close, ledger_fen, lines, prepare, rule
from tests.sales.kit import TILL
from tests.sales.test_commission import OCTOBER, SEPTEMBER, give_back, on, sell
from tests.stack import wait_until
from tests.threads import at_once, somebody_asks_for_writers

pytestmark = pytest.mark.django_db(transaction=True)
NOVEMBER = dt.date(2026, 11, 1)
RULE = {
    "name": "提成", "position": 1, "kind": "sales", "mode": "progressive", "steps": [[0, 500, 0]], "bounty_metric": "",
    "bounty_fen": 0, "category_codes": [], "region_ids": [], "dealer_ids": [], "role": "", "starts_on": None,
    "ends_on": None, "is_active": True,
}  # fmt: skip


def close_september() -> int:
    return services.close_commission(month_on=SEPTEMBER, payable_fen=300, actor=TILL)


def test_of_two_who_close_at_once_one_is_told_that_it_is_done(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    prepare(SEPTEMBER)
    told = at_once([close_september, close_september])
    assert sorted(type(one).__name__ for one in told) == ["CommissionNotPrepared", "int"]
    assert CommissionMonth.objects.get().version == 1


def test_without_the_lock_both_close(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    prepare(SEPTEMBER)
    looked = threading.Barrier(2)

    def close_it() -> None:
        month = CommissionMonth.objects.get()
        assert month.state == CommissionState.PREPARED
        looked.wait(timeout=30)
        CommissionMonth.objects.filter(pk=month.pk).update(
            state=CommissionState.CLOSED, closed_at=on(1, OCTOBER), version=month.version + 1
        )

    assert at_once([close_it, close_it]) == [None, None]


def book_slowly(act: Callable[[], Any], *, meanwhile: Callable[[], Any]) -> None:
    """The act has written its rows and not committed them, while the other thing begins: it is done or waits for us to end.
    Then the act commits."""
    written, begun = threading.Event(), threading.Event()

    def book() -> None:
        with transaction.atomic():
            act()
            written.set()
            wait_until(lambda: begun.is_set() or somebody_asks_for_writers(), what="the other's beginning")

    def other() -> None:
        assert written.wait(timeout=30)
        meanwhile()
        begun.set()

    assert at_once([book, other]) == [None, None]


def settle_later_months() -> None:
    close(OCTOBER)
    close(NOVEMBER)


def test_a_return_that_is_being_booked_while_a_month_is_prepared_is_settled_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commission_preparing, "_PATIENCE", dt.timedelta(seconds=60))
    rule()
    sell("C1", 10_000, 5)
    book_slowly(
        lambda: give_back("R1", "C1", 10_000, 20, SEPTEMBER),
        meanwhile=lambda: prepare(SEPTEMBER),
    )
    payable = sum(CommissionStatement.objects.values_list("payable_fen", flat=True))
    services.close_commission(month_on=SEPTEMBER, payable_fen=payable, actor=TILL)
    settle_later_months()
    taken = CommissionLine.objects.filter(return_ref__isnull=False, is_live=True)
    assert [one.base_fen for one in taken] == [-10_000]
    assert ledger_fen(cast.lina.id) == 0


def test_a_month_that_looked_at_the_greatest_number_it_saw_loses_that_return(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)

    def prepare_carelessly() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value FROM sales_performanceentry_id_seq")
            greatest = cursor.fetchone()[0]
        with transaction.atomic():
            month = CommissionMonth.objects.create(
                month_on=SEPTEMBER, state="preparing", begun_at=on(1, OCTOBER), entry_horizon=greatest,
                guide_refs=[cast.lina.id],
            )  # fmt: skip
        services.work_commission(month_id=month.pk)

    book_slowly(lambda: give_back("R1", "C1", 10_000, 20, SEPTEMBER), meanwhile=prepare_carelessly)
    payable = sum(CommissionStatement.objects.values_list("payable_fen", flat=True))
    services.close_commission(month_on=SEPTEMBER, payable_fen=payable, actor=TILL)
    settle_later_months()
    assert not CommissionLine.objects.filter(return_ref__isnull=False).exists()


def begin_two_slices(monkeypatch: pytest.MonkeyPatch) -> int:
    """Two guides, a slice each; the first is written."""
    monkeypatch.setattr(commission_work, "_SLICE", 1)
    rule()
    sell("C1", 10_000, 5)
    sell("C2", 10_000, 5, guide="T002")
    month_id = services.begin_commission(month_on=SEPTEMBER, actor=TILL, at=on(1, OCTOBER))
    assert not services.work_commission(month_id=month_id, slices=1)
    return month_id


def rates(cast: Cast) -> list[int]:
    return [lines(one.id, SEPTEMBER)[0].rate_bp for one in (cast.lina, cast.wangfang)]


def test_no_rule_changes_while_statements_are_written(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    month_id = begin_two_slices(monkeypatch)
    made = CommissionRule.objects.get()
    with pytest.raises(errors.CommissionBeingPrepared):
        services.write_commission_rule(values=RULE, rule_id=made.pk, actor=TILL)
    assert services.work_commission(month_id=month_id)
    assert rates(cast) == [300, 300]
    services.write_commission_rule(values=RULE, rule_id=made.pk, actor=TILL)
    services.discard_commission(month_on=SEPTEMBER, actor=TILL)
    prepare(SEPTEMBER)
    assert rates(cast) == [500, 500]


def test_a_rule_that_changed_between_two_slices_would_pay_two_guides_by_two_rules(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    month_id = begin_two_slices(monkeypatch)
    CommissionRule.objects.update(steps=RULE["steps"])
    services.work_commission(month_id=month_id)
    assert rates(cast) == [300, 500]


def test_a_rule_written_in_the_moment_of_beginning_holds_for_all_or_none(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commission_work, "_SLICE", 1)
    made = rule()
    sell("C1", 10_000, 5)
    sell("C2", 10_000, 5, guide="T002")
    told = at_once(
        [
            lambda: prepare(SEPTEMBER),
            lambda: services.write_commission_rule(values=RULE, rule_id=made.pk, actor=TILL),
        ]
    )
    assert told[0] == 2
    assert isinstance(told[1], int | errors.CommissionBeingPrepared)
    assert rates(cast) in ([300, 300], [500, 500])


def test_what_a_killed_worker_left_goes_on_and_nothing_is_written_twice(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    month_id = begin_two_slices(monkeypatch)
    # A slice that dies before its end has written nothing.
    with transaction.atomic():
        services.work_commission(month_id=month_id, slices=1)
        transaction.set_rollback(True)
    assert CommissionStatement.objects.count() == 1
    told = at_once([services.work_commissions, services.work_commissions])
    assert all(isinstance(one, int) for one in told)
    month = CommissionMonth.objects.get()
    assert (month.state, month.done_count, CommissionStatement.objects.count()) == ("prepared", 2, 2)


def test_a_month_can_be_sent_back_while_it_is_written(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    month_id = begin_two_slices(monkeypatch)
    services.discard_commission(month_on=SEPTEMBER, actor=TILL)
    assert services.work_commission(month_id=month_id)
    assert not CommissionStatement.objects.exists()
    assert connection.in_atomic_block is False
    close(SEPTEMBER)
    assert rates(cast) == [300, 300]


def test_a_closed_month_is_opened_slice_by_slice_and_a_killed_worker_leaves_nothing_half(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commission_work, "_SLICE", 1)
    rule()
    sell("C1", 10_000, 5)
    sell("C2", 10_000, 5, guide="T002")
    close(SEPTEMBER)
    month_id = services.begin_reopen(month_on=SEPTEMBER, reason="算错了", actor=TILL)
    assert not services.work_commission(month_id=month_id, slices=1)
    # A slice that dies before its end has retired nothing.
    with transaction.atomic():
        services.work_commission(month_id=month_id, slices=1)
        transaction.set_rollback(True)
    assert CommissionStatement.objects.filter(is_live=True).count() == 1
    for busy in (
        lambda: services.begin_commission(month_on=SEPTEMBER, actor=TILL, at=on(2, OCTOBER)),
        lambda: services.begin_discard(month_on=SEPTEMBER, actor=TILL),
        lambda: services.begin_reopen(month_on=SEPTEMBER, reason="再来", actor=TILL),
    ):
        with pytest.raises(Refusal):
            busy()
    told = at_once([services.work_commissions, services.work_commissions])
    assert all(isinstance(one, int) for one in told)
    month = CommissionMonth.objects.get()
    assert (month.state, month.guide_refs, month.reopen_reason) == ("open", [], "算错了")
    assert not CommissionLine.objects.filter(is_live=True).exists()
    assert CommissionLine.objects.count() == 2  # kept
    close(SEPTEMBER)
    assert rates(cast) == [300, 300]


def test_a_month_that_is_sent_back_by_slices_is_forgotten_if_it_was_never_closed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    month_id = begin_two_slices(monkeypatch)
    services.work_commission(month_id=month_id)
    assert services.begin_discard(month_on=SEPTEMBER, actor=TILL) == month_id
    with pytest.raises(errors.CommissionNotPrepared):
        services.close_commission(month_on=SEPTEMBER, payable_fen=600, actor=TILL)
    assert not services.work_commission(month_id=month_id, slices=1)
    assert (CommissionStatement.objects.count(), CommissionLine.objects.count()) == (1, 1)
    assert services.work_commissions() == 1
    assert not CommissionMonth.objects.exists()
    assert not CommissionLine.objects.exists()
