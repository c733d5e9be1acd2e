"""Which coupons may be used together, and which of these rules kept one out."""

from collections.abc import Sequence

from coupons.contracts import CouponTerms
from coupons.services.pricing_terms import Bar, template_of
from coupons.services.pricing_words import refusal


def check_choice(*, coupons: Sequence[CouponTerms], bars: dict[str, Bar]) -> None:
    """Refuse a chosen set with a coupon that cannot be used on this basket, or not beside another of the set."""
    for coupon in coupons:
        if bar := bars.get(coupon.key):
            raise refusal(coupon=coupon, bar=bar)
    for at, coupon in enumerate(coupons):
        if bar := conflict_of(coupon=coupon, used=coupons[:at]):
            raise refusal(coupon=coupon, bar=bar)


def bar_of(*, coupon: CouponTerms, used: Sequence[CouponTerms], is_chosen: bool, has_value: bool) -> Bar:
    """Why a coupon that could be used alone is not among the used ones."""
    if bar := conflict_of(coupon=coupon, used=used):
        return bar
    if not has_value:
        return Bar("no_value_left")
    return Bar("not_chosen" if is_chosen else "not_better")


def conflict_of(*, coupon: CouponTerms, used: Sequence[CouponTerms]) -> Bar | None:
    """The first rule against using the coupon beside the others, if there is one."""
    for other in used:
        if coupon.is_exclusive or other.is_exclusive:
            return Bar("exclusive", against=other)
    mates = [other for other in used if template_of(other) == template_of(coupon)]
    if mates and len(mates) >= min(other.max_per_order for other in (*mates, coupon)):
        return Bar("over_max_per_order", against=mates[0])
    for other in used:
        if other.stacking_group == coupon.stacking_group and template_of(other) != template_of(coupon):
            return Bar("group_taken", against=other)
    return None
