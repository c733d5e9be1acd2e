"""Opening a table that was uploaded: CSV in the encodings Chinese shops save it in, and XLSX; row by row, within limits.

A file comes from outside and is not trusted: what it claims about itself (its name, its sizes, its sheet's extent)
is checked against what is found, nothing is read whole that could be large, and everything that goes wrong is a
refusal with a code of its own.
"""

import codecs
import contextlib
import csv
import dataclasses
import datetime as dt
import itertools
import warnings
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from core.file_errors import (
    FileBroken,
    FileCellTooLarge,
    FileEmpty,
    FileHasNoRows,
    FileTooLarge,
    FileTooLong,
    FileTooWide,
    FileUnreadable,
    FileUnsupported,
)

MOST_BYTES: Final = 100 * 1024 * 1024
_MOST_UNPACKED_BYTES: Final = 800 * 1024 * 1024
_MOST_PARTS: Final = 2_000
MOST_ROWS: Final = 1_000_000
MOST_COLUMNS: Final = 100
_MOST_CELL: Final = 32_767  # Excel's own limit
_MOST_LINE: Final = 1024 * 1024
_SEPARATORS: Final = ",\t;|"
_ZIP: Final = b"PK\x03\x04"
# Old .xls, and an .xlsx with a password, are both compound files.
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"
_TEXT_CONTROLS: Final = frozenset(range(32)) - {0, 9, 10, 11, 12, 13, 27}
_HEAD_ROWS: Final = 20
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, ET.ParseError, InvalidFileException, KeyError, ValueError, TypeError,
    IndexError, AttributeError, EOFError, OverflowError, RuntimeError, OSError,
)  # fmt: skip

Row = tuple[int, list[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """An open file: its headings, numbered where they repeat, and its rows with their line numbers.

    `rows` may be read once, inside the `with` that opened it. Rows without any text are left out.
    """

    headings: tuple[str, ...]
    rows: Iterator[Row]


@contextlib.contextmanager
def open_table(path: Path, *, most_rows: int | None = None, most_bytes: int | None = None) -> Iterator[Table]:
    """The table in the file, whatever its name says, within MOST_ROWS and MOST_BYTES or the limits given. Raises a
    refusal for everything it cannot be."""
    most_rows, most_bytes = most_rows or MOST_ROWS, most_bytes or MOST_BYTES
    size = path.stat().st_size
    if size == 0:
        raise FileEmpty
    if size > most_bytes:
        raise FileTooLarge(limit_mb=most_bytes // 1024 // 1024)
    with path.open("rb") as stream:
        start = stream.read(8192)
    if start.startswith(_COMPOUND):
        raise FileUnsupported
    rows = _workbook_rows(path, most_rows) if start.startswith(_ZIP) else _text_rows(path, start)
    with contextlib.closing(rows):
        yield _table(rows, most_rows)


def _table(rows: Iterator[Row], most_rows: int) -> Table:
    filled = (row for row in rows if any(cell and not cell.isspace() for cell in row[1]))
    _line, cells = next(itertools.islice(filled, 1), (0, []))
    while cells and not cells[-1].strip():
        cells.pop()
    if not cells:
        raise FileEmpty
    if len(cells) > MOST_COLUMNS:
        raise FileTooWide(limit=MOST_COLUMNS)
    return Table(headings=tuple(_named(cells)), rows=_counted(filled, most_rows))


def _named(cells: Sequence[str]) -> Iterator[str]:
    """A heading that stands twice is told apart by its number, an empty one by its place."""
    seen: dict[str, int] = {}
    for place, cell in enumerate(cells, start=1):
        heading = " ".join("".join(sign if sign.isprintable() else " " for sign in cell).split())[:60]
        heading = heading or f"#{place}"
        seen[heading] = seen.get(heading, 0) + 1
        yield heading if seen[heading] == 1 else f"{heading} ({seen[heading]})"


def _counted(rows: Iterator[Row], most_rows: int) -> Iterator[Row]:
    count = 0
    for row in rows:
        count += 1
        if count > most_rows:
            raise FileTooLong(limit=most_rows)
        yield row
    if not count:
        raise FileHasNoRows


# Text -----------------------------------------------------------------------------------------------------


def _text_rows(path: Path, start: bytes) -> Generator[Row, None, None]:
    encoding = _encoding(path, start)
    with path.open("r", encoding=encoding, newline="") as stream:
        head = next((line for line in _lines(stream) if line.strip()), "")
    with path.open("r", encoding=encoding, newline="") as stream:
        # The limit on a field is the module's own; a field is never longer than what `_lines` lets through.
        reader = csv.reader(_lines(stream), delimiter=_separator(head))
        try:
            for cells in reader:
                if max(map(len, cells), default=0) > _MOST_CELL:
                    raise FileCellTooLarge(line=reader.line_num)
                yield reader.line_num, cells
        except csv.Error:
            # The field is larger than the module's limit: as a rule, a quotation mark that never closes.
            raise FileCellTooLarge(line=reader.line_num) from None


def _lines(stream: TextIO) -> Iterator[str]:
    """Lines with their ends, whatever ends them; never more than a limit of one in memory."""
    line = 0
    while text := stream.readline(_MOST_LINE):
        line += 1
        if len(text) == _MOST_LINE:
            raise FileCellTooLarge(line=line)
        yield text


def _encoding(path: Path, start: bytes) -> str:
    """What the whole file can be read as. GBK is read as GB18030, which holds all of it and rare names too."""
    if start.startswith(codecs.BOM_UTF8):
        candidates: Sequence[str] = ("utf-8-sig",)
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ("utf-16",)
    else:
        controls = sum(byte in _TEXT_CONTROLS for byte in start)
        if controls * 50 > len(start) or start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
            raise FileUnsupported
        candidates = ("utf-8", "gb18030")
    for encoding in candidates:
        if _reads_as(path, encoding):
            return encoding
    raise FileUnreadable


def _reads_as(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(1024 * 1024):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _separator(head: str) -> str:
    """The sign that makes most columns of the first line."""

    def columns(sign: str) -> int:
        return max((len(cells) for cells in csv.reader([head], delimiter=sign)), default=0)

    try:
        return max(_SEPARATORS, key=columns)
    except csv.Error:
        raise FileCellTooLarge(line=1) from None


# Workbooks ------------------------------------------------------------------------------------------------


def _workbook_rows(path: Path, most_rows: int) -> Generator[Row, None, None]:
    """The rows of the first sheet. A formula gives the value Excel kept for it; none kept is marked as such."""
    with _as_broken():
        _refuse_bomb(path)
    with _open_book(path, data_only=True) as values, contextlib.closing(_formulas(path)) as formulas:
        with _as_broken():
            sheets = [sheet for sheet in values.worksheets if hasattr(sheet, "iter_rows")]
        if not sheets:
            raise FileUnsupported
        shown = sheets[0].iter_rows(values_only=True)
        number = 0
        while True:
            with _as_broken():
                row = next(shown, None)
                written = next(formulas, ())
                if row is None:
                    return
                number += 1
                if number > most_rows + _HEAD_ROWS:
                    raise FileTooLong(limit=most_rows)
                cells = [_cell_text(value) for value in row]
            for place in written:
                if place < len(cells) and not cells[place]:
                    cells[place] = UNCOMPUTED
            if any(len(cell) > _MOST_CELL for cell in cells):
                raise FileCellTooLarge(line=number)
            yield number, cells


# Stands for a formula without a kept value; no reader of a cell takes it.
UNCOMPUTED: Final = "=…"


def _formulas(path: Path) -> Generator[Sequence[int], None, None]:
    """For every row of the first sheet the places of its formulas; nothing at all when the sheet has none."""
    with _open_book(path, data_only=False) as book, _as_broken():
        sheet = next((sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")), None)
        if sheet is None or not _has_formulas(path, sheet):
            return
        for row in sheet.iter_rows():
            yield [place for place, cell in enumerate(row) if cell.data_type == "f"]


@contextlib.contextmanager
def _open_book(path: Path, *, data_only: bool) -> Iterator[Any]:
    """By its stream, for the library judges a path by its ending and ours have none."""
    with path.open("rb") as stream:
        with _as_broken(), warnings.catch_warnings():
            # About styles and extensions that it leaves out; we read values only.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(stream, read_only=True, data_only=data_only)
        with contextlib.closing(book):
            yield book


def _has_formulas(path: Path, sheet: Any) -> bool:
    with zipfile.ZipFile(path) as packed, packed.open(sheet._worksheet_path) as part:
        tail = b""
        while chunk := part.read(1024 * 1024):
            if b"<f" in tail + chunk or b":f" in tail + chunk:
                return True
            tail = chunk[-1:]
    return False


def _refuse_bomb(path: Path) -> None:
    """What the parts say they unpack to is what they can unpack to: zipfile reads no byte more."""
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED_BYTES:
        raise FileTooLarge(limit_mb=_MOST_UNPACKED_BYTES // 1024 // 1024)
    if any(part.flag_bits & 1 for part in parts):
        raise FileUnsupported
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise FileUnsupported


@contextlib.contextmanager
def _as_broken() -> Iterator[None]:
    """The many ways in which a damaged workbook fails inside the library are one refusal."""
    try:
        yield
    except _BROKEN:
        raise FileBroken from None


def _cell_text(value: object) -> str:
    """A value of a workbook as a person would have typed it: no ".0" after a number, days in ISO form."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        # Excel keeps 15 digits: a longer number is not the one that was typed.
        return str(value) if abs(value) < 10**15 else f"{float(value):.4e}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time.min else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)
