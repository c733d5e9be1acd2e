"""Goods of an order come back: every sequence of parts adds up, coupons come back or are over, gifts earned go."""

import itertools
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from coupons import services
from coupons.contracts import BasketLine, ReturnedPart
from coupons.models import Coupon, CouponOrder, CouponReturn, PointsPayment, Redemption
from members import selectors as member_selectors
from members import services as member_services
from tests.coupons.kit import BOSS, check_counters, claim, key, make_batch, make_members, make_shop, order
from tests.coupons.test_orders import coupon_of, redeem, two_coupons
from tests.coupons.test_races import outcomes
from tests.refusals import refused
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
_orders = itertools.count(1)


def give_back(
    store_id: int, *parts: ReturnedPart, order_no: str = "S1", return_key: str = "", **values: Any
) -> Any:
    return services.return_order(
        store_id=store_id,
        order_no=order_no,
        parts=parts or None,
        return_key=return_key or key(),
        reason="不合身",
        actor=BOSS,
        **values,
    )


def check_all_counters() -> None:
    for batch_id in set(Coupon.objects.values_list("batch_id", flat=True)):
        check_counters(batch_id)


def test_a_full_return_gives_everything_back_and_the_coupons_are_good_again() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()
    card = redeem(shop, coupons)
    back = give_back(shop, return_key="b1")
    assert (back.refund.refund_fen, back.discount_fen) == (card.payable_fen, card.discount_fen)
    assert set(back.usable) == {one.code for one in coupons}
    assert back.order.ended_at is not None
    assert give_back(shop, return_key="b1") == back
    assert refused(give_back, shop, return_key="b2") == "coupons.already_returned"
    assert not Redemption.objects.filter(reversed_at__isnull=True).exists()
    check_all_counters()
    # The number is free again, and a new return finds the new order.
    again = redeem(shop, coupons)
    assert give_back(shop).order.public_id == again.public_id


def test_parts_give_back_their_share_and_lower_discount_and_sales_until_the_last_one_reverses() -> None:
    _member, (whole, shirts) = two_coupons()
    shop = make_shop()
    card = redeem(shop, [whole, shirts])
    first = give_back(shop, ReturnedPart("1", quantity=1), return_key="a")
    assert first.refund.lines[0].amount_fen == 10_000
    assert first.discount_fen > 0
    assert (first.usable, first.order.ended_at) == ((), None)
    check_all_counters()
    rows = {row.coupon.code: row for row in Redemption.objects.select_related("coupon")}
    assert rows[shirts.code].returned_fen == rows[whole.code].returned_fen == 10_000
    assert sum(row.returned_discount_fen for row in rows.values()) == first.discount_fen
    # Both shirts are back: the coupon for shirts has done nothing, the other is still in use for the shoes.
    second = give_back(shop, ReturnedPart("1", quantity=1), return_key="b")
    assert second.usable == (shirts.code,)
    check_all_counters()
    third = give_back(shop, ReturnedPart("2", amount_fen=1), return_key="c")
    last = give_back(shop, return_key="d")
    assert last.usable == (whole.code,)
    backs = [first, second, third, last]
    assert sum(one.refund.refund_fen for one in backs) == card.payable_fen
    assert sum(one.discount_fen for one in backs) == card.discount_fen
    check_all_counters()
    # Each repeat gets its own first answer, whatever came after.
    again = give_back(shop, ReturnedPart("1", quantity=1), return_key="a")
    assert (again.public_id, again.refund, again.usable) == (first.public_id, first.refund, first.usable)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([ReturnedPart("9", quantity=1)], "coupons.no_such_line"),
        ([ReturnedPart("1", quantity=3)], "coupons.returned_too_much"),
        ([ReturnedPart("1", amount_fen=20_001)], "coupons.returned_too_much"),
        ([ReturnedPart("1", quantity=2), ReturnedPart("1", quantity=1)], "coupons.returned_too_much"),
        ([ReturnedPart("1")], "coupons.return_unusable"),
        ([ReturnedPart("1", quantity=-1)], "coupons.return_unusable"),
        ([ReturnedPart("1", quantity=1, amount_fen=5)], "coupons.return_unusable"),
        ([ReturnedPart("1", amount_fen=10**12)], "coupons.return_unusable"),
    ],
)
def test_a_return_of_what_was_not_bought_is_refused(parts: list[ReturnedPart], code: str) -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    redeem(shop, [coupon])
    assert refused(give_back, shop, *parts) == code
    assert not CouponReturn.objects.exists()
    check_all_counters()


def test_a_return_before_its_order_or_of_another_store_is_of_no_order() -> None:
    coupon, shop, other = coupon_of(make_members(1)[0]), make_shop(), make_shop()
    assert refused(give_back, shop) == "coupons.no_such_order"
    redeem(shop, [coupon])
    assert refused(give_back, other) == "coupons.no_such_order"
    for number in ("S1\0", "", " ", "S" * 65):
        assert refused(give_back, shop, order_no=number) == "coupons.no_such_order"
    assert give_back(shop).usable == (coupon.code,)


def test_a_key_that_meant_another_return_and_a_missing_reason_are_refused() -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    redeem(shop, [coupon])
    give_back(shop, ReturnedPart("1", quantity=1), return_key="a")
    assert refused(give_back, shop, ReturnedPart("1", quantity=2), return_key="a") == "coupons.request_reused"
    undo: dict[str, Any] = {"store_id": shop, "order_no": "S1", "actor": BOSS}
    assert refused(services.reverse_order, **undo, reversal_key="u", reason=" ") == "coupons.reason_missing"
    assert refused(services.reverse_order, **undo, reversal_key="u", reason="x") == "coupons.partly_returned"
    assert (
        refused(services.reverse_order, **undo, reversal_key="", reason="x") == "coupons.request_key_unusable"
    )
    none: Any = partial(services.return_order, **undo, return_key="z", reason="x")
    assert refused(none, parts=[]) == "coupons.return_unusable"


def test_an_order_that_was_not_concluded_is_undone_whole() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()
    redeem(shop, coupons)
    one = Redemption.objects.order_by("pk").first()
    assert one is not None
    alone = partial(services.reverse_redemption, request_id=one.request_id, reason="x", actor=BOSS)
    assert refused(alone, reversal_key="r") == "coupons.part_of_order"
    undo = partial(services.reverse_order, store_id=shop, order_no="S1", reason="顾客不买了", actor=BOSS)
    back = undo(reversal_key="u")
    assert undo(reversal_key="u") == back
    assert len(back.usable) == 2
    assert refused(undo, reversal_key="v") == "coupons.already_returned"
    check_all_counters()


def test_a_single_coupon_of_an_order_may_be_reversed_by_itself_and_ends_the_order() -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    redeem(shop, [coupon])
    row = Redemption.objects.get()
    card = services.reverse_redemption(request_id=row.request_id, reversal_key="r", reason="x", actor=BOSS)
    assert card.coupon_state == "issued"
    assert CouponOrder.objects.get().ended_at is not None
    assert refused(give_back, shop) == "coupons.already_returned"
    check_all_counters()


def test_a_coupon_whose_last_day_is_over_stays_expired() -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    redeem(shop, [coupon])
    give_back(shop, ReturnedPart("2", quantity=1))
    back = give_back(shop, at=coupon.valid_until)
    assert (back.usable, back.expired) == ((), (coupon.code,))
    assert Coupon.objects.get().state == "expired"
    check_all_counters()


def test_coupons_that_the_order_earned_are_void_where_nobody_used_them() -> None:
    member, shop = make_members(1)[0], make_shop()
    coupon = coupon_of(member)
    source = CouponOrder.objects.get(public_id=redeem(shop, [coupon]).public_id).source_key

    def gain(source_key: str) -> Any:
        return services.issue_coupon(
            batch_id=make_batch(budget_fen=100_000), member_id=member, request_key=key(), source_key=source_key,
            actor=BOSS,
        )  # fmt: skip

    gained, used, of_sale, foreign = gain(source), gain(source), gain("sale:7"), gain("sale:8")
    redeem(shop, [used], order_no="S2")
    give_back(shop, ReturnedPart("1", quantity=2))
    assert Coupon.objects.get(pk=gained.id).state == "issued"  # something of the order is left
    back = give_back(shop, source_keys=["sale:7"])
    assert back.voided_count == 2
    states = {row.pk: row.state for row in Coupon.objects.all()}
    assert [states[one.id] for one in (gained, used, of_sale, foreign)] == [
        "voided",
        "redeemed",
        "voided",
        "issued",
    ]
    check_all_counters()


def test_points_that_paid_come_back_with_their_part() -> None:
    member, shop = make_members(1)[0], make_shop()
    PointsPayment.objects.create(pk=1, is_active=True, max_share_bp=10_000)

    def balance() -> int:
        return member_selectors.get_points_summary(member).balance

    member_services.credit_points(member_id=member, points=2_000, source_key="s", actor=BOSS)
    card = redeem(shop, [coupon_of(member)], member_id=member, use_points=True)
    assert (card.points, balance()) == (2_000, 0)
    first = give_back(shop, ReturnedPart("1", quantity=1), return_key="a")
    assert 0 < first.refund.points < 2_000
    assert balance() == first.refund.points
    give_back(shop, ReturnedPart("1", quantity=1), return_key="a")
    assert balance() == first.refund.points
    give_back(shop)
    assert balance() == 2_000
    redeem(shop, [], order_no="S2", member_id=member, use_points=True)
    assert balance() == 0
    give_back(shop, order_no="S2")
    assert balance() == 2_000


def test_points_come_back_to_whom_she_was_merged_into_and_to_nobody_when_she_is_erased() -> None:
    PointsPayment.objects.create(pk=1, is_active=True, max_share_bp=10_000)
    survivor, emptier, erased = make_members(3)
    shop = make_shop()
    for number, member in enumerate((emptier, erased)):
        member_services.credit_points(member_id=member, points=500, source_key="s", actor=BOSS)
        redeem(shop, [], order_no=f"S{number}", member_id=member, use_points=True)
    member_services.merge_members(first_id=survivor, second_id=emptier, survivor_id=survivor, actor=BOSS)
    assert CouponOrder.objects.get(order_no="S0").member_id == survivor
    give_back(shop, order_no="S0")
    assert member_selectors.get_points_summary(survivor).balance == 500
    member_services.erase_member(member_id=erased, reason="own_wish", actor=BOSS)
    assert give_back(shop, order_no="S1").order.ended_at is not None
    assert not CouponOrder.objects.filter(ended_at__isnull=True).exists()


def test_coupons_that_were_redeemed_one_by_one_come_back_as_one_order() -> None:
    member, shop = make_members(1)[0], make_shop()
    first, second = coupon_of(member), coupon_of(member)
    for one in (first, second):
        services.redeem_coupon(code=one.code, order=order(shop), request_id=key(), actor=BOSS)
    back = give_back(shop, ReturnedPart("all", amount_fen=5_000))
    assert (back.refund.refund_fen, back.discount_fen) == (3_500, 1_500)
    check_all_counters()
    last = give_back(shop)
    assert last.refund.refund_fen == 10_500
    assert set(last.usable) == {first.code, second.code}
    check_all_counters()


def test_twenty_same_returns_at_once_are_one_and_two_different_ones_do_not_give_twice() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()
    card = redeem(shop, coupons)
    answers = at_once([partial(give_back, shop, ReturnedPart("1", quantity=1), return_key="a")] * 20)
    assert {answer.public_id for answer in answers} == {CouponReturn.objects.get().public_id}
    calls = [partial(give_back, shop, return_key=f"k{number}") for number in range(6)]
    assert outcomes(at_once(calls)) == {"coupons.already_returned": 5, "ok": 1}
    assert sum(row.refund_fen for row in CouponReturn.objects.all()) == card.payable_fen
    check_all_counters()


def test_without_the_orders_lock_both_give_the_same_goods_back() -> None:
    """What the lock of the order is for: both read what is left, both give it back."""
    import threading

    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    redeem(shop, [coupon])
    held = CouponOrder.objects.get()
    looked = threading.Barrier(2)

    def careless(number: int) -> None:
        assert CouponOrder.objects.get().ended_at is None
        looked.wait(timeout=30)
        CouponReturn.objects.create(
            order=held, return_key=f"c{number}", request_digest="", reason="x", refund_fen=held.payable_fen,
            discount_fen=held.discount_fen, returned_at=clock.now(), actor="",
        )  # fmt: skip

    at_once([partial(careless, 1), partial(careless, 2)])
    assert sum(row.refund_fen for row in CouponReturn.objects.all()) == 2 * held.payable_fen


def test_loose_coupons_returned_by_two_tills_at_once_become_one_order() -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    services.redeem_coupon(code=coupon.code, order=order(shop), request_id=key(), actor=BOSS)
    calls = [partial(give_back, shop, return_key=f"k{number}") for number in range(6)]
    assert outcomes(at_once(calls)) == {"coupons.already_returned": 5, "ok": 1}
    assert CouponOrder.objects.count() == 1


def test_a_return_and_a_new_redemption_of_the_coupon_at_once_end_one_way() -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    redeem(shop, [coupon])
    answers = at_once([partial(give_back, shop), partial(redeem, shop, [coupon], order_no="S2")])
    assert not isinstance(answers[0], Exception)
    late = answers[1]
    assert not isinstance(late, Exception) or late.code == "coupons.coupon_redeemed"  # type: ignore[attr-defined]
    check_all_counters()


# Whatever comes back in whatever pieces ---------------------------------------------------------------------


@st.composite
def baskets(draw: st.DrawFn) -> tuple[BasketLine, ...]:
    amounts = draw(st.lists(st.integers(0, 5_000), min_size=1, max_size=4))
    counts = draw(st.lists(st.integers(1, 4), min_size=len(amounts), max_size=len(amounts)))
    lines = tuple(
        BasketLine(str(number), "p", ("shirts",) if number % 2 else (), amount, count)
        for number, (amount, count) in enumerate(zip(amounts, counts, strict=True))
    )
    return lines if sum(amounts) >= 10 else (*lines, BasketLine("more", "p", (), 500))


@given(lines=baskets(), data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_of_parts_sums_exactly_to_the_whole(
    lines: tuple[BasketLine, ...], data: st.DataObject
) -> None:
    member, shop = _people()
    number = f"H{next(_orders)}"
    coupons = [claim(_batch(), member)]
    card = redeem(shop, coupons, lines=lines, order_no=number)
    refund = discount = 0
    left = {line.key: line.quantity for line in lines}
    while any(left.values()) and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(one for one, count in left.items() if count)))
        units = data.draw(st.integers(1, left[name]))
        left[name] -= units
        back = give_back(shop, ReturnedPart(name, quantity=units), order_no=number)
        assert back.refund.refund_fen >= 0
        refund, discount = refund + back.refund.refund_fen, discount + back.discount_fen
    if CouponOrder.objects.get(public_id=card.public_id).ended_at is None:
        back = give_back(shop, order_no=number)
        refund, discount = refund + back.refund.refund_fen, discount + back.discount_fen
    assert (refund, discount) == (card.payable_fen, card.discount_fen)
    assert Coupon.objects.get(pk=coupons[0].id).state == "issued"
    check_counters(Coupon.objects.get(pk=coupons[0].id).batch_id)


def _people() -> tuple[int, int]:
    from guides.models import Store

    first = Store.objects.first()
    return make_members(1)[0], first.pk if first else make_shop()


def _batch() -> int:
    from coupons.models import CouponBatch

    first = CouponBatch.objects.first()
    return first.pk if first else make_batch(10_000)
