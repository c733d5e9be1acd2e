"""When campaigns run: rules read with all faults at once, and the moments they come to."""

import calendar
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.selectors.campaigns.times import (
    MembersDays,
    Recurrence,
    moments,
    next_moment,
    read_recurrence,
    sending_spans,
    write_recurrence,
)
from core.clock import SHANGHAI

NONE = MembersDays()
TEN = dt.time(10)


def day(year: int, month: int, number: int, hour: int = 0) -> dt.datetime:
    return dt.datetime(year, month, number, hour, tzinfo=SHANGHAI)


def days_of(rule: Recurrence, start: dt.datetime, end: dt.datetime, members: MembersDays = NONE) -> list[str]:
    found = moments(rule, starts_at=start, ends_at=end, members_days=members)
    return [f"{one.astimezone(SHANGHAI):%m-%d}" for one in found]


def test_month_ends_stand_for_days_that_a_month_does_not_have() -> None:
    rule = Recurrence("month", TEN, frozenset({30, 31}))
    assert days_of(rule, day(2027, 1, 1), day(2027, 5, 1)) == [
        "01-30", "01-31", "02-28", "03-30", "03-31", "04-30",
    ]  # fmt: skip
    assert days_of(Recurrence("month", TEN, frozenset({29})), day(2028, 2, 1), day(2028, 3, 1)) == ["02-29"]


def test_weeks_go_on_across_the_year() -> None:
    rule = Recurrence("week", TEN, frozenset({1, 5}))
    assert days_of(rule, day(2026, 12, 27), day(2027, 1, 9)) == ["12-28", "01-01", "01-04", "01-08"]


def test_members_days_are_the_chains() -> None:
    rule = Recurrence("members_day", TEN)
    members = MembersDays(frozenset({8, 31}), frozenset({3}))
    assert days_of(rule, day(2027, 2, 1), day(2027, 3, 1), members) == [
        "02-03", "02-08", "02-10", "02-17", "02-24", "02-28",
    ]  # fmt: skip
    assert days_of(rule, day(2027, 2, 1), day(2027, 3, 1)) == []


def test_the_end_itself_is_too_late_and_the_beginning_is_not() -> None:
    rule = Recurrence("day", TEN)
    assert days_of(rule, day(2027, 1, 1, 10), day(2027, 1, 3, 10)) == ["01-01", "01-02"]
    assert days_of(rule, day(2027, 1, 1, 11), day(2027, 1, 2, 10)) == []


def test_once_is_at_its_beginning_and_never_again() -> None:
    values: dict[str, Any] = {"starts_at": day(2027, 1, 1), "ends_at": day(2027, 2, 1), "members_days": NONE}
    assert next_moment(None, **values) == day(2027, 1, 1)
    assert next_moment(None, **values, after=day(2027, 1, 1)) is None
    assert next_moment(None, **values | {"ends_at": day(2027, 1, 1)}) is None


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ([], {"/r": "not_an_object"}),
        ("daily", {"/r": "not_an_object"}),
        ({"days": [1]}, {"/r/every": "missing_field", "/r/at": "missing_field"}),
        ({"every": ["day"], "at": 10}, {"/r/every": "unknown_choice", "/r/at": "not_a_time"}),
        ({"every": "day", "at": "24:00"}, {"/r/at": "not_a_time"}),
        ({"every": "day", "at": "9:00"}, {"/r/at": "not_a_time"}),
        ({"every": "day", "at": "09:00", "days": [1]}, {"/r/days": "unknown_field"}),
        ({"every": "day", "at": "09:00", "a/b": 1}, {"/r/a~1b": "unknown_field"}),
        ({"every": "week", "at": "09:00"}, {"/r/days": "missing_field"}),
        ({"every": "week", "at": "09:00", "days": []}, {"/r/days": "empty_list"}),
        ({"every": "week", "at": "09:00", "days": "1"}, {"/r/days": "not_a_list"}),
        (
            {"every": "week", "at": "x", "days": [0, 8, True, "1", 1.5]},
            {
                "/r/days/0": "out_of_range",
                "/r/days/1": "out_of_range",
                "/r/days/2": "not_a_number",
                "/r/days/3": "not_a_number",
                "/r/days/4": "not_a_number",
                "/r/at": "not_a_time",
            },
        ),
        ({"every": "month", "at": "09:00", "days": [32]}, {"/r/days/0": "out_of_range"}),
        ({"every": "week", "at": "09:00", "days": [1] * 8}, {"/r/days": "too_many"}),
    ],
)
def test_every_fault_is_told_at_once(value: Any, faults: dict[str, str]) -> None:
    rule, found = read_recurrence(value, "/r")
    assert rule is None
    assert {fault.path: fault.code for fault in found} == faults
    assert all(fault.words for fault in found)


def test_an_empty_rule_is_once() -> None:
    assert read_recurrence({}) == (None, [])
    assert write_recurrence(None) == {}


RULES = st.one_of(
    st.builds(Recurrence, st.just("day"), st.times(timezones=st.none())),
    st.builds(Recurrence, st.just("week"), st.times(), st.frozensets(st.integers(1, 7), min_size=1)),
    st.builds(Recurrence, st.just("month"), st.times(), st.frozensets(st.integers(1, 31), min_size=1)),
    st.builds(Recurrence, st.just("members_day"), st.times()),
).map(lambda rule: Recurrence(rule.every, rule.at.replace(second=0, microsecond=0), rule.days))
MEMBERS = st.builds(MembersDays, st.frozensets(st.integers(1, 31)), st.frozensets(st.integers(1, 7)))
STARTS = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1)).map(
    lambda one: one.replace(tzinfo=SHANGHAI)
)
SPANS = st.timedeltas(dt.timedelta(minutes=1), dt.timedelta(days=400))


@given(RULES)
def test_what_is_written_reads_back(rule: Recurrence) -> None:
    assert read_recurrence(write_recurrence(rule)) == (rule, [])
    assert rule.words()


@given(RULES, MEMBERS, STARTS, SPANS)
def test_moments_are_the_days_of_the_rule_and_no_other(
    rule: Recurrence, members: MembersDays, start: dt.datetime, span: dt.timedelta
) -> None:
    end = start + span
    found = list(moments(rule, starts_at=start, ends_at=end, members_days=members))
    assert found == sorted(set(found))
    wanted = []
    for number in range(span.days + 2):
        date = start.date() + dt.timedelta(days=number)
        last = calendar.monthrange(date.year, date.month)[1]

        def in_month(days: frozenset[int], date: dt.date = date, last: int = last) -> bool:
            return date.day in {min(one, last) for one in days}

        holds = {
            "day": True,
            "week": date.isoweekday() in rule.days,
            "month": in_month(rule.days),
            "members_day": in_month(members.month_days) or date.isoweekday() in members.week_days,
        }[rule.every]
        moment = dt.datetime.combine(date, rule.at, SHANGHAI)
        if holds and start <= moment < end:
            wanted.append(moment)
    assert found == wanted


@given(RULES, MEMBERS, STARTS, SPANS, st.timedeltas(dt.timedelta(0), dt.timedelta(days=400)))
def test_the_next_is_the_first_one_later(
    rule: Recurrence, members: MembersDays, start: dt.datetime, span: dt.timedelta, later: dt.timedelta
) -> None:
    values: dict[str, Any] = {"starts_at": start, "ends_at": start + span, "members_days": members}
    after = start + later
    every = list(moments(rule, **values))
    assert next_moment(rule, **values, after=after) == next((one for one in every if one > after), None)


@given(STARTS, SPANS, st.times(), st.times())
def test_something_goes_out_only_between_the_hours(
    start: dt.datetime, span: dt.timedelta, one: dt.time, other: dt.time
) -> None:
    low, high = sorted((one, other))
    spans = list(sending_spans(starts_at=start, ends_at=start + span, send_from=low, send_until=high))
    assert spans == sorted(spans)
    for begins, ends in spans:
        assert start <= begins < ends <= start + span
        here, there = begins.astimezone(SHANGHAI), ends.astimezone(SHANGHAI)
        assert low <= here.time()
        assert there.time() <= high
        assert here.date() == there.date()
