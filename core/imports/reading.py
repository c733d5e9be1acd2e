"""The file of an import, read again: its first rows for the page on which columns are mapped, its bad rows to go back."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.imports.contracts import BadValue, ImportColumn, ImportSample
from core.imports.models import AbstractImportJob
from core.imports.sort import SHOWN, ImportSort
from core.tables import Table, open_table
from core.uploads import kept_path, marked_rows

_ROWS: Final = 5
_NOTHING: Final[tuple[Any, ...]] = ("", None, [], (), ("", ""))


@contextlib.contextmanager
def open_file(sort: ImportSort[Any, Any], job: AbstractImportJob) -> Iterator[Table]:
    """The table in the job's file, within the sort's limits. Raises FileGone, and what `open_table` raises."""
    with open_table(kept_path(job.stored_as), most_rows=sort.most_rows, most_bytes=sort.most_bytes) as table:
        yield table


def preview(
    sort: ImportSort[Any, Any], job: AbstractImportJob, *, columns: Mapping[str, str]
) -> list[ImportColumn]:
    """Every column with its target (by its number as text) and its first cells, as they stand and as read.

    Raises FileGone when the file was deleted.
    """
    with open_file(sort, job) as table:
        first = [cells for _line, cells in itertools.islice(table.rows, _ROWS)]
    found = []
    for place, heading in enumerate(job.headings):
        target = columns.get(str(place), "")
        texts = [cells[place] if place < len(cells) else "" for cells in first]
        samples = tuple(_sample(sort, job, target, text) for text in texts)
        found.append(ImportColumn(place, heading, target, samples))
    return found


def bad_rows(sort: ImportSort[Any, Any], job: AbstractImportJob) -> Iterator[list[str]]:
    """The headings, then every bad line with its reasons, as `core.uploads.marked_rows` has them."""
    return marked_rows(
        kept_path(job.stored_as),
        dict(sort.problems(job).values_list("line", "reasons")),
        words=lambda reason: sort.reason_words(job, reason),
        most_rows=sort.most_rows,
        most_bytes=sort.most_bytes,
    )


def _sample(sort: ImportSort[Any, Any], job: AbstractImportJob, target: str, text: str) -> ImportSample:
    shown = _cut(text, target)
    if target not in sort.readers or not text.strip():
        return ImportSample(text=shown, reading="")
    try:
        value = sort.readers[target](text)
    except BadValue as bad:
        return ImportSample(text=shown, reading="", problem=sort.reason_words(job, f":{bad.code}"))
    return ImportSample(text=shown, reading="—" if value in _NOTHING else sort.say(target, value))


def _cut(text: str, target: str) -> str:
    """A long cell is cut; a phone is shown with its middle hidden, as everywhere."""
    flat = " ".join(text.split())
    if target == "phone" and len(flat) >= 8:
        return f"{flat[:-8]}****{flat[-4:]}"[-SHOWN:]
    return flat if len(flat) <= SHOWN else f"{flat[:SHOWN]}…"
