"""Weekly opening hours as stores and accounts keep them: "10:00-22:00" for each weekday, Monday first, Shanghai time,
empty for a day off."""

import datetime as dt

from core import clock


def span_on(date: dt.date, text: str) -> tuple[dt.datetime, dt.datetime] | None:
    """The half-open span of that day in UTC, None on a day off. One that ends before it begins ends on the next
    morning. Raises ValueError on a text of another shape."""
    if not text:
        return None
    opens, closes = (dt.time.fromisoformat(part) for part in text.split("-"))
    start = dt.datetime.combine(date, opens, clock.SHANGHAI)
    end = dt.datetime.combine(date, closes, clock.SHANGHAI)
    if end <= start:
        end += dt.timedelta(days=1)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)
