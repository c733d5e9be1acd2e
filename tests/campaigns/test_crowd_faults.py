"""What goes wrong in the middle of a run over many members: each message has its own end, and nobody has one twice."""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from campaigns import services
from campaigns.models import InboxMessage, Reach, ReachBar, ReachPolicy, SubscriptionGrant
from core import clock
from members import services as member_services
from tests.campaigns.kit import SENT, SUBSCRIPTION_ID, World, tries_of
from tests.cast import DIRECTOR
from tests.threads import at_once
from tests.wechat.scripted_server import DROP, HTML, TOKEN_PATH, Reply, Seen, error, token_reply
from wechat.services import lanes

SLOW = Reply(SENT.body, delay_s=6)  # WeChat took it; we do not wait so long


@pytest.fixture(autouse=True)
def patience(world: World, settings: Settings) -> None:
    """A machine that has much to do makes no message uncertain."""
    settings.WECHAT_TIMEOUT_S = 30


def key(place: int) -> str:
    """Rows are queued, and sent, in the order of their reasons."""
    return f"r{place:04}"


def queue_for(world: World, crowd: list[int], channels: tuple[str, ...]) -> None:
    """A message for each, under her place in the crowd."""
    orders = [
        world.order(
            key(place), member_id=member_id, text=f"第 {place} 条", channels=channels, importance="must"
        )
        for place, member_id in enumerate(crowd)
    ]
    assert services.queue_reaches(orders=orders) == len(crowd)


def answer_by_place(world: World, channel: str, answers: dict[int, Reply]) -> None:
    """Whoever stands at these places of the crowd is answered so, everybody else well."""
    world.answers(channel, lambda seen: answers.get(World.place_of(seen.json()["touser"]), SENT))


def heard(world: World, channel: str) -> Counter[int]:
    """How often WeChat was asked for each place of the crowd."""
    return Counter(World.place_of(body["touser"]) for body in world.calls(channel))


def set_rate(world: World, channel: str, rate: int) -> None:
    account_id = world.mini_id if channel == "subscription" else world.cast.account_id
    lanes.set_rate(account_id=account_id, channel=channel, rate_per_s=rate, actor=DIRECTOR)  # type: ignore[arg-type]


def at_message(number: int, act: Callable[[], object]) -> Callable[[Seen], Reply]:
    """WeChat takes everything; when so many have come, this happens."""
    many = itertools.count(1)

    def answer(_seen: Seen) -> Reply:
        if next(many) == number:
            act()
            connection.close()
        return SENT

    return answer


def test_a_token_that_is_rotated_in_the_middle_of_thousands_costs_none_and_doubles_none(world: World) -> None:
    world.map_topic(kinds=("template",))
    set_rate(world, "template", 5_000)
    crowd = world.crowd(2_000)
    queue_for(world, crowd, ("template",))
    alive = ["token-1"]
    many = itertools.count(1)

    def answer(seen: Seen) -> Reply:
        if next(many) == 700:
            alive[0] = "token-2"
        return SENT if seen.query["access_token"] == alive[0] else error(40001)

    world.answers("template", answer)
    world.server.script(TOKEN_PATH, lambda _seen: token_reply(alive[0]))
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", "channel")) == {("sent", "template")}
    assert sorted(heard(world, "template")) == list(range(2_000))
    # Only what was on the wire when it died was asked for twice; one worker renewed it for all.
    assert heard(world, "template").total() < 2_000 + 50
    assert len(world.server.calls(TOKEN_PATH)) <= 4


def test_each_message_of_a_handful_has_its_own_end(world: World, settings: Settings) -> None:
    settings.WECHAT_TIMEOUT_S = 3
    crowd = world.crowd(90)
    queue_for(world, crowd, ("service_message", "inbox"))
    in_doubt = {5: HTML, 15: error(-1), 25: DROP, 35: SLOW}
    refused = {45: error(43004), 55: error(45015), 65: error(45047), 75: error(48002)}
    answer_by_place(world, "service_message", in_doubt | refused)
    services.send_due_reaches()
    for place in range(90):
        row = world.row(key(place))
        if place in in_doubt:
            assert (row.state, row.channel) == ("uncertain", "service_message"), place
        elif place in refused:
            assert (row.state, row.channel, len(tries_of(row))) == ("sent", "inbox", 1), place
        else:
            assert (row.state, row.channel) == ("sent", "service_message"), place
    assert [tries_of(world.row(key(place)))[0][1] for place in refused] == [
        "wechat.not_follower",
        "wechat.window_closed",
        "wechat.count_spent",
        "wechat.blocked",
    ]
    assert InboxMessage.objects.count() == len(refused)
    assert set(ReachBar.objects.values_list("member_id", flat=True)) == {crowd[45], crowd[75]}
    assert heard(world, "service_message") == Counter(range(90))
    services.send_due_reaches()
    assert heard(world, "service_message") == Counter(range(90))


def test_a_consent_that_wechat_says_is_spent_ends_hers_alone(world: World) -> None:
    world.map_topic(kinds=("subscription",))
    crowd = world.crowd(40)
    SubscriptionGrant.objects.bulk_create(
        SubscriptionGrant(
            account_id=world.mini_id, openid=World.mini_openid_of(place), template_id=SUBSCRIPTION_ID, count=2
        )
        for place in range(40)
    )
    queue_for(world, crowd, ("subscription", "inbox"))
    answer_by_place(world, "subscription", {11: error(43101), 22: error(47003), 33: DROP})
    services.send_due_reaches()
    assert heard(world, "subscription") == Counter(range(40))
    left = dict(SubscriptionGrant.objects.values_list("openid", "count"))
    spent = {11: 0, 22: 2}  # none, says WeChat; given back, for it was refused for its words
    assert left == {World.mini_openid_of(place): spent.get(place, 1) for place in range(40)}
    ends = {place: (world.row(key(place)).state, world.row(key(place)).channel) for place in (10, 11, 22, 33)}
    assert ends == {
        10: ("sent", "subscription"),
        11: ("sent", "inbox"),
        22: ("sent", "inbox"),
        33: ("uncertain", "subscription"),
    }


@pytest.mark.parametrize("errcode", [45009, 48001, 40164, 45011])
def test_a_channel_that_is_shut_in_the_middle_is_left_alone_until_it_is_open(
    world: World, errcode: int
) -> None:
    crowd = world.crowd(160)
    queue_for(world, crowd, ("service_message",))
    Reach.objects.update(importance="normal")  # must takes the next channel, of which there is none
    answer_by_place(world, "service_message", {30: error(errcode)})
    services.send_due_reaches()
    asked = heard(world, "service_message")
    assert set(asked.values()) == {1}
    assert asked[30] == 1
    assert len(asked) < 160
    waiting = Reach.objects.filter(state="queued", sent_at__isnull=True)
    assert Reach.objects.filter(state="sent").count() + waiting.count() == 160
    services.send_due_reaches()
    assert heard(world, "service_message") == asked
    world.answers("service_message", SENT)
    apps.get_model("wechat", "SendLane").objects.update(
        halted_at=None, halted_until=None, halt_code="", backoff_until=None
    )
    waiting.update(not_before=clock.now())
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", flat=True)) == {"sent"}
    assert heard(world, "service_message") == Counter(range(160)) + Counter([30])


def test_nothing_leaves_after_quiet_hours_began_in_the_middle_of_a_run(world: World) -> None:
    ReachPolicy.objects.update(is_quiet_on=True, quiet_from=dt.time(22), quiet_until=dt.time(8, 30))
    ten = dt.datetime.combine(clock.today(), dt.time(22), clock.SHANGHAI)
    with time_machine.travel(ten - dt.timedelta(seconds=30), tick=True) as traveller:
        crowd = world.crowd(160)
        queue_for(world, crowd, ("service_message",))
        Reach.objects.update(importance="normal")
        world.answers("service_message", at_message(20, lambda: traveller.move_to(ten)))
        services.send_due_reaches()
        assert not Reach.objects.filter(sent_at__gte=ten).exists()
        waiting = Reach.objects.filter(state="queued")
        assert set(waiting.values_list("code", "not_before")) == {
            ("quiet_hours", ten + dt.timedelta(hours=10, minutes=30))
        }
        assert Reach.objects.filter(state="sent").count() == len(world.calls("service_message"))
        assert 0 < waiting.count() < 160


def test_a_clock_that_is_set_back_in_the_middle_of_a_run_doubles_and_loses_nothing(world: World) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=True) as traveller:
        queue_for(world, world.crowd(160), ("service_message",))
        world.answers("service_message", at_message(20, lambda: traveller.shift(dt.timedelta(hours=-1))))
        services.send_due_reaches()
        # What is not due by this clock waits until it is.
        services.send_due_reaches()
        traveller.shift(dt.timedelta(hours=1, minutes=5))
        services.send_due_reaches()
        assert set(Reach.objects.values_list("state", flat=True)) == {"sent"}
        assert heard(world, "service_message") == Counter(range(160))


def test_who_is_erased_or_merged_while_hers_is_in_hand(world: World) -> None:
    crowd = world.crowd(160)
    queue_for(world, crowd, ("service_message",))

    def meanwhile() -> None:
        member_services.erase_member(member_id=crowd[159], reason="own_wish", actor=DIRECTOR)
        member_services.merge_members(
            first_id=crowd[158], second_id=crowd[157], survivor_id=crowd[157], actor=DIRECTOR
        )

    world.answers("service_message", at_message(1, meanwhile))
    services.send_due_reaches()
    said = Counter(body["text"]["content"] for body in world.calls("service_message"))
    assert said == Counter(f"第 {place} 条" for place in range(159))
    assert (world.row(key(159)).state, world.row(key(159)).code) == ("skipped", "member_gone")
    assert world.row(key(158)).member_id == crowd[157]


def test_who_is_erased_while_hers_is_on_the_wire_leaves_no_id_of_wechats(world: World) -> None:
    crowd = world.crowd(1)
    queue_for(world, crowd, ("service_message",))
    world.answers(
        "service_message",
        at_message(
            1, lambda: member_services.erase_member(member_id=crowd[0], reason="own_wish", actor=DIRECTOR)
        ),
    )
    services.send_due_reaches()
    row = world.row(key(0))
    assert (row.state, row.content, row.message_id) == ("sent", "", "")


def test_two_workers_on_one_crowd_send_each_once(world: World) -> None:
    set_rate(world, "service", 5_000)
    queue_for(world, world.crowd(700), ("service_message",))
    assert sum(at_once([services.send_due_reaches] * 2)) == 700
    assert set(Reach.objects.values_list("state", flat=True)) == {"sent"}
    assert heard(world, "service_message") == Counter(range(700))
