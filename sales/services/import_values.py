"""Reading one cell of a file of orders. What cannot be read safely raises BadValue: a guessed amount is worse than a
line that comes back with its reason."""

import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from core import clock
from core.imports.contracts import BadValue
from members.services.import_values import plain, read_card, read_phone, read_wechat_id
from sales.contracts import OrderCoupon, OrderPayment
from sales.services.reading import LENGTHS, MOST_FEN, MOST_UNITS

_MONEY: Final = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2})0*)?")
_WHOLE: Final = re.compile(r"([0-9]{1,9})(?:\.0+)?")
_SCIENTIFIC: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?[eE]\+[0-9]+")
_MOMENT: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[T ]*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DIGITS: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2}))?()")
_PARTS: Final = re.compile(r"[;；|\n]+")
_MINUTES: Final = 60


def read_text(name: str) -> Callable[[str], str]:
    """A reader of texts of at most the document's length for that field."""

    def read(text: str) -> str:
        if text.isascii() and text.isprintable():
            cleaned = text.strip()
        else:
            cleaned = plain(text)
        if len(cleaned) > LENGTHS[name]:
            raise BadValue("too_long")
        return cleaned

    return read


def read_number(name: str) -> Callable[[str], str]:
    """As `read_text`, for numbers of documents and goods, which spreadsheets like to spoil."""
    read_plain = read_text(name)

    def read(text: str) -> str:
        cleaned = read_plain(text)
        if _SCIENTIFIC.fullmatch(cleaned):
            raise BadValue("number_scientific")
        if cleaned.startswith("="):
            raise BadValue("formula")
        return cleaned

    return read


@functools.lru_cache(maxsize=8192)
def read_money(text: str) -> int | None:
    """Yuan as people write them, in fen: 1,299.00, ¥88, 12.5. Never negative: goods that came back are returns."""
    cleaned = plain(text).replace(",", "").removeprefix("¥").removesuffix("元").strip()
    if not cleaned:
        return None
    if cleaned.startswith("-"):
        raise BadValue("money_negative")
    found = _MONEY.fullmatch(cleaned)
    if found is None:
        raise BadValue("money_unusable")
    fen = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if fen > MOST_FEN:
        raise BadValue("money_too_much")
    return fen


@functools.lru_cache(maxsize=1024)
def read_count(text: str) -> int | None:
    """A whole number: 2, 2.0."""
    cleaned = plain(text).replace(",", "")
    if not cleaned:
        return None
    if cleaned.startswith("-"):
        raise BadValue("count_negative")
    found = _WHOLE.fullmatch(cleaned)
    if found is None:
        raise BadValue("count_unusable")
    return int(found[1])


def read_quantity(text: str) -> int | None:
    """Units of goods, at least one."""
    count = read_count(text)
    if count is not None and not 1 <= count <= MOST_UNITS:
        raise BadValue("count_unusable")
    return count


@functools.lru_cache(maxsize=8192)
def read_moment(text: str) -> dt.datetime | None:
    """An instant; Shanghai time where no offset says otherwise. A day alone is its beginning."""
    cleaned = plain(text)
    if not cleaned:
        return None
    found = _MOMENT.fullmatch(cleaned) or _DIGITS.fullmatch(cleaned)
    if found is None:
        raise BadValue("moment_unusable")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=_zone(found[7] or None)).astimezone(
            dt.UTC
        )
    except (ValueError, OverflowError):
        raise BadValue("moment_unusable") from None


def read_payments(text: str) -> tuple[OrderPayment, ...]:
    """微信=100.00;现金=20: parts told apart by semicolons."""
    payments = []
    for part in _PARTS.split(text.strip()):
        method, _equals, amount = part.replace("：", "=").replace(":", "=").partition("=")
        if not method.strip():
            continue
        fen = read_money(amount)
        if fen is None:
            raise BadValue("payments_unusable")
        payments.append(OrderPayment(read_text("method")(method), fen))
    return tuple(payments)


def read_coupons(text: str) -> tuple[OrderCoupon, ...]:
    """券码=优惠/用券商品金额, in yuan: ABCD=20.00/199.00."""
    coupons = []
    for part in _PARTS.split(text.strip()):
        if not part.strip():
            continue
        code, _equals, amounts = part.replace("：", "=").replace(":", "=").partition("=")
        discount, _slash, amount = amounts.partition("/")
        fen = (read_money(discount), read_money(amount))
        if fen[0] is None or fen[1] is None or fen[0] > fen[1] or not code.strip():
            raise BadValue("coupons_unusable")
        coupons.append(OrderCoupon(read_text("code")(code), fen[0], fen[1]))
    return tuple(coupons)


def _zone(offset: str | None) -> dt.tzinfo:
    if offset is None:
        return clock.SHANGHAI
    if offset == "Z":
        return dt.UTC
    minutes = int(offset[1:3]) * _MINUTES + int(offset[-2:])
    return dt.timezone(dt.timedelta(minutes=-minutes if offset[0] == "-" else minutes))


# Each reader's result of an empty cell is its empty value.
# What stands in many rows (stores, guides, goods) is read once.
def _often(read: Callable[[str], str]) -> Callable[[str], str]:
    return functools.lru_cache(maxsize=16_384)(read)


READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "order_no": read_number("order_no"),
    "return_no": read_number("return_no"),
    "store_code": _often(read_number("store_code")),
    "serving_guide": _often(read_number("serving_guide")),
    "sharing_guide": _often(read_number("sharing_guide")),
    "product_code": _often(read_number("product_code")),
    "channel": _often(read_text("channel")),
    "product_name": _often(read_text("product_name")),
    "category_code": _often(read_text("category_code")),
    "category_name": _often(read_text("category_name")),
    "phone": read_phone,
    "pos_card": read_card,
    "member_code": read_card,
    "unionid": read_wechat_id,
    "openid": read_wechat_id,
    "mini_openid": read_wechat_id,
    "sold_at": read_moment,
    "returned_at": read_moment,
    "amount": read_money,
    "list_amount": read_money,
    "line_amount": read_money,
    "quantity": read_quantity,
    "line_number": read_count,
    "revision": read_count,
    "points_spent": read_count,
    "payments": read_payments,
    "coupons": read_coupons,
}
