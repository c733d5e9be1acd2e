"""Partial returns give back exactly their part, whatever the pieces."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Refusal
from coupons.contracts import BasketLine, CouponTerms, PointsTerms, PricedBasket, Refund, ReturnedPart
from coupons.services import price_basket, refund_of
from tests.coupons import pricing_kit as kit
from tests.coupons.pricing_kit import coupon, line, priced


def paid_basket() -> PricedBasket:
    lines = [line("a", 100, 3), line("b", 100), line("free", 0)]
    points = PointsTerms(balance=1_000, step=100, fen_per_step=100)
    return priced(lines, coupon("减50", "cash_off", off_fen=5_000), points=points, use_points=True)


def test_one_unit_of_three_gives_back_its_third_and_the_last_one_the_rest() -> None:
    basket = paid_basket()
    parts = [ReturnedPart("a", quantity=1)] * 3
    refunds = [
        refund_of(priced=basket, returned=[part], earlier=parts[:at]).lines[0]
        for at, part in enumerate(parts)
    ]
    assert [one.amount_fen for one in refunds] == [3_333, 3_333, 3_334]
    assert [one.refund_fen for one in refunds] == [2_333, 2_333, 2_334]
    assert [one.coupon_shares[0].discount_fen for one in refunds] == [833, 834, 833]
    assert [one.points_fen for one in refunds] == [167, 166, 167]
    assert [one.points for one in refunds] == [167, 166, 167]


def test_a_line_that_cost_nothing_gives_nothing_back() -> None:
    refund = refund_of(priced=paid_basket(), returned=[ReturnedPart("free", quantity=1)])
    assert (refund.refund_fen, refund.points, refund.coupon_shares) == (0, 0, ())


def test_money_given_back_for_a_unit_is_not_given_twice_when_it_returns() -> None:
    basket = paid_basket()
    earlier = [ReturnedPart("b", amount_fen=1_000)]
    first = refund_of(priced=basket, returned=earlier)
    rest = refund_of(priced=basket, returned=[ReturnedPart("b", quantity=1)], earlier=earlier)
    assert rest.lines[0].amount_fen == 9_000
    assert first.refund_fen + rest.refund_fen == basket.lines[1].payable_fen


@pytest.mark.parametrize(
    ("returned", "earlier", "code"),
    [
        ([ReturnedPart("?", quantity=1)], [], "coupons.no_such_line"),
        ([ReturnedPart("a")], [], "coupons.return_unusable"),
        ([ReturnedPart("a", quantity=1, amount_fen=1)], [], "coupons.return_unusable"),
        ([ReturnedPart("a", quantity=-1)], [], "coupons.return_unusable"),
        ([ReturnedPart("a", amount_fen=-1)], [], "coupons.return_unusable"),
        ([ReturnedPart("a", quantity=4)], [], "coupons.returned_too_much"),
        ([ReturnedPart("a", quantity=2)], [ReturnedPart("a", quantity=2)], "coupons.returned_too_much"),
        ([ReturnedPart("a", amount_fen=10_001)], [], "coupons.returned_too_much"),
        ([ReturnedPart("a", amount_fen=1)], [ReturnedPart("a", quantity=3)], "coupons.returned_too_much"),
        (
            [ReturnedPart("a", amount_fen=6_668), ReturnedPart("a", quantity=1)],
            [ReturnedPart("a", quantity=1)],
            "coupons.returned_too_much",
        ),
    ],
)
def test_returns_that_cannot_be_are_refused(
    returned: list[ReturnedPart], earlier: list[ReturnedPart], code: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        refund_of(priced=paid_basket(), returned=returned, earlier=earlier)
    assert refusal.value.code == code


@st.composite
def pieces(draw: st.DrawFn, lines: list[BasketLine]) -> list[ReturnedPart]:
    """Everything, in any pieces: units, or amounts of money, line by line in any order."""
    parts = []
    for one in lines:
        if draw(st.booleans()) or not one.amount_fen:
            parts += [ReturnedPart(one.key, quantity=1)] * one.quantity
            continue
        cuts = draw(st.lists(st.integers(1, max(1, one.amount_fen - 1)), max_size=4, unique=True))
        marks = sorted({0, one.amount_fen, *(cut for cut in cuts if cut < one.amount_fen)})
        parts += [ReturnedPart(one.key, amount_fen=high - low) for low, high in itertools.pairwise(marks)]
    return draw(st.permutations(parts))


def summed(refunds: list[Refund]) -> tuple[int, int, dict[str, int]]:
    shares: dict[str, int] = {}
    for refund in refunds:
        for share in refund.coupon_shares:
            shares[share.coupon_key] = shares.get(share.coupon_key, 0) + share.discount_fen
    return sum(one.refund_fen for one in refunds), sum(one.points for one in refunds), shares


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), kit.basket_lines(), kit.coupon_lists(3))
def test_returning_everything_in_any_pieces_gives_back_exactly_what_was_paid(
    data: st.DataObject, lines: list[BasketLine], coupons: list[CouponTerms]
) -> None:
    points = PointsTerms(balance=data.draw(st.integers(0, 9_000)), step=3, fen_per_step=2)
    basket = price_basket(lines=lines, coupons=coupons, points=points, use_points=True)
    parts = data.draw(pieces(lines))
    refunds = [refund_of(priced=basket, returned=[part], earlier=parts[:at]) for at, part in enumerate(parts)]
    for refund in refunds:
        for one in refund.lines:
            shares = [share.discount_fen for share in one.coupon_shares]
            assert one.amount_fen == one.refund_fen + one.points_fen + sum(shares)
            assert min(one.refund_fen, one.points_fen, one.points, *shares) >= 0
    discounts = {one.key: one.discount_fen for one in basket.coupons if one.discount_fen}
    assert summed(refunds) == (basket.payable_fen, basket.points.points, discounts)
    assert summed([refund_of(priced=basket, returned=parts)]) == summed(refunds)
