"""Until when something should be done, counted in the hours a store is open."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from core import clock
from core.opening_hours import span_on

_LONGEST_LOOK: Final = 3650  # days: 2,160 hours in a store that opens six minutes a week


def add_open_hours(*, since: dt.datetime, hours: int, opening_hours: Sequence[str]) -> dt.datetime:
    """The instant at which the store has been open for `hours` since then.

    `opening_hours` as on a store: "10:00-22:00" for each weekday, Monday first, Shanghai time, empty for a day
    off. A store that has not told them, or never opens, counts around the clock.
    """
    left = dt.timedelta(hours=hours)
    if len(opening_hours) != 7 or not any(opening_hours):
        return since + left
    for start, end in _open_spans(clock.business_day(since), opening_hours):
        start = max(start, since)
        if start >= end:
            continue
        if end - start >= left:
            return start + left
        left -= end - start
    return since + dt.timedelta(hours=hours)


def _open_spans(day: dt.date, opening_hours: Sequence[str]) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The spans in which the store is open, from the day before `day` on: one may end after midnight."""
    for step in range(-1, _LONGEST_LOOK):
        date = day + dt.timedelta(days=step)
        span = span_on(date, opening_hours[date.weekday()])
        if span is not None:
            yield span
