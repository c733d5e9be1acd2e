"""Orders and returns as JSON lines, one nested document a line, turned into the table that every import reads.

The names are the open API's, money is in fen. What a table could not say safely (a fraction of a fen, an unknown field, a
line that is no object) becomes a row that is refused with its line, never a guess.
"""

import contextlib
import csv
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final, TextIO

from core.file_errors import FileCellTooLarge
from sales.models import IntakeKind

# What files of JSON lines are called.
JSON_LINES: Final = (".jsonl", ".ndjson")
_MOST_LINE: Final = 4 * 1024 * 1024  # bytes
# What the open API calls it, and the column it becomes.
_HEAD: Final[Mapping[str, Mapping[str, str]]] = {
    IntakeKind.ORDER: {
        "order_no": "order_no", "revision": "revision", "sold_at": "sold_at", "store": "store_code", "channel": "channel",
        "guide": "serving_guide", "sharing_guide": "sharing_guide", "points": "points_spent",
    },
    IntakeKind.RETURN: {
        "return_no": "return_no", "returned_at": "returned_at", "store": "store_code", "order_no": "order_no",
        "guide": "serving_guide",
    },
}  # fmt: skip
_GOODS: Final[Mapping[str, Mapping[str, str]]] = {
    IntakeKind.ORDER: {
        "product": "product_code", "name": "product_name", "category": "category_code",
        "category_name": "category_name", "quantity": "quantity",
    },
    IntakeKind.RETURN: {
        "product": "product_code", "name": "product_name", "quantity": "quantity", "line": "line_number",
    },
}  # fmt: skip
_MEMBERS: Final = ("member_code", "phone", "pos_card", "unionid")
_OPENIDS: Final = ("openid", "mini_openid")
_NESTED: Final = frozenset({"amount_fen", "member", "lines", "payments", "coupons"})
_MONEY: Final = {"list_fen": "list_amount", "amount_fen": "line_amount"}
_FAULT: Final = "JSON 行不能用的原因"
_LINE: Final = "JSON 行号"
Row = dict[str, str]


class _Unusable(Exception):
    """Why a line cannot be a document, for people."""


@contextlib.contextmanager
def as_table(*, stream: IO[bytes], file_name: str, kind: str) -> Iterator[IO[bytes]]:
    """The file as it is; one whose name says JSON lines as the table it means. Raises what `write_json_table` does."""
    if not file_name.lower().endswith(JSON_LINES):
        yield stream
        return
    with tempfile.TemporaryFile() as kept:
        text = io.TextIOWrapper(kept, encoding="utf-8", newline="", write_through=True)
        write_json_table(source=stream, target=text, kind=kind)
        text.detach()
        kept.seek(0)
        yield kept


def write_json_table(*, source: IO[bytes], target: TextIO, kind: str) -> int:
    """The documents of the source as CSV, one row a line of goods, each with its line in the source; how many lines
    there were. Raises FileCellTooLarge for a line of more than 4 MiB."""
    openids = [name for name in _OPENIDS if _mentions(source, name)]
    columns = [
        *_HEAD[kind].values(), *_MEMBERS, *openids, "amount", *_GOODS[kind].values(), "list_amount", "line_amount",
        *(("payments", "coupons") if kind == IntakeKind.ORDER else ()), _LINE, _FAULT,
    ]  # fmt: skip
    writer = csv.DictWriter(target, columns, restval="")
    writer.writeheader()
    count = 0
    for number, text in enumerate(_lines(source), 1):
        if not text.strip():
            continue
        count += 1
        try:
            rows = _rows(_document(text), kind, frozenset(columns))
        except _Unusable as fault:
            rows = [{_FAULT: str(fault)}]
        for row in rows:
            writer.writerow(row | {_LINE: str(number)})
    return count


def _mentions(source: IO[bytes], name: str) -> bool:
    word = json.dumps(name).encode()
    found = any(word in text for text in _lines(source))
    source.seek(0)
    return found


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    line = 0
    while text := source.readline(_MOST_LINE):
        line += 1
        if len(text) == _MOST_LINE:
            raise FileCellTooLarge(line=line)
        yield text


def _document(text: bytes) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise _Unusable("不是 JSON") from None
    if not isinstance(told, dict):
        raise _Unusable("不是一张单据")
    return told


def _rows(told: dict[str, Any], kind: str, columns: frozenset[str]) -> list[Row]:
    _refuse_unknown(told, frozenset(_HEAD[kind]) | _NESTED)
    head: Row = {
        column: _text(told[name], name) for name, column in _HEAD[kind].items() if told.get(name) is not None
    }
    head |= _member(told.get("member"), columns)
    if told.get("amount_fen") is not None:
        head["amount"] = _yuan(told["amount_fen"])
    for name, parts in (("payments", ("method",)), ("coupons", ("code", "discount_fen"))):
        if told.get(name):
            if name not in columns:
                raise _Unusable(f"退货没有 {name}")
            head[name] = ";".join(_part(one, parts) for one in _list(told[name], name))
    goods = _list(told.get("lines"), "lines")
    if not goods:
        raise _Unusable("没有商品明细 lines")
    rows = [_line(one, kind) for one in goods]
    # What belongs to the document stands on its first row; its number and revision hold the rows together.
    keys = {name: head[name] for name in ("order_no", "revision", "return_no") if name in head}
    return [{**head, **rows[0]}, *({**keys, **row} for row in rows[1:])]


def _line(told: Any, kind: str) -> Row:
    if not isinstance(told, dict):
        raise _Unusable("lines 里有一项不是商品明细")
    _refuse_unknown(told, frozenset(_GOODS[kind]) | set(_MONEY))
    row: Row = {
        column: _text(told[name], name) for name, column in _GOODS[kind].items() if told.get(name) is not None
    }
    for name, column in _MONEY.items():
        if told.get(name) is not None:
            row[column] = _yuan(told[name])
    return row


def _member(told: Any, columns: frozenset[str]) -> Row:
    if told is None:
        return {}
    if not isinstance(told, dict) or set(told) != {"kind", "value"} or told["kind"] not in columns:
        raise _Unusable("member 要写成 kind 和 value")
    return {told["kind"]: _text(told["value"], "member")}


def _part(told: Any, names: tuple[str, ...]) -> str:
    """微信=150.00, or ABCD=20.00/199.00."""
    if not isinstance(told, dict) or set(told) != {*names, "amount_fen"}:
        raise _Unusable(f"要写成 {'、'.join((*names, 'amount_fen'))}")
    first = _text(told[names[0]], names[0])
    if any(sign in first for sign in "=＝:：;；|/\n"):
        raise _Unusable(f"{names[0]} 里有不能用的字符")
    sums = [_yuan(told[name]) for name in (*names[1:], "amount_fen")]
    return f"{first}={'/'.join(sums)}"


def _list(told: Any, name: str) -> list[Any]:
    if told is not None and not isinstance(told, list):
        raise _Unusable(f"{name} 要是数组")
    return told or []


def _text(value: Any, name: str) -> str:
    """Whole numbers and texts as they are."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Unusable(f"{name} 要是文字或整数")
    return str(value)


def _yuan(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _Unusable("金额要是分，不带小数，不小于 0")
    return f"{value // 100}.{value % 100:02d}"


def _refuse_unknown(told: dict[str, Any], known: frozenset[str] | set[str]) -> None:
    unknown = sorted(set(told) - set(known))
    if unknown:
        raise _Unusable(f"不认识的字段 {'、'.join(unknown)[:80]}")
