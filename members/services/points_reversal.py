"""Undoing an entry: a return takes back what a sale earned, a cancelled order gives back what it spent."""

import datetime as dt

from django.db import transaction
from django.db.models import Sum

from core import clock
from core.actor import Actor
from members.contracts import PointsChange
from members.errors import (
    EntryAlreadyReversed,
    EntryNotReversible,
    NotEnoughPoints,
    SourceKeyTaken,
)
from members.events import PointsReversed
from members.models import (
    PendingReversal,
    PointsEntry,
    PointsEntryKind,
    PointsLotUse,
)
from members.selectors.points import get_points_decisions
from members.services.points_ledger import Ledger, actor_words, open_ledger, usable_key

_REVERSIBLE = frozenset({PointsEntryKind.EARN, PointsEntryKind.SPEND, PointsEntryKind.ADJUST})


def reverse_points_entry(
    *,
    member_id: int,
    reversed_key: str,
    source_key: str,
    reason: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> PointsChange:
    """The entry written under `reversed_key` is undone, whole, by an entry of its own.

    A credit: its points leave its own lot first, then the others. Points of it that have expired are gone already
    and are not taken twice. What has been spent is short, and the chain's policy decides: down to zero with the
    shortfall kept in the entry, a debt, or a refusal. A debit: the same lots have their points again; what is past
    its day expires at once.

    When nothing has that key yet, the return waits and is applied together with the entry. The same request gets
    the same answer; a second request for the same entry is refused. A part of an entry cannot be undone: a partial
    return reverses the sale's entry and credits what is left under a new key.
    """
    at = at or clock.now()
    usable_key(reversed_key)
    usable_key(source_key)
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        entry = ledger.find(source_key)
        if entry is not None:
            undone = entry.reversed_entry
            if entry.kind != PointsEntryKind.REVERSE or undone is None or undone.source_key != reversed_key:
                raise SourceKeyTaken
            return ledger.answer(entry)
        waiting = _waiting(ledger, source_key, reversed_key)
        if waiting is not None:
            return ledger.answer(None)
        written = ledger.find_all(reversed_key)
        if not written:
            _wait(ledger, reversed_key, source_key, reason)
            return ledger.answer(None)
        ledger.expire_overdue(source_key)
        entry = _undo(ledger, _undoable(written), source_key=source_key, reason=reason)
        ledger.close()
        return ledger.answer(entry)


def apply_waiting(*, ledger: Ledger, entry: PointsEntry) -> None:
    """The return that came before this entry is applied now; the ledger stays open."""
    waiting = (
        PendingReversal.objects.filter(
            account=ledger.account, reversed_key=entry.source_key, entry__isnull=True
        )
        .order_by("pk")
        .first()
    )
    if waiting is None or entry.kind not in _REVERSIBLE:
        return
    waiting.entry = _undo(
        ledger, entry, source_key=waiting.source_key, reason=waiting.reason, waiting=waiting
    )
    waiting.save(update_fields=["entry"])


def apply_all_waiting(*, ledger: Ledger) -> None:
    """After a merge: returns of one row may find their entries in the other's ledger."""
    rows = PendingReversal.objects.filter(account=ledger.account, entry__isnull=True).order_by("pk")
    for waiting in rows:
        for entry in ledger.find_all(waiting.reversed_key):
            if not PointsEntry.objects.filter(reversed_entry=entry).exists():
                apply_waiting(ledger=ledger, entry=entry)
                break


def _waiting(ledger: Ledger, source_key: str, reversed_key: str) -> PendingReversal | None:
    """The same request, still waiting. Raises SourceKeyTaken, or EntryAlreadyReversed for another request."""
    rows = PendingReversal.objects.filter(account=ledger.account, entry__isnull=True)
    same = rows.filter(source_key=source_key).order_by("pk").first()
    if same is not None and same.reversed_key != reversed_key:
        raise SourceKeyTaken
    if same is None and rows.filter(reversed_key=reversed_key).exists():
        raise EntryAlreadyReversed
    return same


def _wait(ledger: Ledger, reversed_key: str, source_key: str, reason: str) -> None:
    PendingReversal.objects.create(
        account=ledger.account,
        origin=ledger.account,
        reversed_key=reversed_key,
        source_key=source_key,
        reason=reason[:120],
        asked_at=ledger.at,
        actor=actor_words(ledger.actor),
    )


def _undoable(written: list[PointsEntry]) -> PointsEntry:
    """Of two entries that met by a merge the one not undone yet. Raises when there is none."""
    reversible = [entry for entry in written if entry.kind in _REVERSIBLE]
    if not reversible:
        raise EntryNotReversible
    undone = set(
        PointsEntry.objects.filter(reversed_entry__in=reversible).values_list("reversed_entry_id", flat=True)
    )
    for entry in reversible:
        if entry.pk not in undone:
            return entry
    raise EntryAlreadyReversed


def _undo(
    ledger: Ledger,
    undone: PointsEntry,
    *,
    source_key: str,
    reason: str,
    waiting: PendingReversal | None = None,
) -> PointsEntry:
    origin_id = ledger.account.pk if waiting is None else waiting.origin_id
    if undone.delta > 0:
        delta = -_within_policy(ledger, undone)
    else:
        delta = -undone.delta
    debt = ledger.debt
    entry = ledger.write(
        PointsEntryKind.REVERSE,
        delta,
        asked=-undone.delta,
        source_key=source_key,
        reason=reason,
        undoes=undone,
        origin_id=origin_id,
        written_by=None if waiting is None else waiting.actor,
    )
    if undone.delta > 0:
        ledger.take(entry, -delta, first=undone.lot)
        ledger.allow_debt()
    else:
        ledger.give_back(entry, undone)
        ledger.expire_overdue(f"{source_key}@after")
        ledger.repay(entry, debt)
    ledger.tell("members.points_reversed", entry, PointsReversed)
    return entry


def _within_policy(ledger: Ledger, undone: PointsEntry) -> int:
    """How many points are taken back. Raises NotEnoughPoints where the chain refuses a shortage."""
    expired = PointsLotUse.objects.filter(lot=undone.lot, entry__kind=PointsEntryKind.EXPIRE)
    owed = undone.delta - (expired.aggregate(points=Sum("amount"))["points"] or 0)
    there = ledger.remaining()
    if owed <= there:
        return owed
    policy = get_points_decisions().shortage_policy
    if policy == "refuse":
        raise NotEnoughPoints
    return owed if policy == "debt" else there
