"""Points of the demo chain: one guide's members earned them with what they bought, and some spent a few."""

import datetime as dt
from typing import Any, Final

from django.apps import apps

from core import clock
from core.actor import Actor
from members import services as member_services

_GUIDE_NUMBER: Final = "G001"
_FEN_PER_POINT: Final = 1_000
# Older ones could have expired by now.
_RECENT: Final = dt.timedelta(days=300)
_SPENDER_EVERY: Final = 4
# Enough small ones that her ledger comes in several stretches.
_VISITS_OF_THE_KEENEST: Final = 60


def seed_points(*, at: dt.datetime, actor: Actor) -> bool:
    """Her members who bought have points. Seeds once; whether this call wrote them."""
    live = apps.get_model("guides", "Binding").objects.filter(
        guide__number=_GUIDE_NUMBER, ended_at__isnull=True
    )
    bought: Any = apps.get_model("members", "ActivityEntry").objects.filter(
        member_id__in=live.values("member_id"),
        source_key__startswith="demo:",
        day__gt=clock.business_day(at) - _RECENT,
    )
    purchases = list(bought.order_by("day", "pk").values_list("pk", "member_id", "day", "spend_fen"))
    earned = apps.get_model("members", "PointsEntry").objects.filter(source_key__startswith="demo-purchase:")
    if not purchases or earned.exists():
        return False
    balances: dict[int, int] = {}
    for pk, member_id, day, fen in purchases:
        points = max(1, fen // _FEN_PER_POINT)
        member_services.credit_points(
            member_id=member_id,
            points=points,
            source_key=f"demo-purchase:{pk}",
            reason="到店消费",
            actor=actor,
            at=_noon(day, at),
        )
        balances[member_id] = balances.get(member_id, 0) + points
    for member_id in sorted(balances)[::_SPENDER_EVERY]:
        member_services.debit_points(
            member_id=member_id,
            points=balances[member_id] // 3 or 1,
            source_key=f"demo-gift:{member_id}",
            reason="兑换护理液",
            actor=actor,
            at=at,
        )
    keenest = max(balances, key=lambda member_id: balances[member_id])
    for number in range(_VISITS_OF_THE_KEENEST):
        member_services.credit_points(
            member_id=keenest,
            points=5,
            source_key=f"demo-visit:{number}",
            reason="到店签到",
            actor=actor,
            at=at - dt.timedelta(hours=7 * number),
        )
    return True


def _noon(day: dt.date, at: dt.datetime) -> dt.datetime:
    """Midday of the purchase, or now when that is still to come."""
    noon = dt.datetime.combine(day, dt.time(12), tzinfo=clock.SHANGHAI)
    return min(noon.astimezone(dt.UTC), at)
