"""The price of a basket with coupons and points: a pure function of its arguments.

A better coupon (more off, more units, a lower rate, price or threshold, a higher cap) never makes the price before
points dearer, and neither does one more coupon to choose from. Proof: fix the coupons used and the units each takes.
Which units these are depends on original prices alone. Let x be what is left in each line.

- Cash off D on a scope with the sum S turns each x in it into x·max(0, 1 − D/S). That grows in every coordinate (its
  derivatives are xD/S² by the others and 1 − D/S + xD/S² by itself) and falls in D.
- A percent coupon is the greater of r·x and of that with its cap as D: it grows in x and r, and falls in the cap.
- A unit loses an amount that does not depend on x, grows with the cap and falls with the price.

So a better coupon leaves no line above what the worse one left, and every later coupon keeps it so, for the order of
application reads nothing that makes a coupon better. More units, lower thresholds and one more coupon only add choices.
The price is the least over all choices, and rounding up keeps order. ∎ (Where the search ends early, up to its bound.)
"""

from collections.abc import Sequence
from typing import Final

from coupons.contracts import (
    BasketLine,
    CouponTerms,
    CouponVerdict,
    PointsTerms,
    PricedBasket,
)
from coupons.errors import CouponNotOffered, DuplicateCoupon
from coupons.services.pricing_choice import bar_of, check_choice
from coupons.services.pricing_input import check_coupons, check_lines, check_points
from coupons.services.pricing_search import Choice, Search
from coupons.services.pricing_share import Shares, share_out
from coupons.services.pricing_terms import Bar, Prepared, prepare
from coupons.services.pricing_words import explain, explain_use, refusal

_USED: Final = Bar("used")


def price_basket(
    *,
    lines: Sequence[BasketLine],
    coupons: Sequence[CouponTerms],
    points: PointsTerms | None = None,
    chosen: Sequence[str] | None = None,
    use_points: bool = False,
) -> PricedBasket:
    """The cheapest legal combination of coupons, or the chosen one, with every fen of it on a line.

    Coupons work in a fixed order, each on what the ones before it left of the lines in its scope, in proportion:
    exchange, fixed price, cash off, percent, gift, and then points. Exchange and fixed price take whole units, the
    dearest first, and a unit is taken once; where they compete for units, one may take fewer than it could. The chain
    is counted in fractions. What is payable is rounded up to a fen once, at the end, and all shares of coupons on
    lines are rounded together so that everything adds up and no coupon exceeds its cap.

    Points pay like money, so the combination is chosen before points: the lowest price, then the dearer gifts, the
    fewer coupons, those that expire first, the keys. The order of lines and coupons does not matter.

    Within its budget the search is exact; beyond it `bound_fen` says by how much another combination could be cheaper
    at most. Refuses input that cannot be (codes in `coupons.errors`), and of a choice the coupon that cannot be used,
    saying why.
    """
    check_lines(lines)
    check_coupons(coupons)
    check_points(points, use_points=use_points)
    ordered = sorted(lines, key=lambda line: line.key)
    prepared = prepare(lines=ordered, coupons=coupons)
    choice, bound_fen = _choose(ordered, coupons, prepared, chosen)
    slots = [(prepared.slots[at], units) for at, units in choice]
    shares = share_out(
        lines=ordered, cell_of=prepared.cell_of, slots=slots, points=points, use_points=use_points
    )
    used = [slot.coupon for slot, _ in slots]
    if chosen is not None:
        for coupon in used:
            if coupon.kind != "gift" and not shares.exact_off[coupon.key]:
                raise refusal(coupon=coupon, bar=Bar("no_value_left"))
    verdicts = tuple(
        _verdict(coupon, _bar(coupon, used, prepared, shares, is_chosen=chosen is not None), shares)
        for coupon in coupons
    )
    by_key = {line.key: line for line in shares.lines}
    return PricedBasket(
        lines=tuple(by_key[line.key] for line in lines),
        coupons=verdicts,
        points=shares.points,
        original_fen=sum(line.amount_fen for line in lines),
        discount_fen=sum(shares.off_fen.values()),
        payable_fen=sum(line.payable_fen for line in shares.lines),
        bound_fen=bound_fen,
    )


def _choose(
    lines: Sequence[BasketLine],
    coupons: Sequence[CouponTerms],
    prepared: Prepared,
    chosen: Sequence[str] | None,
) -> tuple[Choice, int]:
    slots = prepared.slots
    if chosen is not None:
        by_key = {coupon.key: coupon for coupon in coupons}
        if len(set(chosen)) != len(chosen):
            raise DuplicateCoupon
        if unknown := sorted(set(chosen) - set(by_key)):
            raise CouponNotOffered(coupon=unknown[0])
        check_choice(coupons=[by_key[key] for key in sorted(chosen)], bars=prepared.bars)
        slots = tuple(slot for slot in slots if slot.coupon.key in chosen)
    search = Search(lines, slots, prepared.cell_of, is_forced=chosen is not None)
    found = search.run()
    if found is None:
        raise refusal(coupon=slots[search.stuck_at].coupon, bar=Bar("no_value_left"))
    numbers = [prepared.slots.index(slot) for slot in slots]
    return tuple((numbers[at], units) for at, units in found.choice), found.bound_fen


def _bar(
    coupon: CouponTerms, used: Sequence[CouponTerms], prepared: Prepared, shares: Shares, *, is_chosen: bool
) -> Bar:
    if bar := prepared.bars.get(coupon.key):
        return bar
    if coupon in used:
        return _USED
    cells = next(slot.cells for slot in prepared.slots if slot.coupon.key == coupon.key)
    has_value = coupon.kind == "gift" or any(shares.cells[cell] for cell in cells)
    return bar_of(coupon=coupon, used=used, is_chosen=is_chosen, has_value=has_value)


def _verdict(coupon: CouponTerms, bar: Bar, shares: Shares) -> CouponVerdict:
    off_fen = shares.off_fen.get(coupon.key, 0)
    is_gift = bar.reason == "used" and coupon.kind == "gift"
    return CouponVerdict(
        key=coupon.key,
        name=coupon.name,
        reason=bar.reason,
        words=explain_use(coupon=coupon, discount_fen=off_fen)
        if bar.reason == "used"
        else explain(coupon=coupon, bar=bar),
        discount_fen=off_fen,
        gift_name=coupon.gift_name if is_gift else "",
        gift_value_fen=coupon.gift_value_fen if is_gift else 0,
        short_fen=bar.short_fen,
        short_count=bar.short_count,
        against=bar.against.key if bar.against else "",
    )
