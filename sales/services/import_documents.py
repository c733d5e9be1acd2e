"""From rows to documents: neighbouring rows of one number are one order or one return, row by row a line of goods."""

import dataclasses
import datetime as dt
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from core.errors import Refusal
from core.imports.contracts import BadValue
from sales.contracts import MemberKey, OrderDocument, OrderLine, ReturnDocument, ReturnLine
from sales.models import IntakeKind
from sales.services.import_columns import MEMBER_KEYS, NEEDED, OF_LINES, IntakePlan
from sales.services.import_values import READERS
from sales.services.reading import MOST_LINES, checked_order, usable_return

Row = tuple[int, list[str]]
Document = OrderDocument | ReturnDocument
Column = tuple[str, int, Callable[[str], Any]]  # what it means, its place, its reader
Reasons = dict[int, list[str]]  # by line; of most documents there are none
# A row that is well by itself, in a document that is not.
_OTHER_ROW: Final = "document:other_row"
_TOO_MANY: Final = "row:too_many_cells"


@dataclasses.dataclass(frozen=True, slots=True)
class Grouped:
    """The rows of one document: what it says, or why it cannot be used, line by line."""

    lines: tuple[int, ...]
    document: Document | None
    reasons: tuple[tuple[int, list[str]], ...] = ()


class Assembler:
    """Makes documents of the rows of one file. `at` is now, for dates that are still to come."""

    def __init__(self, *, plan: IntakePlan, source: str, width: int, at: dt.datetime) -> None:
        self._plan = plan
        self._source = source
        self._width = width
        self._at = at
        number = "order_no" if plan.kind == IntakeKind.ORDER else "return_no"
        self._number = plan.columns[number]
        self._revision = plan.columns.get("revision")
        self._of_document = _columns(plan, of_lines=False)
        self._of_lines = _columns(plan, of_lines=True)
        self._places = [place for _name, place, _read_cell in self._of_document]
        self._said = operator.itemgetter(*self._places, *self._places[:1])  # always several: a tuple
        self._needed_of_document = [name for name in NEEDED[plan.kind] if name not in OF_LINES]
        self._needed_of_lines = [name for name in NEEDED[plan.kind] if name in OF_LINES]

    def documents(self, rows: Iterable[Row]) -> Iterator[Grouped]:
        """The documents in the order of the file. A row without a number stands alone."""
        group: list[Row] = []
        last: tuple[str, str] | None = None
        for row in rows:
            key = self._key(row[1])
            if group and (key != last or not key[0]):
                yield self._grouped(group)
                group = []
            group.append(row)
            last = key
        if group:
            yield self._grouped(group)

    def _key(self, cells: Sequence[str]) -> tuple[str, str]:
        number = cells[self._number].strip() if self._number < len(cells) else ""
        revision = self._revision
        if revision is None or revision >= len(cells):
            return number, ""
        return number, cells[revision].strip()

    def _grouped(self, rows: Sequence[Row]) -> Grouped:
        lines = tuple([line for line, _cells in rows])
        reasons: Reasons = {}
        head = self._head(rows, reasons)
        goods = [self._goods(line, cells, reasons) for line, cells in rows]
        if not reasons:
            try:
                return Grouped(lines, self._document(head, goods))
            except Refusal as refusal:
                _note(reasons, lines[0], f"document:{refusal.code}"[:60])
        return Grouped(lines, None, tuple((line, reasons.get(line) or [_OTHER_ROW]) for line in lines))

    def _head(self, rows: Sequence[Row], reasons: Reasons) -> dict[str, Any]:
        """What the first row says of the document; the others say the same or nothing."""
        first_line, first = rows[0]
        if len(rows) > MOST_LINES:
            _note(reasons, first_line, "document:too_many_lines")
        for line, cells in rows:
            if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
                _note(reasons, line, _TOO_MANY)
        if first_line in reasons:
            return {}
        for line, cells in rows[1:]:
            if not self._says_the_same(first, cells):
                for name, place, _read_cell in self._of_document:
                    told = cells[place] if place < len(cells) else ""
                    if told and told != (first[place] if place < len(first) else "") and told.strip():
                        _note(reasons, line, f"{name}:differs")
        return _read(self._of_document, self._needed_of_document, first_line, first, reasons)

    def _says_the_same(self, first: Sequence[str], cells: Sequence[str]) -> bool:
        """Word for word, as nearly every row of a document does."""
        try:
            return bool(self._said(first) == self._said(cells))
        except IndexError:
            return False

    def _goods(self, line: int, cells: Sequence[str], reasons: Reasons) -> dict[str, Any]:
        if _TOO_MANY in reasons.get(line, ()):
            return {}
        return _read(self._of_lines, self._needed_of_lines, line, cells, reasons)

    def _document(self, head: dict[str, Any], goods: Sequence[dict[str, Any]]) -> Document:
        if self._plan.kind == IntakeKind.RETURN:
            return usable_return(self._return(head, goods), at=self._at)
        return checked_order(self._order(head, goods), at=self._at)

    def _order(self, head: dict[str, Any], goods: Sequence[dict[str, Any]]) -> OrderDocument:
        lines = tuple(
            [
                OrderLine(
                    product_code=told["product_code"],
                    quantity=told["quantity"],
                    list_fen=told["line_amount"] if told.get("list_amount") is None else told["list_amount"],
                    amount_fen=told["line_amount"],
                    product_name=told.get("product_name", ""),
                    category_code=told.get("category_code", ""),
                    category_name=told.get("category_name", ""),
                )
                for told in goods
            ]
        )
        total = head.get("amount")
        return OrderDocument(
            source=self._source,
            order_no=head["order_no"],
            sold_at=head["sold_at"],
            store_code=head["store_code"],
            channel=head.get("channel") or self._plan.channel,
            lines=lines,
            amount_fen=sum(line.amount_fen for line in lines) if total is None else total,
            revision=head.get("revision") or 0,
            member=self._member(head),
            serving_guide=head.get("serving_guide", ""),
            sharing_guide=head.get("sharing_guide", ""),
            payments=head.get("payments", ()),
            coupons=head.get("coupons", ()),
            points_spent=head.get("points_spent") or 0,
        )

    def _return(self, head: dict[str, Any], goods: Sequence[dict[str, Any]]) -> ReturnDocument:
        lines = tuple(
            ReturnLine(
                product_code=told["product_code"],
                quantity=told["quantity"],
                amount_fen=told["line_amount"],
                line_number=told.get("line_number"),
                product_name=told.get("product_name", ""),
            )
            for told in goods
        )
        total = head.get("amount")
        return ReturnDocument(
            source=self._source,
            return_no=head["return_no"],
            returned_at=head["returned_at"],
            store_code=head["store_code"],
            lines=lines,
            amount_fen=sum(line.amount_fen for line in lines) if total is None else total,
            order_no=head.get("order_no", ""),
            member=self._member(head),
            serving_guide=head.get("serving_guide", ""),
        )

    def _member(self, head: dict[str, Any]) -> MemberKey | None:
        for kind in MEMBER_KEYS:
            if value := head.get(kind):
                return MemberKey(kind, value, self._plan.app_ids.get(kind, ""))
        return None


def _columns(plan: IntakePlan, *, of_lines: bool) -> list[Column]:
    return [
        (name, place, READERS[name]) for name, place in plan.columns.items() if (name in OF_LINES) is of_lines
    ]


def _read(
    columns: Sequence[Column], needed: Sequence[str], line: int, cells: Sequence[str], reasons: Reasons
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    width = len(cells)
    for name, place, read_cell in columns:
        text = cells[place] if place < width else ""
        if not text:
            continue
        try:
            found[name] = read_cell(text)
        except BadValue as bad:
            _note(reasons, line, f"{name}:{bad.code}")
    for name in needed:
        value = found.get(name)
        if (value is None or value == "") and not any(
            reason.startswith(f"{name}:") for reason in reasons.get(line, ())
        ):
            _note(reasons, line, f"{name}:missing")
    return found


def _note(reasons: Reasons, line: int, reason: str) -> None:
    reasons.setdefault(line, []).append(reason)
