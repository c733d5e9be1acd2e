"""Senders that die, freeze or meet on one reach: nothing is lost, and nothing that WeChat took is sent twice."""

import datetime as dt
import itertools
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection

from campaigns import services
from campaigns.models import Reach
from core import clock
from tests.campaigns.kit import SENT, World
from tests.cast import DIRECTOR
from tests.killed_job import run_killed
from tests.threads import at_once
from tests.wechat.scripted_server import Reply, Seen
from wechat.services import lanes

# In a process of its own, which WeChat's stand-in kills the moment it has the message.
KILLED = """
import os, pathlib
from django.conf import settings
from campaigns.services import send_due_reaches
from tests.wechat.scripted_server import hosts_at
settings.WECHAT_HOSTS = hosts_at({url!r})
settings.REACH_THREADS = 1
pathlib.Path({pid_file!r}).write_text(str(os.getpid()))
send_due_reaches()
"""


def killed_sender(world: World, channel: str, place: Path, *, after: int = 1) -> None:
    """A sender took what is due in hand, and was killed before it could write down what became of message `after`."""
    pid_file = place / "pid"
    many = itertools.count(1)

    def kill(_seen: Seen) -> Reply:
        if next(many) == after:
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
        return SENT

    world.answers(channel, kill)
    run_killed(KILLED.format(url=world.server.base_url, pid_file=str(pid_file)))
    world.answers(channel, SENT)


def run_out() -> None:
    """The dead sender's lease is over."""
    Reach.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))


@pytest.mark.parametrize("channel", ["subscription", "service_message"])
def test_a_sender_killed_between_send_and_record_leaves_it_in_doubt(
    world: World, channel: str, tmp_path: Path
) -> None:
    world.map_topic()
    world.grant(2)
    world.open_window()
    services.reach_member(order=world.order(channels=(channel, "inbox")))
    killed_sender(world, channel, tmp_path)
    assert (world.row().state, len(world.calls(channel))) == ("sending", 1)
    services.send_due_reaches()  # the lease still holds: nobody touches it
    assert world.row().state == "sending"
    run_out()
    services.send_due_reaches()
    assert (world.row().state, world.row().code) == ("uncertain", "sender_died")
    services.send_due_reaches()
    assert len(world.calls(channel)) == 1


def test_a_template_message_of_a_killed_sender_is_sent_again_under_its_id(
    world: World, tmp_path: Path
) -> None:
    world.map_topic(kinds=("template",))
    services.queue_reaches(orders=[world.order(f"r{number}", importance="must") for number in range(5)])
    killed_sender(world, "template", tmp_path, after=5)
    run_out()
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", "channel")) == {("sent", "template")}
    ids = [body["client_msg_id"] for body in world.calls("template")]
    assert (len(ids), len(set(ids))) == (10, 5)  # WeChat sends each once


def test_a_killed_sender_loses_nothing_of_what_it_had_not_begun(world: World, tmp_path: Path) -> None:
    """Its chunk was leased; only what was marked is in doubt."""
    world.open_window()
    orders = [
        world.order(f"r{number}", text=f"第 {number} 条", channels=("service_message",), importance="must")
        for number in range(130)
    ]
    services.queue_reaches(orders=orders)
    killed_sender(world, "service_message", tmp_path, after=30)
    run_out()
    while services.send_due_reaches():
        pass
    states = Reach.objects.values_list("state", flat=True)
    assert set(states) == {"sent", "uncertain"}
    told = Counter(body["text"]["content"] for body in world.calls("service_message"))
    assert set(told.values()) == {1}
    assert Reach.objects.filter(state="sent").count() >= 80


def test_two_workers_on_one_reach_send_it_once(world: World) -> None:
    world.open_window()
    services.reach_member(order=world.order(channels=("service_message",)))
    at_once([services.send_due_reaches] * 6)
    assert world.row().state == "sent"
    assert len(world.calls("service_message")) == 1


def test_what_a_sender_writes_that_was_frozen_past_its_lease_is_fenced_off(world: World) -> None:
    world.open_window()
    services.reach_member(order=world.order(channels=("service_message",)))
    arrived, go_on = threading.Event(), threading.Event()

    def slow(_seen: Seen) -> Reply:
        arrived.set()
        go_on.wait(30)
        return SENT

    world.answers("service_message", slow)

    def frozen() -> None:
        services.send_due_reaches()
        connection.close()

    sender = threading.Thread(target=frozen)
    sender.start()
    assert arrived.wait(30)
    run_out()
    services.send_due_reaches()
    assert world.row().state == "uncertain"
    go_on.set()
    sender.join(30)
    assert world.row().state == "uncertain"
    assert len(world.calls("service_message")) == 1


def test_a_wake_up_that_was_lost_and_a_flushed_broker_cost_nothing(world: World) -> None:
    """Rows are the queue: the timetable's run finds them."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as broker:
        services.queue_reaches(orders=[world.order(f"r{number}", importance="must") for number in range(20)])
        broker.flushdb()
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", flat=True)) == {"sent"}


def test_redis_flushed_in_the_middle_of_a_rate_limited_run_changes_nothing(world: World) -> None:
    world.open_window()
    count = 40
    lanes.set_rate(
        account_id=world.cast.account_id,
        channel="service",
        rate_per_s=40,
        actor=DIRECTOR,
    )
    orders = [
        world.order(f"r{number}", channels=("service_message",), importance="must") for number in range(count)
    ]
    services.queue_reaches(orders=orders)
    asked = itertools.count(1)

    def flush_in_the_middle(_seen: Seen) -> Reply:
        if next(asked) == count // 2:
            with redis.Redis.from_url(django_settings.REDIS_URL) as broker:
                broker.flushdb()
        return SENT

    world.answers("service_message", flush_in_the_middle)
    begun = time.monotonic()
    services.send_due_reaches()
    assert Reach.objects.filter(state="sent").count() == count
    # Not faster than the rate: a burst of a quarter second, then forty a second.
    assert time.monotonic() - begun > (count - 10) / 40 - 0.1
