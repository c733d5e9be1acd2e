"""Commission: what a month earns, what comes back after it was closed, and that closed is closed."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from guides import services as guide_services
from sales import errors, selectors, services
from sales.contracts import ReturnLine, Share, TargetEntry, TargetKey
from sales.models import CommissionLine, CommissionMonth, CommissionStatement, Sale, TotalMove
from sales.services import totals
from tests.cast import DIRECTOR, Cast
from tests.sales.commission_kit import (
    assert_sums_are_the_lines,
    close,
    confirm,
    draft,
    ledger_fen,
    lines,
    prepare,
    rule,
    settled,
)
from tests.sales.kit import TILL, back, key_of, line, order, tell

SEPTEMBER, OCTOBER = dt.date(2026, 9, 1), dt.date(2026, 10, 1)


def on(day: int, month: dt.date = SEPTEMBER) -> dt.datetime:
    return dt.datetime.combine(month.replace(day=day), dt.time(4), dt.UTC)


def sell(
    no: str, fen: int, day: int, month: dt.date = SEPTEMBER, category: str = "tops", guide: str = "T001"
) -> None:
    tell(order(no, line(amount_fen=fen, category_code=category), sold_at=on(day, month), serving_guide=guide))


def give_back(return_no: str, no: str, fen: int, day: int, month: dt.date, units: int = 1) -> None:
    given = ReturnLine(product_code="A1", quantity=units, amount_fen=fen, line_number=1)
    tell(back(return_no, given, order_no=no, returned_at=on(day, month)))


def test_a_month_pays_each_line_and_adds_up_to_the_fen(cast: Cast) -> None:
    rule()
    for number, fen in enumerate((3_333, 3_333, 3_334)):
        sell(f"C{number}", fen, 5 + number)
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    # 3 % of 100.00 is 3.00; alone each line would be 1.00.
    assert [one.fen for one in found.lines] == [100, 100, 100]
    assert (found.sales_fen, found.earned_fen, found.payable_fen) == (10_000, 300, 300)
    assert {one.rule_words for one in found.lines} == {"销售提成"}
    assert draft(SEPTEMBER, cast.wangfang.id) is None


def test_tiers_progressive_and_whole(cast: Cast) -> None:
    steps = [[0, 200, 0], [10_000, 500, 0]]
    kept = rule(steps=steps)
    sell("C1", 8_000, 5)
    sell("C2", 6_000, 6)
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    assert [(one.fen, one.rate_bp, one.rule_words) for one in found.lines] == [
        (160, 200, "销售提成"),
        (240, 400, "销售提成（跨档）"),
    ]
    kept.mode = "whole"
    kept.save()
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    assert [(one.fen, one.rate_bp) for one in found.lines] == [(400, 500), (300, 500)]


def test_categories_regions_roles_and_dates_choose_the_rule(cast: Cast) -> None:
    rule(1, name="裤装", category_codes=["pants"], steps=[[0, 1_000, 0]])
    rule(2, name="华南", region_ids=[cast.south.id], steps=[[0, 900, 0]])
    rule(3, name="店长", role="manager", steps=[[0, 800, 0]])
    rule(4, name="下半月", starts_on=dt.date(2026, 9, 16), steps=[[0, 700, 0]])
    tell(
        order(
            "C1",
            line("A1", 5_000),
            line("B1", 5_000, category_code="pants", product_name="长裤"),
            sold_at=on(20),
        )
    )
    sell("C2", 1_000, 3, guide="T003")
    sell("C3", 1_000, 3)
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    assert [(one.base_fen, one.rate_bp, one.fen, one.rule_words) for one in found.lines] == [
        (1_000, 0, 0, "没有适用的提成规则"),
        (5_000, 1_000, 500, "裤装"),
        (5_000, 700, 350, "下半月"),
    ]
    manager = draft(SEPTEMBER, cast.zhaoqiang.id)
    assert manager is not None
    assert [(one.fen, one.rule_words) for one in manager.lines] == [(80, "店长")]


def test_a_first_purchase_pays_a_bounty_and_an_earlier_one_takes_it_back(cast: Cast) -> None:
    rule()
    rule(2, name="首购奖", kind="bounty", steps=[], bounty_metric="first_purchase_count", bounty_fen=500)
    tell(order("C1", sold_at=on(10), member=key_of(cast.xiaomei)))
    close(SEPTEMBER)
    assert settled(cast.lina.id).bonus_fen == 500
    # An older order comes to light: the first purchase was 王芳's.
    tell(order("C0", sold_at=on(2), member=key_of(cast.xiaomei), serving_guide="T002"))
    hers, others = draft(OCTOBER, cast.lina.id), draft(OCTOBER, cast.wangfang.id)
    assert hers is not None
    assert others is not None
    assert [(one.kind, one.unit_count, one.fen) for one in hers.lines] == [("correction", -1, -500)]
    assert (others.earned_fen, others.bonus_fen) == (300, 500)


def bonus(cast: Cast) -> int:
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    return found.bonus_fen


def test_a_target_pays_a_bonus_by_its_highest_step(cast: Cast) -> None:
    target = rule(
        1, name="目标奖", kind="target", mode="whole", steps=[[8_000, 50, 0], [10_000, 100, 20_000]]
    )
    services.set_targets(
        month_on=SEPTEMBER, entries=[TargetEntry(TargetKey("guide", cast.lina.id), 100_000)], actor=TILL
    )
    sell("C1", 79_999, 5)
    assert bonus(cast) == 0
    sell("C2", 1, 6)
    assert bonus(cast) == 400
    sell("C3", 40_000, 7)
    assert bonus(cast) == 1_200 + 20_000
    target.mode = "progressive"
    target.save()
    # Half a percent from 80 % to 100 %, one percent above.
    assert bonus(cast) == 100 + 200 + 20_000


def test_a_return_after_the_close_takes_back_what_was_paid_and_says_for_which_line(cast: Cast) -> None:
    rule(steps=[[0, 300, 0], [10_000, 500, 0]], mode="whole")
    tell(order("C1", line(amount_fen=20_000, quantity=2, list_fen=20_000), sold_at=on(5)))
    close(SEPTEMBER)
    assert settled(cast.lina.id).payable_fen == 1_000
    give_back("R1", "C1", 9_999, 3, OCTOBER)
    sell("C2", 2_000, 4, OCTOBER)
    first = draft(OCTOBER, cast.lina.id)
    assert first is not None
    # At five percent, as it was paid; October's own sales are at three.
    original = lines(cast.lina.id, SEPTEMBER)[0]
    assert [(one.kind, one.base_fen, one.rate_bp, one.fen, one.original_id) for one in first.lines] == [
        ("claw_back", -9_999, 500, -500, original.pk),
        ("sale", 2_000, 300, 60, None),
    ]
    assert (first.total_fen, first.payable_fen, first.carried_out_fen) == (-440, 0, -440)
    close(OCTOBER)
    give_back("R2", "C1", 10_001, 3, dt.date(2026, 11, 1))
    november = draft(dt.date(2026, 11, 1), cast.lina.id)
    assert november is not None
    assert [one.fen for one in november.lines] == [-500]  # to the fen: 1,000 is back
    assert (november.carried_in_fen, november.total_fen) == (-440, -940)


def test_a_return_in_the_same_month_lowers_the_base(cast: Cast) -> None:
    rule(steps=[[0, 300, 0], [10_000, 500, 0]], mode="whole")
    tell(order("C1", line(amount_fen=20_000, quantity=2, list_fen=20_000), sold_at=on(5)))
    give_back("R1", "C1", 12_000, 9, SEPTEMBER)
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    assert [(one.kind, one.base_fen, one.fen) for one in found.lines] == [
        ("sale", 20_000, 600),
        ("return", -12_000, -360),
    ]


def test_the_list_of_a_month_is_the_lines_while_totals_wait_and_when_nothing_is_left(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One order came back whole, one was moved to another guide, one more has all its totals waiting for the fold."""
    rule()
    rule(2, kind="bounty", name="拉新", bounty_metric="first_purchase_count", bounty_fen=500, steps=[])
    sell("C1", 5_000, 5, guide="T001")
    give_back("R1", "C1", 5_000, 6, SEPTEMBER)
    sell("C2", 7_000, 7, guide="T002")
    moved = Sale.objects.get(order_no="C2")
    services.reattribute_sale(
        sale_id=moved.pk, shares=[Share("serving", cast.zhaoqiang.id, cast.store.id, 10_000)], reason="换人",
        request_key="m1", actor=DIRECTOR,
    )  # fmt: skip
    assert_sums_are_the_lines(SEPTEMBER)
    monkeypatch.setattr(totals, "_MOST_MOVED", 0)
    sell("C3", 9_000, 8, guide="T001")
    assert TotalMove.objects.exists()
    assert_sums_are_the_lines(SEPTEMBER)
    services.fold_totals()
    assert_sums_are_the_lines(SEPTEMBER)


def test_another_guide_gets_it_and_the_first_pays_back(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    close(SEPTEMBER)
    services.reattribute_sale(
        sale_id=Sale.objects.get().pk,
        shares=(Share("serving", cast.wangfang.id, cast.store.id, 10_000),),
        reason="补登接待导购",
        request_key="r1",
        actor=TILL,
    )
    hers, others = draft(OCTOBER, cast.lina.id), draft(OCTOBER, cast.wangfang.id)
    assert hers is not None
    assert others is not None
    assert [(one.kind, one.base_fen, one.fen) for one in hers.lines] == [("correction", -10_000, -300)]
    assert [(one.kind, one.base_fen, one.fen) for one in others.lines] == [("sale", 10_000, 300)]
    close(OCTOBER)
    assert services.prove_commission(month_on=OCTOBER) == ()
    assert settled(cast.lina.id).carried_out_fen == -300


def test_what_was_put_right_before_the_close_leaves_no_trace(cast: Cast) -> None:
    rule()
    first = order("C1", line(amount_fen=10_000), sold_at=on(5))
    tell(first)
    tell(order("C1", line(amount_fen=12_000), sold_at=on(5), revision=1))
    found = draft(SEPTEMBER, cast.lina.id)
    assert found is not None
    assert [(one.kind, one.base_fen) for one in found.lines] == [("sale", 12_000)]


def test_what_comes_late_is_paid_with_the_next_month(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    close(SEPTEMBER)
    sell("C2", 20_000, 6)
    close(OCTOBER)
    assert [(one.document_no, one.fen) for one in lines(cast.lina.id, OCTOBER)] == [("C2", 600)]
    assert draft(dt.date(2026, 11, 1), cast.lina.id) is None


def test_sales_from_before_commission_began_are_not_taken_back(cast: Cast) -> None:
    rule()
    sell("C0", 10_000, 20, dt.date(2026, 8, 1))
    give_back("R0", "C0", 10_000, 3, SEPTEMBER)
    sell("C1", 10_000, 5)
    close(SEPTEMBER)
    assert [(one.kind, one.base_fen, one.fen) for one in lines(cast.lina.id, SEPTEMBER)] == [
        ("return", -10_000, 0),
        ("sale", 10_000, 300),
    ]


def test_who_left_is_paid_by_her_last_store_and_her_debt_stays_on_the_books(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    close(SEPTEMBER)
    guide_services.leave_guide(guide_id=cast.lina.id, actor=DIRECTOR)
    give_back("R1", "C1", 10_000, 3, OCTOBER)
    close(OCTOBER)
    assert settled(cast.lina.id).store_id == cast.store.id
    assert settled(cast.lina.id).carried_out_fen == -300
    november = draft(dt.date(2026, 11, 1), cast.lina.id)
    assert november is not None
    assert (november.lines, november.store_id, november.carried_out_fen) == ([], cast.store.id, -300)


def test_closed_is_closed_in_the_database(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    close(SEPTEMBER)
    for change in (
        lambda: CommissionLine.objects.update(fen=1),
        lambda: CommissionLine.objects.update(is_live=False),
        lambda: CommissionLine.objects.all().delete(),
        lambda: CommissionStatement.objects.update(payable_fen=1, carried_out_fen=299),
        lambda: CommissionLine.objects.create(
            statement=settled(cast.lina.id), number=9, kind="target", day_on=SEPTEMBER, store_id=cast.store.id,
            base_fen=0, fen=1,
        ),
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    prepared = CommissionLine.objects.get()
    with pytest.raises(errors.CommissionNotOpen):
        prepare(SEPTEMBER)
    services.reopen_commission(month_on=SEPTEMBER, reason="规则写错了", actor=TILL)
    assert not CommissionLine.objects.filter(is_live=True).exists()
    # Even now what was said is not rewritten.
    with pytest.raises(IntegrityError), transaction.atomic():
        CommissionLine.objects.filter(pk=prepared.pk).update(fen=1)
    close(SEPTEMBER)
    assert CommissionMonth.objects.get().version == 2
    assert CommissionStatement.objects.count() == 2


def test_months_are_settled_in_their_order(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    sell("C2", 10_000, 5, OCTOBER)
    prepare(OCTOBER)
    with pytest.raises(errors.CommissionOutOfOrder):
        prepare(SEPTEMBER)
    services.discard_commission(month_on=OCTOBER, actor=TILL)
    close(SEPTEMBER)
    with pytest.raises(errors.CommissionOutOfOrder):
        prepare(dt.date(2026, 8, 1))
    close(OCTOBER)
    with pytest.raises(errors.CommissionOutOfOrder):
        services.reopen_commission(month_on=SEPTEMBER, reason="看看", actor=TILL)
    with pytest.raises(errors.MonthNotOver):
        services.prepare_commission(month_on=OCTOBER, actor=TILL, at=on(31, OCTOBER))
    with pytest.raises(errors.ReasonMissing):
        services.reopen_commission(month_on=OCTOBER, reason="  ", actor=TILL)


def test_who_confirms_another_sum_than_she_saw_is_refused(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    prepare(SEPTEMBER)
    with pytest.raises(errors.CommissionChanged):
        services.close_commission(month_on=SEPTEMBER, payable_fen=299, actor=TILL)
    services.close_commission(month_on=SEPTEMBER, payable_fen=300, actor=TILL)
    with pytest.raises(errors.CommissionNotPrepared):
        services.close_commission(month_on=SEPTEMBER, payable_fen=300, actor=TILL)


@pytest.mark.django_db(transaction=True)
def test_two_who_close_at_once_close_once_and_a_return_meanwhile_waits_for_next_month(cast: Cast) -> None:
    rule()
    sell("C1", 10_000, 5)
    told: list[str] = []
    gate = threading.Barrier(4)

    def run(act: object) -> None:
        gate.wait()
        try:
            act()  # type: ignore[operator]
            told.append("done")
        except errors.CommissionNotOpen:
            told.append("not open")
        finally:
            connection.close()

    acts = [lambda: prepare(SEPTEMBER)] * 3 + [lambda: give_back("R1", "C1", 10_000, 20, SEPTEMBER)]
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "done", "not open", "not open"]
    confirm(SEPTEMBER)
    close(OCTOBER)
    assert services.prove_commission(month_on=SEPTEMBER) == services.prove_commission(month_on=OCTOBER) == ()
    all_lines = lines(cast.lina.id, SEPTEMBER) + lines(cast.lina.id, OCTOBER)
    assert sum(one.fen for one in all_lines) == 0
    assert sum(one.base_fen for one in all_lines) == ledger_fen(cast.lina.id) == 0


def test_a_line_leads_to_the_order_as_it_stands_now_where_the_account_sees_its_store(cast: Cast) -> None:
    tell(order("O1"))
    first = Sale.objects.get().pk
    tell(order("O1", line(amount_fen=9_000), revision=1))
    now = Sale.objects.current().get().pk
    assert now != first
    for stores, found in (
        (None, True),
        ({cast.store.id}, True),
        ({cast.other_store.id}, False),
        (set(), False),
    ):
        shown = selectors.find_current_sales([first, now, 0], store_ids=stores)
        assert shown == ({first: now, now: now} if found else {})
