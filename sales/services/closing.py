"""A month is closed: its numbers stand, and what comes later counts in the first month that is open."""

import datetime as dt

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from sales.errors import MonthClosed, MonthNotClosed, MonthNotOver, ReasonMissing
from sales.events import MonthWasClosed
from sales.models import PeriodClose
from sales.services.folding import fold_all
from sales.services.freezing import thaw_boards
from sales.services.reconciling import take_close_lock


def close_month(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> int:
    """Nothing is booked into this month any more; the id of the close. Waits for bookings under way. The boards are
    frozen right after that (`freeze_boards`).

    Refuses a month that is not over in Shanghai, and one that is closed.
    """
    at = at or clock.now()
    month_on = month_on.replace(day=1)
    if clock.business_day(at) < (month_on + dt.timedelta(days=32)).replace(day=1):
        raise MonthNotOver(field="month_on")
    try:
        with transaction.atomic():
            take_close_lock()
            fold_all()
            row = PeriodClose.objects.create(
                month_on=month_on, closed_at=at, closed_by=actor.label[:90] or actor.kind
            )
            audit.record(
                action="sales.month_closed", subject=row, actor=actor, at=at, month=f"{month_on:%Y-%m}"
            )
            events.publish(MonthWasClosed(row.pk))
    except IntegrityError as error:
        if violated(error) == "periodclose_once":
            raise MonthClosed from None
        raise
    return row.pk


def reopen_month(*, month_on: dt.date, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The month takes entries again, for a reason, and its boards move again; the frozen ones are kept. What was booked
    into later months meanwhile stays there."""
    at = at or clock.now()
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    with transaction.atomic():
        take_close_lock()
        row = PeriodClose.objects.standing().filter(month_on=month_on.replace(day=1)).first()
        if row is None:
            raise MonthNotClosed
        row.reopened_at, row.reopened_by, row.reopen_reason = at, actor.label[:90] or actor.kind, reason
        row.save(update_fields=["reopened_at", "reopened_by", "reopen_reason"])
        thaw_boards(month_on=row.month_on, at=at)
        audit.record(action="sales.month_reopened", subject=row, actor=actor, at=at, reason=reason)
