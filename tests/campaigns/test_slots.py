"""A broadcast holds as many processes as it may, and no more."""

import threading

from pytest_django import Settings

from campaigns import services
from tests.campaigns.kit import SENT, World
from tests.threads import at_once
from tests.wechat.scripted_server import Reply, Seen


def queue(world: World, reason_key: str) -> None:
    services.reach_member(order=world.order(reason_key, channels=("template",)))


def test_who_finds_every_slot_taken_leaves_what_is_due_to_the_senders(
    world: World, settings: Settings
) -> None:
    settings.REACH_SENDERS = 1
    world.map_topic(kinds=("template",))
    begun, go_on = threading.Event(), threading.Event()

    def answer(_seen: Seen) -> Reply:
        begun.set()
        go_on.wait(30)
        return SENT

    def come_later() -> int:
        begun.wait(30)
        queue(world, "r2")
        try:
            return services.work_reaches()
        finally:
            go_on.set()

    world.answers("template", answer)
    settings.WECHAT_TIMEOUT_S = 30
    queue(world, "r1")
    assert at_once([services.work_reaches, come_later]) == [2, 0]
    assert [world.row(key).state for key in ("r1", "r2")] == ["sent", "sent"]


def test_a_slot_is_free_again_after_a_run(world: World, settings: Settings) -> None:
    settings.REACH_SENDERS = 1
    world.map_topic(kinds=("template",))
    for key in ("r1", "r2", "r3"):
        queue(world, key)
        assert at_once([services.work_reaches]) == [1]
        assert services.work_reaches() == 0
        assert world.row(key).state == "sent"


def test_two_slots_are_two_senders(world: World, settings: Settings) -> None:
    settings.REACH_SENDERS = 2
    settings.WECHAT_TIMEOUT_S = 30
    world.map_topic(kinds=("template",))
    begun, both = threading.Event(), threading.Barrier(2)

    def answer(_seen: Seen) -> Reply:
        begun.set()
        both.wait(30)  # breaks, and the test fails, unless two senders ask at once
        return SENT

    def come_later() -> int:
        begun.wait(30)
        queue(world, "r2")
        return services.work_reaches()

    world.answers("template", answer)
    queue(world, "r1")
    assert at_once([services.work_reaches, come_later]) == [1, 1]
    assert [world.row(key).state for key in ("r1", "r2")] == ["sent", "sent"]
