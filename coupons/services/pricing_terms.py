"""Which coupons can be used on a basket at all, and the cells its lines fall into."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from coupons.contracts import BasketLine, CouponReason, CouponTerms
from coupons.services.pricing_chain import Chain, Slot

KINDS: Final = ("exchange", "fixed_price", "cash_off", "percent", "gift")  # the order of application


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """Why a coupon is not used: the reason and what its words are made of."""

    reason: CouponReason
    short_fen: int = 0
    short_count: int = 0
    against: CouponTerms | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """The coupons that may be used, in the order of application, the bars of the others, the cells of the lines."""

    slots: tuple[Slot, ...]
    bars: dict[str, Bar]
    cell_of: tuple[int, ...]


def application_order(coupon: CouponTerms) -> tuple[object, ...]:
    """Units first, then money off, then shares of the price, then gifts. Within a kind nothing decides that a better
    coupon could change; coupons of one template stand together."""
    return (KINDS.index(coupon.kind), coupon.stacking_group, coupon.template_key, *preference(coupon))


def preference(coupon: CouponTerms) -> tuple[bool, float, str]:
    """Of two coupons that do the same, the one that expires first is used."""
    until = coupon.valid_until
    return (until is None, 0.0 if until is None else until.timestamp(), coupon.key)


def template_of(coupon: CouponTerms) -> str:
    """What `max_per_order` counts; a coupon without template is one by itself."""
    return f"template {coupon.template_key}" if coupon.template_key else f"coupon {coupon.key}"


def prepare(*, lines: Sequence[BasketLine], coupons: Sequence[CouponTerms]) -> Prepared:
    """Sort out the coupons that cannot be used whatever else is. `lines` are in the order of their keys."""
    bars: dict[str, Bar] = {}
    scopes: dict[str, set[int]] = {}
    for coupon in sorted(coupons, key=application_order):
        scope = [at for at, line in enumerate(lines) if _covers(coupon, line)]
        open_to_offers = [at for at in scope if lines[at].is_discountable]
        if bar := _bar(coupon, [lines[at] for at in open_to_offers], bool(scope)):
            bars[coupon.key] = bar
        else:
            scopes[coupon.key] = set(open_to_offers)
    usable = [coupon for coupon in sorted(coupons, key=application_order) if coupon.key in scopes]
    cell_of = _cells(lines, [scopes[coupon.key] for coupon in usable])
    dearest = sorted(
        range(len(lines)), key=lambda at: (-Fraction(lines[at].amount_fen, lines[at].quantity), at)
    )
    slots = [_slot(coupon, lines, scopes[coupon.key], dearest, cell_of) for coupon in usable]
    chain = Chain(Fraction, lines, cell_of)
    start = chain.start()
    idle = {slot.coupon.key for slot in slots if slot.coupon.kind != "gift" and not chain.worth(slot, start)}
    bars |= {key: Bar("no_value_left") for key in idle}
    return Prepared(tuple(slot for slot in slots if slot.coupon.key not in idle), bars, cell_of)


def lines_in_scope(*, coupon: CouponTerms, lines: Sequence[BasketLine]) -> tuple[BasketLine, ...]:
    """The lines the coupon counts for: in scope, and open to offers."""
    return tuple(line for line in lines if line.is_discountable and _covers(coupon, line))


def _covers(coupon: CouponTerms, line: BasketLine) -> bool:
    if line.product in coupon.exclude_products or not coupon.exclude_categories.isdisjoint(line.categories):
        return False
    if not coupon.include_products and not coupon.include_categories:
        return True
    return line.product in coupon.include_products or not coupon.include_categories.isdisjoint(
        line.categories
    )


def _bar(coupon: CouponTerms, eligible: Sequence[BasketLine], has_scope: bool) -> Bar | None:
    if not eligible:
        return Bar("goods_not_discountable" if has_scope else "no_goods_in_scope")
    spend = sum(line.amount_fen for line in eligible)
    least = max(coupon.min_spend_fen, coupon.per_fen if coupon.kind == "cash_off" else 0)
    if spend < least:
        return Bar("below_min_spend", short_fen=least - spend)
    quantity = sum(line.quantity for line in eligible)
    if quantity < coupon.min_quantity:
        return Bar("below_min_quantity", short_count=coupon.min_quantity - quantity)
    return None


def _slot(
    coupon: CouponTerms,
    lines: Sequence[BasketLine],
    scope: set[int],
    dearest: Sequence[int],
    cell_of: Sequence[int],
) -> Slot:
    off = coupon.off_fen
    if coupon.kind == "cash_off" and coupon.per_fen:
        off *= sum(lines[at].amount_fen for at in scope) // coupon.per_fen
    if coupon.cap_fen is not None:
        off = min(off, coupon.cap_fen)
    return Slot(
        coupon=coupon,
        lines=tuple(at for at in dearest if at in scope),
        cells=tuple(sorted({cell_of[at] for at in scope})),
        off_fen=off,
        gift_fen=coupon.gift_value_fen if coupon.kind == "gift" else 0,
        takes_units=coupon.kind in ("exchange", "fixed_price"),
    )


def _cells(lines: Sequence[BasketLine], scopes: Sequence[set[int]]) -> tuple[int, ...]:
    numbers: dict[tuple[object, ...], int] = {}
    cells = []
    for at, line in enumerate(lines):
        signature = (line.is_discountable, *(at in scope for scope in scopes))
        cells.append(numbers.setdefault(signature, len(numbers)))
    return tuple(cells)
