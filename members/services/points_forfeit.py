"""Points of a member who is erased."""

import datetime as dt

from django.utils.translation import gettext as _

from core.actor import Actor
from members.models import AdjustmentState, PointsAccount, PointsAdjustment, PointsEntry, PointsEntryKind
from members.services.points_ledger import Ledger


def forfeit_points(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """Her account is empty: what was frozen is released, all that is left is forfeited by one entry, a debt is
    forgiven by one, and adjustments that wait are turned down. How many rows were written. The caller has locked
    her row; a second call finds nothing to do."""
    account = PointsAccount.objects.filter(member_id=member_id).first()
    if account is None:
        return 0
    ledger = Ledger(PointsAccount.objects.lock(account.pk), actor=actor, at=at)
    count = _release_all(ledger)
    count += PointsAdjustment.objects.filter(account=account, state=AdjustmentState.REQUESTED).update(
        state=AdjustmentState.REJECTED, decided_at=at
    )
    balance = ledger.account.balance
    if balance:
        key = f"forfeit@{account.pk}@{at:%Y%m%d%H%M%S%f}"
        entry = ledger.write(PointsEntryKind.ADJUST, -balance, source_key=key, reason=_("会员注销"))
        ledger.take(entry, balance)
        count += 1
    ledger.close()
    return count


def _release_all(ledger: Ledger) -> int:
    """What waits for orders under way waits no more: the points lie in their lots again."""
    undone = PointsEntry.objects.filter(account=ledger.account, reversed_entry__isnull=False)
    freezes = PointsEntry.objects.filter(account=ledger.account, kind=PointsEntryKind.FREEZE).exclude(
        pk__in=undone.values("reversed_entry_id")
    )
    count = 0
    for freeze in freezes.order_by("pk"):
        debt = ledger.debt
        ledger.account.frozen += freeze.delta
        entry = ledger.write(
            PointsEntryKind.RELEASE,
            -freeze.delta,
            source_key=f"forfeit@{freeze.pk}",
            reason=_("会员注销"),
            undoes=freeze,
        )
        ledger.give_back(entry, freeze)
        ledger.repay(entry, debt)
        count += 1
    return count
