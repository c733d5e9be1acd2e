"""Baskets that can be checked by hand, what is explained, and what is refused."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from core.errors import Refusal
from coupons.contracts import BasketLine, CouponTerms, PointsTerms
from coupons.services import price_basket, pricing_search
from tests.coupons.pricing_kit import DAY, cheapest, coupon, line, priced

OFF_50 = coupon("减50", "cash_off", off_fen=5_000, min_spend_fen=20_000)
EACH_100_OFF_10 = coupon("每满减", "cash_off", off_fen=1_000, per_fen=10_000)
PAY_88 = coupon("88折", "percent", rate_bp=8_800)
PAY_90 = coupon("9折", "percent", rate_bp=9_000)


def one_free(**values: Any) -> CouponTerms:
    return coupon("兑换", "exchange", units=1, **values)


@pytest.mark.parametrize(
    ("rows", "coupons", "payable"),
    [
        # lines (yuan, units) · coupons · payable of each line (yuan)
        ([(100, 1), (60, 1), (40, 1)], [OFF_50], [75, 45, 30]),
        ([(100, 1), (60, 1), (39.99, 1)], [OFF_50], [100, 60, 39.99]),
        ([(99.9, 1)], [PAY_88], [87.92]),  # 87.912, rounded up once
        ([(33.33, 1)] * 3, [PAY_88], [29.34, 29.33, 29.33]),  # 87.9912
        ([(100, 1)], [dataclasses.replace(PAY_88, cap_fen=1_000)], [90]),
        ([(350, 1)], [EACH_100_OFF_10], [320]),
        ([(350, 1)], [dataclasses.replace(EACH_100_OFF_10, cap_fen=2_000)], [330]),
        ([(99.99, 1)], [EACH_100_OFF_10], [99.99]),
        ([(90, 3), (50, 1)], [one_free()], [90, 0]),
        ([(90, 3), (50, 1)], [one_free(cap_fen=2_000)], [90, 30]),
        ([(90, 3), (20, 1)], [one_free()], [60, 20]),
        ([(180, 3)], [coupon("一口价", "fixed_price", units=2, price_fen=3_900)], [138]),
        ([(30, 1)], [coupon("一口价", "fixed_price", units=2, price_fen=3_900)], [30]),
        # (30 + 200 − the dearest unit 200 at 150 off at most − 50) × 0.9: each works on what is left
        ([(30, 1), (200, 1)], [PAY_90, OFF_50, one_free(cap_fen=15_000)], [10.12, 16.88]),
        ([(1, 1)] * 3, [coupon("五毛", "cash_off", off_fen=50)], [0.83, 0.83, 0.84]),
        ([(0, 1), (10, 1)], [coupon("五块", "cash_off", off_fen=500)], [0, 5]),
        ([(3, 1)], [coupon("五块", "cash_off", off_fen=500)], [0]),
    ],
)
def test_a_marketer_can_check_it_by_hand(
    rows: list[tuple[float, int]], coupons: list[CouponTerms], payable: list[float]
) -> None:
    lines = [line(f"{at}", yuan, units) for at, (yuan, units) in enumerate(rows)]
    basket = priced(lines, *coupons)
    got = [one.payable_fen for one in basket.lines]
    assert got == [round(yuan * 100) for yuan in payable]


def test_of_one_group_the_better_coupon_is_used_and_the_other_says_why() -> None:
    pay_80 = coupon("8折", "percent", rate_bp=8_000, stacking_group="店铺券")
    off_50 = dataclasses.replace(OFF_50, stacking_group="店铺券")
    assert priced([line("a", 200)], off_50, pay_80).used_keys == ("减50",)
    basket = priced([line("a", 300)], off_50, pay_80)
    assert basket.used_keys == ("8折",)
    assert [(one.reason, one.against) for one in basket.coupons] == [("group_taken", "8折"), ("used", "")]


def test_an_exclusive_coupon_is_used_alone_when_it_beats_the_others_together() -> None:
    off_30 = coupon("减30", "cash_off", off_fen=3_000)
    off_40 = coupon("减40", "cash_off", off_fen=4_000)
    off_80 = coupon("减80", "cash_off", off_fen=8_000, is_exclusive=True)
    basket = priced([line("a", 300)], off_30, off_40, off_80)
    assert basket.used_keys == ("减80",)
    assert [one.reason for one in basket.coupons[:2]] == ["exclusive", "exclusive"]
    beaten = priced([line("a", 300)], off_30, off_40, dataclasses.replace(off_80, off_fen=6_900))
    assert beaten.used_keys == ("减30", "减40")
    assert (beaten.coupons[2].reason, beaten.coupons[2].against) == ("exclusive", "减30")


def test_several_coupons_of_one_template_are_used_up_to_its_limit() -> None:
    same: dict[str, Any] = {"off_fen": 1_000, "stacking_group": "", "template_key": "代金券"}
    coupons = [
        coupon(str(n), "cash_off", max_per_order=2, valid_until=DAY - dt.timedelta(days=n), **same)
        for n in range(4)
    ]
    basket = priced([line("a", 100)], *coupons)
    assert basket.used_keys == ("2", "3")  # those that expire first
    assert {one.reason for one in basket.coupons if not one.is_used} == {"over_max_per_order"}
    assert priced([line("a", 5)], *coupons).used_keys == ("3",)


def test_of_several_limits_in_one_template_the_least_of_the_used_ones_holds() -> None:
    same: dict[str, Any] = {"stacking_group": "", "template_key": "代金券"}
    big = coupon("a", "cash_off", off_fen=5_000, max_per_order=2, **same)
    small = [coupon(f"b{n}", "cash_off", off_fen=1_000, max_per_order=3, **same) for n in range(3)]
    assert priced([line("a", 100)], big, *small).used_keys == ("a", "b0")
    less = dataclasses.replace(big, off_fen=1_500)
    assert priced([line("a", 100)], less, *small).used_keys == ("b0", "b1", "b2")


def test_scope_is_by_category_path_and_product_and_exclusion_wins() -> None:
    lines = [
        line("跑鞋", 100, 1, "shoes", "shoes.run"),
        line("皮鞋", 100, 1, "shoes", "shoes.leather"),
        line("帽子", 100, 1, "hats"),
        line("特价", 100, 1, "shoes", is_discountable=False),
    ]
    shoes = coupon("鞋", "percent", rate_bp=5_000, include_categories=frozenset({"shoes"}))
    assert [one.discount_fen for one in priced(lines, shoes).lines] == [5_000, 5_000, 0, 0]
    no_leather = dataclasses.replace(shoes, exclude_categories=frozenset({"shoes.leather"}))
    assert [one.discount_fen for one in priced(lines, no_leather).lines] == [5_000, 0, 0, 0]
    with_hat = dataclasses.replace(
        no_leather, include_products=frozenset({"p-帽子", "p-跑鞋"}), exclude_products=frozenset({"p-跑鞋"})
    )
    assert [one.discount_fen for one in priced(lines, with_hat).lines] == [0, 0, 5_000, 0]


def test_what_a_coupon_lacks_is_said() -> None:
    lines = [line("a", 87.5, 2), line("b", 1_000, 1, "other", is_discountable=False)]
    coupons = [
        coupon("满100", "cash_off", off_fen=100, min_spend_fen=10_000),
        coupon("每满90", "cash_off", off_fen=100, per_fen=9_000),
        coupon("满3件", "percent", rate_bp=9_000, min_quantity=3),
        coupon("帽子券", "percent", rate_bp=9_000, include_categories=frozenset({"hats"})),
        coupon("特价券", "percent", rate_bp=9_000, include_products=frozenset({"p-b"})),
        coupon("一口价", "fixed_price", units=1, price_fen=9_000),
    ]
    verdicts = priced(lines, *coupons).coupons
    assert [(one.reason, one.short_fen, one.short_count) for one in verdicts] == [
        ("below_min_spend", 1_250, 0),
        ("below_min_spend", 250, 0),
        ("below_min_quantity", 0, 1),
        ("no_goods_in_scope", 0, 0),
        ("goods_not_discountable", 0, 0),
        ("no_value_left", 0, 0),
    ]
    assert "12.50" in verdicts[0].words


def test_a_coupon_that_would_take_nothing_more_is_kept() -> None:
    hundred_off = coupon("减100", "cash_off", off_fen=10_000)
    basket = priced([line("a", 80)], hundred_off, PAY_90)
    assert basket.used_keys == ("减100",)
    assert basket.coupons[1].reason == "no_value_left"
    assert priced([line("a", 0)], hundred_off, PAY_90).used_keys == ()


def test_a_tie_goes_to_the_dearer_gift_then_to_what_expires_first_then_to_the_key() -> None:
    gifts = [
        coupon(key, "gift", gift_value_fen=worth, stacking_group="")
        for key, worth in (("杯", 900), ("伞", 3_000))
    ]
    basket = priced([line("a", 80)], *gifts)
    assert basket.used_keys == ("伞",)
    assert (basket.coupons[1].gift_name, basket.coupons[1].gift_value_fen) == ("杯子", 3_000)
    twins = [
        coupon(key, "cash_off", off_fen=100, stacking_group="", valid_until=until)
        for key, until in (("b", None), ("d", DAY), ("c", DAY))
    ]
    assert priced([line("a", 80)], *twins).used_keys == ("c",)


def test_of_combinations_that_cost_the_same_the_one_that_expires_first_is_used() -> None:
    coupons = [
        coupon(key, "cash_off", off_fen=4_000, valid_until=until)
        for key, until in (("a", None), ("b", None), ("c", DAY), ("d", DAY))
    ]
    assert priced([line("x", 80)], *coupons).used_keys == ("c", "d")


def test_a_difference_that_floats_cannot_see_decides() -> None:
    # 9,998,999,999.0001 is rounded up; the other coupon leaves the whole number below it.
    coupons = [
        coupon("a", "percent", rate_bp=9_999, stacking_group=""),
        coupon("b", "cash_off", off_fen=1_000_000, stacking_group=""),
    ]
    basket = priced([BasketLine("x", "p", (), 10**10 - 1)], *coupons)
    assert (basket.used_keys, basket.payable_fen) == (("b",), 9_998_999_999)


def test_fields_of_another_kind_mean_nothing() -> None:
    stray: dict[str, Any] = {
        "gift_name": "杯子",
        "gift_value_fen": 5_000,
        "units": 3,
        "rate_bp": 1,
        "price_fen": 7,
    }
    twins = [
        coupon(key, "cash_off", off_fen=100, stacking_group="", **fields)
        for key, fields in (("a", {}), ("b", stray))
    ]
    basket = priced([line("a", 80)], *twins)
    assert (basket.used_keys, basket.payable_fen, basket.coupons[0].gift_value_fen) == (("a",), 7_900, 0)


def test_a_coupon_for_units_leaves_the_dear_one_to_another_where_that_is_cheaper() -> None:
    lines = [line("a", 100, 1, "x"), line("b", 90, 1, "y")]
    two_half = coupon("k1", "exchange", units=2, cap_fen=5_000)
    one_whole = coupon("k2", "exchange", units=1, include_categories=frozenset({"y"}))
    basket = priced(lines, two_half, one_whole)
    assert [one.payable_fen for one in basket.lines] == [5_000, 0]


# -- points


def test_points_pay_in_whole_steps_within_every_limit() -> None:
    lines = [line("a", 100), line("b", 100, is_discountable=False)]
    terms = PointsTerms(balance=10_000, step=100, fen_per_step=50)
    used = priced(lines, PAY_90, points=terms, use_points=True)
    assert (used.points.points, used.points.off_fen, used.payable_fen) == (10_000, 5_000, 14_000)
    assert [one.points for one in used.lines] == [10_000, 0]
    for limits, points in (
        ({"max_points": 1_999}, 1_900),
        ({"max_share_bp": 5_000}, 9_000),
        ({"balance": 99}, 0),
        ({"balance": 1_000_000}, 18_000),
    ):
        limited = dataclasses.replace(terms, **limits)
        assert priced(lines, PAY_90, points=limited, use_points=True).points.points == points
        offered = priced(lines, PAY_90, points=limited).points
        assert (offered.points, offered.most_points) == (0, points)


def test_points_are_money_and_do_not_change_which_coupons_are_used() -> None:
    lines = [line("a", 100)]
    terms = PointsTerms(balance=10_000, step=10_000, fen_per_step=10_000)
    one_fen = coupon("一分", "cash_off", off_fen=1)
    assert priced(lines, points=terms, use_points=True).payable_fen == 0
    assert priced(lines, one_fen, points=terms, use_points=True).used_keys == ("一分",)


# -- the chosen combination


def test_a_chosen_combination_is_priced_as_it_is() -> None:
    lines = [line("a", 300)]
    basket = priced(lines, OFF_50, PAY_88, PAY_90, chosen=["9折"])
    assert (basket.used_keys, basket.payable_fen) == (("9折",), 27_000)
    assert [one.reason for one in basket.coupons] == ["not_chosen", "not_chosen", "used"]
    assert priced(lines, OFF_50, PAY_88, chosen=[]).payable_fen == 30_000


@pytest.mark.parametrize(
    ("coupons", "code"),
    [
        ([coupon("a", "cash_off", off_fen=1, min_spend_fen=30_001)], "coupons.below_min_spend"),
        ([coupon("a", "cash_off", off_fen=1, min_quantity=2)], "coupons.below_min_quantity"),
        ([coupon("a", "cash_off", off_fen=1, include_products=frozenset("?"))], "coupons.no_goods_in_scope"),
        (
            [coupon("a", "cash_off", off_fen=1, include_products=frozenset({"p-特价"}))],
            "coupons.goods_not_discountable",
        ),
        ([coupon(key, "cash_off", off_fen=1, stacking_group="") for key in "ab"], "coupons.group_taken"),
        ([coupon("a", "cash_off", off_fen=1), coupon("b", "gift", is_exclusive=True)], "coupons.exclusive"),
        (
            [coupon(key, "cash_off", off_fen=1, stacking_group="", template_key="t") for key in "ab"],
            "coupons.over_max_per_order",
        ),
        ([coupon("a", "cash_off", off_fen=30_000), PAY_90], "coupons.no_value_left"),
        ([coupon("a", "fixed_price", units=1, price_fen=30_000)], "coupons.no_value_left"),
        ([one_free(), coupon("再兑", "exchange", units=1)], "coupons.no_value_left"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_its_reason(coupons: list[CouponTerms], code: str) -> None:
    lines = [line("a", 300), line("特价", 100, is_discountable=False)]
    with pytest.raises(Refusal) as refusal:
        priced(lines, *coupons, chosen=[one.key for one in coupons])
    assert refusal.value.code == code
    assert refusal.value.details["coupon"] in {one.key for one in coupons}


def test_a_choice_of_an_unknown_coupon_or_of_one_twice_is_refused() -> None:
    for chosen, code in ((["?"], "coupons.coupon_not_offered"), (["9折", "9折"], "coupons.duplicate_coupon")):
        with pytest.raises(Refusal) as refusal:
            priced([line("a", 300)], PAY_90, chosen=chosen)
        assert refusal.value.code == code


# -- bad input


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "coupons.basket_empty"),
        ([line(str(at), 1) for at in range(201)], "coupons.too_many_lines"),
        ([line("a", 1), line("a", 2)], "coupons.duplicate_line"),
        ([line("a", -0.01)], "coupons.basket_amount_unusable"),
        ([line("a", 100_000_000.01)], "coupons.basket_amount_unusable"),
        ([BasketLine("a", "p", (), 1.5)], "coupons.basket_amount_unusable"),  # type: ignore[arg-type]
        ([BasketLine("a", "p", (), True)], "coupons.basket_amount_unusable"),
        ([line("a", 1, 0)], "coupons.quantity_unusable"),
        ([line("a", 1, -1)], "coupons.quantity_unusable"),
        ([line("a", 1, 100_001)], "coupons.quantity_unusable"),
    ],
)
def test_lines_that_cannot_be_are_refused(lines: list[BasketLine], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        priced(lines)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "lottery"}, "kind"),
        ({"off_fen": 0}, "off_fen"),
        ({"off_fen": -1}, "off_fen"),
        ({"off_fen": 10**10 + 1}, "off_fen"),
        ({"per_fen": -1}, "per_fen"),
        ({"cap_fen": 0}, "cap_fen"),
        ({"min_spend_fen": -1}, "min_spend_fen"),
        ({"min_quantity": -1}, "min_quantity"),
        ({"max_per_order": 0}, "max_per_order"),
        ({"kind": "percent", "rate_bp": 10_000}, "rate_bp"),
        ({"kind": "percent", "rate_bp": -1}, "rate_bp"),
        ({"kind": "exchange", "units": 0}, "units"),
        ({"kind": "fixed_price", "units": 1, "price_fen": -1}, "price_fen"),
        ({"kind": "fixed_price", "units": 1, "cap_fen": 5}, "cap_fen"),
        ({"kind": "gift", "gift_value_fen": 0}, "gift_value_fen"),
        ({"valid_until": DAY.replace(tzinfo=None)}, "valid_until"),
    ],
)
def test_terms_that_mean_nothing_are_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as refusal:
        priced([line("a", 300)], coupon("k", **{"kind": "cash_off", "off_fen": 100, **values}))
    assert (refusal.value.code, refusal.value.details["field"]) == ("coupons.terms_unusable", field)


def test_too_many_coupons_and_one_twice_are_refused() -> None:
    for keys, code in (
        ([str(n) for n in range(51)], "coupons.too_many_coupons"),
        (["a", "a"], "coupons.duplicate_coupon"),
    ):
        with pytest.raises(Refusal) as refusal:
            priced([line("a", 300)], *[coupon(key, "gift") for key in keys])
        assert refusal.value.code == code


@pytest.mark.parametrize(
    "values",
    [{"balance": -1}, {"step": 0}, {"fen_per_step": 0}, {"max_share_bp": 10_001}, {"max_points": -1}],
)
def test_points_that_cannot_be_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(Refusal) as refusal:
        priced([line("a", 300)], points=PointsTerms(**{"balance": 100, **values}))
    assert (refusal.value.code, refusal.value.details["field"]) == (
        "coupons.points_unusable",
        next(iter(values)),
    )


def test_paying_with_points_that_were_not_named_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        priced([line("a", 300)], use_points=True)
    assert refusal.value.code == "coupons.points_unusable"


# -- size


def large_basket() -> tuple[list[BasketLine], list[CouponTerms]]:
    lines = [line(f"{n:03}", 10 + n * 0.37, 1 + n % 3, f"c{n % 12}") for n in range(200)]
    coupons = [
        coupon(
            f"{n:02}",
            "percent" if n % 2 else "cash_off",
            off_fen=500 + 77 * n,
            rate_bp=9_900 - 13 * n,
            include_categories=frozenset({f"c{n % 12}", f"c{n * 5 % 12}"}),
            stacking_group=f"g{n % 7}",
        )
        for n in range(20)
    ]
    return lines, coupons


def test_two_hundred_lines_with_twenty_coupons_are_priced_exactly() -> None:
    lines, coupons = large_basket()
    basket = priced(lines, *coupons)
    assert basket.is_exact
    assert len(basket.used_keys) == 7
    assert sum(one.discount_fen + one.payable_fen for one in basket.lines) == basket.original_fen


@pytest.mark.parametrize("nodes", [0, 2, 5, 12])
def test_a_search_that_ends_early_says_how_much_cheaper_it_could_be(
    nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line(str(n), 20 + n, 2, f"c{n % 3}") for n in range(4)]
    coupons = [
        coupon("a", "exchange", units=3, cap_fen=900),
        coupon("b", "exchange", units=2, include_categories=frozenset({"c0"})),
        coupon("c", "fixed_price", units=2, price_fen=300, include_categories=frozenset({"c0", "c1"})),
        *[coupon(f"d{n}", "percent", rate_bp=8_000 + 300 * n, stacking_group=f"{n % 2}") for n in range(4)],
        *[coupon(f"e{n}", "cash_off", off_fen=400 + 50 * n, stacking_group=f"{n % 2}") for n in range(3)],
    ]
    (best, *_), _ = cheapest(lines, coupons)
    monkeypatch.setattr(pricing_search, "MOST_NODES", nodes)
    basket = price_basket(lines=lines, coupons=coupons)
    assert basket.payable_fen - basket.bound_fen <= best <= basket.payable_fen
    if nodes == 0:
        assert not basket.is_exact
