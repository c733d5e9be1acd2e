"""What cells of orders mean, in words, for the page on which columns are mapped."""

import datetime as dt
from typing import Any, Final

from core import clock, phones
from core.imports.sort import SHOWN

_MONEY: Final = frozenset({"amount", "list_amount", "line_amount"})


def words_of(*, target: str, value: Any) -> str:
    """A cell's value as the page says it."""
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
    if target in _MONEY:
        return f"¥{value / 100:,.2f}"
    if target == "phone":
        return phones.mask(value)
    if target == "payments":
        return "；".join(f"{paid.method} ¥{paid.amount_fen / 100:,.2f}" for paid in value)
    if target == "coupons":
        return "；".join(coupon.code for coupon in value)
    return str(value)[:SHOWN]
