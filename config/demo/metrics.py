"""Members' numbers as if every night of the last months had been worked out: sizes and movement of the groups."""

import dataclasses
import datetime as dt
from typing import Final

from django.apps import apps

from core import clock
from core.actor import Actor
from members import services as member_services
from sales import selectors, services

_MONTHS: Final = 6
# The chain's books begin a year ago, and who bought then alone is lost to it: it decided on ten months.
_STAGE_DAYS: Final = (30, 90, 180, 300)


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
    rules = dataclasses.replace(selectors.get_rfm_rules(), stage_days=_STAGE_DAYS)
    services.change_rfm_rules(rules=rules, actor=actor, at=clock.day_bounds(first)[0])
    _touch_everybody(at)
    while first < clock.business_day(at):
        services.rebuild_member_metrics(actor=actor, at=clock.day_bounds(first)[0])
        first = (first + dt.timedelta(days=32)).replace(day=1)
    services.rebuild_member_metrics(actor=actor, at=at)
    services.fold_touched_members(actor=actor, at=at)
    # With these orders some have reached a higher tier.
    member_services.request_reassessment(may_fall=False, actor=Actor("staff", None, actor.label), at=at)
    member_services.run_reassessments(actor=actor, at=at)
    return int(rows.count())


def _touch_everybody(at: dt.datetime) -> None:
    """No booking counted in between, so what a night finds new is not what a booking forgot."""
    touches = apps.get_model("sales", "MetricsTouch")
    members = apps.get_model("members", "Member").objects.values_list("pk", flat=True)
    touches.objects.bulk_create(
        (touches(member_id=pk, touched_at=at) for pk in members), ignore_conflicts=True
    )
