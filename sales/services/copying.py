"""Rows by COPY: the one way that keeps pace with a nightly file, used for a single order as well."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


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
    columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in names)  # type: ignore[union-attr]
    count = 0
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy,
    ):
        for row in itertools.chain((first,), remaining):
            copy.write_row(row)
            count += 1
    return count
