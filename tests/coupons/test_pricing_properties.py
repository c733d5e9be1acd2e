"""What holds for every basket: generated cases, and agreement with a pricing that tries everything."""

import dataclasses
import math
import random
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from coupons.contracts import BasketLine, CouponTerms, PointsTerms, PricedBasket
from coupons.services import price_basket
from tests.coupons import pricing_kit as kit

many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
points_terms = st.builds(
    PointsTerms,
    balance=st.integers(0, 20_000),
    step=st.sampled_from((1, 10, 100)),
    fen_per_step=st.sampled_from((1, 7, 100)),
    max_share_bp=st.integers(0, 10_000),
    max_points=st.one_of(st.none(), st.integers(0, 5_000)),
)


def rank_of(basket: PricedBasket, coupons: list[CouponTerms]) -> tuple[Any, ...]:
    used = [one for one in coupons if one.key in basket.used_keys]
    return (
        basket.original_fen - basket.discount_fen,
        -sum(one.gift_value_fen for one in used),
        len(used),
        sorted(kit.turn(one)[3:5] for one in used),
        sorted(basket.used_keys),
    )


@many
@given(kit.basket_lines(), kit.coupon_lists())
def test_the_best_combination_is_the_one_that_trying_everything_finds(
    lines: list[BasketLine], coupons: list[CouponTerms]
) -> None:
    basket = price_basket(lines=lines, coupons=coupons)
    rank, _ = kit.cheapest(lines, coupons)
    event(f"{len(basket.used_keys)} coupons used")
    assert basket.is_exact
    assert rank_of(basket, coupons) == rank


@st.composite
def unit_coupons(draw: st.DrawFn) -> list[CouponTerms]:
    """Three or four coupons of different groups that all want units, often the same ones."""
    coupons = []
    for at in range(draw(st.integers(3, 4))):
        own: dict[str, Any] = {"units": draw(st.integers(1, 3))}
        if draw(st.booleans()):
            own |= {"kind": "exchange", "cap_fen": draw(st.one_of(st.none(), st.integers(1, 40)))}
        else:
            own |= {"kind": "fixed_price", "price_fen": draw(st.integers(0, 40))}
        scope = draw(st.frozensets(st.sampled_from(kit.CATEGORIES), max_size=2))
        coupons.append(kit.coupon(f"k{at}", include_categories=scope, **own))
    return coupons


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 3)), min_size=2, max_size=3), unit_coupons())
def test_coupons_that_want_the_same_units_share_them_in_the_cheapest_way(
    rows: list[tuple[int, int]], coupons: list[CouponTerms]
) -> None:
    lines = [
        BasketLine(f"l{at}", f"p{at}", (kit.CATEGORIES[at],), amount, quantity)
        for at, (amount, quantity) in enumerate(rows)
    ]
    basket = price_basket(lines=lines, coupons=coupons)
    assert rank_of(basket, coupons) == kit.cheapest(lines, coupons)[0]


@many
@given(kit.basket_lines(), kit.coupon_lists(), points_terms)
def test_every_fen_is_on_a_line_and_no_line_is_negative(
    lines: list[BasketLine], coupons: list[CouponTerms], points: PointsTerms
) -> None:
    basket = price_basket(lines=lines, coupons=coupons, points=points, use_points=True)
    for line in basket.lines:
        assert line.amount_fen == line.discount_fen + line.points_fen + line.payable_fen
        assert min(line.payable_fen, line.points_fen, line.points) >= 0
        assert all(share.discount_fen > 0 for share in line.coupon_shares)
    for verdict in basket.coupons:
        shares = [share for line in basket.lines for share in line.coupon_shares]
        assert verdict.discount_fen == sum(s.discount_fen for s in shares if s.coupon_key == verdict.key)
    assert basket.discount_fen == sum(verdict.discount_fen for verdict in basket.coupons)
    assert basket.payable_fen == sum(line.payable_fen for line in basket.lines)
    assert basket.points.off_fen == sum(line.points_fen for line in basket.lines)
    assert basket.points.points == sum(line.points for line in basket.lines)
    assert basket.original_fen == basket.discount_fen + basket.points.off_fen + basket.payable_fen


@many
@given(kit.basket_lines(), kit.coupon_lists(), points_terms)
def test_no_coupon_and_no_points_exceed_their_limits_or_their_scope(
    lines: list[BasketLine], coupons: list[CouponTerms], points: PointsTerms
) -> None:
    basket = price_basket(lines=lines, coupons=coupons, points=points, use_points=True)
    for terms, verdict in zip(coupons, basket.coupons, strict=True):
        cap = terms.cap_fen
        if terms.kind == "cash_off" and not terms.per_fen:
            assert verdict.discount_fen <= min(terms.off_fen, cap or terms.off_fen)
        elif cap is not None:
            assert verdict.discount_fen <= cap * (terms.units if terms.kind == "exchange" else 1)
        scope = {one.key for one in lines if kit.in_scope(terms, one)}
        touched = {
            line.key for line in basket.lines for share in line.coupon_shares if share.coupon_key == terms.key
        }
        assert touched <= scope
    used = basket.points
    discountable = {one.key for one in lines if one.is_discountable}
    assert used.points <= points.balance
    assert used.points % points.step == 0
    assert points.max_points is None or used.points <= points.max_points
    assert {line.key for line in basket.lines if line.points_fen} <= discountable
    left = basket.original_fen - basket.discount_fen
    assert used.off_fen <= left * points.max_share_bp / 10_000


@many
@given(kit.basket_lines(), kit.coupon_lists())
def test_each_line_is_within_a_fen_of_its_exact_share(
    lines: list[BasketLine], coupons: list[CouponTerms]
) -> None:
    basket = price_basket(lines=lines, coupons=coupons)
    payable = [line.payable_fen for line in basket.lines]
    exact = [left for rank, left in kit.choices(lines, coupons) if rank == rank_of(basket, coupons)]
    assert any(all(abs(fen - share) < 1 for fen, share in zip(payable, left, strict=True)) for left in exact)


def changed(terms: CouponTerms, field: str, value: Any) -> CouponTerms:
    return CouponTerms(**{**kit.fields_of(terms), field: value})


def improved(draw: st.DrawFn, terms: CouponTerms) -> CouponTerms:
    """The same coupon, better in one respect that its kind has."""
    less: dict[str, Any] = {
        "min_spend_fen": terms.min_spend_fen,
        "min_quantity": terms.min_quantity,
        **({"rate_bp": terms.rate_bp} if terms.kind == "percent" else {}),
        **({"price_fen": terms.price_fen} if terms.kind == "fixed_price" else {}),
    }
    more: dict[str, Any] = {
        **({"off_fen": terms.off_fen} if terms.kind == "cash_off" else {}),
        **({"units": terms.units} if terms.units else {}),
        **({"cap_fen": terms.cap_fen} if terms.cap_fen is not None else {}),
    }
    field = draw(st.sampled_from(sorted({**less, **more})))
    if field == "cap_fen" and draw(st.booleans()):
        return dataclasses.replace(terms, cap_fen=None)
    if field in more:
        most = 2 if field == "units" else 5_000
        return changed(terms, field, more[field] + draw(st.integers(1, most)))
    if field == "min_spend_fen" and terms.per_fen and draw(st.booleans()):
        return dataclasses.replace(terms, per_fen=draw(st.integers(1, terms.per_fen)))
    return changed(terms, field, draw(st.integers(0, less[field])))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_better_coupon_never_makes_the_basket_dearer(data: st.DataObject) -> None:
    lines = data.draw(kit.basket_lines())
    coupons = [data.draw(kit.coupon_terms(f"k{at}")) for at in range(data.draw(st.integers(1, 5)))]
    at = data.draw(st.integers(0, len(coupons) - 1))
    better = [*coupons[:at], data.draw(st.composite(improved)(coupons[at])), *coupons[at + 1 :]]
    before = price_basket(lines=lines, coupons=coupons)
    after = price_basket(lines=lines, coupons=better)
    event("cheaper" if after.payable_fen < before.payable_fen else "the same")
    assert after.payable_fen <= before.payable_fen


@many
@given(kit.basket_lines(), kit.coupon_lists(5), st.integers(0, 4))
def test_one_more_coupon_never_makes_the_basket_dearer(
    lines: list[BasketLine], coupons: list[CouponTerms], without: int
) -> None:
    fewer = [one for at, one in enumerate(coupons) if at != without]
    assert (
        price_basket(lines=lines, coupons=coupons).payable_fen
        <= price_basket(lines=lines, coupons=fewer).payable_fen
    )


@many
@given(kit.basket_lines(), kit.coupon_lists(), points_terms, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_coupons_does_not_matter(
    lines: list[BasketLine], coupons: list[CouponTerms], points: PointsTerms, chance: random.Random
) -> None:
    first = price_basket(lines=lines, coupons=coupons, points=points, use_points=True)
    chance.shuffle(lines)
    chance.shuffle(coupons)
    second = price_basket(lines=lines, coupons=coupons, points=points, use_points=True)
    assert [line.key for line in second.lines] == [one.key for one in lines]
    assert {line.key: line for line in first.lines} == {line.key: line for line in second.lines}
    assert {one.key: one for one in first.coupons} == {one.key: one for one in second.coupons}


@many
@given(kit.basket_lines(), kit.coupon_lists())
def test_choosing_what_the_search_chose_gives_the_same_price(
    lines: list[BasketLine], coupons: list[CouponTerms]
) -> None:
    best = price_basket(lines=lines, coupons=coupons)
    again = price_basket(lines=lines, coupons=coupons, chosen=best.used_keys)
    assert again.lines == best.lines
    assert again.payable_fen == best.payable_fen


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=8), st.integers(0, 9_999), st.integers(1, 10**10)
)
def test_large_amounts_are_counted_to_the_fen(amounts: list[int], rate_bp: int, off_fen: int) -> None:
    lines = [BasketLine(f"l{at}", "p", (), amount) for at, amount in enumerate(amounts)]
    coupons = [kit.coupon("a", "cash_off", off_fen=off_fen), kit.coupon("b", "percent", rate_bp=rate_bp)]
    left = max(0, sum(amounts) - off_fen)
    exact = Fraction(left) * rate_bp / 10_000
    assert price_basket(lines=lines, coupons=coupons).payable_fen == math.ceil(exact)
