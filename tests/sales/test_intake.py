"""Orders and returns come in: once, in any order, with everything they mean."""

import dataclasses
import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock
from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services
from members.models import ActivityEntry, EarningRule, PointsEntry
from sales import services
from sales.contracts import MemberKey, OrderCoupon, OrderPayment, ReturnLine
from sales.errors import AmountsDisagree, DocumentUnusable, FromTheFuture
from sales.models import HeldDocument, PerformanceEntry, Product, Sale, SaleCoupon, SaleLine, SaleReturn
from sales.services.held import due_documents, next_try_of
from tests.cast import Cast, make_store
from tests.members.test_reindexing import NEW
from tests.sales.kit import TILL, assert_totals_agree, back, key_of, ledger, line, order, tell
from tests.threads import at_once, wait_until_somebody_waits, while_held

BOSS = Actor.staff(1, "总部")
PHONE = "13900000000"
# Statements of one order of a member, without coupons and points spent.
_BUDGET = 17


def test_an_order_is_booked_whole(cast: Cast) -> None:
    told = tell(
        order(
            "O1",
            line("A1", 12_000, quantity=2, list_fen=15_000),
            line("B2", 5_000),
            member=key_of(cast.xiaomei),
        )
    )
    sale = Sale.objects.get()
    assert [(one.outcome, one.sale_id) for one in told] == [("booked", sale.pk)]
    assert (sale.member_id, sale.store_id, sale.serving_guide_id) == (
        cast.xiaomei.id,
        cast.store.id,
        cast.lina.id,
    )
    assert (sale.amount_fen, sale.list_fen, sale.unit_count, sale.is_first) == (17_000, 20_000, 3, True)
    assert sale.business_on == clock.business_day(sale.sold_at)
    assert SaleLine.objects.count() == 2
    assert Product.objects.get(code="A1", category__code="tops").name == "针织衫"
    assert ledger(guide_id=cast.lina.id, store_id=cast.store.id) == {
        "sales_fen": 17_000,
        "order_count": 1,
        "unit_count": 3,
        "first_purchase_count": 1,
    }
    assert_totals_agree()


def test_the_same_document_again_changes_nothing_and_another_content_waits_for_a_person(cast: Cast) -> None:
    first = order("O1", sold_at=clock.now() - dt.timedelta(hours=1))
    assert [one.outcome for one in tell(first, first)] == ["booked", "repeated"]
    assert tell(first)[0].outcome == "repeated"
    entries = PerformanceEntry.objects.count()
    other = dataclasses.replace(first, lines=(line("A1", 9_000),), amount_fen=9_000)
    assert [(one.outcome, one.reason) for one in tell(other, other)] == [
        ("held", "sales.document_conflict")
    ] * 2
    held = HeldDocument.objects.get()
    assert (held.kind, held.number, held.state) == ("order", "O1", "waiting")
    assert PerformanceEntry.objects.count() == entries
    services.discard_document(public_id=held.public_id, reason="收银机重复上传", actor=TILL)
    held.refresh_from_db()
    assert (held.state, held.note) == ("discarded", "收银机重复上传")


def test_a_higher_revision_corrects_and_a_late_lower_one_counts_for_nothing(cast: Cast) -> None:
    first = order("O1", member=key_of(cast.xiaomei), sold_at=clock.now() - dt.timedelta(hours=1))
    second = dataclasses.replace(
        first, revision=1, lines=(line("A1", 8_000),), amount_fen=8_000, serving_guide="T002"
    )
    assert [one.outcome for one in tell(first, second)] == ["booked", "corrected"]
    assert tell(first)[0].outcome == "superseded"
    assert ledger(guide_id=cast.lina.id) == {}
    assert ledger(guide_id=cast.wangfang.id)["sales_fen"] == 8_000
    assert PerformanceEntry.objects.filter(guide_id=cast.lina.id, reason="corrected").count() == 4
    assert Sale.objects.current().get().is_first
    assert_totals_agree()
    # The correction first: the order that comes later is an older word.
    late = order("O9")
    assert tell(dataclasses.replace(late, revision=2))[0].outcome == "booked"
    assert tell(late)[0].outcome == "superseded"


def test_a_return_takes_its_part_back_and_the_last_one_the_rest(cast: Cast) -> None:
    tell(order("O1", line("A1", 10_001, quantity=3), member=key_of(cast.xiaomei)))
    part = ReturnLine(product_code="A1", quantity=1, amount_fen=3_333, line_number=1)
    assert tell(back("R1", part))[0].outcome == "booked"
    assert ledger(guide_id=cast.lina.id) == {
        "sales_fen": 6_668, "order_count": 1, "unit_count": 2, "return_fen": 3_333, "return_count": 1,
        "first_purchase_count": 1,
    }  # fmt: skip
    rest = ReturnLine(product_code="A1", quantity=2, amount_fen=6_668, line_number=1)
    assert tell(back("R2", rest))[0].outcome == "booked"
    assert ledger(guide_id=cast.lina.id) == {
        "return_fen": 10_001, "return_count": 2, "first_purchase_count": 1,
    }  # fmt: skip
    assert tell(back("R3", part))[0].reason == "sales.return_too_large"
    assert_totals_agree()


def test_a_return_waits_for_its_order_and_is_booked_with_it(cast: Cast) -> None:
    early = back()
    assert [(one.outcome, one.reason) for one in tell(early)] == [("held", "sales.unknown_order")]
    assert tell(early)[0].outcome == "held"
    assert HeldDocument.objects.count() == 1
    assert tell(order())[0].outcome == "booked"
    assert SaleReturn.objects.get().sale == Sale.objects.get()
    assert HeldDocument.objects.get().state == "booked"
    assert ledger(metric="sales_fen") == {}
    assert tell(early)[0].outcome == "repeated"
    assert_totals_agree()


def test_a_return_without_an_order_counts_against_the_store_that_took_it(cast: Cast) -> None:
    alone = ReturnLine(product_code="A1", quantity=1, amount_fen=4_000)
    assert tell(back("R1", alone, order_no="", store_code="T02"))[0].outcome == "booked"
    assert ledger(store_id=cast.other_store.id, guide_id=None) == {
        "sales_fen": -4_000, "return_fen": 4_000, "unit_count": -1, "return_count": 1,
    }  # fmt: skip
    assert_totals_agree()


def test_what_names_somebody_unknown_is_kept_and_booked_when_it_is_mended(cast: Cast) -> None:
    told = tell(
        order("O1", store_code="T99"),
        order("O2", serving_guide="T999"),
        order("O3", member=MemberKey("phone", "13900000000")),
        order("O4"),
    )
    assert [(one.outcome, one.reason) for one in told] == [
        ("held", "sales.unknown_store"),
        ("held", "sales.unknown_guide"),
        ("held", "sales.unknown_member"),
        ("booked", ""),
    ]
    held = HeldDocument.objects.get(number="O3")
    assert "13900000000" not in f"{held.field}{held.value}"
    make_store("T99", "新店", cast.east.id, 31.2, 121.4, at=clock.now())
    later = clock.now() + dt.timedelta(minutes=11)
    assert services.retry_held_documents(actor=TILL, at=later) == 1
    assert set(HeldDocument.objects.waiting().values_list("number", flat=True)) == {"O2", "O3"}
    assert services.retry_held_documents(actor=TILL, at=later) == 0


def test_what_waits_is_tried_for_ever_at_a_growing_pause(cast: Cast) -> None:
    tell(order("O1", store_code="T99"))
    held = HeldDocument.objects.get()
    minutes = []
    for tries in (0, 143, 144, 299, 300, 1_000, 100_000):
        held.tries = tries
        held.save(update_fields=["tries"])
        due_at = next_try_of(held)
        assert due_at is not None
        minutes.append((due_at - held.tried_at) // dt.timedelta(minutes=1))
        assert due_documents(limit=9, at=due_at - dt.timedelta(microseconds=1)) == []
        assert [one.store_code for one in due_documents(limit=9, at=due_at)] == ["T99"]
    assert minutes == [10, 10, 60, 60, 360, 360, 360]
    make_store("T99", "新店", cast.east.id, 31.2, 121.4, at=clock.now())
    assert services.retry_held_documents(actor=TILL, at=held.tried_at + dt.timedelta(hours=6)) == 1
    held.refresh_from_db()
    assert next_try_of(held) is None


def test_what_a_person_decides_is_not_tried_by_itself(cast: Cast) -> None:
    tell(order("O1", line(amount_fen=1_000)))
    tell(order("O1", line(amount_fen=2_000)))
    held = HeldDocument.objects.get()
    assert held.reason == "sales.document_conflict"
    assert next_try_of(held) is None
    assert due_documents(limit=9, at=clock.now() + dt.timedelta(days=365)) == []


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"amount_fen": -1}, DocumentUnusable, "amount_fen"),
        ({"amount_fen": 9_999}, AmountsDisagree, "amount_fen"),
        ({"amount_fen": True}, DocumentUnusable, "amount_fen"),
        ({"lines": ()}, DocumentUnusable, "lines"),
        ({"lines": (line(quantity=0),)}, DocumentUnusable, "lines.1.quantity"),
        ({"lines": (line(list_fen=1),)}, AmountsDisagree, "list_fen"),
        ({"order_no": " "}, DocumentUnusable, "order_no"),
        ({"order_no": "x" * 65}, DocumentUnusable, "order_no"),
        ({"order_no": "a\x00b"}, DocumentUnusable, "order_no"),
        ({"payments": (OrderPayment("wechat", 1),)}, AmountsDisagree, "payments"),
        ({"sold_at": dt.datetime(2026, 1, 1)}, DocumentUnusable, "sold_at"),
        ({"sold_at": dt.datetime(1999, 1, 1, tzinfo=dt.UTC)}, DocumentUnusable, "sold_at"),
        ({"sold_at": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)}, FromTheFuture, "sold_at"),
        ({"coupons": (OrderCoupon("C", 5, 4),)}, DocumentUnusable, "coupons"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_its_field(
    cast: Cast, change: dict[str, Any], error: type[Exception], field: str
) -> None:
    document = dataclasses.replace(order(), **change)
    with pytest.raises(error) as refusal:
        services.record_sale(order=document, actor=TILL)
    assert refusal.value.details["field"] == field  # type: ignore[attr-defined]
    assert tell(document)[0].outcome == "refused"
    assert not Sale.objects.exists()
    assert not HeldDocument.objects.exists()


def test_points_and_activity_follow_the_order_through_returns_and_corrections(cast: Cast) -> None:
    EarningRule.objects.create(name="每元一分", fen_per_point=100)
    member = cast.xiaomei.id
    first = order("O1", line("A1", 20_000, quantity=2), member=key_of(cast.xiaomei), sold_at=clock.now())
    tell(first)
    assert member_selectors.get_points_summary(member).balance == 200
    part = ReturnLine(product_code="A1", quantity=1, amount_fen=10_000, line_number=1)
    tell(back("R1", part))
    assert member_selectors.get_points_summary(member).balance == 100
    assert sum(ActivityEntry.objects.values_list("spend_fen", flat=True)) == 10_000
    other = dataclasses.replace(first, revision=1, member=key_of(cast.xiaoli))
    assert tell(other)[0].outcome == "corrected"
    assert member_selectors.get_points_summary(member).balance == 0
    assert member_selectors.get_points_summary(cast.xiaoli.id).balance == 100
    tell(back("R2", part))
    assert member_selectors.get_points_summary(cast.xiaoli.id).balance == 0
    counted = ActivityEntry.objects.filter(member_id=cast.xiaoli.id).values_list("spend_fen", "order_count")
    assert (sum(fen for fen, _n in counted), sum(n for _f, n in counted)) == (0, 0)
    entries = PointsEntry.objects.count()
    tell(first, other, back("R1", part), back("R2", part))
    assert PointsEntry.objects.count() == entries


def test_points_she_does_not_have_do_not_stop_the_sale(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaomei), points_spent=50))
    assert (Sale.objects.get().points_taken, Sale.objects.get().points_outcome) == (
        0,
        "members.not_enough_points",
    )


def test_a_coupon_that_does_not_count_is_noted_and_the_goods_are_sold(cast: Cast) -> None:
    tell(order("O1", coupons=(OrderCoupon("NOSUCHCOUPON2345", 500, 10_000),)))
    assert SaleCoupon.objects.get().outcome == "coupons.no_such_coupon"


def test_the_first_purchase_moves_when_an_older_order_comes_late(cast: Cast) -> None:
    now = clock.now()
    tell(order("O2", line("A1", 5_000), member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=1)))
    tell(order("O1", line("A1", 7_000), member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=3)))
    assert {sale.order_no: sale.is_first for sale in Sale.objects.all()} == {"O1": True, "O2": False}
    assert ledger(metric="first_purchase_count") == {"first_purchase_count": 1}
    assert ledger(metric="repurchase_fen") == {"repurchase_fen": 5_000}
    assert_totals_agree()


def test_goods_of_a_member_who_was_erased_may_still_come_back(cast: Cast) -> None:
    EarningRule.objects.create(name="每元一分", fen_per_point=100)
    first = order("O1", line("A1", 20_000, quantity=2), member=key_of(cast.xiaomei))
    tell(first)
    member_services.erase_member(member_id=cast.xiaomei.id, reason="staff", actor=BOSS)
    part = ReturnLine(product_code="A1", quantity=1, amount_fen=10_000, line_number=1)
    told = tell(back("R1", part), dataclasses.replace(first, revision=1, member=None), order("O2"))
    assert [one.outcome for one in told] == ["booked", "corrected", "booked"]
    assert tell(order("O3", member=key_of(cast.xiaomei)))[0].reason == "sales.unknown_member"
    assert ledger(metric="return_fen") == {"return_fen": 10_000}
    assert_totals_agree()


def test_a_tills_clock_that_runs_ahead_does_not_reach_into_tomorrow(cast: Cast) -> None:
    at = dt.datetime(2026, 11, 30, 15, 58, tzinfo=dt.UTC)  # 23:58 in Shanghai
    ahead = at + dt.timedelta(minutes=4)
    first = order("O1", member=key_of(cast.xiaomei), sold_at=ahead)
    assert [one.outcome for one in tell(first, back(returned_at=ahead), at=at)] == ["booked", "booked"]
    assert set(PerformanceEntry.objects.values_list("booked_on", flat=True)) == {dt.date(2026, 11, 30)}
    assert tell(first, at=at + dt.timedelta(hours=1))[0].outcome == "repeated"


def test_what_waits_and_names_a_member_goes_when_she_is_erased(cast: Cast, settings: Any) -> None:
    """Also under an index key that has been replaced since."""
    member_services.verify_phone(member_id=cast.xiaomei.id, phone=PHONE, how="sms", actor=BOSS)
    keyed = order("O1", store_code="T99", member=MemberKey("phone", PHONE))
    coded = order("O2", store_code="T99", member=key_of(cast.xiaomei))
    other = order("O3", store_code="T99", member=key_of(cast.xiaoli))
    tell(keyed, coded, other)
    settings.INDEX_KEYS = [NEW, *settings.INDEX_KEYS]
    member_services.erase_member(member_id=cast.xiaomei.id, reason="staff", actor=BOSS)
    assert list(HeldDocument.objects.values_list("number", flat=True)) == ["O3"]


def test_a_try_is_counted_once_and_for_its_own_document(cast: Cast) -> None:
    held, other = order("O1", store_code="T99"), back("O1", order_no="none")
    tell(held, other)
    services.retry_documents(documents=[held], actor=TILL)
    assert dict(HeldDocument.objects.values_list("kind", "tries")) == {"order": 1, "return": 0}


@pytest.mark.django_db(transaction=True)
def test_a_member_who_is_merged_while_her_order_comes_has_it_in_the_row_she_lives_on_in() -> None:
    from tests.cast import make_cast

    cast = make_cast()
    document = order("O1", member=key_of(cast.xiaoli))

    def book() -> None:
        try:
            tell(document)
        finally:
            connection.close()

    with transaction.atomic():
        member_services.lock_members([cast.xiaoli.id, cast.xiaomei.id])
        booking = threading.Thread(target=book)
        booking.start()
        wait_until_somebody_waits()
        member_services.merge_members(
            first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaomei.id, actor=BOSS
        )
    booking.join(30)
    assert Sale.objects.get().member_id == cast.xiaomei.id
    assert ledger(metric="sales_fen") == {"sales_fen": 10_000}


@pytest.mark.django_db(transaction=True)
def test_the_same_order_fifty_times_at_once_is_one_sale() -> None:
    from tests.cast import make_cast

    cast = make_cast()
    document = order("O1", member=key_of(cast.xiaomei))
    # All have looked and found nothing before one of them books.
    told = while_held(
        lambda: member_services.lock_members([cast.xiaomei.id]),
        [lambda: tell(document)[0] for _ in range(50)],
    )
    assert sorted(one.outcome for one in told) == ["booked"] + ["repeated"] * 49
    assert ledger(metric="sales_fen") == {"sales_fen": 10_000}
    assert_totals_agree()


@pytest.mark.django_db(transaction=True)
def test_two_batches_in_opposite_order_end_without_a_deadlock_and_with_the_same_totals() -> None:
    from tests.cast import make_cast

    cast = make_cast()
    members = [key_of(cast.xiaomei), key_of(cast.xiaoli), None]
    guides = ["T001", "T002", "T003"]
    documents = [
        order(f"O{n:02}", line(f"P{n % 7}", 1_000 + n), member=members[n % 3], serving_guide=guides[n % 3])
        for n in range(40)
    ]
    told = at_once([lambda: tell(*documents), lambda: tell(*reversed(documents))])
    assert sorted(one.outcome for batch in told for one in batch) == ["booked"] * 40 + ["repeated"] * 40
    assert ledger(metric="sales_fen") == {"sales_fen": sum(1_000 + n for n in range(40))}
    assert_totals_agree()


def test_a_single_order_stays_within_its_budget_of_statements(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    """A member's order with nothing out of the common; what it names again costs nothing more."""
    tell(order("O0", member=key_of(cast.xiaomei)))
    with django_assert_max_num_queries(_BUDGET):
        tell(order("O1", member=key_of(cast.xiaomei)))
    goods = [line(f"P{n}") for n in range(6)]
    tell(order("O2", *goods))
    with django_assert_max_num_queries(_BUDGET):
        tell(order("O3", *goods, member=key_of(cast.xiaomei)))
