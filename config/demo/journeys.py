"""The demo's journeys: all ready-made ones are there, some run, and members are on their way in them."""

import datetime as dt
import random
from typing import Final

from django.apps import apps

from campaigns.services import journeys
from core.actor import Actor
from members import selectors as member_selectors

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
# How many came into which in the last days.
_CROWDS: Final = (("after_purchase", 240, 8), ("join_gift", 90, 7), ("asleep_3", 160, 12))


def seed_journeys(*, at: dt.datetime, actor: Actor) -> None:
    """A second start finds them."""
    model = apps.get_model("campaigns", "Journey")
    if model.objects.exists():
        return
    journeys.install_ready_made(actor=actor)
    for row in model.objects.filter(made_as__in=_RUNNING).order_by("pk"):
        journeys.start_journey(journey_id=row.pk, actor=actor, at=at)
    dice = random.Random(_DICE_SEED)  # noqa: S311
    ids = sorted(member_selectors.registered_member_ids(None, None))
    for made_as, count, days in _CROWDS:
        row = model.objects.select_related("version").get(made_as=made_as)
        if row.version is None:
            continue
        chosen = dice.sample(ids, min(count, len(ids)))
        for day in range(days, 0, -1):
            today = chosen[day - 1 :: days]
            entries = [journeys.Entry(member_id, f"demo:{day}") for member_id in today]
            then = at - dt.timedelta(days=day, minutes=dice.randrange(600))
            journeys.let_in(version=row.version, entries=entries, at=then)
    journeys.fold_journey_counts()
