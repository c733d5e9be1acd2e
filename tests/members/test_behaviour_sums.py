"""Days of behaviours are counted by a job, and the page above the list reads what it counted."""

import datetime as dt
import uuid
from collections.abc import Sequence

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from members import selectors, services
from members.models import Behaviour, BehaviourSum
from members.services.behaviour_partitions import make_partitions, month_of
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 28, 4, 0, tzinfo=dt.UTC)
TODAY = clock.business_day(NOON)


def do(member_ids: Sequence[int], at: dt.datetime, kind: str = "page_viewed") -> None:
    make_partitions(months=[month_of(at)])
    for member_id in member_ids:
        Behaviour.objects.create(
            happened_at=at, received_at=at, member_id=member_id, kind=kind, subject="p", door="mini",
            mark=uuid.uuid4(),
        )  # fmt: skip


def days(first: dt.date = TODAY - dt.timedelta(days=40)) -> list[tuple[dt.date, str, int, int]]:
    found = selectors.list_behaviour_days(first=first, last=TODAY)
    return [(one.on, one.kind, one.count, one.member_count) for one in found]


def test_days_are_counted_in_shanghai_and_late_ones_the_day_after(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    start = clock.day_bounds(TODAY)[0]
    do([she, she, other], start)
    do([she], start - dt.timedelta(microseconds=1))
    do([other], NOON, "searched")
    assert services.sum_behaviour_days(at=NOON) == 31
    yesterday = TODAY - dt.timedelta(days=1)
    assert days() == [
        (TODAY, "page_viewed", 3, 2), (TODAY, "searched", 1, 1), (yesterday, "page_viewed", 1, 1),
    ]  # fmt: skip
    late = NOON - dt.timedelta(days=10)
    do([other], late)
    do([other], NOON)
    later = NOON + dt.timedelta(minutes=5)
    services.sum_behaviour_days(at=later)
    assert days(TODAY)[0] == (TODAY, "page_viewed", 4, 2)
    Behaviour.objects.filter(member_id=she).delete()
    services.sum_behaviour_days(at=later + dt.timedelta(days=1))
    assert days() == [
        (TODAY, "page_viewed", 2, 1), (TODAY, "searched", 1, 1), (TODAY - dt.timedelta(days=10), "page_viewed", 1, 1),
    ]  # fmt: skip
    assert selectors.behaviours_counted_at() == later + dt.timedelta(days=1)


def test_an_older_run_does_not_overwrite_a_newer_one(cast: Cast) -> None:
    do([cast.xiaomei.id], NOON)
    services.sum_behaviour_days(at=NOON)
    BehaviourSum.objects.update(count=99)
    services.sum_behaviour_days(at=NOON - dt.timedelta(minutes=1))
    assert days()[0] == (TODAY, "page_viewed", 99, 1)


def test_the_list_shows_what_was_counted_and_when(cast: Cast, client: Client) -> None:
    client.force_login(cast.head_office)
    page = reverse("admin:members_behaviour_changelist")
    assert "最近七天" in client.get(page).content.decode()
    do([cast.xiaomei.id, cast.xiaoli.id], clock.now())
    services.sum_behaviour_days()
    shown = client.get(page).content.decode()
    assert "2 次 / 2 人" in shown
    assert "统计" in shown
