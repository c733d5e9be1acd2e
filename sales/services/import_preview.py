"""The first rows of a file as they will be read, for the page on which columns are mapped."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from core import clock, phones
from core.tables import open_table
from members.contracts import ImportColumn, ImportSample
from members.services.import_values import BadValue
from sales.models import IntakeJob
from sales.services.import_files import MOST_BYTES, MOST_ROWS, path_of, reason_words
from sales.services.import_values import READERS

_ROWS: Final = 5
_SHOWN: Final = 24
_MONEY: Final = frozenset({"amount", "list_amount", "line_amount"})


def preview_intake(*, job: IntakeJob, columns: Mapping[str, str]) -> list[ImportColumn]:
    """Every column with its target (by its number as text) and its first cells, as they stand and as read.

    Raises FileGone when the file was deleted.
    """
    first: list[list[str]] = []
    with open_table(path_of(job), most_rows=MOST_ROWS, most_bytes=MOST_BYTES) as table:
        for _line, cells in table.rows:
            first.append(cells)
            if len(first) == _ROWS:
                break
    return [
        ImportColumn(
            index=place,
            heading=heading,
            target=columns.get(str(place), ""),
            samples=tuple(
                _sample(cells[place] if place < len(cells) else "", columns.get(str(place), ""), job.kind)
                for cells in first
            ),
        )
        for place, heading in enumerate(job.headings)
    ]


def _sample(text: str, target: str, kind: str) -> ImportSample:
    flat = " ".join(text.split())
    if target == "phone" and len(flat) >= 8:
        flat = f"{flat[:-8]}****{flat[-4:]}"
    shown = flat if len(flat) <= _SHOWN else f"{flat[:_SHOWN]}…"
    if target not in READERS or not text.strip():
        return ImportSample(text=shown, reading="")
    try:
        return ImportSample(text=shown, reading=_words(target, READERS[target](text)))
    except BadValue as bad:
        return ImportSample(text=shown, reading="", problem=reason_words(reason=f":{bad.code}", kind=kind))


def _words(target: str, value: Any) -> str:
    if value in ("", None, ()):
        return "—"
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
    return str(value)[:_SHOWN]
