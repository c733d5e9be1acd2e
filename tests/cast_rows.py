"""What services wrote once, written again in two statements: the same rows under new ids and codes, at another time.

Recorded from the services themselves, once a process, under ids and times that are found again in the rows' text; a recording
is the text of the INSERTs, cut where something must be new. Ids come from their sequences and codes from their makers as
ever, so that nothing that the process or Redis keeps by an id or a code is met again in the next test.
"""

import contextlib
import copy
import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import time_machine
from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from core.clock import SHANGHAI

# When it happened in the recording; the two days differ in Shanghai.
_AT: Final = dt.datetime(2021, 2, 3, 15, 4, 5, 60_708, tzinfo=dt.UTC)
_NOW: Final = _AT + dt.timedelta(hours=1)
# Ids in the recording: a million for each sequence, all of them within four bytes.
_FIRST_ID: Final = 1_200_000_000
_SPAN: Final = 1_000_000
_HAS_SUCH_ID: Final = r"\y1[2-9]\d{8}\y"

_SEQUENCES: Final = """
SELECT quote_ident(sequencename), coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences
WHERE schemaname = current_schema() AND max_value >= 2147483647 ORDER BY 1
"""
_SET: Final = """
SELECT setval(name::regclass, value, is_used)
FROM unnest(%s::text[], %s::bigint[], %s::bool[]) AS wanted (name, value, is_used)
"""
_INSERTED: Final = "SELECT relname::text, n_tup_ins FROM pg_stat_xact_user_tables"
# Triggers and foreign keys had their say in the recording: what they wrote is among its rows.
_UNASKED: Final = (
    "SET LOCAL session_replication_role = replica; {};SET LOCAL session_replication_role = origin"
)

_AUDIT: Final = "core_auditentry"

Rows = dict[str, list[str]]  # by table, as PostgreSQL writes a row


@dataclasses.dataclass(frozen=True, slots=True)
class Recording:
    """`parts` are texts and, in between them, what stands for something new."""

    made: Any
    server_now: str  # what triggers wrote as now()
    rows: Rows
    ids: tuple[tuple[str, int, int], ...]  # a sequence, its first id here, how many
    codes: tuple[tuple[str, Callable[[], str]], ...]
    tokens: re.Pattern[str]
    parts: tuple[str, ...]

    @classmethod
    def of(cls, make: Callable[[dt.datetime], Any]) -> Self:
        """Run `make` for a time and undo it. Raises AssertionError when it wrote what can't be written again."""
        with transaction.atomic(), time_machine.travel(_NOW, tick=False), connection.cursor() as cursor:
            with _ids_from(cursor, _FIRST_ID) as firsts:
                server_now, before = _server_now(cursor), _inserted(cursor)
                made = make(_AT)
                rows = _rows_since(cursor, before)
                ids = _used(cursor, firsts)
                codes = tuple(_codes(rows))
            transaction.set_rollback(True)
        tokens = [str(first + number) for _sequence, first, count in ids for number in range(count)]
        tokens += [server_now, *dict(codes), *_times(_AT, _NOW)]
        pattern = re.compile(f"({'|'.join(map(re.escape, tokens))})")
        return cls(made, server_now, rows, ids, codes, pattern, tuple(pattern.split(_script(rows))))

    def can_be_again(self) -> bool:
        """Whether nobody is there whom the services would have met, but in the audit trail."""
        asked = " OR ".join(f"EXISTS (SELECT FROM {table})" for table in self.rows if table != _AUDIT)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT NOT ({asked})")
            return bool(cursor.fetchone()[0])

    def again(self, at: dt.datetime, now: dt.datetime) -> Any:
        """All rows are there; what `make` would have answered."""
        with transaction.atomic(), connection.cursor() as cursor:
            new = self._new(cursor) | dict(zip(_times(_AT, _NOW), _times(at, now), strict=True))
            cursor.execute(_UNASKED.format("".join(new.get(part, part) for part in self.parts)))
        times = {_AT: at, _NOW: now, _day(_AT): _day(at), _day(_NOW): _day(now)}
        return self._renewed(self.made, new, times)

    def _new(self, cursor: Any) -> dict[str, str]:
        """What stands in place of which id and code."""
        asked = ", ".join(
            f"ARRAY(SELECT nextval('{sequence}') FROM generate_series(1, {count}))"
            for sequence, _first, count in self.ids
        )
        cursor.execute(f"SELECT now()::text, {asked}")
        server_now, *given_ids = cursor.fetchone()
        new = {self.server_now: server_now} | {code: make() for code, make in self.codes}
        for (_sequence, first, _count), given in zip(self.ids, given_ids, strict=True):
            new |= {str(first + number): str(value) for number, value in enumerate(given)}
        return new

    def _renewed(self, value: Any, new: dict[str, str], times: dict[Any, Any]) -> Any:
        if isinstance(value, dt.date):
            return times.get(value, value)
        if isinstance(value, str):
            return self.tokens.sub(lambda found: new[found[0]], value)
        if isinstance(value, int) and not isinstance(value, bool):
            return int(new.get(str(value), value))
        if isinstance(value, tuple):
            return tuple(self._renewed(one, new, times) for one in value)
        if isinstance(value, models.Model):
            other = copy.copy(value)
            other.__dict__.update({name: self._renewed(one, new, times) for name, one in vars(value).items()})
            return other
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [field.name for field in dataclasses.fields(value)]
            changes = {name: self._renewed(getattr(value, name), new, times) for name in fields}
            return dataclasses.replace(value, **changes)
        return value


@contextlib.contextmanager
def _ids_from(cursor: Any, first: int) -> Iterator[dict[str, int]]:
    """The first id of each sequence; afterwards they go on where they were, which a rollback leaves to us."""
    cursor.execute(_SEQUENCES)
    were = cursor.fetchall()
    firsts = {name: first + place * _SPAN for place, (name, *_rest) in enumerate(were)}
    cursor.execute(_SET, [list(firsts), list(firsts.values()), [False] * len(firsts)])
    yield firsts
    cursor.execute(_SET, [list(column) for column in zip(*were, strict=True)])


def _used(cursor: Any, firsts: dict[str, int]) -> tuple[tuple[str, int, int], ...]:
    cursor.execute(_SEQUENCES)
    return tuple(
        (name, firsts[name], last - firsts[name] + 1) for name, last, is_used in cursor.fetchall() if is_used
    )


def _server_now(cursor: Any) -> str:
    cursor.execute("SELECT now()::text")
    return str(cursor.fetchone()[0])


def _inserted(cursor: Any) -> dict[str, int]:
    cursor.execute(_INSERTED)
    return dict(cursor.fetchall())


def _rows_since(cursor: Any, before: dict[str, int]) -> Rows:
    rows = {}
    for table, count in sorted(_inserted(cursor).items()):
        if (wrote := count - before.get(table, 0)) == 0:
            continue
        cursor.execute(
            sql.SQL("SELECT here::text FROM {} here WHERE here::text ~ {} ORDER BY 1").format(
                sql.Identifier(table), sql.Literal(_HAS_SUCH_ID)
            )
        )
        rows[table] = [row for (row,) in cursor.fetchall()]
        assert len(rows[table]) == wrote, (
            f"{table}: {wrote} rows written, {len(rows[table])} known by their ids"
        )
    return rows


def _codes(rows: Rows) -> Iterator[tuple[str, Callable[[], str]]]:
    """The codes that fields made for themselves, each with its maker."""
    for model in apps.get_models():
        if model._meta.db_table not in rows:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField) and field.has_default() and callable(field.default):
                recorded = model._base_manager.filter(pk__gte=_FIRST_ID)
                for code in recorded.values_list(field.attname, flat=True):
                    yield code, field.default


def _script(rows: Rows) -> str:
    return ";".join(
        sql.SQL("INSERT INTO {table} SELECT (one).* FROM unnest(ARRAY[{rows}]::{table}[]) one")
        .format(
            table=sql.Identifier(table),
            rows=sql.SQL(", ").join(map(sql.Literal, texts)),
        )
        .as_string()
        for table, texts in rows.items()
    )


def _times(at: dt.datetime, now: dt.datetime) -> list[str]:
    """As they stand in rows, the longer ones first."""
    moments = [moment.astimezone(dt.UTC).isoformat(" ", "microseconds")[:-3] for moment in (at, now)]
    return [*moments, *(_day(moment).isoformat() for moment in (at, now))]


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(SHANGHAI).date()
