"""The ledger of consents to subscription messages: each counts once, however often and by whomever it is told."""

import datetime as dt
import functools
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from campaigns import services
from campaigns.contracts import GrantAnswer
from campaigns.models import GrantEntry, SubscriptionGrant
from campaigns.services.grants import empty_grants, take_grants
from core import clock
from tests.campaigns.kit import MINI_APP, MINI_OPENID, SUBSCRIPTION_ID, World
from tests.threads import at_once

NOW = clock.now()


def report(world: World, key: str = "tap-1", answer: Any = "accept", at: dt.datetime = NOW) -> None:
    services.report_answers(
        app_id=MINI_APP,
        openid=MINI_OPENID,
        request_key=key,
        answers=[GrantAnswer(SUBSCRIPTION_ID, answer)],
        at=at,
    )


def push(world: World, number: int = 1, accepted: bool = True, at: dt.datetime = NOW) -> None:
    services.note_pushed_answer(
        account_id=world.mini_id,
        openid=MINI_OPENID,
        template_id=SUBSCRIPTION_ID,
        accepted=accepted,
        push_key=f"push:{number}",
        at=at,
    )


@pytest.fixture(autouse=True)
def _mapped(world: World) -> None:
    world.map_topic(kinds=("subscription",))


def key(world: World) -> tuple[int, str, str]:
    return (world.mini_id, MINI_OPENID, SUBSCRIPTION_ID)


def test_a_consent_told_by_both_counts_once_in_either_order(world: World) -> None:
    report(world)
    push(world)
    assert world.grants() == 1
    later = NOW + dt.timedelta(minutes=20)
    push(world, 2, at=later)
    report(world, "tap-2", at=later + dt.timedelta(seconds=3))
    assert world.grants() == 2


def test_a_repeat_of_either_changes_nothing(world: World) -> None:
    for _turn in range(3):
        report(world)
        push(world)
    assert world.grants() == 1
    assert GrantEntry.objects.count() == 1


def test_two_taps_are_two_consents_and_an_echo_is_near(world: World) -> None:
    report(world, "tap-1")
    report(world, "tap-2")
    assert world.grants() == 2
    push(world, 1)
    push(world, 2)
    assert world.grants() == 2
    push(world, 3, at=NOW + dt.timedelta(minutes=6))
    assert world.grants() == 3


def test_a_refusal_in_the_pop_up_takes_nothing_and_switching_it_off_takes_all(world: World) -> None:
    world.grant(3)
    report(world, answer="reject")
    assert world.grants() == 3
    push(world, 9, accepted=False)
    assert world.grants() == 0


def test_both_tellers_at_once_count_once(world: World) -> None:
    world.grant(0)
    at_once([lambda: report(world), lambda: push(world)] * 4)
    assert world.grants() == 1


def test_twenty_who_take_at_once_take_what_there_is(world: World) -> None:
    world.grant(5)

    def take(number: int) -> int:
        with transaction.atomic():
            return len(take_grants(wanted={key(world): f"reach:{number}:1"}, at=NOW))

    answers = at_once([functools.partial(take, number) for number in range(20)])
    assert sum(answers) == 5
    assert world.grants() == 0
    assert sum(GrantEntry.objects.values_list("delta", flat=True)) == -5


def test_the_database_refuses_less_than_none(world: World) -> None:
    world.grant(0)
    with pytest.raises(IntegrityError), transaction.atomic():
        SubscriptionGrant.objects.update(count=-1)


def test_none_left_is_noted_with_what_we_had_counted(world: World) -> None:
    world.grant(2)
    with transaction.atomic():
        empty_grants(spent=[(key(world), "reach:1:1")], at=NOW)
        empty_grants(spent=[(key(world), "reach:1:1")], at=NOW)
    assert world.grants() == 0
    assert [(row.reason, row.delta) for row in GrantEntry.objects.all()] == [("spent", -2)]
