"""A document is read: every field is usable, the amounts agree, and its fingerprint is known."""

import dataclasses
import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from core.clock import business_day
from sales.contracts import (
    MemberKey,
    OrderCoupon,
    OrderDocument,
    OrderLine,
    OrderPayment,
    ReturnDocument,
    ReturnLine,
)
from sales.errors import AmountsDisagree, DocumentUnusable, FromTheFuture

MOST_FEN: Final = 1_000_000_000  # ten million yuan
MOST_UNITS: Final = 100_000
MOST_LINES: Final = 500
# How far a till's clock may run ahead of ours.
CLOCK_SKEW: Final = dt.timedelta(minutes=5)
_EARLIEST: Final = dt.date(2000, 1, 1)
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f]*")
LENGTHS: Final = {
    "source": 16, "order_no": 64, "return_no": 64, "store_code": 20, "channel": 16, "serving_guide": 20,
    "sharing_guide": 20, "product_code": 40, "product_name": 80, "category_code": 40, "category_name": 60,
    "method": 16, "code": 20, "value": 80, "app_id": 40,
}  # fmt: skip
_LINE_COUNTS: Final = (
    ("quantity", 1, MOST_UNITS),
    ("list_fen", 0, MOST_FEN),
    ("amount_fen", 0, MOST_FEN),
)
_SPLIT: Final = "\x1f"


def usable_order(document: OrderDocument, *, at: dt.datetime) -> OrderDocument:
    """The order with its texts trimmed. Raises DocumentUnusable, AmountsDisagree or FromTheFuture with the field."""
    return checked_order(
        dataclasses.replace(
            _trimmed(
                document, "source", "order_no", "store_code", "channel", "serving_guide", "sharing_guide"
            ),
            lines=tuple(
                _trimmed(line, "product_code", "product_name", "category_code", "category_name")
                for line in document.lines
            ),
            payments=tuple(_trimmed(payment, "method") for payment in document.payments),
            coupons=tuple(_trimmed(coupon, "code") for coupon in document.coupons),
            member=None if document.member is None else _trimmed(document.member, "value", "app_id"),
        ),
        at=at,
    )


def checked_order(order: OrderDocument, *, at: dt.datetime) -> OrderDocument:
    """The order itself, its texts trimmed by the caller, as whoever reads a file does cell by cell. Raises as `usable_order`."""
    _need(order, "source", "order_no", "store_code", "channel")
    _check_time(order.sold_at, "sold_at", at)
    _check_count(order.revision, "revision", 0, 10_000)
    _check_count(order.points_spent, "points_spent", 0, MOST_FEN)
    lines, payments = order.lines, order.payments
    for number, line in enumerate(lines, 1):
        _check_line(line, number)
    if not 1 <= len(lines) <= MOST_LINES:
        raise DocumentUnusable(field="lines")
    _check_count(order.amount_fen, "amount_fen", 0, MOST_FEN)
    if sum([line.amount_fen for line in lines]) != order.amount_fen:
        raise AmountsDisagree(field="amount_fen")
    for line in lines:
        if line.list_fen < line.amount_fen:
            raise AmountsDisagree(field="list_fen")
    for payment in payments:
        _need(payment, "method")
        _check_count(payment.amount_fen, "payments", -MOST_FEN, MOST_FEN)
    if payments and sum([payment.amount_fen for payment in payments]) != order.amount_fen:
        raise AmountsDisagree(field="payments")
    if order.coupons:
        _check_coupons(order.coupons)
    if order.member is not None:
        _need(order.member, "value")
    return order


def usable_return(document: ReturnDocument, *, at: dt.datetime) -> ReturnDocument:
    """The return with its texts trimmed. Raises as `usable_order`."""
    given: ReturnDocument = _trimmed(
        document, "source", "return_no", "order_no", "store_code", "serving_guide"
    )
    _need(given, "source", "return_no", "store_code")
    _check_time(given.returned_at, "returned_at", at)
    lines = tuple(_trimmed(line, "product_code", "product_name") for line in given.lines)
    if not 1 <= len(lines) <= MOST_LINES:
        raise DocumentUnusable(field="lines")
    for number, line in enumerate(lines, 1):
        _need(line, "product_code")
        _check_count(line.quantity, f"lines.{number}.quantity", 1, MOST_UNITS)
        _check_count(line.amount_fen, f"lines.{number}.amount_fen", 0, MOST_FEN)
        if line.line_number is not None:
            _check_count(line.line_number, f"lines.{number}.line_number", 1, MOST_LINES)
    _check_count(given.amount_fen, "amount_fen", 0, MOST_FEN)
    if sum(line.amount_fen for line in lines) != given.amount_fen:
        raise AmountsDisagree(field="amount_fen")
    return dataclasses.replace(given, lines=lines, member=_checked_member(given.member))


def digest_of_order(order: OrderDocument) -> bytes:
    """SHA-256 over the fields in a fixed order that no release changes: equal documents, equal digests."""
    words = [
        "order.1", order.source, order.order_no, str(order.revision), str(order.sold_at.timestamp()), order.store_code,
        order.channel, str(order.amount_fen), order.serving_guide, order.sharing_guide, str(order.points_spent),
    ]  # fmt: skip
    words += _member_words(order.member)
    for line in order.lines:
        words += [
            line.product_code,
            str(line.quantity),
            str(line.list_fen),
            str(line.amount_fen),
            line.category_code,
        ]
    words += [f"{payment.method}={payment.amount_fen}" for payment in order.payments]
    words += [f"{coupon.code}={coupon.discount_fen}/{coupon.amount_fen}" for coupon in order.coupons]
    return hashlib.sha256(_SPLIT.join(words).encode()).digest()


def digest_of_return(given: ReturnDocument) -> bytes:
    """As `digest_of_order`."""
    words = [
        "return.1", given.source, given.return_no, given.order_no, str(given.returned_at.timestamp()),
        given.store_code, str(given.amount_fen), given.serving_guide,
    ]  # fmt: skip
    words += _member_words(given.member)
    for line in given.lines:
        words += [line.product_code, str(line.quantity), str(line.amount_fen), str(line.line_number)]
    return hashlib.sha256(_SPLIT.join(words).encode()).digest()


def dump_document(document: OrderDocument | ReturnDocument) -> str:
    """The document as JSON, for a row that is sealed."""
    return json.dumps(
        dataclasses.asdict(document), ensure_ascii=False, default=lambda value: value.isoformat()
    )


def load_order(body: str) -> OrderDocument:
    """What `dump_document` made of an order."""
    told = json.loads(body)
    return OrderDocument(
        **told
        | {
            "sold_at": dt.datetime.fromisoformat(told["sold_at"]),
            "lines": tuple(OrderLine(**line) for line in told["lines"]),
            "payments": tuple(OrderPayment(**payment) for payment in told["payments"]),
            "coupons": tuple(OrderCoupon(**coupon) for coupon in told["coupons"]),
            "member": None if told["member"] is None else MemberKey(**told["member"]),
        }
    )


def load_return(body: str) -> ReturnDocument:
    """What `dump_document` made of a return."""
    told = json.loads(body)
    return ReturnDocument(
        **told
        | {
            "returned_at": dt.datetime.fromisoformat(told["returned_at"]),
            "lines": tuple(ReturnLine(**line) for line in told["lines"]),
            "member": None if told["member"] is None else MemberKey(**told["member"]),
        }
    )


def _trimmed(record: Any, *names: str) -> Any:
    """The record with these texts trimmed; one that is too long or holds control characters is refused."""
    changed = {}
    for name in names:
        text = getattr(record, name)
        if not isinstance(text, str):
            raise DocumentUnusable(field=name)
        short = text.strip()
        if len(short) > LENGTHS[name] or not _PLAIN.fullmatch(short):
            raise DocumentUnusable(field=name)
        if short != text:
            changed[name] = short
    return dataclasses.replace(record, **changed) if changed else record


def _need(record: Any, *names: str) -> None:
    for name in names:
        if not getattr(record, name):
            raise DocumentUnusable(field=name)


def _check_line(line: OrderLine, number: int) -> None:
    _need(line, "product_code")
    for name, least, most in _LINE_COUNTS:
        value = getattr(line, name)
        if type(value) is not int or not least <= value <= most:
            raise DocumentUnusable(field=f"lines.{number}.{name}")


def _check_coupons(coupons: Sequence[OrderCoupon]) -> None:
    if len({coupon.code for coupon in coupons}) != len(coupons) or len(coupons) > MOST_LINES:
        raise DocumentUnusable(field="coupons")
    for coupon in coupons:
        _need(coupon, "code")
        _check_count(coupon.amount_fen, "coupons", 0, MOST_FEN)
        _check_count(coupon.discount_fen, "coupons", 0, coupon.amount_fen)


def _checked_member(member: MemberKey | None) -> MemberKey | None:
    if member is None:
        return None
    member = _trimmed(member, "value", "app_id")
    _need(member, "value")
    return member


def _check_count(value: Any, field: str, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise DocumentUnusable(field=field)


def _check_time(moment: Any, field: str, at: dt.datetime) -> None:
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise DocumentUnusable(field=field)
    if moment > at + CLOCK_SKEW:
        raise FromTheFuture(field=field)
    if business_day(moment) < _EARLIEST:
        raise DocumentUnusable(field=field)


def _member_words(member: MemberKey | None) -> list[str]:
    return ["-"] if member is None else [member.kind, member.app_id, member.value]
