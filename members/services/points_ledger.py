"""The locked account and the few moves everything about points is made of.

Whoever holds a `Ledger` holds the locks of the member and of her account, in that order. Every move keeps the two
sums of `members.models.points` true; `close` writes the account row.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Sum
from django.utils.translation import gettext as _

from core import audit, events
from core.actor import Actor
from core.events import Event
from members.contracts import PointsChange
from members.errors import PointsUnusable, SourceKeyTaken, SourceKeyUnusable
from members.events import PointsExpired
from members.models import (
    PendingReversal,
    PointsAccount,
    PointsEntry,
    PointsEntryKind,
    PointsLot,
    PointsLotUse,
)
from members.selectors.points import entry_line
from members.services.people import lock_member
from members.services.tags import tag_doer

MOST_POINTS: Final = 1_000_000_000
# "@" stands in keys of our own (expire@…, release@…), so no caller's key can meet one.
_KEY: Final = re.compile(r"[A-Za-z0-9_.:/\-]{1,80}")


class Ledger:
    """One locked account at one moment."""

    def __init__(self, account: PointsAccount, *, actor: Actor, at: dt.datetime) -> None:
        self.account = account
        self.actor = actor
        self.at = at

    @property
    def debt(self) -> int:
        """What she owes. Nothing remains of any lot while she owes something."""
        return max(0, -self.account.balance)

    def find(self, source_key: str) -> PointsEntry | None:
        """The entry a key was used for, the oldest of two that met by a merge."""
        return next(iter(self.find_all(source_key)), None)

    def find_all(self, source_key: str) -> list[PointsEntry]:
        entries = PointsEntry.objects.filter(account=self.account, source_key=source_key)
        return list(entries.select_related("reversed_entry").order_by("pk"))

    def answer(self, entry: PointsEntry | None) -> PointsChange:
        """The account as it is now, and the entry of the request."""
        return PointsChange(
            member_id=self.account.member_id,
            balance=self.account.balance,
            frozen=self.account.frozen,
            entry=None if entry is None else entry_line(entry),
        )

    def repeated(
        self, source_key: str, *, kinds: Iterable[str], asked: int, undoes: str | None = None
    ) -> PointsEntry | None:
        """The entry of an earlier, equal request. Raises SourceKeyTaken when the key meant something else."""
        entry = self.find(source_key)
        if entry is None:
            waiting = PendingReversal.objects.filter(account=self.account, source_key=source_key)
            if waiting.filter(entry__isnull=True).exists():
                raise SourceKeyTaken
            return None
        undone = None if entry.reversed_entry is None else entry.reversed_entry.source_key
        if entry.kind not in kinds or entry.asked != asked or undone != undoes:
            raise SourceKeyTaken
        return entry

    def write(
        self,
        kind: PointsEntryKind,
        delta: int,
        *,
        source_key: str,
        reason: str = "",
        asked: int | None = None,
        undoes: PointsEntry | None = None,
        origin_id: int | None = None,
        written_by: str | None = None,
    ) -> PointsEntry:
        """One more entry; the balance moves with it."""
        self.account.balance += delta
        return PointsEntry.objects.create(
            account=self.account,
            origin_id=origin_id or self.account.pk,
            kind=kind,
            delta=delta,
            asked=delta if asked is None else asked,
            reason=reason[:120],
            source_key=source_key,
            reversed_entry=undoes,
            at=self.at,
            actor=actor_words(self.actor) if written_by is None else written_by,
            balance_after=self.account.balance,
        )

    def grant(self, entry: PointsEntry, expires_at: dt.datetime | None) -> PointsLot:
        """The points of a credit lie in a lot of their own."""
        return PointsLot.objects.create(
            account=self.account,
            entry=entry,
            granted=entry.delta,
            remaining=entry.delta,
            expires_at=expires_at,
        )

    def take(self, entry: PointsEntry, points: int, *, first: PointsLot | None = None) -> int:
        """Up to so many points leave the lots, first to expire first (`first` before all); how many did."""
        if points <= 0:
            return 0
        lots = list(PointsLot.objects.filter(account=self.account).filled().in_turn())
        if first is not None:
            lots.sort(key=lambda lot: lot.pk != first.pk)
        missing = points
        uses, changed = [], []
        for lot in lots:
            if missing == 0:
                break
            amount = min(missing, lot.remaining)
            lot.remaining -= amount
            missing -= amount
            changed.append(lot)
            uses.append(PointsLotUse(entry=entry, lot=lot, amount=amount))
        self._keep(changed, uses)
        return points - missing

    def give_back(self, entry: PointsEntry, undone: PointsEntry) -> None:
        """Exactly the lots that `undone` took from have what it took again."""
        taken = dict(
            PointsLotUse.objects.filter(entry=undone).values_list("lot").annotate(amount=Sum("amount"))
        )
        lots = list(PointsLot.objects.filter(pk__in=taken))
        for lot in lots:
            lot.remaining += taken[lot.pk]
        self._keep(lots, [PointsLotUse(entry=entry, lot=lot, amount=-taken[lot.pk]) for lot in lots])

    def _keep(self, lots: Sequence[PointsLot], uses: Sequence[PointsLotUse]) -> None:
        PointsLot.objects.bulk_update(lots, ["remaining"])
        PointsLotUse.objects.bulk_create(uses)

    def expire_overdue(self, because: str) -> None:
        """What has expired by now is gone, under an entry of its own, before anything else is decided.

        The nightly job may not have come by yet, and points given back may be past their day.
        """
        lots = list(PointsLot.objects.filter(account=self.account).overdue(self.at).order_by("pk"))
        if not lots:
            return
        entry = self.write(
            PointsEntryKind.EXPIRE,
            -sum(lot.remaining for lot in lots),
            source_key=f"expire@{because}",
            reason=_("积分过期"),
            written_by="expire_points",
        )
        uses = [PointsLotUse(entry=entry, lot=lot, amount=lot.remaining) for lot in lots]
        for lot in lots:
            lot.remaining = 0
        self._keep(lots, uses)
        events.publish(PointsExpired(entry.pk, entry.pk))

    def repay(self, entry: PointsEntry, debt: int) -> None:
        """Points that came in pay the debt there was before them."""
        self.take(entry, debt)

    def remaining(self) -> int:
        """What lies in the lots: the balance, or nothing in a debt, but for a credit that is being written."""
        lots = PointsLot.objects.filter(account=self.account)
        return lots.aggregate(points=Sum("remaining"))["points"] or 0

    def allow_debt(self) -> None:
        """A return under the debt policy may leave the balance below zero; the database holds it to that depth."""
        self.account.debt_allowed = max(self.account.debt_allowed, self.debt)

    def close(self) -> None:
        """The account row says what the entries say; debt that was paid is allowed no more."""
        self.account.debt_allowed = min(self.account.debt_allowed, self.debt)
        self.account.save(update_fields=["balance", "frozen", "debt_allowed"])

    def tell(self, action: str, entry: PointsEntry, event: type[Any]) -> None:
        """The audit row and the event of an entry."""
        audit.record(
            action=action,
            subject=self.account,
            actor=self.actor,
            at=self.at,
            entry_id=entry.pk,
            delta=entry.delta,
        )
        told: Event = event(self.account.member_id, entry.pk)
        events.publish(told)


def open_ledger(*, member_id: int, actor: Actor, at: dt.datetime) -> Ledger:
    """The member's account, made when she has none, locked after her own row. Raises NoSuchMember.

    All who write an account hold the member's lock, but for the expiry job, which makes none.
    """
    living_id = lock_member(member_id)
    account, _is_new = PointsAccount.objects.get_or_create(member_id=living_id, defaults={"opened_at": at})
    return Ledger(PointsAccount.objects.lock(account.pk), actor=actor, at=at)


def usable_points(points: int) -> int:
    """A whole number from 1 to a billion. Raises PointsUnusable."""
    if isinstance(points, bool) or not isinstance(points, int) or not 1 <= points <= MOST_POINTS:
        raise PointsUnusable(field="points")
    return points


def usable_key(source_key: str) -> str:
    """A caller's key. Raises SourceKeyUnusable."""
    if not _KEY.fullmatch(source_key):
        raise SourceKeyUnusable(field="source_key")
    return source_key


def actor_words(actor: Actor) -> str:
    """Who, for the ledger, as people read it."""
    return tag_doer(actor)
