"""Rows by COPY: the one way that keeps pace with a nightly file, used for a single order as well.

`copy_lines` is for the tables a file has millions of rows for: a row that is one formatted text takes a third of the time
that the driver takes to look every value over.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.db import connection, models

NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_BLOCK: Final = 1_000


def draw_ids(*, model: type[models.Model], count: int) -> list[int]:
    """So many new primary keys of the table, in ascending order, from its sequence."""
    if count == 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return sorted(row[0] for row in cursor.fetchall())


def copy_rows(*, model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """The rows are in the table; how many. `names` are field names, values as psycopg takes them.

    Raises IntegrityError as an INSERT would.
    """
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return 0  # most orders name no coupon: nothing is asked of the server
    count = 0
    with _copying(model, names) as copy:
        for row in itertools.chain((first,), remaining):
            copy.write_row(row)
            count += 1
    return count


def copy_lines(*, model: type[models.Model], names: Sequence[str], lines: Iterable[str]) -> int:
    """The same of rows that are lines of COPY's text already, without their ends: values between tabs, NULL for None, texts
    that came from outside through `copy_word`."""
    remaining = iter(lines)
    block = list(itertools.islice(remaining, _BLOCK))
    if not block:
        return 0
    count = 0
    with _copying(model, names) as copy:
        while block:
            copy.write("\n".join(block) + "\n")
            count += len(block)
            block = list(itertools.islice(remaining, _BLOCK))
    return count


class Words(dict[Any, str]):
    """What days and moments look like in COPY's text, each worked out once."""

    def __missing__(self, value: Any) -> str:
        self[value] = words = str(value)
        return words


def copy_word(text: str) -> str:
    """A text as a value of `copy_lines`."""
    if "\\" not in text and text.isprintable():
        return text
    return text.translate(_ESCAPES)


@contextlib.contextmanager
def _copying(model: type[models.Model], names: Sequence[str]) -> Iterator[Any]:
    columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in names)  # type: ignore[union-attr]
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy,
    ):
        yield copy
