"""A rule as one SQL statement.

Tests of one row a member become columns of left joins: one join a table, however many conditions ask it, so a rule
over metrics reads as the best hand-written one does. Tests of many rows become semi-joins or anti-joins where the
rule is a conjunction at that place, and left joins of distinct keys elsewhere: never a subplan, which PostgreSQL
runs anew for each member when it does not fit into memory. PostgreSQL turns an outer join whose test is strict
into an inner one by itself.

Whoever asks about some members (`among`) has their ids pushed into every test, below its sums.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import QuerySet

from campaigns.contracts.segments import Leaf, Node
from core.arrays import array_words
from members import selectors as member_selectors
from members.selectors.conditions import (
    Every,
    Found,
    Not,
    RowTest,
    SetTest,
    Some,
    all_conditions,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Sql:
    """Words with their parameters."""

    text: str
    params: tuple[Any, ...] = ()


TRUE: Final = Sql("TRUE")
FALSE: Final = Sql("FALSE")
_SELECT: Final = 'SELECT {columns} FROM "{table}"{joins} WHERE {where}'
_NOT_AMONG: Final = (
    'NOT EXISTS (SELECT 1 FROM ({keys}) AS {name} ("member_id") WHERE {name}."member_id" = {key})'
)


def found_of(node: Node, day: dt.date) -> Found:
    """What the conditions of a rule say together."""
    if isinstance(node, Leaf):
        return all_conditions()[node.code].found(node.values, day)
    parts = tuple(found_of(part, day) for part in node.parts)
    if node.how == "all":
        return Every(parts)
    return Some(parts) if node.how == "any" else Every(tuple(map(Not, parts)))


def select_members(
    found: Found, *, among: Iterable[int] | None = None, scope: QuerySet[Any] | None = None
) -> Sql:
    """SELECT … of the ids of the living members of whom it is true, of these and within this id queryset only."""
    writing = _Writing(among)
    where = [writing.living(), writing.truth(found, top=True)]
    if among is not None:
        where.append(writing.among_of(writing.key))
    if scope is not None:
        inside = sql_of(scope)
        where.append(FALSE if inside is None else Sql(f"{writing.key} IN ({inside.text})", inside.params))
    return writing.select(Sql(writing.key), _joined(where, " AND "))


def select_verdicts(leaves: Sequence[Found], member_id: int) -> Sql:
    """SELECT … of one row with a truth for each of these, of this member; none when she is not living."""
    writing = _Writing([member_id])
    truths = [writing.truth(found, top=False) for found in leaves]
    columns = [Sql(f"({truth.text}) IS TRUE", truth.params) for truth in truths]
    where = _joined([writing.living(), writing.among_of(writing.key)], " AND ")
    return writing.select(_joined(columns, ", ", bare=True), where)


class _Writing:
    """One statement over members while it is written: its joins, and the words for each test."""

    def __init__(self, among: Iterable[int] | None) -> None:
        self._members = member_selectors.living_member_ids()
        self._table = self._members.model._meta.db_table
        self.key = f'"{self._table}"."id"'
        self._among = None if among is None else array_words(list(among))
        self._ids = None if among is None else list(among)
        self._joins: list[Sql] = []
        self._rows: dict[str, Sql] = {}
        self._count = 0

    def living(self) -> Sql:
        return _where(self._members)

    def among_of(self, column: str) -> Sql:
        return Sql(f"{column} = ANY(%s::bigint[])", (self._among,))

    def select(self, columns: Sql, where: Sql) -> Sql:
        joins = "".join(f" {join.text}" for join in self._joins)
        params = (*columns.params, *(each for join in self._joins for each in join.params), *where.params)
        text = _SELECT.format(columns=columns.text, table=self._table, joins=joins, where=where.text)
        return Sql(text, params)

    def truth(self, found: Found, *, top: bool) -> Sql:
        """Words that are true of exactly the members meant; NULL counts as false. `top`: nothing but AND stands around."""
        if isinstance(found, RowTest):
            return self._row(found)
        if isinstance(found, SetTest):
            if not top:
                return self._set(found, "IS NOT NULL")
            keys = self._keys(found)
            return FALSE if keys is None else Sql(f"{self.key} IN ({keys.text})", keys.params)
        if isinstance(found, Not):
            return self._denial(found.part, top=top)
        if isinstance(found, Every):
            return _joined([self.truth(part, top=top) for part in found.parts], " AND ")
        return _joined([self.truth(part, top=False) for part in found.parts], " OR ")

    def _denial(self, found: Found, *, top: bool) -> Sql:
        """The same of its opposite, moved down to the tests."""
        if isinstance(found, RowTest):
            words = self._row(found)
            return Sql(f"({words.text}) IS NOT TRUE", words.params)
        if isinstance(found, SetTest):
            if not top:
                return self._set(found, "IS NULL")
            keys = self._keys(found)
            if keys is None:
                return TRUE
            name = self._name()
            return Sql(_NOT_AMONG.format(keys=keys.text, name=name, key=self.key), keys.params)
        if isinstance(found, Not):
            return self.truth(found.part, top=top)
        if isinstance(found, Some):
            return _joined([self._denial(part, top=top) for part in found.parts], " AND ")
        return _joined([self._denial(part, top=False) for part in found.parts], " OR ")

    def _row(self, test: RowTest) -> Sql:
        table = test.rows.model._meta.db_table
        if table != self._table:
            base = _where(test.rows)
            if table not in self._rows:
                column = test.rows.model._meta.get_field(test.member.removesuffix("_id")).column
                on = f'LEFT JOIN "{table}" ON "{table}"."{column}" = {self.key} AND ({base.text})'
                self._joins.append(Sql(on, base.params))
                self._rows[table] = base
            elif self._rows[table] != base:
                raise TypeError(f"two tests join {table} in different ways")
        return _where(test.rows.filter(test.where))

    def _set(self, test: SetTest, check: str) -> Sql:
        keys = self._keys(test, distinct=True)
        if keys is None:
            return FALSE if check == "IS NOT NULL" else TRUE
        name = self._name()
        on = f'LEFT JOIN ({keys.text}) AS {name} ("member_id") ON {name}."member_id" = {self.key}'
        self._joins.append(Sql(on, keys.params))
        return Sql(f'{name}."member_id" {check}')

    def _keys(self, test: SetTest, *, distinct: bool = False) -> Sql | None:
        rows = test.rows.order_by()
        if self._ids is not None:
            rows = rows.filter(**{f"{test.member}__any_of": self._ids})
        if test.having is None:
            keys = rows.values_list(test.member)
            return sql_of(keys.distinct() if distinct else keys)
        sums = rows.values(test.member).annotate(**test.sums).filter(test.having)
        return sql_of(sums.values_list(test.member))

    def _name(self) -> str:
        self._count += 1
        return f'"c{self._count}"'


def _where(rows: QuerySet[Any]) -> Sql:
    """The condition of a queryset over one table, in words that name the table itself."""
    query = rows.query
    table = rows.model._meta.db_table
    try:
        text, params = query.get_compiler(connection=connection).compile(query.where)
    except EmptyResultSet:
        return FALSE
    except FullResultSet:
        return TRUE
    used = {alias for alias, count in query.alias_refcount.items() if count}
    if not used <= {table}:
        raise TypeError(f"a test of {table} joins {used}")
    return Sql(text, tuple(params))


def sql_of(rows: QuerySet[Any, Any]) -> Sql | None:
    """The queryset as SQL; None when it can have no rows."""
    try:
        text, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return None
    return Sql(text, tuple(params))


def _joined(parts: Sequence[Sql], sign: str, *, bare: bool = False) -> Sql:
    if not parts:
        return TRUE if sign == " AND " else FALSE
    text = sign.join(part.text if bare else f"({part.text})" for part in parts)
    return Sql(text, tuple(each for part in parts for each in part.params))
