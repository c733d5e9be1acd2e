"""What it means to come to a step, and which way leads on from it."""

import datetime as dt
import zlib
from typing import Final, NamedTuple

from campaigns.contracts.journeys import Step
from campaigns.selectors.journeys import STEP_KINDS
from core import clock

_WEEK: Final = 7


class Arrival(NamedTuple):
    """When the step is due, and which moment makes it due earlier. `is_now`: at once."""

    due_at: dt.datetime
    waiting_for: str
    is_now: bool


def arrive(*, step: Step, at: dt.datetime) -> Arrival:
    """Coming to a step at that instant."""
    if not STEP_KINDS[step.kind].waits:
        return Arrival(at, "", True)
    if step.kind == "wait_until":
        return Arrival(_next_time(step, at), "", False)
    span = dt.timedelta(**{step.values["unit"]: step.values["amount"]})
    return Arrival(at + span, step.values.get("event", ""), False)


def draws(*, percent: int, seed: str, member_id: int) -> bool:
    """Whether she is of so many of a hundred; the same each time."""
    return zlib.crc32(f"{seed}:{member_id}".encode()) % 100 < percent


def _next_time(step: Step, at: dt.datetime) -> dt.datetime:
    """The next such time in Shanghai, later than now."""
    hours, minutes = map(int, step.values["at"].split(":"))
    weekdays = {int(day) for day in step.values.get("weekdays") or range(1, _WEEK + 1)}
    today = clock.business_day(at)
    for ahead in range(_WEEK + 1):
        day = today + dt.timedelta(days=ahead)
        moment = dt.datetime.combine(day, dt.time(hours, minutes), clock.SHANGHAI).astimezone(dt.UTC)
        if moment > at and day.isoweekday() in weekdays:
            return moment
    raise ValueError("no weekday")
