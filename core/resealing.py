"""Bringing sealed texts under the newest key, so that an old one can be thrown away.

Every `SealedTextField` of every installed model is walked, found by looking at the models: no list to forget one
in. What is left to do is what the rows say themselves (a sealed text names its key), so the work may stop anywhere,
be begun again, and run beside writers and beside itself.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction

from core import crypto
from core.fields import SealedTextField

BATCH: Final = 500
_PAUSE_S: Final = 0.2  # before asking again for rows that a writer held


@dataclasses.dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column of sealed texts; names are quoted for SQL."""

    label: str  # members.Member.phone
    table: str
    key: str
    column: str
    context: str


@dataclasses.dataclass(frozen=True, slots=True)
class KeyCount:
    """How many texts of a column are sealed with a key."""

    label: str
    key_id: str
    count: int
    is_current: bool


@dataclasses.dataclass(slots=True)
class Resealed:
    """What a run did: texts sealed anew, texts that no key of ours opens, and whether old ones are left."""

    done_count: int = 0
    unreadable_count: int = 0
    is_finished: bool = True


Report = Callable[[str, int], None]


def list_sealed_columns() -> list[SealedColumn]:
    """All columns of sealed texts, by label."""
    quote = connection.ops.quote_name
    found = [
        SealedColumn(
            label=f"{model._meta.label}.{field.name}",
            table=quote(model._meta.db_table),
            key=quote(_column_of(model._meta.pk)),
            column=quote(_column_of(field)),
            context=field.seal_context(),
        )
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedTextField)
    ]
    return sorted(found, key=lambda column: column.label)


def count_keys() -> list[KeyCount]:
    """How many texts each key seals, column by column; a key may be thrown away when it has none."""
    current = crypto.sealing_key_id()
    counts: list[KeyCount] = []
    for sealed in list_sealed_columns():
        with transaction.atomic(), connection.cursor() as cursor:
            _take_time(cursor)
            cursor.execute(
                f"SELECT split_part({sealed.column}, '.', 1), count(*) FROM {sealed.table} "  # noqa: S608
                f"WHERE {sealed.column} <> '' GROUP BY 1 ORDER BY 1"
            )
            counts += [
                KeyCount(sealed.label, str(key_id), int(count), key_id == current)
                for key_id, count in cursor.fetchall()
            ]
    return counts


def reseal(*, limit_s: float | None = None, report: Report | None = None) -> Resealed:
    """Every sealed text is under the first of FIELD_KEYS, or the time is up (`is_finished` tells).

    `report` is called after each batch with the column and how many of it are done. Texts that no key opens stay
    as they are and are counted: somebody has to look for their key.
    """
    deadline = None if limit_s is None else time.monotonic() + limit_s
    total = Resealed()
    for sealed in list_sealed_columns():
        for done, unreadable in _walk(sealed, deadline, total):
            total.done_count += done
            total.unreadable_count += unreadable
            if report is not None and done:
                report(sealed.label, done)
    return total


def _walk(sealed: SealedColumn, deadline: float | None, total: Resealed) -> Iterator[tuple[int, int]]:
    """Batch by batch in the order of the keys; once more from the start while writers held rows back."""
    after: Any = None
    unreadable: set[Any] = set()
    while True:
        if deadline is not None and time.monotonic() > deadline:
            total.is_finished = False
            return
        keys, done, broken = _reseal_batch(sealed, after)
        yield done, len(broken - unreadable)
        unreadable |= broken
        if keys:
            after = keys[-1]
        elif not _is_left(sealed, unreadable):
            return
        else:
            after = None
            time.sleep(_PAUSE_S)


def _reseal_batch(sealed: SealedColumn, after: Any) -> tuple[list[Any], int, set[Any]]:
    """The keys looked at, how many texts were sealed anew, and the keys of those that do not open.

    Rows that a writer holds are passed over (SKIP LOCKED), so this waits for nobody and deadlocks with nobody; and
    a text is replaced only where it is still the one that was opened.
    """
    beyond = f"AND {sealed.key} > %s" if after is not None else ""
    fresh: list[tuple[Any, str, str]] = []
    broken: set[Any] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        _take_time(cursor)
        cursor.execute(
            f"SELECT {sealed.key}, {sealed.column} FROM {sealed.table} "  # noqa: S608
            f"WHERE {sealed.column} <> '' AND split_part({sealed.column}, '.', 1) <> %s {beyond} "
            f"ORDER BY {sealed.key} LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED",
            [crypto.sealing_key_id(), *([] if after is None else [after])],
        )
        rows = cursor.fetchall()
        for key, old in rows:
            try:
                plain = crypto.unseal(old, context=sealed.context)
            except crypto.CannotOpen:
                broken.add(key)
            else:
                fresh.append((key, old, crypto.seal(plain, context=sealed.context)))
        done = _replace(cursor, sealed, fresh)
    return [key for key, _old in rows], done, broken


def _replace(cursor: Any, sealed: SealedColumn, fresh: list[tuple[Any, str, str]]) -> int:
    if not fresh:
        return 0
    keys, old, new = (list(values) for values in zip(*fresh, strict=True))
    cursor.execute(
        f"UPDATE {sealed.table} AS stored SET {sealed.column} = fresh.sealed "  # noqa: S608
        f"FROM unnest(%s::text[], %s::text[], %s::text[]) AS fresh(key, was, sealed) "
        f"WHERE stored.{sealed.key}::text = fresh.key AND stored.{sealed.key} = ANY(%s) "
        f"AND stored.{sealed.column} = fresh.was",
        [[str(key) for key in keys], old, new, keys],
    )
    return int(cursor.rowcount)


def _is_left(sealed: SealedColumn, unreadable: set[Any]) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        _take_time(cursor)
        cursor.execute(
            f"SELECT count(*) FROM {sealed.table} "  # noqa: S608
            f"WHERE {sealed.column} <> '' AND split_part({sealed.column}, '.', 1) <> %s",
            [crypto.sealing_key_id()],
        )
        [(left,)] = cursor.fetchall()
    return int(left) > len(unreadable)


def _take_time(cursor: Any) -> None:
    """Looking through millions of rows takes longer than a request may; for this transaction only."""
    cursor.execute("SET LOCAL statement_timeout = 0")


def _column_of(field: Any) -> str:
    """The database column of a concrete field."""
    assert isinstance(field, models.Field)
    return str(field.column)
