"""Journeys and time: Shanghai's midnight, a server's clock that steps back, and what follows what."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from campaigns.models import Enrolment
from campaigns.services import journeys
from core import clock
from members.models import Member
from tests.campaigns.journey_kit import (
    DAY,
    HOUR,
    MINUTE,
    change,
    definition,
    enter,
    points,
    run,
    start,
    state,
    wait,
    wait_event,
)
from tests.campaigns.test_journey_faults import sums
from tests.cast import Cast

pytestmark = pytest.mark.django_db
MIDNIGHT = dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC)  # the year begins in Shanghai
SECOND = dt.timedelta(seconds=1)


def shanghai(words: str) -> dt.datetime:
    """ "2027-01-10 23:40" of Shanghai."""
    return dt.datetime.fromisoformat(words).replace(tzinfo=clock.SHANGHAI)


def days_at(days: int, time: str, following: str = "b") -> dict[str, Any]:
    """Until that time of a day so many days later."""
    return {"kind": "wait", "with": {"amount": days, "unit": "days", "at": time}, "next": following}


def follow(member_id: int, value: bool = True) -> None:
    Member.objects.filter(pk=member_id).update(is_following=value)


def test_a_day_begins_at_shanghais_midnight_once_however_often_it_is_looked_at(cast: Cast) -> None:
    trigger = {"on": "daily", "with": {"rule": {"is": "members.following"}, "at": "00:00"}}
    again = {"re_entry": {"how": "always"}}
    row = start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}} | again, at=MIDNIGHT - HOUR)
    followers = Member.objects.filter(is_following=True).count()
    assert journeys.look_for_dates(at=MIDNIGHT - SECOND) == 0
    assert journeys.look_for_dates(at=MIDNIGHT) == followers
    journeys.run_journeys(at=MIDNIGHT)
    # The clock steps back over midnight and goes over it once more.
    for second in (-2, -1, 0, 1):
        assert journeys.look_for_dates(at=MIDNIGHT + second * SECOND) == 0
    row.refresh_from_db()
    assert row.looked_on == dt.date(2027, 1, 1)
    assert journeys.look_for_dates(at=MIDNIGHT + DAY) == followers
    assert set(Enrolment.objects.values_list("entry_key", flat=True)) == {"day:2027-01-01", "day:2027-01-02"}


def test_a_birthday_of_the_first_of_january_is_of_the_new_year(cast: Cast) -> None:
    Member.objects.filter(pk=cast.xiaomei.id).update(birthday=dt.date(1990, 1, 1))
    trigger = {"on": "birthday", "with": {"days": 0, "at": "00:00"}}
    start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}}, at=MIDNIGHT - HOUR)
    assert journeys.look_for_dates(at=MIDNIGHT - SECOND) == 0
    assert journeys.look_for_dates(at=MIDNIGHT + MINUTE) == 1
    assert Enrolment.objects.get().entry_key == "birthday:2027"


def test_waiting_until_midnight_is_until_the_next_one(cast: Cast) -> None:
    step = {"kind": "wait_until", "with": {"at": "00:00"}, "next": "b"}
    row = start(definition({"a": step, "b": points(1)}), at=MIDNIGHT - HOUR)
    [before] = enter(row, cast.xiaomei.id, at=MIDNIGHT - SECOND)
    [on_it] = enter(row, cast.xiaoli.id, at=MIDNIGHT)
    assert (before.due_at, on_it.due_at) == (MIDNIGHT, MIDNIGHT + DAY)
    journeys.run_journeys(at=MIDNIGHT - SECOND)
    assert sums() == (0, 0)
    journeys.run_journeys(at=MIDNIGHT)
    assert (state(before)[0], state(on_it)[0]) == ("done", "waiting")


def test_what_ends_a_way_is_heard_though_the_clock_stepped_back_after_it_began(cast: Cast) -> None:
    """She entered by a server whose clock was an hour ahead of the database's."""
    row = start(definition({"a": wait(1, "b"), "b": points(1)}, exits=[{"on": "unfollowed"}]))
    with time_machine.travel(clock.now() + HOUR, tick=False):
        [mine] = enter(row, cast.xiaomei.id)
    follow(cast.xiaomei.id, False)
    run()
    assert state(mine) == ("exited", "a", "event:unfollowed")


def test_what_was_before_she_entered_is_not_of_her_way_though_it_is_heard_after(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}, exits=[{"on": "unfollowed"}]))
    follow(cast.xiaomei.id, False)
    with time_machine.travel(clock.now() - HOUR, tick=False):  # by a clock that is late
        [mine] = enter(row, cast.xiaomei.id)
    run()
    assert state(mine)[0] == "waiting"
    follow(cast.xiaomei.id)
    follow(cast.xiaomei.id, False)
    run()
    assert state(mine)[0] == "exited"


def test_what_follows_what_let_her_in_is_of_her_way_though_both_are_heard_together(cast: Cast) -> None:
    """She follows and leaves again, or does what is waited for, before anybody listens: as who joins and buys at a till."""
    she, other = cast.xiaomei.id, cast.xiaoli.id
    for pk in (she, other):
        follow(pk, False)
    leaving = start(
        definition({"a": wait(1, "b"), "b": points(1)}, on="followed", exits=[{"on": "unfollowed"}])
    )
    steps = {"a": wait_event("unfollowed", 7, "b", "c"), "b": points(10), "c": points(100)}
    waiting = start(definition(steps, on="followed"), "等她离开")
    follow(she)
    follow(other)
    follow(she, False)
    run()
    ends = dict(Enrolment.objects.filter(journey=leaving).values_list("member_id", "state"))
    assert ends == {she: "exited", other: "waiting"}
    woken = dict(Enrolment.objects.filter(journey=waiting).values_list("member_id", "state"))
    assert woken == {she: "done", other: "waiting"}
    assert sums() == (1, 10)


def test_an_hour_that_comes_twice_gives_nothing_twice(cast: Cast) -> None:
    now = clock.now()
    row = start(definition({"a": points(1, following="b"), "b": wait(1, "c"), "c": points(1)}))
    [mine] = enter(row, cast.xiaomei.id)
    for minutes in (0, 30, 60, 0, 30, 60, 90):
        journeys.run_journeys(at=now + minutes * MINUTE)
    assert sums() == (1, 1)
    for minutes in (0, 30, 60, 0, 30, 60, 90, 120):
        journeys.run_journeys(at=now + DAY + minutes * MINUTE)
    assert sums() == (2, 2)
    assert state(mine)[0] == "done"


@pytest.mark.parametrize(
    ("come", "days", "time", "due"),
    [
        # The last second of a day and the first of the next are a day apart, whatever time is meant.
        ("2026-12-31 23:59:59", 3, "10:00", "2027-01-03 10:00"),
        ("2027-01-01 00:00", 3, "10:00", "2027-01-04 10:00"),
        ("2027-01-10 23:40", 1, "00:00", "2027-01-11 00:00"),
        ("2027-01-10 00:00", 1, "00:00", "2027-01-11 00:00"),
        ("2027-01-10 09:59", 1, "23:59", "2027-01-11 23:59"),
        ("2028-02-28 23:40", 1, "10:00", "2028-02-29 10:00"),
        ("2028-02-29 23:40", 1, "10:00", "2028-03-01 10:00"),
        ("2028-02-29 08:00", 366, "10:00", "2029-03-01 10:00"),
        ("2027-02-28 23:40", 1, "10:00", "2027-03-01 10:00"),
        # Shanghai moved its clocks until 1991; elsewhere they still go forward and back on these days.
        ("2027-03-13 23:40", 1, "10:00", "2027-03-14 10:00"),
        ("2027-03-27 23:40", 2, "10:00", "2027-03-29 10:00"),
        ("2027-10-30 23:40", 1, "02:30", "2027-10-31 02:30"),
        ("2027-11-06 23:40", 400, "10:00", "2028-12-10 10:00"),
    ],
)
def test_days_of_waiting_end_at_the_time_that_is_meant(
    cast: Cast, come: str, days: int, time: str, due: str
) -> None:
    row = start(definition({"a": days_at(days, time), "b": points(1)}), at=shanghai(come))
    [mine] = enter(row, cast.xiaomei.id, at=shanghai(come))
    assert mine.due_at == shanghai(due)
    assert mine.due_at.utcoffset() == dt.timedelta()
    journeys.run_journeys(at=shanghai(due) - SECOND)
    assert state(mine)[0] == "waiting"
    journeys.run_journeys(at=shanghai(due))
    assert state(mine)[0] == "done"


def test_what_is_waited_for_comes_before_the_time_or_is_given_up_at_it(cast: Cast) -> None:
    night = shanghai("2027-01-10 23:40")
    wait_week = {
        "kind": "wait_event",
        "with": {"event": "unfollowed", "amount": 7, "unit": "days", "at": "10:00"},
        "next": "b",
        "else": "c",
    }
    row = start(definition({"a": wait_week, "b": points(10), "c": points(1)}), at=night)
    mine, hers = enter(row, cast.xiaomei.id, cast.xiaoli.id, at=night)
    assert mine.due_at == hers.due_at == shanghai("2027-01-17 10:00")
    follow(cast.xiaoli.id, False)
    journeys.run_journeys(at=night + DAY)
    assert (state(mine)[0], state(hers)[0]) == ("waiting", "done")
    journeys.run_journeys(at=shanghai("2027-01-17 10:00"))
    assert state(mine)[0] == "done"
    assert sums() == (2, 10)


def test_who_waits_already_keeps_the_hour_of_her_version(cast: Cast) -> None:
    """The journey gets a time of the day while somebody waits under the version that had none."""
    night = shanghai("2027-01-10 23:40")
    row = start(definition({"a": wait(3, "b"), "b": points(1)}), at=night)
    [old] = enter(row, cast.xiaomei.id, at=night)
    change(row, definition({"a": days_at(3, "10:00"), "b": points(1)}))
    row.refresh_from_db()
    [new] = enter(row, cast.xiaoli.id, at=night)
    assert [one.version.number for one in (old, new)] == [1, 2]
    journeys.run_journeys(at=night + MINUTE)
    old.refresh_from_db()
    assert (old.due_at, new.due_at) == (night + 3 * DAY, shanghai("2027-01-13 10:00"))
    journeys.run_journeys(at=shanghai("2027-01-13 10:00"))
    assert (state(old)[0], state(new)[0]) == ("waiting", "done")
    journeys.run_journeys(at=night + 3 * DAY)
    assert state(old)[0] == "done"
    assert sums() == (2, 1)
