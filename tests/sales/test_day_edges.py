"""A sale counts on the day that Shanghai has, at the turn of days, months, leap days, ISO weeks and years."""

import datetime as dt

import pytest
import time_machine

from core.clock import SHANGHAI
from sales import services
from sales.contracts import PeriodName
from sales.models import PerformanceEntry
from sales.selectors import get_board, span_before, span_of
from tests.cast import Cast
from tests.sales.kit import TILL, assert_totals_agree, back, ledger, line, order, tell

PERIODS: tuple[PeriodName, ...] = ("day", "week", "month", "quarter", "year")
# The last instant of a day and the first of the next, and which periods end between them.
EDGES = [
    (dt.date(2027, 6, 15), "day"),
    (dt.date(2027, 6, 20), "day week"),
    (dt.date(2027, 5, 31), "day month"),
    (dt.date(2027, 2, 28), "day week month"),  # a Sunday
    (dt.date(2028, 2, 28), "day"),
    (dt.date(2028, 2, 29), "day month"),
    (dt.date(2027, 6, 30), "day month quarter"),
    (dt.date(2027, 12, 31), "day month quarter year"),  # a Friday: its ISO week goes on into the next year
    (dt.date(2028, 12, 31), "day week month quarter year"),  # a Sunday
    (dt.date(2027, 1, 3), "day week"),  # the end of week 53 of the year before
]


def sold(period: PeriodName, day: dt.date) -> int:
    """What 李娜 has on the board of the period in which the day lies."""
    return sum(one.value for one in get_board(metric="sales_fen", span=span_of(period, day)).lines)


@pytest.mark.parametrize(("day", "ending"), EDGES, ids=[str(day) for day, _ending in EDGES])
def test_the_last_instant_of_a_day_is_no_part_of_the_next(cast: Cast, day: dt.date, ending: str) -> None:
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), SHANGHAI)
    with time_machine.travel(midnight + dt.timedelta(days=3), tick=False):
        tell(order("O1", line(amount_fen=300), sold_at=midnight - dt.timedelta(microseconds=1)))
        tell(order("O2", line(amount_fen=500), sold_at=midnight))
        for period in PERIODS:
            last, first = (300, 500) if period in ending.split() else (800, 800)
            assert (sold(period, day), sold(period, midnight.date())) == (last, first), period
            before = get_board(metric="sales_fen", span=span_before(span_of(period, midnight.date())))
            assert sum(one.value for one in before.lines) == (300 if period in ending.split() else 0), period
        assert_totals_agree()


def test_goods_that_come_back_after_midnight_lower_the_new_year(cast: Cast) -> None:
    eve = dt.datetime(2027, 12, 31, 23, 59, 30, tzinfo=SHANGHAI)
    with time_machine.travel(eve, tick=False) as traveller:
        tell(order("O1", sold_at=eve))
        traveller.shift(dt.timedelta(minutes=1))
        services.close_month(month_on=dt.date(2027, 12, 1), actor=TILL)  # over since thirty seconds
        tell(back("R1", returned_at=eve + dt.timedelta(minutes=1)), order("O2", sold_at=eve))
    assert ledger(booked_on=dt.date(2027, 12, 31), metric="sales_fen") == {"sales_fen": 10_000}
    assert ledger(booked_on=dt.date(2028, 1, 1), metric="return_fen") == {"return_fen": 10_000}
    late = PerformanceEntry.objects.filter(metric="order_count", value=1).order_by("pk")
    assert list(late.values_list("due_on", "booked_on")) == [
        (dt.date(2027, 12, 31), dt.date(2027, 12, 31)),
        (dt.date(2027, 12, 31), dt.date(2028, 1, 1)),
    ]
    assert_totals_agree()


def test_a_clock_that_is_set_back_an_hour_loses_and_doubles_nothing(cast: Cast) -> None:
    """After midnight the server's clock is set back into the day before: what was told is told again, and more comes."""
    after = dt.datetime(2028, 1, 1, 0, 20, tzinfo=SHANGHAI)
    with time_machine.travel(after, tick=False) as traveller:
        tell(order("O1", sold_at=after))
        traveller.shift(dt.timedelta(hours=-1))
        early = after - dt.timedelta(hours=1, minutes=1)
        # From the future now, so it is kept on the till, and nothing is booked twice.
        tell(
            order("O2", sold_at=early),
            back("R2", order_no="O2", returned_at=early + dt.timedelta(seconds=30)),
        )
        traveller.shift(dt.timedelta(hours=1, minutes=1))
        assert [one.outcome for one in tell(order("O1", sold_at=after), order("O2", sold_at=early))] == [
            "repeated"
        ] * 2
    assert ledger(booked_on=dt.date(2028, 1, 1)) == {"sales_fen": 10_000, "order_count": 1, "unit_count": 1}
    assert ledger(booked_on=dt.date(2027, 12, 31), metric="return_fen") == {"return_fen": 10_000}
    assert ledger(metric="sales_fen") == {"sales_fen": 10_000}
    assert_totals_agree()
