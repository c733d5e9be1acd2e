"""Facts become numbers: the job that folds them, every few seconds.

A slice is one transaction: the reader's cursor is locked, the facts up to a complete id (core/horizons.py) are
grouped and added, the cursor moves. Killed anywhere it is undone with its cursor; run by two at once the second waits
for the first slice's end and goes on behind it. Nothing on the side of those who issue or redeem knows of it.
"""

import datetime as dt
from typing import Final

from django.db import connection, transaction

from core.actor import Actor
from core.horizons import complete_until
from coupons.contracts import FoldRun
from coupons.models import FactCursor, FactSource
from coupons.services.stats_sql import ROLL_UPS, TABLES, fold_statement

SLICE: Final = 200_000
# Three tables in a run, and a run every fifteen seconds: a writer that needs longer is left to a later one.
PATIENCE: Final = dt.timedelta(seconds=3)
# Coupons last: whatever ended has been issued in the numbers too, so nothing is ever less than nought.
SOURCES: Final = (FactSource.EVENTS, FactSource.ENTRIES, FactSource.COUPONS)


def fold_stats(*, patience: dt.timedelta = PATIENCE, actor: Actor, at: dt.datetime | None = None) -> FoldRun:
    """Every fact that had committed when this began is in the numbers, but for a source one of whose writers is not
    done within `patience`: the next run finds it. Run twice, or by two at once, no fact counts twice."""
    folded, is_whole = 0, True
    for source in SOURCES:
        horizon = complete_until(TABLES[source], patience=patience)
        if horizon is None:
            is_whole = False
            continue
        folded += _fold_source(source, *horizon)
    return FoldRun(folded, is_whole)


def lock_cursor(*, source: str) -> FactCursor:
    """The cursor of a reader, made on first use, locked: her turn."""
    rows = FactCursor.objects.filter(source=source).lock_rows()
    if not rows:
        FactCursor.objects.bulk_create([FactCursor(source=source)], ignore_conflicts=True)
        rows = FactCursor.objects.filter(source=source).lock_rows()
    return rows[0]


def move_cursor(*, cursor: FactCursor, last_id: int, read_until: dt.datetime | None = None) -> None:
    """The reader has read so far; `read_until` when nothing committed before it is left."""
    cursor.last_id = max(cursor.last_id, last_id)
    names = ["last_id"]
    if read_until is not None and (cursor.read_until is None or cursor.read_until < read_until):
        cursor.read_until = read_until
        names.append("read_until")
    cursor.save(update_fields=names)


def _fold_source(source: str, greatest: int, asked_at: dt.datetime) -> int:
    statement = fold_statement(source=source, tables=ROLL_UPS)
    first: int | None = None
    while True:
        with transaction.atomic():
            cursor = lock_cursor(source=source)
            after = cursor.last_id
            first = after if first is None else first
            until = min(greatest, after + SLICE)
            if until > after:
                with connection.cursor() as sql:
                    sql.execute(statement, {"after": after, "until": until})
            is_last = until >= greatest
            move_cursor(cursor=cursor, last_id=until, read_until=asked_at if is_last else None)
        if is_last:
            return max(0, greatest - first)
