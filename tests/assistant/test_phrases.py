"""How times, names and numbers are said."""

import datetime as dt

import pytest

from assistant import phrases
from core import clock
from guides.contracts import say_span

NOON = dt.datetime(2026, 3, 8, 12, 0, tzinfo=clock.SHANGHAI)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON, "刚刚"),
        (NOON - dt.timedelta(seconds=59), "刚刚"),
        (NOON + dt.timedelta(seconds=5), "刚刚"),  # clocks differ by seconds
        (NOON - dt.timedelta(minutes=5, seconds=30), "5分钟前"),
        (NOON - dt.timedelta(minutes=59), "59分钟前"),
        (NOON - dt.timedelta(hours=2), "今天 10:00"),
        (NOON - dt.timedelta(hours=20, minutes=40), "昨天 15:20"),
        (NOON - dt.timedelta(days=2), "3月6日"),
        (NOON - dt.timedelta(days=80), "2025年12月18日"),
    ],
)
def test_an_instant_is_said_as_people_say_it(at, said):
    assert phrases.say_time(at.astimezone(dt.UTC), now=NOON) == said


def test_just_after_midnight_minutes_are_still_minutes():
    midnight = dt.datetime(2026, 3, 8, 0, 2, tzinfo=clock.SHANGHAI)

    assert phrases.say_time(midnight - dt.timedelta(minutes=5), now=midnight) == "5分钟前"
    assert phrases.say_time(midnight - dt.timedelta(minutes=65), now=midnight) == "昨天 22:57"


@pytest.mark.parametrize(
    ("hour", "said"),
    [
        (4, "晚上好"),
        (5, "早上好"),
        (10, "早上好"),
        (11, "中午好"),
        (13, "下午好"),
        (18, "晚上好"),
        (23, "晚上好"),
    ],
)
def test_the_greeting_follows_the_clock_of_shanghai(hour, said):
    assert phrases.greet(NOON.replace(hour=hour).astimezone(dt.UTC)) == said


@pytest.mark.parametrize(
    ("name", "said"), [("小美", "小"), ("欧阳雨桐", "欧阳"), ("lily", "L"), ("  王芳", "王"), ("", "·")]
)
def test_an_avatar_shows_the_surname(name, said):
    assert phrases.surname(name) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (1280, "1,280"), (9999, "9,999"), (12800, "1.28万"), (20000, "2万"), (1_234_567, "123.46万")],
)
def test_a_large_number_is_said_in_ten_thousands(number, said):
    assert phrases.say_count(number) == said


def test_a_person_keeps_her_colour():
    assert phrases.avatar_tone("ABC") == phrases.avatar_tone("ABC")
    assert {phrases.avatar_tone(str(number)) for number in range(200)} == set(range(phrases.AVATAR_TONES))


def test_a_day_is_said_with_its_weekday():
    assert phrases.say_today(NOON) == "3月8日 周日"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON + dt.timedelta(hours=3), "今天 15:00"),
        (NOON + dt.timedelta(hours=13), "明天 01:00"),
        (NOON - dt.timedelta(hours=13), "昨天 23:00"),
        (NOON + dt.timedelta(days=2), "3月10日 12:00"),
        (NOON + dt.timedelta(days=300), "2027年1月2日 12:00"),
    ],
)
def test_a_time_to_meet_is_said_by_its_day(at, said):
    assert phrases.say_appointment(at.astimezone(dt.UTC), now=NOON) == said


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "1分钟"), (59, "59分钟"), (60, "1小时"), (1439, "23小时"), (1440, "1天"), (4000, "2天")],
)
def test_a_span_is_said_in_its_largest_unit(minutes, said):
    assert say_span(dt.timedelta(minutes=minutes)) == said
