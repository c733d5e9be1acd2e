"""How far the months of commission are."""

import datetime as dt
from typing import Final, Literal

from core import clock
from sales.models import CommissionMonth, CommissionState
from sales.selectors.spans import add_months

_MONTHS: Final = 12
State = Literal["open", "preparing", "prepared", "closed", "discarding", "reopening"]


def state_of(month_on: dt.date) -> State:
    """How far a month is."""
    found = CommissionMonth.objects.filter(month_on=month_on).values_list("state", flat=True).first()
    return found or CommissionState.OPEN.value  # type: ignore[return-value]


def list_commission_months(at: dt.datetime | None = None) -> tuple[tuple[dt.date, State], ...]:
    """This month and those before it, a year, each with how far it is; none from before commission began."""
    this = clock.business_day(at or clock.now()).replace(day=1)
    states: dict[dt.date, State] = dict(CommissionMonth.objects.values_list("month_on", "state"))  # type: ignore[arg-type]
    first = min(states, default=add_months(this, -1))
    months = [add_months(this, -back) for back in range(_MONTHS)]
    return tuple((month, states.get(month, "open")) for month in months if month >= first)


def next_commission_month() -> dt.date | None:
    """The month after the newest that is closed: the only one that may be prepared. None: any may be the first."""
    newest = CommissionMonth.objects.filter(state=CommissionState.CLOSED).order_by("-month_on").first()
    return None if newest is None else add_months(newest.month_on, 1)
