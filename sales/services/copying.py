"""Rows by COPY, which keeps pace with a nightly file; a few of several tables by one prepared statement.

`copy_lines` is for the tables a file has millions of rows for: a row that is one formatted text takes a third of the time
that the driver takes to look every value over.
"""

import contextlib
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.db import connection, models

from core.arrays import array_words
from core.compiled import ask

NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED: Final = re.compile(r"\\(.)")
_SIGNS: Final = {"t": "\t", "n": "\n", "r": "\r"}
# Lines that leave together: while the server works on some, the next are formatted, as far as its socket takes them in.
_BLOCK: Final = 250
_FEW: Final = 100  # rows of one table
_INSERT: Final = """
INSERT INTO <table> (<columns>)
SELECT <columns> FROM unnest(<arrays>) WITH ORDINALITY AS given(<columns>, place_of_row) ORDER BY place_of_row
"""


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


class Rows(NamedTuple):
    """Rows of one table as lines of COPY's text, read once; `names` are field names."""

    model: type[models.Model]
    names: tuple[str, ...]
    lines: Iterable[str]


def write_rows(*tables: Rows) -> None:
    """The rows are in their tables, few of them by one statement. Raises IntegrityError as an INSERT would.

    Lines that are made while they are read must not ask the server: it is in the middle of a COPY.
    """
    begun = [(one, iter(one.lines)) for one in tables]
    looked_at = [(one, list(itertools.islice(lines, _FEW + 1)), lines) for one, lines in begun]
    if any(len(head) > _FEW for _one, head, _rest in looked_at):
        for one, head, rest in looked_at:
            copy_lines(model=one.model, names=one.names, lines=itertools.chain(head, rest))
        return
    filled = [one._replace(lines=head) for one, head, _rest in looked_at if head]
    if filled:
        ask(_statement(tuple(one[:2] for one in filled)), columns_of(*filled))


@functools.cache
def _statement(tables: tuple[tuple[type[models.Model], tuple[str, ...]], ...]) -> str:
    *others, last = (insertion(model=model, names=names) for model, names in tables)
    before = ", ".join(f"t{place} AS ({one})" for place, one in enumerate(others))
    return f"WITH {before} {last}" if others else last


@functools.cache
def insertion(*, model: type[models.Model], names: tuple[str, ...]) -> str:
    """The INSERT of rows that come column by column (`columns_of`), in their order."""
    table = model._meta.db_table
    fields = [model._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}"' for field in fields)  # type: ignore[union-attr]
    arrays = ", ".join(
        f"%({table}_{name})s::{_type_of(field)}[]" for name, field in zip(names, fields, strict=True)
    )
    return _INSERT.replace("<table>", f'"{table}"').replace("<columns>", columns).replace("<arrays>", arrays)


def columns_of(*tables: Rows) -> dict[str, str]:
    """The values of `insertion`."""
    return {
        f"{one.model._meta.db_table}_{name}": array_words(column)
        for one in tables
        for name, column in zip(one.names, zip(*map(_values_of, one.lines), strict=True), strict=True)
    }


def _values_of(line: str) -> list[str | None]:
    return [
        None
        if word == NULL
        else _ESCAPED.sub(lambda sign: _SIGNS.get(sign[1], sign[1]), word)
        if "\\" in word
        else word
        for word in line.split("\t")
    ]


def _type_of(field: Any) -> str:
    """A cast to varchar(n) would cut what is too long; as text it is refused."""
    name = str(field.db_type(connection))
    return "text" if name.startswith("varchar") else name


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
