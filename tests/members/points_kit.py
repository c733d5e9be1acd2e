"""What the points tests share: a member, doers, and the sums that must hold at every moment."""

import datetime as dt
from typing import Any

from django.db.models import Sum

from core import clock
from core.actor import Actor
from core.models import StaffAccount
from members import services
from members.contracts import PointsChange
from members.models import (
    PointsAccount,
    PointsEntry,
    PointsEntryKind,
    PointsLot,
    PointsLotUse,
    PointsSettings,
)
from tests.cast import make_follower, openid_of

TILL = Actor.system("till")


def make_member(key: str = "points") -> int:
    """A prospect who follows the cast's account."""
    return make_follower("小美", openid_of(key)).id


def make_staff(name: str) -> Actor:
    """A staff account as the doer."""
    return Actor.staff(StaffAccount.objects.create_user(name, is_staff=True).pk, name)


def decide(**values: Any) -> None:
    """The chain's decisions about points."""
    PointsSettings.objects.update_or_create(pk=1, defaults=values)


def credit(member_id: int, points: int, key: str, **values: Any) -> PointsChange:
    return services.credit_points(
        member_id=member_id, points=points, source_key=key, **{"actor": TILL, **values}
    )


def debit(member_id: int, points: int, key: str, **values: Any) -> PointsChange:
    return services.debit_points(
        member_id=member_id, points=points, source_key=key, **{"actor": TILL, **values}
    )


def reverse(member_id: int, reversed_key: str, key: str, **values: Any) -> PointsChange:
    return services.reverse_points_entry(
        member_id=member_id, reversed_key=reversed_key, source_key=key, **{"actor": TILL, **values}
    )


def remaining_of(member_id: int) -> list[int]:
    """What is left of her lots, in the order in which they came."""
    lots = PointsLot.objects.filter(account__member_id=member_id).order_by("entry_id")
    return list(lots.values_list("remaining", flat=True))


def balance_of(member_id: int) -> int:
    return PointsAccount.objects.get(member_id=member_id).balance


def in_days(days: int) -> dt.date:
    return clock.today() + dt.timedelta(days=days)


def check_sums(*member_ids: int) -> None:
    """The sum of entries is the balance is what remains of the lots less the debt, for every account asked."""
    accounts = PointsAccount.objects.all()
    for account in accounts.filter(member_id__in=member_ids) if member_ids else accounts:
        entries = PointsEntry.objects.filter(account=account)
        assert account.balance == (entries.aggregate(s=Sum("delta"))["s"] or 0)
        lots = PointsLot.objects.filter(account=account)
        remaining = lots.aggregate(s=Sum("remaining"))["s"] or 0
        assert remaining == max(0, account.balance)
        assert account.debt_allowed == max(0, -account.balance)
        for lot in lots:
            used = PointsLotUse.objects.filter(lot=lot).aggregate(s=Sum("amount"))["s"] or 0
            assert lot.granted - used == lot.remaining >= 0
        undone = entries.filter(kind=PointsEntryKind.RELEASE).values("reversed_entry")
        open_freezes = entries.filter(kind=PointsEntryKind.FREEZE).exclude(pk__in=undone)
        assert account.frozen == -(open_freezes.aggregate(s=Sum("delta"))["s"] or 0)
