"""The demo's journeys: all ready-made ones are there, some run, and members are on their way in them."""

import datetime as dt
import random
from typing import Final

from django.apps import apps

from campaigns.services import journeys
from core import clock
from core.actor import Actor

_DICE_SEED: Final = 57
_RUNNING: Final = (
    "welcome",
    "join_gift",
    "after_purchase",
    "birthday",
    "tier_up",
    "tier_at_risk",
    "asleep_3",
    "coupon_expiring",
)
# Into which somebody came in so many last days, and at most how many on each.
_CROWDS: Final = (("after_purchase", 8, 30), ("join_gift", 7, 13), ("asleep_3", 12, 15))
_ASLEEP: Final = dt.timedelta(days=90)


def seed_journeys(*, at: dt.datetime, actor: Actor) -> None:
    """A second start finds them."""
    model = apps.get_model("campaigns", "Journey")
    if model.objects.exists():
        return
    journeys.install_ready_made(actor=actor)
    for row in model.objects.filter(made_as__in=_RUNNING).order_by("pk"):
        journeys.start_journey(journey_id=row.pk, actor=actor, at=at)
    dice = random.Random(_DICE_SEED)  # noqa: S311
    for made_as, days, most in _CROWDS:
        row = model.objects.select_related("version").get(made_as=made_as)
        if row.version is None:
            continue
        for day in range(days, 0, -1):
            ids = _came(made_as, clock.business_day(at) - dt.timedelta(days=day))
            chosen = dice.sample(ids, min(most, len(ids)))
            entries = [journeys.Entry(member_id, f"demo:{day}") for member_id in chosen]
            then = at - dt.timedelta(days=day, minutes=dice.randrange(600))
            journeys.let_in(version=row.version, entries=entries, at=then)
    journeys.fold_journey_counts()


def _came(made_as: str, day: dt.date) -> list[int]:
    """To whom it happened on that day: she joined, bought, or had not bought for so long."""
    if made_as == "join_gift":
        since, until = clock.day_bounds(day)
        joined = apps.get_model("members", "Member").objects.filter(
            stage="member", merged_into=None, registered_at__gte=since, registered_at__lt=until
        )
        return list(joined.order_by("pk").values_list("pk", flat=True))
    last_on = day - _ASLEEP if made_as == "asleep_3" else day
    rows = apps.get_model("sales", "MemberMetrics").objects.filter(last_on=last_on)
    return list(rows.order_by("member_id").values_list("member_id", flat=True))
