"""Workbooks for people's spreadsheets: real dates and numbers, a frozen head, nothing that is read as a formula."""

import contextlib
import csv
import dataclasses
import datetime as dt
import io
import tempfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any, Final, Literal

from django.http import FileResponse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from core import clock

Kind = Literal["text", "count", "fen", "share", "times", "day", "moment"]
# Basis points become shares, hundredths become times, fen become yuan: the cell holds the number people read.
_FORMATS: Final[dict[str, str]] = {
    "count": "#,##0",
    "fen": "#,##0.00",
    "share": "0.00%",
    "times": "0.00",
    "day": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm",
}
_WIDTHS: Final[dict[str, int]] = {"text": 22, "moment": 18}
# OWASP, "CSV Injection": what makes Excel, WPS and LibreOffice read a cell as a formula.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_FORBIDDEN: Final = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its heads as (text, kind of the column), and its rows; None leaves a cell empty."""

    title: str
    heads: Sequence[tuple[str, Kind]]
    rows: Iterable[Sequence[Any]]


def workbook_answer(*, name: str, sheets: Sequence[Sheet]) -> FileResponse:
    """The workbook as a download called `name`.xlsx."""
    stream: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (the answer closes it)
    try:
        write_workbook(stream=stream, sheets=sheets)
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return FileResponse(stream, as_attachment=True, filename=f"{name}.xlsx")


def write_workbook(*, stream: IO[bytes], sheets: Sequence[Sheet]) -> None:
    """Row by row: the size of a sheet does not matter."""
    book = Workbook(write_only=True)
    try:
        for sheet in sheets:
            _fill(book.create_sheet(sheet.title.translate(_FORBIDDEN)[:31]), sheet)
        book.save(stream)
    except BaseException:
        # Half-written sheets lie in temporary files of their own.
        for page in book.worksheets:
            _drop(page)
        raise


def _fill(page: Any, sheet: Sheet) -> None:
    page.freeze_panes = "A2"
    for place, (_text, kind) in enumerate(sheet.heads, start=1):
        page.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(kind, 14)
    page.append([_cell(page, text, "text", is_head=True) for text, _kind in sheet.heads])
    kinds = [kind for _text, kind in sheet.heads]
    for row in sheet.rows:
        page.append([_cell(page, value, kind) for value, kind in zip(row, kinds, strict=True)])


def _drop(page: Any) -> None:
    with contextlib.suppress(OSError):
        page.close()
    with contextlib.suppress(OSError):
        page._writer.cleanup()


def _cell(page: Any, value: Any, kind: Kind, *, is_head: bool = False) -> Any:
    cell = WriteOnlyCell(page, value=_plain(value, kind))
    if is_head:
        cell.font = Font(bold=True)
    if kind == "text":
        # A name that begins with "=" is a name.
        cell.data_type = "s" if isinstance(value, str) else cell.data_type
    elif value is not None:
        cell.number_format = _FORMATS[kind]
    return cell


def _plain(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind in {"fen", "times"}:
        return Decimal(value) / 100
    if kind == "share":
        return Decimal(value) / 10_000
    if isinstance(value, dt.datetime):
        return value.astimezone(clock.SHANGHAI).replace(tzinfo=None, microsecond=0)
    return value


def safe_cells(cells: Iterable[str]) -> list[str]:
    """The same cells for a file of ours: no spreadsheet takes any of them for a formula."""
    return [f"'{cell}" if cell.lstrip().startswith(_FORMULA_SIGNS) else cell for cell in cells]


def write_rows(*, rows: Iterable[list[str]], stream: IO[bytes], title: str) -> None:
    """The rows as an .xlsx of text cells with a frozen head; phones and card numbers keep all their digits."""
    rows = iter(rows)
    first = next(rows)  # whatever cannot be read refuses before the workbook is begun
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(first)
    for row in rows:
        sheet.append(row)
    book.save(stream)


def write_csv(*, rows: Iterable[list[str]], stream: IO[bytes]) -> None:
    """The rows as CSV with the mark by which Excel knows UTF-8."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    csv.writer(text).writerows(rows)
    text.flush()
    text.detach()
