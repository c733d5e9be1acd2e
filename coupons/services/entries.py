"""The book of redemptions (`RedemptionEntry`): what statistics and settlement are added up from.

Whoever changes what a redemption is worth writes an entry in the same transaction, holding the coupon's lock: that is
the order in which entries of one redemption come about. The first, that it was redeemed, is `booking`'s.
"""

import datetime as dt

from django.db.models import Sum

from core import clock
from coupons.errors import AmountUnusable
from coupons.models import EntryKind, Redemption, RedemptionEntry


def note_return(*, redemption: Redemption, sales_fen: int, discount_fen: int, at: dt.datetime) -> None:
    """A part of the purchase came back: so much less was sold, and so much less given away, on the day of `at`.

    Both are fen above or equal to nothing. Refuses more than is left of the redemption.
    """
    left_sales, left_discount = what_is_left(redemption=redemption)
    for field, value, left in (
        ("sales_fen", sales_fen, left_sales),
        ("discount_fen", discount_fen, left_discount),
    ):
        if not 0 <= value <= left:
            raise AmountUnusable(field=field)
    _take_back(redemption, EntryKind.RETURNED, sales_fen, discount_fen, at)


def note_reversal(*, redemption: Redemption, at: dt.datetime) -> tuple[int, int]:
    """All that was left of the redemption is taken back, on the day of `at`; how much that was (sales, discount)."""
    sales_fen, discount_fen = what_is_left(redemption=redemption)
    _take_back(redemption, EntryKind.REVERSED, sales_fen, discount_fen, at)
    return sales_fen, discount_fen


def what_is_left(*, redemption: Redemption) -> tuple[int, int]:
    """Sales and discount of the redemption after what came back, in fen."""
    sums = RedemptionEntry.objects.filter(redemption=redemption).aggregate(
        sales=Sum("sales_fen", default=0), discount=Sum("discount_fen", default=0)
    )
    return sums["sales"], sums["discount"]


def _take_back(redemption: Redemption, what: str, sales_fen: int, discount_fen: int, at: dt.datetime) -> None:
    RedemptionEntry.objects.create(
        redemption=redemption,
        what=what,
        day=clock.business_day(at),
        at=at,
        sales_fen=-sales_fen,
        discount_fen=-discount_fen,
    )
