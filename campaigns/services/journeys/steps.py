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
    return Arrival(_after_span(step, at), step.values.get("event", ""), False)


def draws(*, percent: int, seed: str, member_id: int) -> bool:
    """Whether she is of so many of a hundred; the same each time."""
    return zlib.crc32(f"{seed}:{member_id}".encode()) % 100 < percent


def _after_span(step: Step, at: dt.datetime) -> dt.datetime:
    """So much later; of days with a time at that time of the last day, whatever time it is now."""
    unit, amount = step.values["unit"], step.values["amount"]
    if "at" not in step.values:
        return at + dt.timedelta(**{unit: amount})
    return _moment(clock.business_day(at) + dt.timedelta(days=amount), step.values["at"])


def _next_time(step: Step, at: dt.datetime) -> dt.datetime:
    """The next such time in Shanghai, later than now."""
    weekdays = {int(day) for day in step.values.get("weekdays") or range(1, _WEEK + 1)}
    today = clock.business_day(at)
    for ahead in range(_WEEK + 1):
        day = today + dt.timedelta(days=ahead)
        moment = _moment(day, step.values["at"])
        if moment > at and day.isoweekday() in weekdays:
            return moment
    raise ValueError("no weekday")


def _moment(day: dt.date, time: str) -> dt.datetime:
    """ "10:00" of that day in Shanghai."""
    return dt.datetime.combine(day, dt.time.fromisoformat(time), clock.SHANGHAI).astimezone(dt.UTC)
