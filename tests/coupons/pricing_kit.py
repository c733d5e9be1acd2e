"""Baskets for the tests of pricing, and a second pricing that tries everything.

`cheapest` follows the rules as they are written for people: every set of coupons, every number of units, line by line, in
fractions, without any of the shortcuts of `coupons.services`. It is what the real one must agree with.
"""

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from coupons.contracts import BasketLine, CouponKind, CouponTerms, PricedBasket
from coupons.services import price_basket

KINDS = ("exchange", "fixed_price", "cash_off", "percent", "gift")
DAY = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def line(key: str, yuan: float, quantity: int = 1, *categories: str, **values: Any) -> BasketLine:
    fields = {"product": f"p-{key}", "categories": categories or ("all",), **values}
    return BasketLine(key=key, amount_fen=round(yuan * 100), quantity=quantity, **fields)


def coupon(key: str, kind: CouponKind, **values: Any) -> CouponTerms:
    """A coupon in a group of its own unless the case says otherwise."""
    if kind == "gift":
        values = {"gift_name": "杯子", "gift_value_fen": 1, **values}
    return CouponTerms(**{"key": key, "name": f"券{key}", "kind": kind, "stacking_group": key, **values})


def priced(lines: Sequence[BasketLine], *coupons: CouponTerms, **asked: Any) -> PricedBasket:
    return price_basket(lines=lines, coupons=coupons, **asked)


# -- everything, tried


def in_scope(terms: CouponTerms, basket_line: BasketLine) -> bool:
    categories = set(basket_line.categories)
    if not basket_line.is_discountable or basket_line.product in terms.exclude_products:
        return False
    if categories & terms.exclude_categories:
        return False
    includes_all = not terms.include_products and not terms.include_categories
    is_included = basket_line.product in terms.include_products or bool(categories & terms.include_categories)
    return includes_all or is_included


def is_open(terms: CouponTerms, lines: Sequence[BasketLine]) -> bool:
    scope = [one for one in lines if in_scope(terms, one)]
    spend = sum(one.amount_fen for one in scope)
    least = max(terms.min_spend_fen, terms.per_fen)
    return bool(scope) and spend >= least and sum(one.quantity for one in scope) >= terms.min_quantity


def template(terms: CouponTerms) -> tuple[str, str]:
    return ("template", terms.template_key) if terms.template_key else ("coupon", terms.key)


def is_legal(used: Sequence[CouponTerms]) -> bool:
    if len(used) > 1 and any(one.is_exclusive for one in used):
        return False
    for one in used:
        if sum(template(other) == template(one) for other in used) > one.max_per_order:
            return False
        if any(o.stacking_group == one.stacking_group and template(o) != template(one) for o in used):
            return False
    return True


def turn(terms: CouponTerms) -> tuple[Any, ...]:
    until = terms.valid_until
    order = (until is None, 0.0 if until is None else until.timestamp())
    return (KINDS.index(terms.kind), terms.stacking_group, terms.template_key, *order, terms.key)


def apply_one(
    terms: CouponTerms, lines: Sequence[BasketLine], left: list[Fraction], free: list[int], units: int
) -> None:
    scope = [at for at, one in enumerate(lines) if in_scope(terms, one)]
    if terms.kind in ("exchange", "fixed_price"):
        prices = {at: Fraction(lines[at].amount_fen, lines[at].quantity) for at in scope}
        for at in sorted(scope, key=lambda at: (-prices[at], lines[at].key)):
            while units and free[at]:
                units, free[at] = units - 1, free[at] - 1
                if terms.kind == "fixed_price":
                    left[at] -= max(Fraction(0), prices[at] - Fraction(terms.price_fen))
                else:
                    left[at] -= (
                        prices[at] if terms.cap_fen is None else min(prices[at], Fraction(terms.cap_fen))
                    )
        return
    total = sum((left[at] for at in scope), start=Fraction(0))
    off = Fraction(0)
    if terms.kind == "cash_off":
        times = sum(lines[at].amount_fen for at in scope) // terms.per_fen if terms.per_fen else 1
        off = Fraction(terms.off_fen * times)
    elif terms.kind == "percent":
        off = total * Fraction(10_000 - terms.rate_bp, 10_000)
    if terms.cap_fen is not None:
        off = min(off, Fraction(terms.cap_fen))
    off = min(off, total)
    for at in scope:
        left[at] -= off * left[at] / total if total else 0


def choices(
    lines: Sequence[BasketLine], coupons: Sequence[CouponTerms]
) -> Iterator[tuple[tuple[Any, ...], list[Fraction]]]:
    usable = [one for one in coupons if is_open(one, lines)]
    for size in range(len(usable) + 1):
        for subset in itertools.combinations(usable, size):
            if not is_legal(subset):
                continue
            used = sorted(subset, key=turn)
            spans = [range(1, one.units + 1) if one.units else range(1) for one in used]
            for units in itertools.product(*spans):
                left = [Fraction(one.amount_fen) for one in lines]
                free = [one.quantity for one in lines]
                for terms, count in zip(used, units, strict=True):
                    apply_one(terms, lines, left, free, count)
                dates = sorted(turn(one)[3:5] for one in used)
                yield (
                    (
                        math.ceil(sum(left)),
                        -sum(one.gift_value_fen for one in used),
                        len(used),
                        dates,
                        sorted(one.key for one in used),
                    ),
                    left,
                )


def cheapest(
    lines: Sequence[BasketLine], coupons: Sequence[CouponTerms]
) -> tuple[tuple[Any, ...], list[Fraction]]:
    return min(choices(lines, coupons), key=lambda found: found[0])


# -- generated baskets

CATEGORIES = ("c1", "c2", "c3")
GROUPS = ("", "a", "b", "c")


@st.composite
def basket_lines(draw: st.DrawFn, most: int = 4) -> list[BasketLine]:
    rows = draw(
        st.lists(
            st.tuples(
                st.one_of(st.integers(0, 60), st.integers(0, 30_000)),
                st.integers(1, 3),
                st.sampled_from(CATEGORIES),
                st.sampled_from((True, True, True, False)),
            ),
            min_size=1,
            max_size=most,
        )
    )
    return [
        BasketLine(f"l{at}", f"p{at % 3}", (category,), amount, quantity, is_open)
        for at, (amount, quantity, category, is_open) in enumerate(rows)
    ]


@st.composite
def coupon_terms(draw: st.DrawFn, key: str) -> CouponTerms:
    kind: Any = draw(st.sampled_from(KINDS))
    cap = draw(st.one_of(st.none(), st.integers(1, 5_000)))
    own: dict[str, dict[str, Any]] = {
        "exchange": {"units": draw(st.integers(1, 3)), "cap_fen": cap},
        "fixed_price": {"units": draw(st.integers(1, 3)), "price_fen": draw(st.integers(0, 5_000))},
        "cash_off": {
            "off_fen": draw(st.one_of(st.integers(1, 20), st.integers(1, 9_000))),
            "per_fen": draw(st.sampled_from((0, 0, 100, 3_000))),
            "cap_fen": cap,
        },
        "percent": {"rate_bp": draw(st.integers(0, 9_999)), "cap_fen": cap},
        "gift": {"gift_name": "杯子", "gift_value_fen": draw(st.integers(1, 3))},
    }
    return CouponTerms(
        key=key,
        name=key,
        kind=kind,
        min_spend_fen=draw(st.sampled_from((0, 0, 50, 5_000))),
        min_quantity=draw(st.sampled_from((0, 0, 2))),
        include_categories=draw(st.frozensets(st.sampled_from(CATEGORIES), max_size=2)),
        include_products=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"p1"})))),
        exclude_products=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"p2"})))),
        exclude_categories=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"c3"})))),
        stacking_group=draw(st.sampled_from(GROUPS)),
        is_exclusive=draw(st.sampled_from((False,) * 5 + (True,))),
        template_key=draw(st.sampled_from(("", "", "t1", "t2"))),
        max_per_order=draw(st.sampled_from((1, 1, 2, 3))),
        valid_until=draw(st.sampled_from((None, DAY, DAY + dt.timedelta(days=1)))),
        **own[kind],
    )


@st.composite
def coupon_lists(draw: st.DrawFn, most: int = 4) -> list[CouponTerms]:
    """Some coupons are twins of others, as the coupons of one batch are."""
    coupons = [draw(coupon_terms(f"k{at}")) for at in range(draw(st.integers(0, most)))]
    for at in range(len(coupons)):
        if at and draw(st.booleans()) and draw(st.booleans()):
            like = coupons[draw(st.integers(0, at - 1))]
            coupons[at] = CouponTerms(**{**fields_of(like), "key": f"k{at}", "name": f"k{at}"})
    return coupons


def fields_of(terms: CouponTerms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in CouponTerms.__dataclass_fields__}
