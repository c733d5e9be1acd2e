"""Whether somebody is at the account's desk at a moment: the weekly table and the special days, on Shanghai's clock."""

import dataclasses
import datetime as dt

from core import clock
from core.opening_hours import span_on
from wechat.models import ReplyHours

_DAYS = 7


@dataclasses.dataclass(frozen=True, slots=True)
class SpecialDays:
    """Days from the first to the last on which `span` holds instead of the weekly table; empty means closed."""

    first_on: dt.date
    last_on: dt.date
    span: str


@dataclasses.dataclass(frozen=True, slots=True)
class Hours:
    """`weekly` as on a store: seven spans, Monday first. Of overlapping special days the one that began last holds."""

    weekly: tuple[str, ...] = ()
    special: tuple[SpecialDays, ...] = ()

    def is_open(self, at: dt.datetime) -> bool:
        """Who has told no hours is there always. A span may end after midnight, so that yesterday's counts too."""
        if len(self.weekly) != _DAYS and not self.special:
            return True
        today = clock.business_day(at)
        for day in (today - dt.timedelta(days=1), today):
            span = span_on(day, self._text_of(day))
            if span is not None and span[0] <= at < span[1]:
                return True
        return False

    def _text_of(self, day: dt.date) -> str:
        holding = [one for one in self.special if one.first_on <= day <= one.last_on]
        if holding:
            return max(holding, key=lambda one: one.first_on).span
        return self.weekly[day.weekday()] if len(self.weekly) == _DAYS else "00:00-00:00"


def load_hours(account_id: int) -> Hours:
    """The hours of an account; none told: always open."""
    row = ReplyHours.objects.filter(account_id=account_id).prefetch_related("holidays").first()
    if row is None:
        return Hours()
    special = tuple(
        SpecialDays(
            day.first_on,
            day.last_on,
            f"{day.opens_at:%H:%M}-{day.closes_at:%H:%M}" if day.opens_at and day.closes_at else "",
        )
        for day in row.holidays.all()
    )
    return Hours(tuple(str(span) for span in row.weekly), special)
