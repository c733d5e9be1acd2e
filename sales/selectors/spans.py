"""Stretches of days, and the totals that cover one."""

import datetime as dt
from typing import Final

from sales.contracts import PeriodName, Span

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def span_of(name: PeriodName, day: dt.date) -> Span:
    """The period of that name in which the day lies. Weeks begin on Monday. Raises ValueError for "range"."""
    if name == "day":
        return Span(day, day + dt.timedelta(days=1), name)
    if name == "week":
        monday = day - dt.timedelta(days=day.weekday())
        return Span(monday, monday + dt.timedelta(days=7), name)
    if name not in _MONTHS:
        raise ValueError(name)
    months = _MONTHS[name]
    start = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return Span(start, add_months(start, months), name)


def span_before(span: Span) -> Span:
    """The period before, of the same name; before a free range one of the same length."""
    if span.name == "range":
        return Span(span.starts_on - (span.ends_on - span.starts_on), span.starts_on)
    return span_of(span.name, span.starts_on - dt.timedelta(days=1))


def add_months(first: dt.date, months: int) -> dt.date:
    """The first of a month so many months later or earlier."""
    years, month = divmod(first.month - 1 + months, 12)
    return dt.date(first.year + years, month + 1, 1)


def cover(span: Span) -> tuple[tuple[str, dt.date], ...]:
    """The fewest totals that make up the span: whole months, then whole weeks, then days."""
    found: list[tuple[str, dt.date]] = []
    day = span.starts_on
    while day < span.ends_on:
        month_end = add_months(day.replace(day=1), 1)
        if day.day == 1 and month_end <= span.ends_on:
            found.append(("month", day))
            day = month_end
        elif (
            day.weekday() == 0 and day + dt.timedelta(days=7) <= span.ends_on and not _holds_month(day, span)
        ):
            found.append(("week", day))
            day += dt.timedelta(days=7)
        else:
            found.append(("day", day))
            day += dt.timedelta(days=1)
    return tuple(found)


def _holds_month(monday: dt.date, span: Span) -> bool:
    """Whether taking this week would cut into a month that the span holds whole."""
    following = add_months(monday.replace(day=1), 1)
    return following < monday + dt.timedelta(days=7) and add_months(following, 1) <= span.ends_on


CHAIN: Final = 0  # the place of the whole chain, where one is asked for


def place_of_region(region_id: int) -> int:
    """The number under which a region's totals stand."""
    return region_id


def place_of_dealer(dealer_id: int) -> int:
    """The number under which a dealer's totals stand."""
    return -dealer_id
