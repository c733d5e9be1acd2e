"""What a partial return gives back."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from coupons.contracts import CouponShare, PricedBasket, PricedLine, Refund, RefundLine, ReturnedPart
from coupons.errors import NoSuchLine, ReturnedTooMuch, ReturnUnusable
from coupons.services.pricing_input import MOST_FEN, MOST_UNITS, is_whole


def refund_of(
    *, priced: PricedBasket, returned: Sequence[ReturnedPart], earlier: Sequence[ReturnedPart] = ()
) -> Refund:
    """The money, points and coupons' shares that go back for the returned parts, after the earlier ones.

    The fen of a line were paid by money, points and coupons. They are dealt out in one fixed order in which each of
    these keeps its share all along, and a return takes the next ones. So whatever the pieces, what comes back adds up
    to the price of the goods returned, no piece is negative, and when everything is back, exactly what was paid is.

    Refuses a line that is not in the basket, a part that is neither units nor money, and more than is left.
    """
    lines = {line.key: line for line in priced.lines}
    for part in (*earlier, *returned):
        if part.line_key not in lines:
            raise NoSuchLine(line=part.line_key)
        _check(part)
    touched = {part.line_key for part in returned}
    refunds = tuple(
        _refund(line, _own(earlier, line), _own(returned, line))
        for line in priced.lines
        if line.key in touched
    )
    shares: dict[str, int] = {}
    for refund in refunds:
        for share in refund.coupon_shares:
            shares[share.coupon_key] = shares.get(share.coupon_key, 0) + share.discount_fen
    return Refund(
        lines=refunds,
        refund_fen=sum(refund.refund_fen for refund in refunds),
        points=sum(refund.points for refund in refunds),
        coupon_shares=tuple(CouponShare(key, fen) for key, fen in sorted(shares.items())),
    )


def _check(part: ReturnedPart) -> None:
    by_units = is_whole(part.quantity, least=1, most=MOST_UNITS) and part.amount_fen == 0
    by_money = is_whole(part.amount_fen, least=1, most=MOST_FEN) and part.quantity == 0
    if not by_units and not by_money:
        raise ReturnUnusable(line=part.line_key)


def _own(parts: Iterable[ReturnedPart], line: PricedLine) -> list[ReturnedPart]:
    return [part for part in parts if part.line_key == line.key]


def _refund(
    line: PricedLine, earlier: Sequence[ReturnedPart], returned: Sequence[ReturnedPart]
) -> RefundLine:
    shares = [line.payable_fen, line.points_fen, *(share.discount_fen for share in line.coupon_shares)]
    before_fen, after_fen = _reached(line, earlier), _reached(line, (*earlier, *returned))
    if after_fen - before_fen < sum(part.amount_fen for part in returned):
        raise ReturnedTooMuch(line=line.key)
    before, after = _dealt(shares, before_fen), _dealt(shares, after_fen)
    money, points_fen, *coupons = (late - early for late, early in zip(after, before, strict=True))
    return RefundLine(
        line_key=line.key,
        amount_fen=after_fen - before_fen,
        refund_fen=money,
        coupon_shares=tuple(
            CouponShare(share.coupon_key, fen)
            for share, fen in zip(line.coupon_shares, coupons, strict=True)
            if fen
        ),
        points=_points(line, after[1]) - _points(line, before[1]),
        points_fen=points_fen,
    )


def _reached(line: PricedLine, parts: Sequence[ReturnedPart]) -> int:
    """How much of the line's price is back after these parts. Units count by their running number, so that three
    thirds are a whole; money given back for a unit that then comes back itself is not given twice."""
    units = sum(part.quantity for part in parts)
    money = sum(part.amount_fen for part in parts)
    if units > line.quantity or money > line.amount_fen:
        raise ReturnedTooMuch(line=line.key)
    return min(line.amount_fen, line.amount_fen * units // line.quantity + money)


def _points(line: PricedLine, points_fen: int) -> int:
    return line.points * points_fen // line.points_fen if line.points_fen else 0


def _dealt(shares: Sequence[int], reached: int) -> list[int]:
    """The first `reached` fen of the fixed order, counted by share.

    The order is Webster's: the fen number n of a share of s comes at (2n − 1) / 2s. Starting from the rounded
    proportion a few fen at most have to be added or taken back.
    """
    total = sum(shares)
    if not total:
        return [0] * len(shares)
    dealt = [(2 * share * reached + total) // (2 * total) for share in shares]
    while sum(dealt) < reached:
        rising = [at for at, share in enumerate(shares) if dealt[at] < share]
        at = min(rising, key=lambda at: (_turn(dealt[at] + 1, shares[at]), at))
        dealt[at] += 1
    while sum(dealt) > reached:
        falling = [at for at in range(len(shares)) if dealt[at]]
        at = max(falling, key=lambda at: (_turn(dealt[at], shares[at]), at))
        dealt[at] -= 1
    return dealt


def _turn(number: int, share: int) -> Fraction:
    return Fraction(2 * number - 1, 2 * share)
