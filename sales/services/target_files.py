"""Targets from a table: CSV or XLSX, read row by row; what is wrong is told with its line and its reason."""

import dataclasses
import datetime as dt
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Final

from django.utils.translation import gettext as _

from core.actor import Actor
from core.file_errors import FileTooLarge
from core.tables import open_table
from guides import selectors as guide_selectors
from sales.contracts import MetricName, TargetEntry, TargetKey, TargetKind
from sales.errors import TargetFileUnusable
from sales.models import MONEY_METRICS
from sales.services.targets import MOST_FEN, set_targets

MOST_ROWS: Final = 20_000
_MOST_BYTES: Final = 5 * 1024 * 1024
_CODES: Final = ("编号", "门店编号", "工号", "导购工号", "区域", "code")
_VALUES: Final = ("目标", "目标数", "目标（元）", "目标(元)", "目标金额", "target")
_NUMBER: Final = re.compile(r"\d{1,3}(,\d{3})*(\.\d{1,2})?|\d+(\.\d{1,2})?")


@dataclasses.dataclass(frozen=True, slots=True)
class TargetTable:
    """A table as it was sent: its headings, and its rows with their line numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not taken, with all its cells."""

    line: int
    cells: tuple[str, ...]
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class TargetFile:
    """What a table says: targets that can be set, and rows that cannot."""

    headings: tuple[str, ...]
    entries: tuple[TargetEntry, ...]
    bad_rows: tuple[BadRow, ...]


def open_target_table(*, stream: IO[bytes]) -> TargetTable:
    """The table of a file. Refuses files that are no table, are too large, or lack the two columns."""
    handle, name = tempfile.mkstemp(prefix="targets-")
    try:
        with os.fdopen(handle, "wb") as target:
            content = stream.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise FileTooLarge(limit_mb=_MOST_BYTES // 1024 // 1024)
            target.write(content)
        with open_table(Path(name)) as table:
            _places(table.headings)
            rows: list[tuple[int, tuple[str, ...]]] = []
            for line, cells in table.rows:
                if len(rows) >= MOST_ROWS:
                    raise FileTooLarge(_("最多 2 万行，请分成几份"))
                rows.append((line, tuple(cells)))
            return TargetTable(table.headings, tuple(rows))
    finally:
        Path(name).unlink(missing_ok=True)


def import_targets(
    *,
    month_on: dt.date,
    file: TargetFile,
    metric: MetricName = "sales_fen",
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The targets that can be set are set; how many changed."""
    return set_targets(
        month_on=month_on, entries=file.entries, metric=metric, origin="file", actor=actor, at=at
    )


def _places(headings: Sequence[str]) -> tuple[int, int]:
    return _column(headings, _CODES), _column(headings, _VALUES)


def _column(headings: Sequence[str], names: Sequence[str]) -> int:
    places = [place for place, heading in enumerate(headings) if heading.strip().lower() in names]
    if not places:
        raise TargetFileUnusable
    return places[0]


def read_target_table(
    *,
    table: TargetTable,
    visible: Mapping[TargetKind, frozenset[int] | None],
    metric: MetricName = "sales_fen",
) -> TargetFile:
    """The table's targets; writes nothing. `visible` is whom the reader may set targets for (None: everybody): others
    look unknown. Refuses a table without the two columns."""
    code_at, value_at = _places(table.headings)
    is_money = metric in MONEY_METRICS
    codes = {_cell(cells, code_at) for _line, cells in table.rows}
    known = _known(codes, visible)
    entries: dict[TargetKey, TargetEntry] = {}
    bad: list[BadRow] = []
    for line, cells in table.rows:
        code = _cell(cells, code_at)
        found = known.get(code, ())
        value, reason = _value(_cell(cells, value_at), is_money=is_money)
        if len(found) != 1:
            reason = _("没有这个编号") if not found else _("这个编号既是门店又是导购或区域，请改用别的写法")
        elif not reason and found[0] in entries:
            reason = _("同一个编号前面已经有一行了")
        if reason:
            bad.append(BadRow(line, cells, reason))
        else:
            entries[found[0]] = TargetEntry(found[0], value)
    return TargetFile(table.headings, tuple(entries.values()), tuple(bad))


def _known(
    codes: set[str], visible: Mapping[TargetKind, frozenset[int] | None]
) -> dict[str, tuple[TargetKey, ...]]:
    stores = {code: place.store_id for code, place in guide_selectors.list_stores_by_code(codes).items()}
    guides = {
        number: place.guide_id for number, place in guide_selectors.list_guides_by_number(codes).items()
    }
    regions: dict[str, list[int]] = {}
    for node in guide_selectors.list_region_tree():
        regions.setdefault(node.name, []).append(node.id)

    def seen(kind: TargetKind, ids: Sequence[int]) -> list[TargetKey]:
        allowed = visible[kind]
        return [TargetKey(kind, pk) for pk in ids if allowed is None or pk in allowed]

    return {
        code: (
            *seen("store", [stores[code]] if code in stores else []),
            *seen("guide", [guides[code]] if code in guides else []),
            *seen("region", regions.get(code, [])),
        )
        for code in codes
    }


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip().lstrip("'") if place < len(cells) else ""


def _value(text: str, *, is_money: bool) -> tuple[int | None, str]:
    plain = text.removeprefix("¥").removesuffix("元").strip()
    wrong = _("不是金额，最多两位小数") if is_money else _("不是整数")
    if not plain:
        return None, _("没有填目标")
    if plain.startswith(("=", "＝")):
        return None, _("这一格是公式，没有算好的数，请粘贴成数值")
    if plain.startswith("-"):
        return None, _("目标不能是负数")
    if not _NUMBER.fullmatch(plain):
        return None, wrong
    number = Decimal(plain.replace(",", ""))
    if not is_money and number != int(number):
        return None, wrong
    value = int(number * 100 if is_money else number)
    return (None, _("数字太大，请核对")) if value > MOST_FEN else (value, "")
