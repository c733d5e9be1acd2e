"""Orders and returns as tills write them, read by hand: a serializer would take longer over a thousand documents than
booking them does. The serializers below describe them; the tests hold one against the other."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rest_framework import serializers

from openapi.api import StrictInput, StrictText
from sales.contracts import (
    MemberKey,
    OrderCoupon,
    OrderDocument,
    OrderLine,
    OrderPayment,
    ReturnDocument,
    ReturnLine,
)
from sales.errors import DocumentUnusable

MOST_FEN: Final = 1_000_000_000
MEMBER_KINDS: Final = ("phone", "pos_card", "member_code", "unionid", "openid", "mini_openid")
ORDER_DOCUMENT: Final[dict[str, Any]] = {
    "order_no": "20261121-0042",
    "store": "S01",
    "sold_at": "2026-11-21T18:05:00+08:00",
    "channel": "store",
    "guide": "G001",
    "member": {"kind": "phone", "value": "13800138000"},
    "lines": [
        {
            "product": "SH-2207",
            "name": "真丝衬衫",
            "category": "shirts",
            "category_name": "衬衫",
            "quantity": 1,
            "list_fen": 59900,
            "amount_fen": 54900,
        }
    ],
    "payments": [{"method": "wechat", "amount_fen": 54900}],
    "coupons": [{"code": "K7PW2MHT9XCQ4RBA", "discount_fen": 5000, "amount_fen": 59900}],
    "amount_fen": 54900,
}
RETURN_DOCUMENT: Final[dict[str, Any]] = {
    "return_no": "20261122-R007",
    "order_no": "20261121-0042",
    "store": "S01",
    "returned_at": "2026-11-22T11:30:00+08:00",
    "lines": [{"line": 1, "product": "SH-2207", "quantity": 1, "amount_fen": 54900}],
    "amount_fen": 54900,
}
_ABSENT: Final = object()


class MemberIn(StrictInput):
    """Who bought, by any identity. `app_id` belongs to openids only."""

    kind = serializers.ChoiceField(choices=MEMBER_KINDS)
    value = StrictText(max_length=80)
    app_id = StrictText(required=False, max_length=40)


class SaleLineIn(StrictInput):
    """Goods; both amounts are of the whole line, `amount_fen` after every discount."""

    product = StrictText(max_length=40, help_text="product code / 商品编码")
    name = StrictText(required=False, max_length=80)
    category = StrictText(required=False, max_length=40)
    category_name = StrictText(required=False, max_length=60)
    quantity = serializers.IntegerField(min_value=1, max_value=100_000)
    list_fen = serializers.IntegerField(
        min_value=0, max_value=MOST_FEN, help_text="before discounts / 吊牌金额"
    )
    amount_fen = serializers.IntegerField(min_value=0, max_value=MOST_FEN)


class PaymentIn(StrictInput):
    """How a part was paid; together they make `amount_fen` of the order."""

    method = StrictText(max_length=16)
    amount_fen = serializers.IntegerField(min_value=-MOST_FEN, max_value=MOST_FEN)


class SaleCouponIn(StrictInput):
    """A coupon of the order: what it took off, and the price of the lines it counts for."""

    code = StrictText(max_length=20)
    discount_fen = serializers.IntegerField(min_value=0, max_value=MOST_FEN)
    amount_fen = serializers.IntegerField(min_value=0, max_value=MOST_FEN)


class OrderIn(StrictInput):
    """One order. A higher `revision` of the same number corrects it."""

    order_no = StrictText(max_length=64)
    store = StrictText(required=False, max_length=20, help_text="store number / 门店编号")
    sold_at = serializers.DateTimeField(help_text="with its offset")
    channel = StrictText(required=False, default="store", max_length=16)
    revision = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10_000)
    member = MemberIn(required=False, allow_null=True)
    visit = StrictText(required=False, max_length=200, help_text="instead of member: what members/read gave")
    guide = StrictText(required=False, max_length=20, help_text="who served, her number / 接待导购工号")
    sharing_guide = StrictText(required=False, max_length=20, help_text="who shared it / 分享导购工号")
    lines = SaleLineIn(many=True, help_text="1 to 500")
    payments = PaymentIn(many=True, required=False)
    coupons = SaleCouponIn(many=True, required=False)
    points = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_FEN,
        help_text="paid with, and not yet taken by orders/redeem",
    )
    amount_fen = serializers.IntegerField(
        min_value=0, max_value=MOST_FEN, help_text="what the lines add up to"
    )


class SaleReturnLineIn(StrictInput):
    """Goods that came back. `line` counts the order's lines from 1."""

    line = serializers.IntegerField(required=False, min_value=1, max_value=500)
    product = StrictText(max_length=40)
    name = StrictText(required=False, max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=100_000)
    amount_fen = serializers.IntegerField(min_value=0, max_value=MOST_FEN, help_text="money given back")


class SaleReturnIn(StrictInput):
    """One return; without `order_no` nobody knows the order, and it counts against the store."""

    return_no = StrictText(max_length=64)
    order_no = StrictText(required=False, max_length=64)
    store = StrictText(required=False, max_length=20, help_text="that takes the goods back")
    returned_at = serializers.DateTimeField(help_text="with its offset")
    member = MemberIn(required=False, allow_null=True)
    guide = StrictText(required=False, max_length=20)
    lines = SaleReturnLineIn(many=True, help_text="1 to 500")
    amount_fen = serializers.IntegerField(min_value=0, max_value=MOST_FEN)


def read_order(given: Any, *, source: str, store: str, member: MemberKey | None = None) -> OrderDocument:
    """The order; `store` where it names none, `member` where a visit names her. Raises DocumentUnusable with the field."""
    found = _Fields(given)
    order = OrderDocument(
        source=source,
        order_no=found.text("order_no", 64),
        revision=found.number("revision", 0),
        sold_at=found.time("sold_at"),
        store_code=found.text("store", 20, store),
        channel=found.text("channel", 16, "store"),
        member=member or _member(found),
        serving_guide=found.text("guide", 20, ""),
        sharing_guide=found.text("sharing_guide", 20, ""),
        lines=tuple(
            OrderLine(
                product_code=line.text("product", 40),
                product_name=line.text("name", 80, ""),
                category_code=line.text("category", 40, ""),
                category_name=line.text("category_name", 60, ""),
                quantity=line.number("quantity"),
                list_fen=line.number("list_fen"),
                amount_fen=line.number("amount_fen"),
            )
            for line in found.records("lines")
        ),
        payments=tuple(
            OrderPayment(paid.text("method", 16), paid.number("amount_fen"))
            for paid in found.records("payments", ())
        ),
        coupons=tuple(
            OrderCoupon(one.text("code", 20), one.number("discount_fen"), one.number("amount_fen"))
            for one in found.records("coupons", ())
        ),
        points_spent=found.number("points", 0),
        amount_fen=found.number("amount_fen"),
    )
    found.finish()
    return order


def read_return(given: Any, *, source: str, store: str) -> ReturnDocument:
    """The return, as `read_order`."""
    found = _Fields(given)
    document = ReturnDocument(
        source=source,
        return_no=found.text("return_no", 64),
        order_no=found.text("order_no", 64, ""),
        returned_at=found.time("returned_at"),
        store_code=found.text("store", 20, store),
        member=_member(found),
        serving_guide=found.text("guide", 20, ""),
        lines=tuple(
            ReturnLine(
                line_number=line.number("line", None),
                product_code=line.text("product", 40),
                product_name=line.text("name", 80, ""),
                quantity=line.number("quantity"),
                amount_fen=line.number("amount_fen"),
            )
            for line in found.records("lines")
        ),
        amount_fen=found.number("amount_fen"),
    )
    found.finish()
    return document


def _member(found: "_Fields") -> MemberKey | None:
    told = found.record("member")
    if told is None:
        return None
    kind = told.text("kind", 16)
    if kind not in MEMBER_KINDS:
        raise DocumentUnusable(field="member.kind")
    return MemberKey(kind, told.text("value", 80), told.text("app_id", 40, ""))  # type: ignore[arg-type]


class _Fields:
    """The fields of one JSON object, each read once; what nobody read is a mistake of whoever sent it."""

    def __init__(self, given: Any, path: str = "") -> None:
        if not isinstance(given, Mapping):
            raise DocumentUnusable(field=path.rstrip(".") or "document")
        self._given, self._path = given, path
        self._parts: list[_Fields] = []
        self._read: set[str] = set()

    def text(self, name: str, longest: int, default: str | None = None) -> str:
        value = self._take(name, default)
        if (
            not isinstance(value, str)
            or len(value) > longest
            or "\0" in value
            or (default is None and not value)
        ):
            raise self._bad(name)
        return value

    def number(self, name: str, default: Any = _ABSENT) -> Any:
        value = self._take(name, None if default is _ABSENT else default)
        if value is None and default is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._bad(name)
        return value

    def time(self, name: str) -> dt.datetime:
        value = self._take(name, None)
        try:
            moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not 1900 < moment.year < 9000:
            raise self._bad(name)
        return moment

    def record(self, name: str) -> "_Fields | None":
        value = self._take(name, None)
        return None if value is None else self._part(value, f"{self._path}{name}.")

    def records(self, name: str, default: Sequence[Any] | None = None) -> "list[_Fields]":
        value = self._take(name, default)
        if not isinstance(value, list | tuple):
            raise self._bad(name)
        return [
            self._part(item, f"{self._path}{name}.{number}.") for number, item in enumerate(value[:501], 1)
        ]

    def finish(self) -> None:
        """Raises DocumentUnusable for a field that does not exist here or below."""
        for name in self._given:
            if name not in self._read:
                raise self._bad(str(name))
        for part in self._parts:
            part.finish()

    def _part(self, value: Any, path: str) -> "_Fields":
        part = _Fields(value, path)
        self._parts.append(part)
        return part

    def _take(self, name: str, default: Any) -> Any:
        self._read.add(name)
        return self._given.get(name, default)

    def _bad(self, name: str) -> DocumentUnusable:
        return DocumentUnusable(field=f"{self._path}{name}"[:60])
