"""Quiet hours and frequency caps, at their boundaries and under a race."""

import datetime as dt
import functools
import threading

import pytest
import time_machine

from campaigns import services
from campaigns.contracts import Cap
from campaigns.models import FrequencyCap, InboxMessage, Reach, ReachPolicy
from campaigns.selectors.policy import QuietHours
from campaigns.selectors.tally import Tally, count_sent
from core import clock
from tests.campaigns.kit import World, tries_of
from tests.threads import at_once

NIGHT = QuietHours(dt.time(22), dt.time(8, 30))
NOON = QuietHours(dt.time(12), dt.time(14))


def here(day: int, hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 12, day, hour, minute, second, tzinfo=clock.SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "at", "end"),
    [
        (NIGHT, here(1, 21, 59, 59), None),
        (NIGHT, here(1, 22), here(2, 8, 30)),
        (NIGHT, here(1, 23, 59, 59), here(2, 8, 30)),
        (NIGHT, here(2, 0), here(2, 8, 30)),
        (NIGHT, here(2, 8, 29, 59), here(2, 8, 30)),
        (NIGHT, here(2, 8, 30), None),
        (NIGHT, here(31, 23), dt.datetime(2027, 1, 1, 8, 30, tzinfo=clock.SHANGHAI)),
        (NOON, here(1, 11, 59, 59), None),
        (NOON, here(1, 12), here(1, 14)),
        (NOON, here(1, 14), None),
    ],
)
def test_quiet_hours_begin_and_end_to_the_second(
    hours: QuietHours, at: dt.datetime, end: dt.datetime | None
) -> None:
    assert hours.end_of(at.astimezone(dt.UTC)) == end


@pytest.fixture
def quiet(world: World) -> World:
    """At night members are left alone; the cast was made before the clock was moved."""
    ReachPolicy.objects.update(is_quiet_on=True, quiet_from=dt.time(22), quiet_until=dt.time(8, 30))
    return world


def tonight() -> dt.datetime:
    """Ten at night of today, Shanghai."""
    return dt.datetime.combine(clock.today(), dt.time(22), clock.SHANGHAI)


def test_at_night_news_waits_for_the_morning_and_what_must_be_said_does_not(quiet: World) -> None:
    with time_machine.travel(tonight(), tick=True):
        row = quiet.send(channels=("inbox",))
        assert (row.state, row.code) == ("queued", "quiet_hours")
        assert row.not_before == tonight() + dt.timedelta(hours=10, minutes=30)
        assert quiet.send("must", channels=("inbox",), importance="must").state == "sent"
        short = quiet.send("short", channels=("inbox",), expires_at=tonight() + dt.timedelta(hours=9))
        assert (short.state, short.code) == ("skipped", "expired")
    with time_machine.travel(tonight() + dt.timedelta(hours=10, minutes=29, seconds=50), tick=True):
        services.send_due_reaches()
        assert quiet.row().state == "queued"
    with time_machine.travel(tonight() + dt.timedelta(hours=10, minutes=30), tick=True):
        services.send_due_reaches()
        assert quiet.row().state == "sent"


def test_who_has_just_written_or_scanned_is_up_for_news_but_not_for_marketing(quiet: World) -> None:
    quiet.agree_to_marketing()
    with time_machine.travel(tonight(), tick=False):
        quiet.follow(acted_at=clock.now() - dt.timedelta(minutes=10))
        assert quiet.send("up", channels=("inbox",)).state == "sent"
        row = quiet.send("offer", channels=("inbox",), importance="marketing")
        assert (row.state, row.code) == ("queued", "quiet_hours")
        quiet.follow(acted_at=clock.now() - dt.timedelta(minutes=10, seconds=1))
        assert quiet.send("asleep", channels=("inbox",)).state == "queued"
        quiet.follow(acted_at=clock.now() + dt.timedelta(hours=1))  # a clock that went back
        assert quiet.send("tomorrow", channels=("inbox",)).state == "queued"


def test_a_minute_before_ten_it_goes(quiet: World) -> None:
    with time_machine.travel(tonight() - dt.timedelta(minutes=1), tick=True):
        assert quiet.send(channels=("inbox",)).state == "sent"


def test_a_clock_that_goes_back_over_the_boundary_sends_nothing_twice(quiet: World) -> None:
    with time_machine.travel(tonight() - dt.timedelta(minutes=1), tick=True):
        quiet.send(channels=("inbox",))
    with time_machine.travel(tonight() - dt.timedelta(hours=1), tick=True):
        quiet.send(channels=("inbox",))
    assert InboxMessage.objects.count() == 1


# Caps ------------------------------------------------------------------------------------------------------


@pytest.fixture
def caps(by_day: None, world: World) -> World:
    FrequencyCap.objects.all().delete()
    return world


def cap(channel: str, importance: str, span: str, most: int) -> None:
    FrequencyCap.objects.create(policy_id=1, channel=channel, importance=importance, span=span, most=most)


def channels_of(world: World, count: int, **other: str) -> list[str]:
    keys = [f"{other.get('importance', 'n')}{number}" for number in range(count)]
    return [world.send(key, channels=("follow_up", "inbox"), **other).channel for key in keys]


def test_after_the_days_cap_the_inbox_is_what_is_left(caps: World) -> None:
    cap("", "", "day", 2)
    assert channels_of(caps, 4) == ["follow_up", "follow_up", "inbox", "inbox"]
    assert tries_of(caps.row("n2")) == [("follow_up", "capped")]
    assert channels_of(caps, 1, importance="must") == ["follow_up"]


def test_a_cap_of_one_channel_leaves_the_others(caps: World) -> None:
    cap("follow_up", "", "day", 1)
    caps.open_window()
    first, second = caps.send("a", channels=("follow_up", "inbox")), caps.send("b")
    assert (first.channel, second.channel) == ("follow_up", "service_message")


def test_days_and_weeks_are_shanghai_days(caps: World) -> None:
    cap("", "", "week", 1)
    assert channels_of(caps, 1) == ["follow_up"]
    start, _end = clock.day_bounds(clock.today())
    Reach.objects.update(
        queued_at=start - dt.timedelta(days=6), sent_at=start - dt.timedelta(days=6)
    )  # the first instant of the seven days
    assert caps.send("six", channels=("follow_up", "inbox")).channel == "inbox"
    Reach.objects.filter(reason_key="n0").update(
        sent_at=start - dt.timedelta(days=6, microseconds=1), queued_at=start - dt.timedelta(days=7)
    )
    assert caps.send("seven", channels=("follow_up", "inbox")).channel == "follow_up"


def test_what_did_not_go_out_is_not_counted(caps: World) -> None:
    cap("", "", "day", 1)
    caps.send("failed", channels=("template",))
    assert caps.send("next", channels=("follow_up", "inbox")).channel == "follow_up"


def test_a_tally_counts_each_cap_by_what_it_names() -> None:
    tally = Tally([(1, "template", "normal", 1, 3), (1, "template", "marketing", 0, 2)])
    assert not tally.is_over([Cap("", "", "day", 2)], 1, "sms", "normal")
    assert tally.is_over([Cap("template", "marketing", "week", 2)], 1, "template", "marketing")
    assert not tally.is_over([Cap("template", "marketing", "week", 2)], 1, "template", "normal")
    tally.add(1, "sms", "normal")
    assert tally.is_over([Cap("", "", "day", 2)], 1, "sms", "normal")
    assert not tally.is_over([Cap("", "", "day", 1)], 1, "inbox", "normal")
    assert not tally.is_over([Cap("", "", "day", 1)], 2, "sms", "normal")


def race(world: World) -> int:
    """Eight workers with a reach each of one member, at once; how many went to her guide."""
    keys = [f"race{number}" for number in range(8)]
    services.queue_reaches(orders=[world.order(key, channels=("follow_up", "inbox")) for key in keys])
    at_once([lambda: services.send_due_reaches(limit=1)] * 8)
    services.send_due_reaches()
    return Reach.objects.filter(channel="follow_up").count()


def test_workers_at_once_do_not_break_a_cap_between_them(caps: World) -> None:
    cap("", "", "day", 3)
    assert race(caps) == 3


def test_counting_first_and_writing_later_would_break_it(caps: World) -> None:
    """The twin: nobody takes turns, so all find the member below her cap."""
    cap("", "", "day", 3)
    she = caps.cast.xiaomei.id
    keys = [f"race{number}" for number in range(8)]
    services.queue_reaches(orders=[caps.order(key) for key in keys])
    gate = threading.Barrier(8)

    def unguarded(key: str) -> None:
        tally = count_sent([she], at=clock.now())
        gate.wait(30)
        if not tally.is_over([Cap("", "", "day", 3)], she, "follow_up", "normal"):
            Reach.objects.filter(reason_key=key).update(channel="follow_up", sent_at=clock.now())

    at_once([functools.partial(unguarded, key) for key in keys])
    assert Reach.objects.filter(channel="follow_up").count() == 8
