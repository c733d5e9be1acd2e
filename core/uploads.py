"""Files that people upload: kept while they are worked on, and the file of their bad rows that goes back.

They lie under settings.IMPORT_ROOT, readable for our own user only and served by no address.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from django.conf import settings
from django.utils.translation import gettext as _

from core.codes import new_public_id
from core.file_errors import FileGone, FileTooLarge
from core.tables import MOST_BYTES, open_table
from core.workbooks import safe_cells, write_rows

_CHUNK: Final = 1024 * 1024


def keep_file(stream: IO[bytes], *, most_bytes: int = MOST_BYTES) -> tuple[str, str]:
    """The stream lies in the folder; its name there and its digest. Refuses one that is too large."""
    root = Path(settings.IMPORT_ROOT)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = new_public_id()
    digest = hashlib.sha256()
    size = 0
    handle, part = tempfile.mkstemp(dir=root, prefix=".part-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > most_bytes:
                    raise FileTooLarge(limit_mb=most_bytes // _CHUNK)
                digest.update(chunk)
                target.write(chunk)
        Path(part).replace(root / name)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return name, digest.hexdigest()


def kept_path(name: str) -> Path:
    """Where the file lies. Raises FileGone when it was deleted."""
    path = Path(settings.IMPORT_ROOT) / name
    if not name or not path.is_file():
        raise FileGone
    return path


def drop_file(name: str) -> None:
    """The file is gone; one that is not there is no error."""
    if name:
        (Path(settings.IMPORT_ROOT) / name).unlink(missing_ok=True)


def marked_rows(
    path: Path,
    reasons: Mapping[int, Sequence[str]],
    *,
    words: Callable[[str], str],
    most_rows: int | None = None,
    most_bytes: int | None = None,
) -> Iterator[list[str]]:
    """The headings, then every line that has reasons with its own cells, its number and its reasons in words; nothing
    is a formula. The cells are read from the file again: nothing of a bad line is kept in the database."""
    left = dict(reasons)
    with open_table(path, most_rows=most_rows, most_bytes=most_bytes) as table:
        yield [*safe_cells(table.headings), _("行号"), _("原因")]
        for line, cells in table.rows:
            if not left:
                return
            told = left.pop(line, None)
            if told is not None:
                padded = [*cells, *[""] * (len(table.headings) - len(cells))]
                yield [*safe_cells(padded[: len(table.headings)]), str(line), "；".join(map(words, told))]


def error_workbook(rows: Iterator[list[str]]) -> IO[bytes]:
    """Bad rows as an open .xlsx, at its beginning. Raises what reading them raises."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115  (whoever sends it closes it)
    try:
        write_rows(rows=rows, stream=stream, title=_("有问题的行"))
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return stream
