"""Shanghai days around midnight, months and years."""

import datetime as dt

import pytest
import time_machine

from core import clock


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ("2026-02-28T15:59:59", "2026-02-28"),
        ("2026-02-28T16:00:00", "2026-03-01"),
        ("2028-02-28T16:00:00", "2028-02-29"),
        ("2026-12-31T16:00:00", "2027-01-01"),
    ],
)
def test_the_business_day_turns_at_shanghai_midnight(utc: str, day: str) -> None:
    with time_machine.travel(dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC), tick=False):
        assert clock.today() == dt.date.fromisoformat(day)


def test_the_bounds_of_a_day_are_half_open_and_a_day_apart() -> None:
    start, end = clock.day_bounds(dt.date(2026, 11, 22))
    assert end - start == dt.timedelta(days=1)
    assert clock.business_day(start) == dt.date(2026, 11, 22)
    assert clock.business_day(end) == dt.date(2026, 11, 23)


def test_an_impossible_unix_time_is_refused() -> None:
    with pytest.raises(ValueError, match="Unix"):
        clock.from_unix(10**18)
