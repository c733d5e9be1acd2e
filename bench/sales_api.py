"""A single order told by a till through the open API, against the bare SQL of the rows it writes and against a bare signed
view that sends that SQL; and batches of 1,000.

Eight tills of one store tell orders of two lines by a member, served by a guide, one after the other: a signed request
through WSGI in the clients' processes, behind the project's middlewares, with signature, nonce, idempotency key, kept
answer and log. No socket: a network adds the same to both halves.

The floor is pgbench writing exactly those rows: one order is told first, every row of every table that its transactions
wrote is found by its xmin, and a script inserts and updates them anew in one transaction, with keys of its own for each
order. It reads nothing, asks no rule and makes no answer; eight connections share the store's totals as the tills do. The
bare view (bench/sales_api_urls.py) sends the same statements behind the same middlewares, after checking the signature.

BENCH_SALES_ROUNDS and BENCH_SALES_CALLS (orders of each till in a round) lengthen or shorten it.
"""

import json
import os
import statistics
import sys
import time
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from bench.coupon_shop import PROCESSES, TILL, Round, Shop, running_shop
from bench.figures import Figure, Report, spread

_ROUNDS: Final = int(os.environ.get("BENCH_SALES_ROUNDS") or 5)
_CALLS: Final = int(os.environ.get("BENCH_SALES_CALLS") or 40)
_TILLS: Final = 8
_BATCHES: Final = 4
_MEMBERS: Final = 2_000
# Stands in every text that must differ from order to order.
_MARK: Final = "MARKED0"

_CHAIN: Final = """
import json, sys, django
django.setup()
from core.actor import Actor
from guides import services as guides
from members.models import EarningRule
from openapi import services
from openapi.contracts import ClientTerms
actor = Actor.system("bench")
region = guides.open_region(name="bench", actor=actor)
store = guides.open_store(code="B1", name="bench", region_id=region.id, actor=actor)
guides.hire_guide(number="G1", name="bench", store_id=store.id, actor=actor)
EarningRule.objects.create(name="bench", fen_per_point=100)
made = []
for number in range(int(sys.argv[1])):
    terms = ClientTerms(
        name=f"bench {number}", kind="till", scopes=("sales:write",), store_id=store.id, per_minute=60_000)
    one = services.create_client(terms=terms, actor=actor)
    made.append([one.key_id, one.secret])
print(json.dumps(made))
"""
# Every till signs its requests before the clock starts.
_CLIENT: Final = (
    TILL
    + """
ready = {}
import datetime
sold_at = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)).isoformat()
def order(name, member):
    lines = [{"product": "p1", "quantity": 1, "list_fen": 12_000, "amount_fen": 12_000},
             {"product": "p2", "quantity": 2, "list_fen": 9_000, "amount_fen": 8_000}]
    return {"order_no": name, "sold_at": sold_at, "guide": "G1", "amount_fen": 20_000, "lines": lines,
            "member": {"kind": "member_code", "value": f"B{member}"}}
def signed(place, name, path, content):
    return request(given["keys"][place], path, name, f"{name}-nonce-of-the-bench", content)
def send(environ):
    status, body = ask(environ)
    if status[:3] != "200" or b'"outcome": "held"' in body or b'"outcome":"held"' in body:
        raise RuntimeError((status, body))
SINGLE = "/openapi/v1/sales/orders"
BARE = "/bench/sale/"
BATCH = "/openapi/v1/sales/documents"
def name_of(place, number):
    return given["mark"] if given["mark"] else f"{given['round']}-{place}-{number}"
def prepared(place, number):
    member = (place * calls + (0 if number == "warm" else number)) % given["members"] + 1
    name = name_of(place, number)
    if given["first"] is not None:
        n = given["first"] + (0 if number == "warm" else number + 1)
        return signed(place, name, BARE, {"place": place, "n": n})
    if not given["batch"]:
        return signed(place, name, SINGLE, order(name, member))
    # Two tills have no member in common: the second would wait until the first's batch is booked.
    documents = [
        {"kind": "order", **order(f"{name}-{one}", place * given["batch"] + one + 1)} for one in range(given["batch"])]
    return signed(place, name, BATCH, {"documents": documents})
def warm(place):
    if not given["mark"]:
        send(prepared(place, "warm"))
    for number in range(calls):
        ready[place, number] = prepared(place, number)
def call(place, number):
    send(ready[place, number])
"""
)
# What one order asks of the database with its request, begin and commit included, once everything is prepared.
_STATEMENTS: Final = """
from django import db
from django.core import signals
warm(0)
for number in range(3):
    call(0, number)
signals.request_started.disconnect(db.reset_queries)
db.connection.force_debug_cursor = True
db.connection.queries_log.clear()
call(0, 3)
print(len(db.connection.queries_log))
"""
_TABLES: Final = """
SELECT class.relname, array_agg(attribute.attname ORDER BY attribute.attnum),
       (SELECT array_agg(key.attname) FROM pg_index one
        JOIN pg_attribute key ON key.attrelid = one.indrelid AND key.attnum = ANY(one.indkey)
        WHERE one.indrelid = class.oid AND one.indisprimary)
FROM pg_class class JOIN pg_attribute attribute ON attribute.attrelid = class.oid
WHERE class.relkind = 'r' AND class.relnamespace = 'public'::regnamespace
  AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
GROUP BY class.oid, class.relname ORDER BY class.relname
"""
_LINKS: Final = """
SELECT conrelid::regclass::text, attribute.attname, confrelid::regclass::text
FROM pg_constraint JOIN pg_attribute attribute ON attribute.attrelid = conrelid AND attribute.attnum = conkey[1]
WHERE contype = 'f' AND cardinality(conkey) = 1
"""
# Columns that name an order's rows without a foreign key.
_REFS: Final = {("sales_performanceentry", "sale_ref"): "sales_sale"}


def bench() -> Report:
    """All on one server of its own. Raises RuntimeError when an order was not booked, or was twice."""
    with running_shop(_MEMBERS) as shop:
        counter = _Counter(shop)
        script = counter.floor_script()
        statements = counter.statements()
        single: list[dict[str, Round]] = []
        batches: list[Round] = []
        for number in range(_ROUNDS):
            single.append(
                {
                    "sql": counter.by_sql(script),
                    "bare": counter.by_bare_view(f"B{number}"),
                    "api": counter.by_request(f"S{number}"),
                }
            )
            batches.append(counter.by_batch(f"L{number}"))
        counter.check()
        figures = (
            *_against("single order / bare SQL", single, "sql"),
            *_against("single order / a bare signed view", single, "bare"),
            Figure("single order: statements with its request", ours=str(statements)),
            Figure("batches of 1,000: orders a second", ours=spread([one.rate * 1_000 for one in batches])),
            Figure("batches of 1,000: the slowest, s", ours=spread([one.p99_s for one in batches], 1)),
        )
        notes = (
            f"{_ROUNDS} rounds of {_TILLS} tills with {_CALLS} orders each, {PROCESSES} processes of ours",
            f"the floor writes {counter.row_count} rows of {counter.table_count} tables an order, as the API does",
            "afterwards: every order told is booked once",
        )
        return Report(figures, notes, {"single": single, "batches": batches})


def _against(name: str, rounds: list[dict[str, Round]], floor: str) -> list[Figure]:
    """p99 and orders a second, each with the median of the rounds' ratios."""
    floors, owns = [one[floor] for one in rounds], [one["api"] for one in rounds]
    slower = statistics.median(own.p99_s / one.p99_s for one, own in zip(floors, owns, strict=True))
    share = statistics.median(own.rate / one.rate for one, own in zip(floors, owns, strict=True))
    p99 = (spread([one.p99_s * 1000 for one in floors], 1), spread([one.p99_s * 1000 for one in owns], 1))
    rate = (spread([one.rate for one in floors]), spread([one.rate for one in owns]))
    return [
        Figure(f"{name}: p99, ms", *p99, slower),
        Figure(f"{name}: orders a second", *rate, share),
    ]


class _Counter:
    """A store with tills, and how many orders were told."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.keys = json.loads(shop.run(sys.executable, "-c", _CHAIN, str(_TILLS)).splitlines()[-1])
        self.told = self.written = self.scripts = 0
        self.row_count = self.table_count = 0

    def by_request(self, name: str) -> Round:
        self.told += _TILLS * (_CALLS + 1)
        return self._by(name, clients=_TILLS, calls=_CALLS)

    def by_batch(self, name: str) -> Round:
        """Two tills with batches of a thousand; a round's first ones are not timed."""
        self.told += PROCESSES * (_BATCHES + 1) * 1_000
        return self._by(name, clients=PROCESSES, calls=_BATCHES, batch=1_000)

    def by_sql(self, script: str) -> Round:
        self.written += _TILLS * _CALLS
        return self.shop.by_pgbench(script, clients=_TILLS, calls=_CALLS, start={"n": self._first()})

    def by_bare_view(self, name: str) -> Round:
        self.written += _TILLS * (_CALLS + 1)
        return self._by(name, clients=_TILLS, calls=_CALLS, first=self._first())

    def statements(self) -> int:
        """How many an order asks."""
        self.told += 5
        head = "import json, sys, time, django\ndjango.setup()\ncalls, given = 4, json.loads(sys.argv[1])\n"
        given = json.dumps(self._given("COUNT"))
        return int(self.shop.run(sys.executable, "-c", head + _CLIENT + _STATEMENTS, given).splitlines()[-1])

    def _first(self) -> int:
        """Numbers that no other half has used."""
        self.scripts += 1
        return self.scripts * _CALLS * 2

    def check(self) -> None:
        booked = self.shop.value("SELECT count(*) FROM sales_sale WHERE is_current")
        if booked != self.told + self.written + 3:
            raise RuntimeError(
                f"{self.told} told and {self.written} written, but {booked} orders in the books"
            )

    def floor_script(self) -> str:
        """What one order wrote, as SQL for pgbench. Two before it wrote what is written once: the rows of totals for her
        first purchase and for her later ones."""
        for before in ("BEFORE0", "BEFORE1"):
            self._by(before, clients=PROCESSES, calls=1, mark=before, once=True)
        since = int(self.shop.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))
        known = {table: self._keys(table, key) for table, _columns, key in self.tables()}
        self._by("mark", clients=PROCESSES, calls=1, mark=_MARK, once=True)
        time.sleep(0.5)
        script = _Script(self.shop, since, known, self).text()
        floor = self.shop.home / "floor.sql"
        floor.write_text(script, encoding="utf-8")
        self.shop.environment["BENCH_SALES_FLOOR"] = str(floor)
        self.shop.environment["DJANGO_SETTINGS_MODULE"] = "bench.sales_api_settings"
        return script

    def tables(self) -> list[tuple[str, list[str], list[str]]]:
        """Each table with its columns and its primary key's."""
        return self.shop.connection.execute(_TABLES).fetchall()

    def _keys(self, table: str, key: list[str]) -> set[tuple[Any, ...]]:
        return set(self.shop.connection.execute(f"SELECT {', '.join(key)} FROM {table}").fetchall())

    def _given(
        self, name: str, *, batch: int = 0, mark: str = "", first: int | None = None
    ) -> dict[str, Any]:
        """What a client is told: `first` begins the numbers of orders that the bare view writes."""
        return {
            "round": name, "keys": self.keys, "members": _MEMBERS, "batch": batch, "mark": mark, "first": first,
        }  # fmt: skip

    def _by(
        self,
        name: str,
        *,
        clients: int,
        calls: int,
        batch: int = 0,
        mark: str = "",
        first: int | None = None,
        once: bool = False,
    ) -> Round:
        given = self._given(name, batch=batch, mark=mark, first=first)
        if once:
            client = (
                _CLIENT
                + "\ntold_once = call\ndef call(place, number):\n    if place == 0:\n        told_once(place, number)\n"
            )
        else:
            client = _CLIENT
        return self.shop.by_service(client, clients=clients, calls=calls, given=given)


class _Script:
    """Rows as statements: those that are new are inserted under keys of their own, the others are updated."""

    def __init__(
        self, shop: Shop, since: int, known: dict[str, set[tuple[Any, ...]]], counter: _Counter
    ) -> None:
        self.shop, self.since, self.known, self.counter = shop, since, known, counter
        links = shop.connection.execute(_LINKS).fetchall()
        self.links = {(table, column): target for table, column, target in links} | _REFS
        self.new: dict[str, set[int]] = {}

    def text(self) -> str:
        written = [one for one in map(self._written, self.counter.tables()) if one[3]]
        for table, _columns, key, rows in written:
            if key == ["id"]:
                self.new[table] = {row["id"] for row in rows if (row["id"],) not in self.known[table]}
        self.counter.table_count = len(written)
        self.counter.row_count = sum(len(rows) for *_, rows in written)
        lines = ["\\set n :n + 1", "\\set o (:client_id + 1) * 100000000 + :n * 1000", "BEGIN;"]
        for table, columns, key, rows in written:
            fresh = [row for row in rows if tuple(row[one] for one in key) not in self.known[table]]
            if fresh:
                names = ", ".join(f'"{one}"' for one in columns)
                values = ", ".join(self._values(table, columns, row) for row in fresh)
                lines.append(f"INSERT INTO {table} ({names}) VALUES {values};")
            lines += [self._update(table, columns, key, row) for row in rows if row not in fresh]
        return "\n".join([*lines, "COMMIT;"]) + "\n"

    def _written(
        self, table: tuple[str, list[str], list[str]]
    ) -> tuple[str, list[str], list[str], list[Any]]:
        name, columns, key = table
        names = ", ".join(f'"{one}"' for one in columns)
        rows = self.shop.connection.execute(
            f"SELECT {names} FROM {name} WHERE xmin::text::bigint >= %s ORDER BY 1", [self.since]
        ).fetchall()
        return name, columns, key, [dict(zip(columns, row, strict=True)) for row in rows]

    def _values(self, table: str, columns: list[str], row: dict[str, Any]) -> str:
        return "(" + ", ".join(self._fresh(table, column, row[column]) for column in columns) + ")"

    def _update(self, table: str, columns: list[str], key: list[str], row: dict[str, Any]) -> str:
        rest = [column for column in columns if column not in key]
        names = ", ".join(f'"{one}"' for one in rest)
        values = ", ".join(self._literal(row[column]) for column in rest)
        own = " AND ".join(f'"{one}" = {self._literal(row[one])}' for one in key)
        return f"UPDATE {table} SET ({names}) = ROW ({values}) WHERE {own};"

    def _fresh(self, table: str, column: str, value: Any) -> str:
        target = table if column == "id" else self.links.get((table, column))
        if isinstance(value, int) and target is not None and value in self.new.get(target, ()):
            return f"{value} + :o"
        if column == "public_id":
            return f"left(md5('{table}' || :client_id || '-' || :n || '-' || {self._literal(value)}), 16)"
        suffix = "'f' || :client_id || '-' || :n"
        if isinstance(value, str) and _MARK in value:
            parts = [self._literal(part) for part in value.split(_MARK)]
            return "(" + f" || {suffix} || ".join(parts) + ")"
        if isinstance(value, str) and value and column.endswith("_key"):
            return f"({self._literal(value)} || {suffix})"
        return self._literal(value)

    def _literal(self, value: Any) -> str:
        given = Jsonb(value) if isinstance(value, dict) else value
        # pgbench takes what follows a colon for a variable's name, also between quotes; a time has only digits there.
        return sql.Literal(given).as_string(self.shop.connection)
