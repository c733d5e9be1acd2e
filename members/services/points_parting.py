"""One account that becomes two again, so that both ledgers add up.

Who parts has her entries and lots as they were when the merge was made. Everything written since stays with
the survivor, but for what undoes an entry of hers (a return of her sale, the release of her freeze): that
belongs to the entry. Where an entry of one account has emptied a lot of the other, the lot is full again, and
the entry's own account answers for it: first from its lots, then by the chain's policy for shortages.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import F, Max, Sum
from django.utils.translation import gettext as _

from core.actor import Actor
from members.errors import NotEnoughPoints
from members.models import (
    PendingReversal,
    PointsAccount,
    PointsAdjustment,
    PointsEntry,
    PointsEntryKind,
    PointsLot,
    PointsLotUse,
)
from members.selectors.points import get_points_decisions
from members.services.points import expiry_of
from members.services.points_ledger import Ledger

_ENTRY_BOUND: Final = (PendingReversal, PointsAdjustment)


def part_accounts(
    *,
    theirs: PointsAccount,
    hers: PointsAccount,
    snapshot: dict[str, Any],
    actor: Actor,
    at: dt.datetime,
) -> None:
    """`theirs` has what it had, `hers` the rest; both locked, with their members. See the module.

    Raises NotEnoughPoints when one of the two would owe points that the other's lots lent, and the chain
    refuses shortages. A debt that was there before the merge is a debt again.
    """
    key = own_key(word="unmerge", accounts=(theirs, hers))
    _part_rows(theirs, hers, snapshot)
    for account, owner in ((theirs, hers), (hers, theirs)):
        _stand_in(account, owner, key=key, actor=actor, at=at)
    for account, side in ((theirs, "emptier"), (hers, "survivor")):
        _settle(account, old_debt=snapshot["debts"][side], key=key, actor=actor, at=at)


def own_key(*, word: str, accounts: Sequence[PointsAccount]) -> str:
    """A key for what a merge or its undoing writes: the newest entry of all is another one each time."""
    newest = PointsEntry.objects.filter(account__in=accounts).aggregate(key=Max("pk"))["key"]
    return f"{word}@{newest or 0}"


def _part_rows(theirs: PointsAccount, hers: PointsAccount, snapshot: dict[str, Any]) -> None:
    """Entries, the lots they made and what hangs on them are where they belong."""
    parted = set(
        PointsEntry.objects.filter(pk__in=snapshot["entries"], account=hers).values_list("pk", flat=True)
    )
    latest = parted
    while latest:
        undoing = PointsEntry.objects.filter(account=hers, reversed_entry__in=latest)
        latest = set(undoing.values_list("pk", flat=True)) - parted
        parted |= latest
    PointsEntry.objects.filter(pk__in=parted).update(account=theirs)
    PointsLot.objects.filter(entry__in=parted).update(account=theirs)
    for model, name in zip(_ENTRY_BOUND, ("pending", "adjustments"), strict=True):
        rows = model._default_manager.filter(account=hers)
        rows.filter(entry__in=parted).update(account=theirs)
        rows.filter(pk__in=snapshot[name], entry__isnull=True).update(account=theirs)


def _stand_in(
    account: PointsAccount, owner: PointsAccount, *, key: str, actor: Actor, at: dt.datetime
) -> None:
    """What entries of `account` took from lots of `owner` is in those lots again; lots of the account's own
    stand in for them, one for each day of expiry, so that undoing such an entry later fills the right account.

    What merely expired is nobody's loss but its owner's, so for that the account gets the points it gave up.
    """
    uses = PointsLotUse.objects.filter(entry__account=account, lot__account=owner)
    days = uses.order_by("lot__expires_at").values_list("lot__expires_at", flat=True).distinct()
    for number, expires_at in enumerate(list(days)):
        same = uses.filter(lot__expires_at=expires_at)
        taken = dict(same.values_list("lot").annotate(points=Sum("amount")).order_by("lot"))
        of_expiries = same.filter(entry__kind=PointsEntryKind.EXPIRE)
        expired = of_expiries.aggregate(points=Sum("amount"))["points"] or 0
        for lot_id, points in taken.items():
            PointsLot.objects.filter(pk=lot_id).update(remaining=F("remaining") + points)
        ledger = _ledger(account, actor, at)
        entry = ledger.write(
            PointsEntryKind.ADJUST, expired, source_key=f"{key}@{number}", reason=_("撤销合并")
        )
        granted = sum(taken.values())
        lot = PointsLot.objects.create(
            account=account, entry=entry, granted=granted, remaining=0, expires_at=expires_at
        )
        PointsLotUse.objects.filter(pk__in=list(same.values_list("pk", flat=True))).update(lot=lot)


def _settle(account: PointsAccount, *, old_debt: int, key: str, actor: Actor, at: dt.datetime) -> None:
    """The balance is what the entries say, and the lots hold just that, or nothing beside a debt."""
    ledger = _ledger(account, actor, at)
    there, wanted = ledger.remaining(), max(0, account.balance)
    if there != wanted:
        entry = ledger.write(PointsEntryKind.ADJUST, 0, source_key=f"{key}@even", reason=_("撤销合并"))
        if there > wanted:
            ledger.take(entry, there - wanted)
        else:
            # Her points had paid the other's debt: they are hers again, and the debt is the other's.
            PointsLot.objects.create(
                account=account,
                entry=entry,
                granted=wanted - there,
                remaining=wanted - there,
                expires_at=expiry_of(at=at, expires_on=None),
            )
    # After the levelling: what she spent in time is paid from points that have passed their day meanwhile.
    ledger.expire_overdue(key)
    new_debt = ledger.debt - old_debt
    policy = get_points_decisions().shortage_policy
    if new_debt > 0 and policy == "refuse":
        raise NotEnoughPoints
    if new_debt > 0 and policy == "forgive":
        ledger.write(PointsEntryKind.ADJUST, new_debt, source_key=f"{key}@forgiven", reason=_("撤销合并"))
    ledger.allow_debt()
    ledger.close()


def _ledger(account: PointsAccount, actor: Actor, at: dt.datetime) -> Ledger:
    """The account with its figures read from its entries: rows have just moved."""
    entries = PointsEntry.objects.filter(account=account)
    account.balance = entries.aggregate(points=Sum("delta"))["points"] or 0
    released = entries.filter(kind=PointsEntryKind.RELEASE).values("reversed_entry")
    freezes = entries.filter(kind=PointsEntryKind.FREEZE).exclude(pk__in=released)
    account.frozen = -(freezes.aggregate(points=Sum("delta"))["points"] or 0)
    account.debt_allowed = max(account.debt_allowed, -account.balance, 0)
    return Ledger(account, actor=actor, at=at)
