"""Tills and people at one order in the same moment: one after the other, whoever comes first, and the books are true."""

import dataclasses
import threading
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from core import clock
from core.errors import NotFound
from sales import services
from sales.contracts import ReturnLine, Share
from sales.models import EntryReason, HeldDocument, Sale, SaleLine, SaleReturn
from sales.services.reconciling import reconcile_sales
from tests.cast import Cast
from tests.sales.kit import TILL, assert_totals_agree, back, key_of, ledger, line, order, tell
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def assert_nothing_to_put_right() -> None:
    """The ledger is what the documents say: comparing them once more writes nothing."""
    with transaction.atomic():
        ids = Sale.objects.current().values_list("pk", flat=True)
        assert reconcile_sales(ids, reason=EntryReason.CORRECTED, at=clock.now()) == 0
    assert_totals_agree()


def test_two_tills_give_the_last_unit_back_at_once_and_one_of_them_waits_for_a_person(cast: Cast) -> None:
    tell(order("O1"), order("O2", member=key_of(cast.xiaomei)))
    for order_no in ("O1", "O2"):
        told = at_once([partial(tell, back(f"{order_no}-{till}", order_no=order_no)) for till in range(4)])
        assert sorted(one.outcome for [one] in told) == ["booked", "held", "held", "held"]
    assert set(HeldDocument.objects.waiting().values_list("reason", flat=True)) == {"sales.return_too_large"}
    assert SaleReturn.objects.count() == 2
    assert ledger(metric="return_fen") == {"return_fen": 20_000}
    assert_nothing_to_put_right()


def test_without_the_orders_lock_both_give_the_same_unit_back(cast: Cast) -> None:
    """Both read that a unit is left and write that one is back: what the row may not exceed notices nothing."""
    tell(order("O1"))
    looked = threading.Barrier(2)

    def careless(number: int) -> None:
        sale, sold = Sale.objects.get(), SaleLine.objects.get()
        assert sold.quantity - sold.returned_quantity == 1
        looked.wait(timeout=30)
        sold.returned_quantity, sold.returned_fen = (
            sold.returned_quantity + 1,
            sold.returned_fen + sold.amount_fen,
        )
        sold.save(update_fields=["returned_quantity", "returned_fen"])
        SaleReturn.objects.create(
            public_id=f"careless{number}", source="pos", return_no=f"R{number}", digest=b"", order_no="O1", sale=sale,
            store_id=sale.store_id, returned_at=clock.now(), business_on=sale.business_on, amount_fen=sold.amount_fen,
            unit_count=1, recorded_at=clock.now(),
        )  # fmt: skip

    assert at_once([partial(careless, 1), partial(careless, 2)]) == [None, None]
    assert sum(SaleReturn.objects.values_list("amount_fen", flat=True)) == 2 * Sale.objects.get().amount_fen


def test_a_return_a_correction_and_a_decision_at_once_end_as_one_after_the_other(cast: Cast) -> None:
    """Of each order a unit comes back, its till corrects it, a manager gives it away and the first till repeats itself."""
    two = {"quantity": 2, "list_fen": 20_000}
    first = [
        order(f"O{n}", line("A1", 20_000, **two), member=key_of(cast.xiaomei) if n % 2 else None)
        for n in range(4)
    ]
    tell(*first)
    ids = dict(Sale.objects.values_list("order_no", "pk"))
    calls: list[Any] = []
    for n, one in enumerate(first):
        better = dataclasses.replace(
            one, revision=1, serving_guide="T002", amount_fen=18_000, lines=(line("A1", 18_000, **two),)
        )
        given = ReturnLine(product_code="A1", quantity=1, amount_fen=9_000, line_number=1)
        calls += [partial(tell, back(f"R{n}", given, order_no=one.order_no))]
        calls += [partial(tell, better), partial(tell, one), partial(_give_away, cast, ids[one.order_no])]
    told = at_once(calls)
    returned, corrected, repeated, moved = (told[place::4] for place in range(4))
    assert {one.outcome for [one] in returned} == {"booked"}
    assert {one.outcome for [one] in corrected} == {"corrected"}
    assert {one.outcome for [one] in repeated} <= {"repeated", "superseded"}
    # Whoever decides about a revision that was just replaced is told so.
    assert all(isinstance(one, NotFound) or not isinstance(one, Exception) for one in moved)
    for one in first:
        sale = Sale.objects.current().get(order_no=one.order_no)
        assert (sale.revision, sale.amount_fen, sale.returned_fen) == (1, 18_000, 9_000)
    kept = sum(not isinstance(one, Exception) for one in moved)
    assert ledger(metric="sales_fen") == {"sales_fen": 4 * 9_000}
    assert ledger(metric="sales_fen", guide_id=cast.lina.id) == {}
    assert ledger(metric="sales_fen", guide_id=cast.chenjing.id).get("sales_fen", 0) == kept * 9_000
    assert_nothing_to_put_right()


def _give_away(cast: Cast, sale_id: int) -> Any:
    return services.reattribute_sale(
        sale_id=sale_id, shares=(Share("serving", cast.chenjing.id, cast.store.id, 10_000),), reason="补登",
        request_key=f"k{sale_id}", actor=TILL,
    )  # fmt: skip
