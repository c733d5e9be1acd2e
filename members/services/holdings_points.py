"""Points of two rows that turned out to be one person, and of one that turned out to be two."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.models import (
    ExpiryNotice,
    PendingReversal,
    PointsAccount,
    PointsAdjustment,
    PointsEntry,
    PointsEntryKind,
    PointsLot,
)
from members.selectors import get_points_summary
from members.services import privacy_parts
from members.services.holdings import MemberHoldings, Snapshot
from members.services.points_ledger import Ledger
from members.services.points_parting import own_key, part_accounts
from members.services.points_reversal import apply_all_waiting


class PointsHoldings(MemberHoldings):
    """Her account, with its entries, lots, waiting returns, adjustments and notices."""

    label = "points"
    title = _("积分")
    models: ClassVar[tuple[str, ...]] = ("members.PointsAccount",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        mine, theirs = get_points_summary(survivor_id), get_points_summary(emptier_id)
        lines = []
        if mine.balance or theirs.balance:
            lines.append(
                MergeLine(
                    _now("可用积分"),
                    str(mine.balance),
                    str(theirs.balance),
                    str(mine.balance + theirs.balance),
                    _now("按批次相加，各自的过期日不变"),
                )
            )
        if mine.frozen or theirs.frozen:
            both = str(mine.frozen + theirs.frozen)
            lines.append(MergeLine(_now("冻结积分"), str(mine.frozen), str(theirs.frozen), both))
        return lines

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """The survivor's account has the lots, entries and waiting returns of both; the other is left empty.

        The caller has locked both members, so nobody opens, spends or fills either account meanwhile; who
        waited for the merged row finds the survivor. Lots keep their days, entries their `origin`. A debt of
        one is paid from the points of the other, under an entry of its own; returns that waited in one ledger
        for an entry of the other are applied.
        """
        rows = _lock_accounts(emptier_id, survivor_id)
        theirs = rows.get(emptier_id)
        if theirs is None or not _is_filled(theirs):
            return {}
        hers = rows.get(survivor_id) or PointsAccount.objects.create(member_id=survivor_id, opened_at=at)
        key = own_key(word="merge", accounts=(theirs, hers))
        for account in (theirs, hers):
            ledger = Ledger(account, actor=actor, at=at)
            ledger.expire_overdue(key)
            ledger.close()
        debts = {"emptier": max(0, -theirs.balance), "survivor": max(0, -hers.balance)}
        snapshot = {
            "entries": _ids(PointsEntry.objects.filter(account=theirs)),
            "pending": _ids(PendingReversal.objects.filter(account=theirs)),
            "adjustments": _ids(PointsAdjustment.objects.filter(account=theirs)),
            "notices": _move_notices(theirs, hers),
            "debts": debts,
        }
        for model in (PointsEntry, PointsLot, PendingReversal, PointsAdjustment):
            model.objects.filter(account=theirs).update(account=hers)
        hers.balance += theirs.balance
        hers.frozen += theirs.frozen
        hers.debt_allowed = max(0, -hers.balance)
        theirs.balance = theirs.frozen = theirs.debt_allowed = 0
        theirs.save(update_fields=["balance", "frozen", "debt_allowed"])
        ledger = Ledger(hers, actor=actor, at=at)
        entry = ledger.write(PointsEntryKind.ADJUST, 0, source_key=key, reason=_now("会员合并"))
        ledger.repay(entry, sum(debts.values()))
        apply_all_waiting(ledger=ledger)
        ledger.close()
        return snapshot

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        """None in practice: all who write an account hold its member's lock. The empty account stays."""
        accounts = PointsAccount.objects.filter(member_id__in=emptier_ids)
        entries = PointsEntry.objects.filter(account=OuterRef("pk"))
        return set(accounts.filter(Exists(entries)).values_list("member_id", flat=True))

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """See `part_accounts`."""
        if not snapshot:
            return
        rows = _lock_accounts(emptier_id, survivor_id)
        theirs, hers = rows[emptier_id], rows[survivor_id]
        part_accounts(theirs=theirs, hers=hers, snapshot=snapshot, actor=actor, at=at)
        known = ExpiryNotice.objects.filter(account=theirs).values("expires_on")
        notices = ExpiryNotice.objects.filter(pk__in=snapshot["notices"], account=hers)
        notices.exclude(expires_on__in=known).update(account=theirs)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_points(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return privacy_parts.erase_points(member_id=member_id, actor=actor, at=at)


def _lock_accounts(emptier_id: int, survivor_id: int) -> dict[int, PointsAccount]:
    rows = PointsAccount.objects.filter(member_id__in=[emptier_id, survivor_id]).lock_rows()
    return {row.member_id: row for row in rows}


def _is_filled(account: PointsAccount) -> bool:
    """Whether anything hangs on it: a second move has nothing to do."""
    hangs = Q(account=account)
    return any(
        model._default_manager.filter(hangs).exists()
        for model in (PointsEntry, PendingReversal, PointsAdjustment)
    )


def _ids(rows: QuerySet[Any]) -> list[int]:
    return sorted(rows.values_list("pk", flat=True))


def _move_notices(theirs: PointsAccount, hers: PointsAccount) -> list[int]:
    """Days both were told of stay with the merged row: she has been told."""
    known = ExpiryNotice.objects.filter(account=hers).values("expires_on")
    moved = _ids(ExpiryNotice.objects.filter(account=theirs).exclude(expires_on__in=known))
    ExpiryNotice.objects.filter(pk__in=moved).update(account=hers)
    return moved
