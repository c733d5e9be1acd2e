"""Dates and times as fields of templates take them: `2026年11月28日 10:00`, spans with `~`."""

import datetime as dt
import re
from typing import Final

_DAY: Final = r"(?:(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?)"
_CLOCK: Final = r"(?:(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.\d+)?)?)"
_MOMENT: Final = re.compile(rf"{_DAY}?\s*T?\s*{_CLOCK}?", re.ASCII)
_SPAN: Final = re.compile(r"\s*[~～至]\s*")


def fit_time(text: str) -> str | None:
    """A time of day in 24 hours, with or without its date, or a span of two; None for anything else."""
    return _fit(text, needs_clock=True, needs_day=False)


def fit_date(text: str) -> str | None:
    """A date, with or without a time of day, or a span of two; None for anything else."""
    return _fit(text, needs_clock=False, needs_day=True)


def _fit(text: str, *, needs_clock: bool, needs_day: bool) -> str | None:
    ends = _SPAN.split(text.strip())
    if not 1 <= len(ends) <= 2:
        return None
    written = [_write(end, needs_clock=needs_clock, needs_day=needs_day) for end in ends]
    return "~".join(end for end in written if end) if all(written) else None


def _write(text: str, *, needs_clock: bool, needs_day: bool) -> str | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    if (needs_day and year is None) or (needs_clock and hour is None):
        return None
    parts = []
    if year is not None and month is not None and day is not None:
        try:
            dt.date(year, month, day)
        except ValueError:
            return None
        parts.append(f"{year:04d}年{month:02d}月{day:02d}日")
    if hour is not None and minute is not None:
        if hour > 23 or minute > 59 or (second or 0) > 59:
            return None
        parts.append(f"{hour:02d}:{minute:02d}" + ("" if second is None else f":{second:02d}"))
    return " ".join(parts)
