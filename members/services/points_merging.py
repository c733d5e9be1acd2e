"""Points of two rows that turned out to be one person."""

import datetime as dt

from django.utils.translation import gettext as _

from core.actor import Actor
from members.models import (
    ExpiryNotice,
    PendingReversal,
    PointsAccount,
    PointsAdjustment,
    PointsEntry,
    PointsEntryKind,
    PointsLot,
)
from members.services.points_ledger import Ledger
from members.services.points_reversal import apply_all_waiting


def merge_points(*, from_member_id: int, into_member_id: int, actor: Actor, at: dt.datetime) -> None:
    """The survivor's account has the lots, entries and waiting returns of both; the other is left empty.

    The caller has locked both members, so nobody opens, spends or fills either account meanwhile; who waited for
    the merged row finds the survivor. Lots keep their days, entries their `origin`. A debt of one is paid from the
    points of the other, under an entry of its own; returns that waited in one ledger for an entry of the other are
    applied.
    """
    rows = {
        row.member_id: row
        for row in PointsAccount.objects.filter(member_id__in=[from_member_id, into_member_id]).lock_rows()
    }
    if from_member_id not in rows:
        return
    theirs = rows[from_member_id]
    hers = rows.get(into_member_id) or PointsAccount.objects.create(member_id=into_member_id, opened_at=at)
    key = f"merge@{theirs.pk}@{at:%Y%m%d%H%M%S%f}"  # a merge may be undone and made again
    for account in (theirs, hers):
        ledger = Ledger(account, actor=actor, at=at)
        ledger.expire_overdue(key)
        ledger.close()
    debt = max(0, -theirs.balance) + max(0, -hers.balance)
    for model in (PointsEntry, PointsLot, PendingReversal, PointsAdjustment):
        model.objects.filter(account=theirs).update(account=hers)
    _move_notices(theirs, hers)
    hers.balance += theirs.balance
    hers.frozen += theirs.frozen
    hers.debt_allowed = max(0, -hers.balance)
    theirs.balance = theirs.frozen = theirs.debt_allowed = 0
    theirs.save(update_fields=["balance", "frozen", "debt_allowed"])
    ledger = Ledger(hers, actor=actor, at=at)
    entry = ledger.write(PointsEntryKind.ADJUST, 0, source_key=key, reason=_("会员合并"))
    ledger.repay(entry, debt)
    apply_all_waiting(ledger=ledger)
    ledger.close()


def _move_notices(theirs: PointsAccount, hers: PointsAccount) -> None:
    """Days both were told of stay with the merged row: she has been told."""
    known = ExpiryNotice.objects.filter(account=hers).values("expires_on")
    ExpiryNotice.objects.filter(account=theirs).exclude(expires_on__in=known).update(account=hers)
