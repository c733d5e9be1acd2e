"""Finished reaches and messages of the inbox are kept so long and no longer."""

import datetime as dt

import pytest
from pytest_django import Settings

from campaigns import services
from campaigns.models import InboxMessage, Reach, ReachState
from core import clock
from tests.campaigns.kit import World


@pytest.fixture
def kept(world: World, settings: Settings) -> World:
    """Two reaches that lie in her inbox, and one that waits."""
    settings.REACH_KEEP_DAYS, settings.INBOX_KEEP_DAYS = 20, 10
    for key in ("r1", "r2"):
        world.send(key, channels=("inbox",))
    services.reach_member(order=world.order("waits", channels=("inbox",)))
    return world


def days_later(days: int) -> dt.datetime:
    return clock.now() + dt.timedelta(days=days)


def test_what_is_finished_goes_when_its_time_is_over_and_what_waits_stays(kept: World) -> None:
    assert services.prune_reaches(at=days_later(9)) == 0
    assert services.prune_reaches(at=days_later(11)) == 2
    assert (Reach.objects.count(), InboxMessage.objects.count()) == (3, 0)
    assert services.prune_reaches(at=days_later(21)) == 2
    assert list(Reach.objects.values_list("reason_key", flat=True)) == ["waits"]


def test_one_that_is_under_way_is_not_taken_from_its_sender(kept: World) -> None:
    Reach.objects.filter(reason_key="r1").update(state=ReachState.SENDING, finished_at=None)
    services.prune_reaches(at=days_later(21))
    assert set(Reach.objects.values_list("reason_key", flat=True)) == {"r1", "waits"}


def test_the_young_stay_beside_the_old(kept: World) -> None:
    Reach.objects.filter(reason_key="r1").update(queued_at=clock.now() - dt.timedelta(days=30))
    assert services.prune_reaches() == 1
    assert set(Reach.objects.values_list("reason_key", flat=True)) == {"r2", "waits"}


def test_a_reason_that_was_forgotten_may_be_told_again(kept: World) -> None:
    services.prune_reaches(at=days_later(21))
    assert services.reach_member(order=kept.order("r1")) is True
