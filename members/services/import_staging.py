"""From a file to `ImportRow`: every line is read, standardised, sealed, and copied in chunks.

A chunk is one transaction that also moves the job's mark: whoever takes the job over after a crash goes on behind
the last committed line, and a line is never staged twice.
"""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from core import codes, crypto
from core.imports.contracts import BadValue
from core.imports.holds import Hold
from core.tables import Row, Table
from members.models import ImportJob, ImportProblem, ImportRow, Member, MemberAddress
from members.selectors import name_tokens, phone_index
from members.services.import_columns import ColumnPlan
from members.services.import_places import STREET_LENGTH, Place, find_place
from members.services.import_values import (
    plain,
    read_birthday,
    read_card,
    read_gender,
    read_name,
    read_phone,
    read_points,
    read_registered,
    read_tags,
    read_wechat_id,
)

CHUNK: Final = 5_000
NAME_CONTEXT: Final = f"{Member._meta.db_table}.name"
PHONE_CONTEXT: Final = f"{Member._meta.db_table}.phone"
STREET_CONTEXT: Final = f"{MemberAddress._meta.db_table}.street"
_ROW_CONTEXT: Final = "members.imports"
_COLUMNS: Final = (
    "job_id", "line", "is_waiting", "row_key", "public_id", "code", "name", "name_tokens", "gender", "birthday",
    "phone", "phone_tail", "registered_at", "phone_index", "card", "unionid", "openid", "mini_openid", "province",
    "city", "district", "street", "tags", "points",
)  # fmt: skip
_COPY_ROWS: Final = f"COPY {ImportRow._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN"
_COPY_PROBLEMS: Final = f"COPY {ImportProblem._meta.db_table} (job_id, line, reasons) FROM STDIN"
_NOWHERE: Final = Place()
# Each reader's result of an empty cell is its empty value.
READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "phone": read_phone,
    "card": read_card,
    "name": read_name,
    "gender": read_gender,
    "birthday": read_birthday,
    "registered": read_registered,
    "points": read_points,
    "unionid": read_wechat_id,
    "openid": read_wechat_id,
    "mini_openid": read_wechat_id,
    "province": plain,
    "city": plain,
    "district": plain,
    "street": plain,
    "address": plain,
    "tags": read_tags,
}


@dataclasses.dataclass(slots=True)
class ReadRow:
    """One line with its values as they will be kept; `reasons` name the cells that cannot be read."""

    phone: str = ""
    card: str = ""
    name: str = ""
    gender: str = ""
    birthday: dt.date | None = None
    registered: dt.datetime | None = None
    points: int | None = None
    tags: list[str] = dataclasses.field(default_factory=list)
    unionid: str = ""
    openid: str = ""
    mini_openid: str = ""
    place: Place = _NOWHERE
    reasons: list[str] = dataclasses.field(default_factory=list)

    @property
    def identities(self) -> tuple[str, ...]:
        return (self.phone, self.card, self.unionid, self.openid, self.mini_openid)


def read_row(*, cells: Sequence[str], plan: ColumnPlan, width: int) -> ReadRow:
    """The values of one line. A line with more cells than headings has slipped, and is not read at all."""
    row = ReadRow()
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        row.reasons.append("row:too_many_cells")
        return row
    found: dict[str, Any] = {}
    for target, places in plan.columns.items():
        if len(places) == 1:
            text = cells[places[0]] if places[0] < len(cells) else ""
        else:
            text = "，".join(cells[place] for place in places if place < len(cells))
        if not text:
            continue
        try:
            found[target] = READERS[target](text)
        except BadValue as bad:
            row.reasons.append(f"{target}:{bad.code}")
    row.name, told = found.pop("name", ("", ""))
    row.gender = found.pop("gender", "") or told
    row.place = _place(found, row.reasons)
    for name, value in found.items():
        setattr(row, name, value)
    if not row.reasons and not any(row.identities):
        row.reasons.append("row:no_identity")
    return row


def _place(found: dict[str, Any], reasons: list[str]) -> Place:
    text = found.pop("address", "")
    if not text:
        parts = [found.pop(target, "") for target in ("province", "city", "district", "street")]
        text = "".join(dict.fromkeys(parts[:3])) + " " + parts[3]
        if text == " ":
            return _NOWHERE
    place = find_place(text)
    if len(place.street) > STREET_LENGTH:
        reasons.append("address:too_long")
    return place


class Stager:
    """Reads the rest of one job's file into its rows, chunk by chunk, under its lease."""

    def __init__(self, *, job: ImportJob, plan: ColumnPlan, hold: Hold) -> None:
        self._job_id = job.pk
        self._width = len(job.headings)
        self._plan = plan
        self._hold = hold
        self._read_to = job.read_count
        self._tokens: dict[str, str] = {}

    def chunks(self, table: Table) -> Iterator[None]:
        """Stage a chunk at every step; the lease is kept by each."""
        rest = (row for row in table.rows if row[0] > self._read_to)
        while lines := list(itertools.islice(rest, CHUNK)):
            self._stage(lines)
            yield

    def _stage(self, lines: Sequence[Row]) -> None:
        ready: list[tuple[int, ReadRow]] = []
        problems = []
        for line, cells in lines:
            row = read_row(cells=cells, plan=self._plan, width=self._width)
            if row.reasons:
                problems.append(f"{self._job_id}\t{line}\t{_array(row.reasons)}\n")
            else:
                ready.append((line, row))
        records = self._records(ready)
        with transaction.atomic():
            self._hold.keep(
                read_count=lines[-1][0],
                total_count=F("total_count") + len(ready),
                bad_count=F("bad_count") + len(problems),
            )
            with connection.cursor() as cursor:
                _copy(cursor, _COPY_ROWS, records)
                _copy(cursor, _COPY_PROBLEMS, problems)

    def _records(self, ready: Sequence[tuple[int, ReadRow]]) -> list[str]:
        """The rows as lines of COPY. No value but a tag can hold a sign that COPY reads otherwise."""
        rows = [row for _line, row in ready]
        indexes = [phone_index(row.phone) if row.phone else "" for row in rows]
        given = zip(
            ready,
            indexes,
            codes.new_public_ids(len(rows)),
            codes.new_codes(len(rows), 12),
            crypto.seal_all([row.name for row in rows], context=NAME_CONTEXT),
            crypto.seal_all([row.phone for row in rows], context=PHONE_CONTEXT),
            crypto.seal_all([row.place.street for row in rows], context=STREET_CONTEXT),
            strict=True,
        )
        records = []
        for (line, row), index, public_id, code, name, phone, street in given:
            place = row.place
            key = crypto.blind_index("\0".join((index, *row.identities[1:])), context=_ROW_CONTEXT)
            birthday = row.birthday.isoformat() if row.birthday else "\\N"
            registered = row.registered.isoformat() if row.registered else "\\N"
            points = "\\N" if row.points is None else row.points
            records.append(
                f"{self._job_id}\t{line}\tf\t{key}\t{public_id}\t{code}\t{name}\t{self._tokens_of(row.name)}\t"
                f"{row.gender}\t{birthday}\t{phone}\t{row.phone[-4:]}\t{registered}\t{index}\t{row.card}\t"
                f"{row.unionid}\t{row.openid}\t{row.mini_openid}\t{place.province}\t{place.city}\t"
                f"{place.district}\t{street}\t{_array(row.tags)}\t{points}\n"
            )
        return records

    def _tokens_of(self, name: str) -> str:
        """Many people share a name; the whole file is read under one key."""
        tokens = self._tokens.get(name)
        if tokens is None:
            tokens = "{" + ",".join(map(str, name_tokens(name))) + "}" if name else "{}"
            self._tokens[name] = tokens
        return tokens


def _copy(cursor: Any, statement: str, records: Sequence[str]) -> None:
    if not records:
        return
    with cursor.copy(statement) as copy:
        copy.write("".join(records))


def _array(words: Sequence[str]) -> str:
    """A text[] as COPY reads it: its signs kept from the array's reader, and those from COPY's."""
    if not words:
        return "{}"
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return ("{" + ",".join(f'"{word}"' for word in quoted) + "}").replace("\\", "\\\\")
