"""What pricing refuses before it counts: input that cannot be a basket, a coupon or an account."""

from collections.abc import Sequence
from typing import Final

from coupons.contracts import BasketLine, CouponTerms, PointsTerms
from coupons.errors import (
    BasketAmountUnusable,
    BasketEmpty,
    DuplicateCoupon,
    DuplicateLine,
    PointsUnusable,
    QuantityUnusable,
    TermsUnusable,
    TooManyCoupons,
    TooManyLines,
)

MOST_LINES: Final = 200
MOST_COUPONS: Final = 50
MOST_FEN: Final = 10**10
MOST_UNITS: Final = 100_000
MOST_POINTS: Final = 10**12
ONE: Final = 10_000  # basis points

_LEAST: Final[dict[str, tuple[tuple[str, int, int], ...]]] = {
    "exchange": (("units", 1, MOST_UNITS),),
    "fixed_price": (("units", 1, MOST_UNITS), ("price_fen", 0, MOST_FEN)),
    "cash_off": (("off_fen", 1, MOST_FEN), ("per_fen", 0, MOST_FEN)),
    "percent": (("rate_bp", 0, ONE - 1),),
    "gift": (("gift_value_fen", 1, MOST_FEN),),
}
_COMMON: Final = (
    ("min_spend_fen", 0, MOST_FEN),
    ("min_quantity", 0, MOST_UNITS),
    ("max_per_order", 1, MOST_COUPONS),
)
_CAPPED: Final = ("exchange", "cash_off", "percent")


def check_lines(lines: Sequence[BasketLine]) -> None:
    """Refuse an empty or endless basket, two lines of one key, and amounts or quantities that cannot be."""
    if not lines:
        raise BasketEmpty
    if len(lines) > MOST_LINES:
        raise TooManyLines(most=MOST_LINES)
    if len({line.key for line in lines}) != len(lines):
        raise DuplicateLine
    for line in lines:
        if not is_whole(line.amount_fen, least=0, most=MOST_FEN):
            raise BasketAmountUnusable(line=line.key, field="amount_fen")
        if not is_whole(line.quantity, least=1, most=MOST_UNITS):
            raise QuantityUnusable(line=line.key, field="quantity")


def check_coupons(coupons: Sequence[CouponTerms]) -> None:
    """Refuse too many coupons, one twice, and terms that cannot mean anything."""
    if len(coupons) > MOST_COUPONS:
        raise TooManyCoupons(most=MOST_COUPONS)
    if len({coupon.key for coupon in coupons}) != len(coupons):
        raise DuplicateCoupon
    for coupon in coupons:
        if field := _wrong_field(coupon):
            raise TermsUnusable(coupon=coupon.key, field=field)


def check_points(points: PointsTerms | None, *, use_points: bool) -> None:
    """Refuse a negative balance and a worth of points that cannot be. An account in debt has none to spend: the
    caller says zero."""
    if points is None:
        if use_points:
            raise PointsUnusable(field="points")
        return
    bounds = (
        ("balance", 0, MOST_POINTS),
        ("step", 1, MOST_POINTS),
        ("fen_per_step", 1, MOST_FEN),
        ("max_share_bp", 0, ONE),
    )
    for field, least, most in bounds:
        if not is_whole(getattr(points, field), least=least, most=most):
            raise PointsUnusable(field=field)
    if points.max_points is not None and not is_whole(points.max_points, least=0, most=MOST_POINTS):
        raise PointsUnusable(field="max_points")


def is_whole(value: object, *, least: int, most: int) -> bool:
    """Whether it is a whole number within bounds; True and 1.0 are none, wherever JSON let them through."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _wrong_field(coupon: CouponTerms) -> str:
    if coupon.kind not in _LEAST:
        return "kind"
    for field, least, most in (*_LEAST[coupon.kind], *_COMMON):
        if not is_whole(getattr(coupon, field), least=least, most=most):
            return field
    if coupon.cap_fen is not None and not (
        coupon.kind in _CAPPED and is_whole(coupon.cap_fen, least=1, most=MOST_FEN)
    ):
        return "cap_fen"
    if coupon.valid_until is not None and coupon.valid_until.tzinfo is None:
        return "valid_until"
    return ""
