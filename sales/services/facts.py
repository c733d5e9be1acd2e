"""What guides do besides selling counts once, whoever tells it and however often; what is taken back is reversed.

A fact is a row of the app that keeps it. What should stand is read from there and compared with the ledger, so that
events may be lost, doubled or out of turn. The entries of one fact are a chain: counted, taken back, counted again
under the next turn. Who settles a fact holds its lock, and reads it only then; constraints have the last word.
"""

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from django.db import connection, transaction

from core import clock
from guides import selectors as guide_selectors
from sales.contracts import Fact, FactKindName
from sales.errors import FactUnusable, FromTheFuture, UnknownGuide, UnknownStore
from sales.models import FACT_METRICS, EntryReason, FactKind
from sales.selectors.facts import list_doubtful_refs, list_facts, list_rows_of_persons
from sales.selectors.offered import OWN_KINDS, is_counted
from sales.services.reconciling import EntryWriter, FactTurn, Place, share_close_lock
from sales.services.references import day_of

_AT_ONCE: Final = 1_000
_CLOCK_SKEW: Final = dt.timedelta(minutes=5)
# Whoever hears the event is writing it just now.
_GRACE: Final = dt.timedelta(seconds=10)
_CHAINS: Final = """
SELECT DISTINCT ON (entry.fact_ref) entry.fact_ref, entry.id, entry.fact_turn, entry.due_on, entry.booked_on,
       entry.guide_id, entry.store_id, entry.metric, undone.id IS NULL
FROM sales_performanceentry entry
LEFT JOIN sales_performanceentry undone ON undone.reversed_entry_id = entry.id
WHERE entry.fact_kind = %s AND entry.fact_ref = ANY(%s) AND entry.fact_kind <> '' AND entry.reversed_entry_id IS NULL
ORDER BY entry.fact_ref, entry.fact_turn DESC
"""
# Settling takes turns by the last digits of the ref: a lock for each would be too many.
_TURN_LOCK: Final = 7_302_010
_TURNS: Final = 64
# One after the other, in the order that is given.
_TAKE_TURNS: Final = "SELECT pg_advisory_xact_lock(%s, turn) FROM unnest(%s::int[]) AS given(turn)"


class _Link(NamedTuple):
    """One time that a fact was counted; `stands`: not reversed."""

    id: int
    turn: int
    due_on: dt.date
    booked_on: dt.date
    guide_id: int | None
    store_id: int
    metric: str
    stands: bool


def record_fact(
    *,
    kind: FactKindName,
    ref: int,
    happened_at: dt.datetime,
    guide_id: int | None = None,
    store_id: int | None = None,
    at: dt.datetime | None = None,
) -> bool:
    """The fact counts one, for the guide in this store or the one she worked in then, or for the store alone; whether
    this call wrote it. (`kind`, `ref`) is the key: told again, also after it was taken back, it changes nothing.

    For apps above, which say once with `count_kind` that they do. A guide who had left by then earns nothing: it is
    the store's. In a closed month it counts on the first open day. Refuses a kind that nobody counts or that `sales`
    counts itself, neither guide nor store, unknown ones, and what is more than five minutes ahead.
    """
    at = at or clock.now()
    if kind in OWN_KINDS or not is_counted(kind) or not 0 < ref < 2**63:
        raise FactUnusable(field="kind" if 0 < ref < 2**63 else "ref")
    if happened_at > at + _CLOCK_SKEW:
        raise FromTheFuture(field="happened_at")
    if guide_id is not None and not guide_selectors.known_guide_ids([guide_id]):
        raise UnknownGuide(field="guide_id")
    if store_id is None:
        if guide_id is None:
            raise FactUnusable(field="store_id")
        store_id = guide_selectors.list_guide_places_at([(guide_id, happened_at)])[0].store_id
    elif store_id not in guide_selectors.list_store_names([store_id]):
        raise UnknownStore(field="store_id")
    fact = Fact(kind, ref, happened_at, guide_id, store_id)
    return _settle(kind, [ref], lambda: [fact], at, restores=False) > 0


def reverse_fact(*, kind: FactKindName, ref: int, at: dt.datetime | None = None) -> bool:
    """The fact counts no more, by a reversing entry; whether this call wrote it. Refuses as `record_fact` does; one
    that never counted is left as it is."""
    if kind in OWN_KINDS or not is_counted(kind):
        raise FactUnusable(field="kind")
    at = at or clock.now()
    gone = Fact(kind, ref, at, None, 0, stands=False)
    return _settle(kind, [ref], lambda: [gone], at) > 0


def reconcile_facts(*, kind: FactKindName, refs: Iterable[int], at: dt.datetime | None = None) -> int:
    """What the rows with these ids say stands in the ledger, and nothing else; how many entries were written."""
    at = at or clock.now()
    asked = sorted(set(refs))
    written = 0
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        written += _settle(kind, some, functools.partial(list_facts, kind, some), at)
    return written


def reconcile_persons(*, member_ids: Collection[int], at: dt.datetime | None = None) -> int:
    """After a merge of these rows, or its undoing: a person is a new member once, and a guide won her once."""
    rows = list_rows_of_persons(member_ids)
    bindings = guide_selectors.binding_ids_of(rows)
    return reconcile_facts(kind="member", refs=rows, at=at) + reconcile_facts(
        kind="binding", refs=bindings, at=at
    )


def catch_up_facts(*, look_back: dt.timedelta, at: dt.datetime | None = None) -> int:
    """Facts of so long ago and later whose event was lost stand in the ledger; how many entries were written."""
    at = at or clock.now()
    written = 0
    for kind in OWN_KINDS:
        refs = list_doubtful_refs(kind, since=at - look_back, until=at - _GRACE)
        written += reconcile_facts(kind=kind, refs=refs, at=at)
    return written


def _settle(
    kind: FactKindName,
    refs: Collection[int],
    read: Callable[[], Sequence[Fact]],
    at: dt.datetime,
    *,
    restores: bool = True,
) -> int:
    """The facts are read under the locks of these refs: what was read cannot be written behind a later reading."""
    with transaction.atomic():
        _take_turns(kind, refs)
        facts = read()
        chains = _chains(kind, refs)
        fresh = {fact.guide_id for fact in facts if fact.guide_id and fact.stands and fact.ref not in chains}
        last_days = guide_selectors.list_last_days(fresh) if fresh else {}
        writer = EntryWriter(at, share_close_lock())
        for fact in facts:
            last = chains.get(fact.ref)
            if last is None:
                if fact.stands:
                    _begin(writer, fact, last_days, at)
            elif last.stands != fact.stands and (restores or not fact.stands):
                _turn(writer, fact, last)
        if not writer.lines:
            return 0
        return writer.write()


def _take_turns(kind: FactKindName, refs: Iterable[int]) -> None:
    """Whoever settles one of these waits until the caller's transaction ends; in one order, so that nobody waits in
    a ring."""
    first = _TURN_LOCK + list(FactKind).index(FactKind(kind))
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS, [first, sorted({ref % _TURNS for ref in refs})])


def _begin(writer: EntryWriter, fact: Fact, last_days: Mapping[int, dt.date], at: dt.datetime) -> None:
    """It counts for the first time."""
    day = day_of(min(fact.happened_at, at))
    guide_id = fact.guide_id
    if guide_id is not None and guide_id in last_days and last_days[guide_id] < day:
        guide_id = None
    place = Place(day, guide_id, fact.store_id, str(FACT_METRICS[FactKind(fact.kind)]), None)
    writer.add(place, 1, EntryReason(fact.kind), sale_ref=None, fact=FactTurn(fact.kind, fact.ref, 0))


def _turn(writer: EntryWriter, fact: Fact, last: _Link) -> None:
    """It counts no more, or again, where it counted before."""
    place = Place(last.due_on, last.guide_id, last.store_id, last.metric, None)
    if fact.stands:
        key = FactTurn(fact.kind, fact.ref, last.turn + 1)
        writer.add(place, 1, EntryReason.RESTORED, sale_ref=None, fact=key)
        return
    writer.add(
        place, -1, EntryReason.TAKEN_BACK, sale_ref=None, booked_from=last.booked_on, reversed_entry=last.id,
        fact=FactTurn(fact.kind, fact.ref, last.turn),
    )  # fmt: skip


def _chains(kind: FactKindName, refs: Iterable[int]) -> dict[int, _Link]:
    """The last time that each of these was counted."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS, [kind, sorted(refs)])
        return {ref: _Link(*link) for ref, *link in cursor.fetchall()}
