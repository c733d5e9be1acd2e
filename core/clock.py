"""Instants are aware UTC; business days are dates in Asia/Shanghai. Take `now()` once per operation."""

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """The current instant, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def from_unix(seconds: int) -> dt.datetime:
    """An instant from Unix seconds, as WeChat writes `CreateTime`. Raises ValueError when out of range."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"not a Unix time: {seconds}") from error


def business_day(at: dt.datetime) -> dt.date:
    """The Shanghai calendar day an instant falls on."""
    return at.astimezone(SHANGHAI).date()


def today() -> dt.date:
    return business_day(now())


def day_bounds(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The half-open span of a Shanghai day, as UTC instants."""
    start = dt.datetime.combine(day, dt.time.min, SHANGHAI)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, SHANGHAI)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)
