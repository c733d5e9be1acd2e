"""Journeys and time: Shanghai's midnight, a server's clock that steps back, and what follows what."""

import datetime as dt

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
