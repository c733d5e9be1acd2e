"""The ledger follows the documents: what should stand is compared with what stands, and the difference is written.

A sale, its returns, its attribution and whether it is a first purchase may change in any order; there is one rule
for all of it. Entries that no longer hold are reversed, missing ones are written, nothing is changed or deleted.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from django.db import connection

from core.compiled import ask
from core.shares import split
from sales.models import (
    AttributionShare,
    EntryReason,
    Metric,
    Sale,
    SaleReturn,
)
from sales.services.attributing import split_among_rests
from sales.services.copying import NULL, Words
from sales.services.totals import Move, write_entries

# Bookings share it, a close takes it alone: no entry is booked into a month while it is being closed.
CLOSE_LOCK: Final = 7_302_001
_LIVE: Final = """
SELECT entry.id, entry.due_on, entry.booked_on, entry.guide_id, entry.store_id, entry.metric, entry.value,
       entry.sale_ref, entry.return_ref
FROM sales_performanceentry entry
LEFT JOIN sales_performanceentry undone ON undone.reversed_entry_id = entry.id
WHERE {where} AND entry.reversed_entry_id IS NULL AND undone.id IS NULL
ORDER BY entry.id
"""
_OF_SALES: Final = _LIVE.format(where="entry.sale_ref = ANY(%s)")
_OF_RETURNS: Final = _LIVE.format(where="entry.sale_ref IS NULL AND entry.return_ref = ANY(%s)")
# As they stand in rows: a million orders ask an enumeration for its members ten million times.
_SALES_FEN: Final[str] = Metric.SALES_FEN.value
_REPURCHASE_FEN: Final[str] = Metric.REPURCHASE_FEN.value
_ORDER_COUNT: Final[str] = Metric.ORDER_COUNT.value
_UNIT_COUNT: Final[str] = Metric.UNIT_COUNT.value
_FIRST_PURCHASE_COUNT: Final[str] = Metric.FIRST_PURCHASE_COUNT.value


class FactTurn(NamedTuple):
    """Which fact an entry is about, and how often that was restored before."""

    kind: str
    ref: int | None
    turn: int


_NO_FACT: Final = FactTurn("", None, 0)


class Place(NamedTuple):
    """Where a value counts: what makes two entries the same."""

    due_on: dt.date
    guide_id: int | None
    store_id: int
    metric: str
    return_ref: int | None


class Part(Protocol):
    """A share of a sale, kept or being decided."""

    @property
    def guide_id(self) -> int | None: ...
    @property
    def store_id(self) -> int: ...
    @property
    def share_bp(self) -> int: ...


class Counted(NamedTuple):
    """What the ledger looks at of a sale that is being written."""

    business_on: dt.date
    amount_fen: int
    unit_count: int
    member_id: int | None
    is_first: bool


class Standing(NamedTuple):
    """An entry that stands: neither a reversal nor reversed."""

    id: int
    due_on: dt.date
    booked_on: dt.date
    guide_id: int | None
    store_id: int
    metric: str
    value: int
    sale_ref: int | None
    return_ref: int | None

    @property
    def place(self) -> Place:
        return Place(self.due_on, self.guide_id, self.store_id, self.metric, self.return_ref)


@dataclasses.dataclass(slots=True)
class EntryWriter:
    """Collects entries and writes them, with their totals, at once."""

    at: dt.datetime
    closed: frozenset[dt.date]
    lines: list[str] = dataclasses.field(default_factory=list)
    moves: list[Move] = dataclasses.field(default_factory=list)
    words: Words = dataclasses.field(default_factory=Words)

    def add(
        self,
        place: Place,
        value: int,
        reason: EntryReason,
        *,
        sale_ref: int | None,
        booked_from: dt.date | None = None,
        reversed_entry: int | None = None,
        fact: FactTurn | None = None,
    ) -> None:
        due_on, guide_id, store_id, metric, return_ref = place
        booked_on = first_open_day(day=booked_from or due_on, closed=self.closed)
        kind, ref, turn = fact or _NO_FACT
        self.lines.append(
            f"{self.words[booked_on]}\t{self.words[due_on]}\t{NULL if guide_id is None else guide_id}\t{store_id}\t{metric}\t"
            f"{value}\t{NULL if sale_ref is None else sale_ref}\t{NULL if return_ref is None else return_ref}\t{kind}\t"
            f"{NULL if ref is None else ref}\t{turn}\t{reason.value}\t"
            f"{NULL if reversed_entry is None else reversed_entry}\t{self.words[self.at]}"
        )
        self.moves.append((booked_on, guide_id, store_id, metric, value))

    def write(self) -> int:
        """The entries are there, and their totals follow; how many."""
        return write_entries(lines=self.lines, moves=self.moves)


def share_close_lock() -> frozenset[dt.date]:
    """No month is closed or opened until the caller's transaction ends; the first days of those that are closed."""
    [(months,)] = ask("SELECT sales_share_close(%(lock)s::bigint)", {"lock": CLOSE_LOCK})
    return frozenset(months)


def take_close_lock() -> None:
    """Waits for every booking under way, and keeps new ones waiting until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLOSE_LOCK])


def first_open_day(*, day: dt.date, closed: frozenset[dt.date]) -> dt.date:
    """The day itself, or the first day of the next month that is not closed."""
    if not closed:
        return day
    month = day.replace(day=1)
    if month not in closed:
        return day
    while month in closed:
        month = (month + dt.timedelta(days=32)).replace(day=1)
    return month


def reconcile_sales(
    sale_ids: Iterable[int], *, reason: EntryReason, at: dt.datetime, fresh: frozenset[int] = frozenset()
) -> int:
    """The entries of these sales (current revisions, locked or new) are what their documents say; how many were
    written. `fresh` sales have none yet. `reason` is given to entries that put earlier ones right."""
    ids = sorted(set(sale_ids))
    if not ids:
        return 0
    sales = list(Sale.objects.filter(pk__in=ids).order_by("pk"))
    older = _older_revisions([sale for sale in sales if sale.pk not in fresh])
    standing = _standing([*(set(ids) - fresh), *older])
    shares = _live_shares(ids)
    returns = _returns_of([sale.pk for sale in sales if sale.returned_unit_count])
    writer = EntryWriter(at, share_close_lock())
    for sale in sales:
        wanted = wanted_of(sale=sale, shares=shares[sale.pk], returns=returns.get(sale.pk, ()))
        now = [entry for root in (sale.pk, *_older_of(sale.pk, older)) for entry in standing.get(root, ())]
        _put_right(writer, sale.pk, wanted, now, reason)
    return writer.write()


def reconcile_returns(return_ids: Iterable[int], *, at: dt.datetime) -> int:
    """The same for returns without an order: they count against the store that took them."""
    ids = sorted(set(return_ids))
    writer = EntryWriter(at, share_close_lock())
    standing: dict[int, list[Standing]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OF_RETURNS, [ids])
        for row in cursor.fetchall():
            entry = Standing(*row)
            standing[entry.return_ref or 0].append(entry)
    for given in SaleReturn.objects.filter(pk__in=ids).order_by("pk"):
        wanted = {
            Place(given.business_on, None, given.store_id, metric, given.pk): value
            for metric, value in _return_values(given.amount_fen, given.unit_count)
        }
        _put_right(writer, None, wanted, standing[given.pk], EntryReason.CORRECTED)
    return writer.write()


def _older_of(sale_id: int, older: Mapping[int, int]) -> list[int]:
    """The earlier revisions of a sale."""
    return [old for old, current in older.items() if current == sale_id]


def _older_revisions(sales: Sequence[Sale]) -> dict[int, int]:
    """Earlier revision → current one, for sales that have any."""
    revised = {(sale.source, sale.order_no): sale.pk for sale in sales if sale.revision}
    if not revised:
        return {}
    rows = Sale.objects.filter(
        is_current=False,
        source__in={source for source, _no in revised},
        order_no__in=[order_no for _source, order_no in revised],
    ).values_list("pk", "source", "order_no")
    return {pk: revised[(source, order_no)] for pk, source, order_no in rows if (source, order_no) in revised}


def _standing(sale_ids: Sequence[int]) -> dict[int, list[Standing]]:
    found: dict[int, list[Standing]] = defaultdict(list)
    if sale_ids:
        with connection.cursor() as cursor:
            cursor.execute(_OF_SALES, [list(sale_ids)])
            for row in cursor.fetchall():
                entry = Standing(*row)
                found[entry.sale_ref or 0].append(entry)
    return found


def _live_shares(sale_ids: Sequence[int]) -> dict[int, list[AttributionShare]]:
    found: dict[int, list[AttributionShare]] = defaultdict(list)
    rows = AttributionShare.objects.filter(
        attribution__sale_id__in=sale_ids, attribution__ended_at__isnull=True
    ).select_related("attribution")
    for share in rows.order_by("attribution_id", "place"):
        found[share.attribution.sale_id].append(share)
    return found


def _returns_of(sale_ids: Sequence[int]) -> dict[int, list[SaleReturn]]:
    """In the order in which the goods came back, whatever the order in which we heard of it."""
    found: dict[int, list[SaleReturn]] = defaultdict(list)
    rows = SaleReturn.objects.filter(sale_id__in=sale_ids).order_by("returned_at", "source", "return_no")
    for given in rows:
        found[given.sale_id or 0].append(given)
    return found


def wanted_of(
    *, sale: "Counted | Sale", shares: Sequence[Part], returns: Sequence[SaleReturn]
) -> dict[Place, int]:
    """What should stand for one sale. Orders and units go whole to whoever has the largest part."""
    wanted: dict[Place, int] = defaultdict(int)
    weights = [share.share_bp for share in shares]
    main = shares[weights.index(max(weights))]
    rests = split(amount=sale.amount_fen, weights=weights)
    repeats = sale.member_id is not None and not sale.is_first
    for share, amount in zip(shares, rests, strict=True):
        wanted[Place(sale.business_on, share.guide_id, share.store_id, _SALES_FEN, None)] += amount
        if repeats:
            wanted[Place(sale.business_on, share.guide_id, share.store_id, _REPURCHASE_FEN, None)] += amount
    for metric, value in _whole_values(sale):
        wanted[Place(sale.business_on, main.guide_id, main.store_id, metric, None)] += value
    for given, is_last in _with_last(sale, returns):
        parts = split_among_rests(amount=given.amount_fen, rests=rests)
        rests = [rest - part for rest, part in zip(rests, parts, strict=True)]
        for share, part in zip(shares, parts, strict=True):
            for metric, value in _money_back(part, repeats=repeats):
                wanted[Place(given.business_on, share.guide_id, share.store_id, metric, given.pk)] += value
        back = [(Metric.UNIT_COUNT, -given.unit_count), (Metric.RETURN_COUNT, 1)]
        if is_last:
            back.append((Metric.ORDER_COUNT, -1))  # an order of which nothing is left is none
        for metric, value in back:
            wanted[Place(given.business_on, main.guide_id, main.store_id, metric, given.pk)] += value
    return {place: value for place, value in wanted.items() if value}


def _whole_values(sale: "Counted | Sale") -> Iterator[tuple[str, int]]:
    yield _ORDER_COUNT, 1
    yield _UNIT_COUNT, sale.unit_count
    if sale.is_first:
        yield _FIRST_PURCHASE_COUNT, 1


def _money_back(part: int, *, repeats: bool) -> Iterator[tuple[Metric, int]]:
    yield Metric.SALES_FEN, -part
    yield Metric.RETURN_FEN, part
    if repeats:
        yield Metric.REPURCHASE_FEN, -part


def _return_values(amount_fen: int, unit_count: int) -> Iterator[tuple[Metric, int]]:
    yield Metric.SALES_FEN, -amount_fen
    yield Metric.RETURN_FEN, amount_fen
    yield Metric.UNIT_COUNT, -unit_count
    yield Metric.RETURN_COUNT, 1


def _with_last(sale: "Counted | Sale", returns: Sequence[SaleReturn]) -> Iterator[tuple[SaleReturn, bool]]:
    """Each return, and whether it is the one that took the last unit back."""
    left = sale.unit_count
    for given in returns:
        left -= given.unit_count
        yield given, left == 0


def _put_right(
    writer: EntryWriter,
    sale_ref: int | None,
    wanted: Mapping[Place, int],
    standing: Sequence[Standing],
    reason: EntryReason,
) -> None:
    now: dict[Place, list[Standing]] = defaultdict(list)
    for entry in standing:
        now[entry.place].append(entry)
    for place, entries in now.items():
        if sum(entry.value for entry in entries) == wanted.get(place, 0):
            continue
        for entry in entries:
            writer.add(
                place,
                -entry.value,
                reason,
                sale_ref=entry.sale_ref,
                booked_from=entry.booked_on,
                reversed_entry=entry.id,
            )
    for place, value in wanted.items():
        entries = now.get(place, [])
        if sum(entry.value for entry in entries) == value and entries:
            continue
        fact = EntryReason.SALE if place.return_ref is None else EntryReason.RETURN
        writer.add(place, value, reason if entries else fact, sale_ref=sale_ref)
