"""Reads that a page makes at every visit: written as querysets, compiled to SQL once, prepared once in a connection.

Building and compiling a queryset, and planning its SQL, each take several times as long as PostgreSQL takes to answer it
(ADR 32). A compiled read is built once, with a `Given` in the place of each value; asking it sends the kept statement
with the values and makes the same rows of the answer as the queryset would:

    @compiled
    def _notes(*, guide_id: Given, member_id: Given) -> QuerySet[GuideNote]:
        return GuideNote.objects.kept().filter(guide_id=guide_id, member_id=member_id).order_by("-pk")[:100]

    notes = _notes(guide_id=3, member_id=8)  # a list

What the function reads besides its arguments (the clock, settings) would be fixed for good, so a moment among the
constants is refused. Prefetching is not supported.

`@compiled_lock` is the same for rows that are locked by being read, as `LockingQuerySet.lock_rows` locks them. `ask` sends SQL
that a service wrote itself, `ask_once` the same for thousands of rows.
"""

import dataclasses
import datetime as dt
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Generic, Self, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, Field, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)
from psycopg import sql
from psycopg._queries import PostgresQuery
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import Int8

Row = TypeVar("Row")
Rows = list[tuple[Any, ...]]
_PLACE: Final = re.compile("%[s%]")
_INSTANT: Final = psycopg.adapters.types["timestamptz"].oid


class Given(Expression):
    """The place of a value that comes with each asking. `output_field` is needed where no column gives the type."""

    def __init__(self, name: str, output_field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class _KeptQuery(PostgresQuery):
    """What a text becomes is worked out once: psycopg does so at each asking for one of more than 4,096 signs or 50
    values."""

    __slots__ = ()

    def convert(self, query: Any, vars: Any) -> None:  # noqa: A002 (psycopg names it so)
        kept = _queries.get(query)
        if kept is None or vars is None:
            super().convert(query, vars)
            if vars is not None:
                _queries[query] = (self.query, self._want_formats, self._order, self._parts)
            return
        self.query, self._want_formats, self._order, self._parts = kept
        self.dump(vars)


_queries: dict[Any, tuple[Any, ...]] = {}


class _PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Prepares what it is asked, or uses what this connection has prepared. Django's own cursors send plain text.

    Instants are read by psycopg itself, at a tenth of what Django's reader takes; both give UTC, for that is the time
    zone of our connections.
    """

    _query_cls = _KeptQuery

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        super().__init__(connection)
        self.adapters.register_loader(_INSTANT, TimestamptzLoader)

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(query, params, prepare=True)

    def _send_query_prepared(self, name: bytes, pgq: Any, **options: Any) -> None:
        self._query = pgq  # what Django's log of queries shows; psycopg keeps it for plain statements only
        super()._send_query_prepared(name, pgq, **options)


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept:
    """A statement with its constants written out, whose values go where, and what becomes of the answer."""

    statement: str
    places: tuple[str, ...]
    converters: tuple[
        tuple[int, Any, Any], ...
    ]  # column, functions, expression: as Django's compilers have them
    make: Callable[[Rows], list[Any]]


class Compiled(Generic[Row]):
    """One read; see above. Compiled when it is asked first, once in a process."""

    def __init__(
        self, build: Callable[..., QuerySet[Any, Row]], names: Sequence[str] = (), *, locks: bool = False
    ) -> None:
        """`names` are the values to come, where the signature of `build` does not say them."""
        self.names: Final = tuple(names or inspect.signature(build).parameters)
        self.__doc__ = build.__doc__
        self._build = build
        self._locks = locks
        self._kept: _Kept | None = None

    def __call__(self, **values: Any) -> list[Row]:
        """The rows. Raises KeyError when a value is missing, RuntimeError for a lock outside of a transaction."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        if self._locks and not connection.in_atomic_block:
            raise RuntimeError("a lock needs transaction.atomic()")
        kept = self._kept or self._compile()
        rows = _ask(connection, kept.statement, tuple(values[name] for name in kept.places))
        return kept.make(_converted(rows, kept.converters, connection) if kept.converters else rows)

    def first(self, **values: Any) -> Row | None:
        """The first row; the read itself says how many there may be."""
        return next(iter(self(**values)), None)

    def _compile(self) -> _Kept:
        queryset: Any = self._build(**{name: Given(name) for name in self.names})
        name = self._build.__qualname__
        if queryset._prefetch_related_lookups:
            raise TypeError(f"{name} prefetches")
        if self._locks:
            queryset = queryset.order_by("pk").select_for_update(of=("self",), no_key=True)
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        statement, values = compiler.as_sql()
        moments = [value for value in values if isinstance(value, dt.date)]
        if moments:
            raise TypeError(f"{name} would keep a moment: {moments}")
        converters = compiler.get_converters([entry[0] for entry in compiler.select[0 : compiler.col_count]])
        self._kept = _Kept(
            statement=_with_constants(statement, values),
            places=tuple(value.name for value in values if isinstance(value, Given)),
            converters=tuple((column, *found) for column, found in converters.items()),
            make=_maker(queryset, compiler, name),
        )
        return self._kept


def ask(statement: str, values: Mapping[str, Any]) -> Rows:
    """The rows of a statement written by hand with named places, prepared like a compiled read. Its text must be one of
    a few. Whole numbers, also in lists, are all sent as bigint: psycopg would send the smallest type that holds each,
    and the server prepare the text anew for every mixture. Arrays and NULLs want their type in the text. A statement
    that answers nothing has no rows."""
    typed = {name: _steady(value) for name, value in values.items()}
    return _ask(connections[DEFAULT_DB_ALIAS], statement, typed)


def ask_once(statement: str, values: Mapping[str, Any]) -> Rows:
    """The same, planned for these values alone: where they are thousands, what serves a few is the wrong plan."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(statement, values)
        rows: Rows = cursor.fetchall() if cursor.description else []
        return rows


def _steady(value: Any) -> Any:
    if type(value) is int:
        return Int8(value)
    if type(value) is list:
        return [Int8(one) if type(one) is int else one for one in value]
    return value


def _ask(connection: Any, statement: str, values: Mapping[str, Any] | tuple[Any, ...]) -> Rows:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw = _PreparedCursor(connection.connection)
    with connection._prepare_cursor(raw) as cursor:
        cursor.execute(statement, values)
        rows: Rows = cursor.fetchall() if cursor.description else []
        return rows


@functools.cache
def named_sql(build: Callable[..., QuerySet[Any, Any]]) -> str:
    """A read as text for a place inside a statement that `ask` sends: its values have the names of its `Given`s. For
    functions of modules: what is built is kept for good."""
    queryset = build(**{name: Given(name) for name in inspect.signature(build).parameters})
    statement, values = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS).as_sql()
    return _with_constants(statement, values, named=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A read that stands inside another one: who builds it, and the values that it takes."""

    build: Callable[..., QuerySet[Any, Any]]
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def ids_of(given: Given) -> RawSQL:
    """For `…__in`: the row ids in the list that is given."""
    return RawSQL("SELECT unnest(%s::bigint[])", (given,))


def texts_of(given: Given) -> RawSQL:
    """For `…__in`: the texts in the list that is given."""
    return RawSQL("SELECT unnest(%s::text[])", (given,))


def compiled(build: Callable[..., QuerySet[Any, Row]]) -> Compiled[Row]:
    """The read as a callable that compiles once."""
    return Compiled(build)


def compiled_lock(build: Callable[..., QuerySet[Any, Row]]) -> Compiled[Row]:
    """The same, and its rows (of its own table only) are locked in the order of their keys until the transaction ends."""
    return Compiled(build, locks=True)


def _maker(queryset: Any, compiler: Any, name: str) -> Callable[[Rows], list[Any]]:
    """What Django's iterables of rows do, with all that is the same at each asking worked out."""
    if queryset._iterable_class is ValuesListIterable:
        return list
    if queryset._iterable_class is FlatValuesListIterable:
        only = itemgetter(0)
        return lambda rows: [only(row) for row in rows]
    if queryset._iterable_class is not ModelIterable:
        raise TypeError(f"{name} gives neither rows of a model nor tuples")
    told = compiler.klass_info
    first, last = told["select_fields"][0], told["select_fields"][-1] + 1
    names = [entry[0].target.attname for entry in compiler.select[first:last]]
    related: Any = get_related_populators(told, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    annotations = tuple((compiler.annotation_col_map or {}).items())
    from_db = told["model"].from_db

    def instances(rows: Rows) -> list[Any]:
        made = []
        for row in rows:
            instance = from_db(DEFAULT_DB_ALIAS, names, row[first:last])
            for populator in related:
                populator.populate(row, instance)
            for annotation, column in annotations:
                setattr(instance, annotation, row[column])
            made.append(instance)
        return made

    return instances


def _converted(rows: Rows, converters: Sequence[tuple[int, Any, Any]], connection: Any) -> Rows:
    made = []
    for row in rows:
        values = list(row)
        for column, functions, expression in converters:
            for function in functions:
                values[column] = function(values[column], expression, connection)
        made.append(tuple(values))
    return made


def _with_constants(statement: str, values: tuple[Any, ...], *, named: bool = False) -> str:
    """The statement with its constants written out: a plan that serves all values may use an index of some rows only
    where it can see that they are meant."""
    following: Iterator[Any] = iter(values)

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%%"
        value = next(following)
        if isinstance(value, Given):
            return f"%({value.name})s" if named else "%s"
        return sql.Literal(value).as_string().replace("%", "%%")

    return _PLACE.sub(place, statement)
