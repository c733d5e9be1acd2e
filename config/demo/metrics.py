"""Members' numbers as if every night of the last months had been worked out: sizes and movement of the groups."""

import datetime as dt
from typing import Final

from django.apps import apps

from core import clock
from core.actor import Actor
from sales import services

_MONTHS: Final = 6


def seed_metrics(*, at: dt.datetime, actor: Actor) -> int:
    """A run on the first of each month and one for today. Seeds once; how many rows there are."""
    if apps.get_model("sales", "MetricsRun").objects.exists():
        return 0
    rows = apps.get_model("sales", "MemberMetrics").objects
    # What bookings wrote is of today; the months before are told from the beginning.
    rows.all().delete()
    first = clock.business_day(at).replace(day=1)
    for _number in range(_MONTHS):
        first = (first - dt.timedelta(days=1)).replace(day=1)
    while first < clock.business_day(at):
        services.rebuild_member_metrics(actor=actor, at=clock.day_bounds(first)[0])
        first = (first + dt.timedelta(days=32)).replace(day=1)
    services.rebuild_member_metrics(actor=actor, at=at)
    return int(rows.count())
