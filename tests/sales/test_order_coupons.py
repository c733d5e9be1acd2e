"""Coupons follow the orders that name them: used once, back with the goods, whoever told it first."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import OperationalError

from core import clock
from core.constraints import is_deadlock
from coupons import services as coupon_services
from coupons.contracts import BasketLine, Purchase, ReturnedPart
from coupons.models import Coupon, Redemption
from sales.contracts import OrderCoupon, ReturnLine
from sales.models import Sale, SaleCoupon
from sales.services import bulk, intake, order_coupons
from sales.services.order_keys import order_key
from tests.cast import Cast, make_cast
from tests.coupons.kit import check_counters
from tests.coupons.test_orders import coupon_of
from tests.sales.kit import TILL, assert_totals_agree, back, key_of, line, order, tell
from tests.threads import at_once, wait_until_somebody_waits

pytestmark = pytest.mark.django_db


def bought(cast: Cast, coupon: Any, **other: Any) -> Any:
    """Two units for 70 yuan together, 30 off."""
    named = (OrderCoupon(coupon.code, 3_000, 10_000),)
    goods = line("A1", 7_000, quantity=2, list_fen=10_000)
    return order("O1", goods, member=key_of(cast.xiaomei), **{"coupons": named} | other)


def brought_back(return_no: str, quantity: int, amount_fen: int) -> Any:
    one = ReturnLine(product_code="A1", quantity=quantity, amount_fen=amount_fen, line_number=1)
    return back(return_no, one)


def state(coupon: Any) -> tuple[str, str]:
    """The coupon, and what the order says of it."""
    return Coupon.objects.get(pk=coupon.id).state, SaleCoupon.objects.latest("pk").outcome


def check(coupon: Any) -> None:
    check_counters(Coupon.objects.get(pk=coupon.id).batch_id)
    assert_totals_agree()


def test_a_whole_return_brings_the_coupon_back_and_a_part_lowers_its_sums(cast: Cast) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    tell(bought(cast, coupon))
    assert state(coupon) == ("redeemed", "redeemed")
    tell(brought_back("R1", 1, 3_500))
    used = Redemption.objects.get()
    assert (used.returned_fen, used.returned_discount_fen, state(coupon)) == (
        5_000,
        1_500,
        ("redeemed", "redeemed"),
    )
    for _time in range(2):
        tell(brought_back("R2", 1, 3_500))
    assert state(coupon) == ("issued", "reversed")
    check(coupon)
    named = (OrderCoupon(coupon.code, 3_000, 10_000),)
    tell(order("O2", member=key_of(cast.xiaomei), coupons=named))
    assert state(coupon) == ("redeemed", "redeemed")
    check(coupon)


@pytest.mark.parametrize("is_early", [False, True])
def test_the_order_of_arrival_decides_nothing(cast: Cast, is_early: bool) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    documents = [bought(cast, coupon), brought_back("R1", 2, 7_000)]
    for document in reversed(documents) if is_early else documents:
        tell(document)
    assert state(coupon) == ("issued", "reversed")
    assert Redemption.objects.filter(reversed_at__isnull=True).count() == 0
    check(coupon)


def test_coupons_gained_with_the_order_are_void_when_all_of_it_is_back(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaomei)))
    gained = coupon_of(cast.xiaomei.id)
    Coupon.objects.filter(pk=gained.id).update(source_key=order_key(Sale.objects.get()))
    tell(back("R1"))
    assert Coupon.objects.get(pk=gained.id).state == "voided"
    check_counters(Coupon.objects.get(pk=gained.id).batch_id)


def test_what_the_till_redeemed_is_recognised_and_comes_back_with_the_goods(cast: Cast) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    purchase = Purchase(store_id=cast.store.id, order_no="O1", lines=(BasketLine("1", "A1", (), 10_000, 2),))
    coupon_services.redeem_order(purchase=purchase, codes=[coupon.code], request_id="till-1", actor=TILL)
    tell(bought(cast, coupon))
    assert state(coupon) == ("redeemed", "known")
    assert Redemption.objects.count() == 1
    tell(brought_back("R1", 2, 7_000))
    assert state(coupon) == ("issued", "reversed")
    check(coupon)


def test_what_the_till_took_back_itself_is_not_taken_back_again(cast: Cast) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    tell(bought(cast, coupon))
    coupon_services.return_order(
        store_id=cast.store.id, order_no="O1", parts=[ReturnedPart("all", amount_fen=5_000)], return_key="t1",
        reason="退货", actor=TILL,
    )  # fmt: skip
    tell(brought_back("R1", 1, 3_500))
    assert Redemption.objects.get().returned_discount_fen == 1_500
    coupon_services.return_order(
        store_id=cast.store.id, order_no="O1", return_key="t2", reason="退货", actor=TILL
    )
    tell(brought_back("R2", 1, 3_500))
    assert state(coupon) == ("issued", "reversed")
    check(coupon)


def test_a_correction_takes_a_dropped_coupon_back_and_a_changed_one_is_used_anew(cast: Cast) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    tell(bought(cast, coupon))
    tell(bought(cast, coupon, revision=1, channel="online"))
    assert state(coupon) == ("redeemed", "redeemed")
    assert Redemption.objects.count() == 1
    cheaper = (OrderCoupon(coupon.code, 2_000, 10_000),)
    tell(bought(cast, coupon, revision=2, coupons=cheaper))
    assert state(coupon) == ("redeemed", "redeemed")
    assert Redemption.objects.get(reversed_at__isnull=True).discount_fen == 2_000
    tell(bought(cast, coupon, revision=3, coupons=()))
    assert Coupon.objects.get(pk=coupon.id).state == "issued"
    assert not Redemption.objects.filter(reversed_at__isnull=True).exists()
    tell(bought(cast, coupon, revision=4))
    assert state(coupon) == ("redeemed", "redeemed")
    check(coupon)


def test_a_coupon_that_is_over_stays_over(cast: Cast) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    tell(bought(cast, coupon))
    tell(brought_back("R1", 2, 7_000), at=clock.now() + dt.timedelta(days=30))
    assert state(coupon) == ("expired", "reversed")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [True, False])
def test_two_batches_with_the_same_coupons_in_opposite_order_do_not_wait_for_each_other(
    is_guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has her first coupon goes on when the other waits for her; without the guard both have one, and that is a ring."""
    cast = make_cast()
    coupons = [coupon_of(buyer.id) for buyer in (cast.xiaomei, cast.xiaoli)]
    named = [(OrderCoupon(coupon.code, 3_000, 10_000),) for coupon in coupons]
    goods = line("A1", 7_000, quantity=2, list_fen=10_000)
    tell(order("O", goods))  # new products and the totals of one store would let one batch wait for the other
    here, there = {"store_code": "T01"}, {"store_code": "T02", "serving_guide": ""}
    batches = [
        [order(f"{name}{n}", goods, coupons=named[place], **where) for n, place in enumerate(places)]
        for name, places, where in (("A", (0, 1), here), ("B", (1, 0), there))
    ]
    both, came = threading.Barrier(2), []
    redeem = order_coupons.redeem_coupons

    def redeem_and_meet(*, sale: Sale, **values: Any) -> None:
        redeem(sale=sale, **values)
        if not sale.order_no.endswith("0"):
            return
        came.append(sale.order_no)
        if is_guarded and len(came) == 1:
            wait_until_somebody_waits()
        elif not is_guarded and len(came) <= 2:  # the one that PostgreSQL ends comes again
            both.wait(timeout=30)

    monkeypatch.setattr(order_coupons, "redeem_coupons", redeem_and_meet)
    if not is_guarded:
        monkeypatch.setattr(bulk, "hold_coupons_of", lambda **_values: None)
    rings: list[OperationalError] = []

    def note_ring(error: OperationalError) -> bool:
        rings.append(error)
        return is_deadlock(error)

    monkeypatch.setattr(intake, "is_deadlock", note_ring)
    told = at_once([lambda: tell(*batches[0]), lambda: tell(*batches[1])])
    assert [one.outcome for batch in told for one in batch] == ["booked"] * 4
    assert len(rings) == (0 if is_guarded else 1)
    assert Sale.objects.count() == 5
    outcomes = SaleCoupon.objects.values_list("outcome", flat=True)
    assert list(outcomes).count("redeemed") == 2
    for coupon in coupons:
        check(coupon)
