"""One message goes to one member once, over the first channel of its chain that takes it; why not over the others stands
beside it."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps

from campaigns import services
from campaigns.errors import ReachUnfit, TopicIsMarketing
from campaigns.models import InboxMessage, Reach, ReachBar, TopicRule
from campaigns.selectors.policy import list_topic_terms
from campaigns.services.policy import set_topic_rule
from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.contracts import MemberText
from members import services as member_services
from tests.campaigns.kit import SUBSCRIPTION_ID, TEMPLATE_ID, World, tries_of
from tests.cast import DIRECTOR
from tests.threads import at_once
from tests.wechat.scripted_server import DROP, Reply, error


def follow_ups() -> list[Any]:
    return list(apps.get_model("guides", "FollowUp").objects.order_by("pk"))


def test_a_subscription_message_comes_first_and_uses_up_a_consent(world: World) -> None:
    world.map_topic()
    world.grant(2)
    row = world.send()
    assert (row.state, row.channel, row.code, tries_of(row)) == ("sent", "subscription", "", [])
    [body] = world.calls("subscription")
    assert body["template_id"] == SUBSCRIPTION_ID
    assert body["page"] == "pages/coupons"
    assert body["data"] == {
        "thing1": {"value": "券快到期了"},
        "number2": {"value": "2"},
        "thing3": {"value": "到店使用"},
    }
    assert world.grants() == 1


def test_without_a_consent_the_template_message_goes(world: World) -> None:
    world.map_topic()
    row = world.send()
    assert (row.state, row.channel, row.message_id) == ("sent", "template", "77001")
    assert tries_of(row) == [("subscription", "no_grant")]
    [body] = world.calls("template")
    assert (body["template_id"], len(body["client_msg_id"])) == (TEMPLATE_ID, 32)
    assert body["miniprogram"]["pagepath"] == "pages/coupons"


def test_with_an_open_window_and_no_template_a_service_message_goes(world: World) -> None:
    world.open_window()
    row = world.send()
    assert (row.state, row.channel) == ("sent", "service_message")
    assert tries_of(row) == [("subscription", "no_template"), ("template", "no_template")]
    assert world.calls("service_message")[0]["text"] == {"content": "您有 2 张券用到 12 月 1 日为止。"}


def test_else_her_guide_has_a_follow_up(by_day: None, world: World) -> None:
    row = world.send()
    assert (row.state, row.channel) == ("sent", "follow_up")
    assert tries_of(row)[-1] == ("service_message", "no_window")
    [task] = follow_ups()
    assert (task.guide_id, task.title, task.script) == (
        world.cast.lina.id,
        "券快到期了",
        "您有 2 张券用到 12 月 1 日为止。",
    )
    assert task.due_on == clock.today() + dt.timedelta(days=3)


def test_and_who_has_no_guide_finds_it_in_her_inbox(world: World) -> None:
    guide_services.unbind_member(member_id=world.cast.xiaomei.id, reason="换城市", actor=DIRECTOR)
    row = world.send()
    assert (row.state, row.channel) == ("sent", "inbox")
    assert tries_of(row)[-1] == ("follow_up", "no_guide")
    message = InboxMessage.objects.get()
    assert (message.title, message.page, message.read_at) == ("券快到期了", "pages/coupons", None)


def test_whom_no_channel_reaches_is_said_to_have_failed(world: World) -> None:
    row = world.send(member_id=world.cast.xiaoli.id)
    assert (row.state, row.code) == ("failed", "no_mini_program")
    assert [code for _channel, code in tries_of(row)] == [
        "no_template",
        "no_template",
        "not_following",
        "no_guide",
        "no_mini_program",
    ]


def test_a_reason_has_one_message_whoever_asks(world: World) -> None:
    assert services.reach_member(order=world.order()) is True
    assert services.reach_member(order=world.order(title="另一个标题")) is False
    assert services.queue_reaches(orders=[world.order(), world.order("r2"), world.order("r2")]) == 1
    assert Reach.objects.count() == 2


def test_ten_who_queue_one_reason_at_once_make_one_message(world: World) -> None:
    answers = at_once([lambda: services.reach_member(order=world.order())] * 10)
    assert sorted(answers) == [False] * 9 + [True]
    services.send_due_reaches()
    assert len(follow_ups()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "unheard_of"},
        {"title": " "},
        {"title": "长" * 61},
        {"text": ""},
        {"text": "长" * 1001},
        {"page": "p" * 201},
        {"channels": ()},
        {"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
        {"expires_at": dt.datetime(2050, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_an_unusable_order_is_refused_with_all_others(world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(ReachUnfit):
        services.queue_reaches(orders=[world.order(), world.order("r2", **wrong)])
    assert not Reach.objects.exists()


# What WeChat answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errcode", "code"),
    [(43101, "wechat.no_grant"), (47003, "wechat.field_refused"), (40003, "wechat.unknown_user")],
)
def test_a_refused_subscription_message_gives_way_to_the_next_channel(
    world: World, errcode: int, code: str
) -> None:
    world.map_topic()
    world.grant(3)
    world.answers("subscription", error(errcode))
    row = world.send()
    assert (row.state, row.channel) == ("sent", "template")
    assert tries_of(row) == [("subscription", code)]
    # WeChat says that there is none: then there is none. Otherwise she still has what she gave.
    assert world.grants() == (0 if errcode == 43101 else 3)


@pytest.mark.parametrize("errcode", [43004, 43019])
def test_who_blocked_between_check_and_send_is_left_alone_until_she_acts(world: World, errcode: int) -> None:
    world.map_topic(kinds=("template",))
    world.answers("template", error(errcode))
    row = world.send(channels=("template", "inbox"))
    assert (row.state, row.channel) == ("sent", "inbox")
    assert ReachBar.objects.count() == 1
    second = world.send("r2", channels=("template", "inbox"))
    assert tries_of(second) == [("template", "barred")]
    assert len(world.calls("template")) == 1
    world.answers("template", Reply(b'{"errcode":0,"errmsg":"ok","msgid":5}'))
    world.follow(acted_at=clock.now())  # she wrote a moment ago
    assert world.send("r3", channels=("template", "inbox")).channel == "template"


@pytest.mark.parametrize(
    ("errcode", "code"), [(45015, "wechat.window_closed"), (45047, "wechat.count_spent")]
)
def test_a_window_that_is_closed_after_all_gives_way(world: World, errcode: int, code: str) -> None:
    world.open_window()
    world.answers("service_message", error(errcode))
    row = world.send(channels=("service_message", "inbox"))
    assert (row.state, row.channel, tries_of(row)) == ("sent", "inbox", [("service_message", code)])


@pytest.mark.parametrize("channel", ["subscription", "service_message"])
@pytest.mark.parametrize("answer", [DROP, error(-1), Reply(b"<html>502</html>", content_type="text/html")])
def test_what_wechat_may_have_and_would_not_know_again_is_never_repeated(
    world: World, channel: str, answer: Reply
) -> None:
    world.map_topic()
    world.grant(2)
    world.open_window()
    world.answers(channel, answer)
    row = world.send(channels=(channel, "follow_up", "inbox"))
    assert (row.state, row.channel) == ("uncertain", channel)
    services.send_due_reaches()
    assert len(world.calls(channel)) == 1
    assert not follow_ups()
    assert not InboxMessage.objects.exists()
    assert world.grants() == (1 if channel == "subscription" else 2)


@pytest.mark.parametrize("answer", [DROP, error(-1), Reply(b"<html>502</html>", content_type="text/html")])
def test_a_template_message_in_doubt_is_repeated_under_its_own_id(world: World, answer: Reply) -> None:
    world.map_topic(kinds=("template",))
    world.answers("template", answer, error(45065))
    row = world.send()
    assert (row.state, row.channel, row.sent_at is None) == ("queued", "template", False)
    Reach.objects.update(not_before=clock.now())
    apps.get_model("wechat", "SendLane").objects.update(backoff_until=None)
    services.send_due_reaches()
    assert world.row().state == "sent"  # 45065: WeChat had it the first time
    first, second = world.calls("template")
    assert first["client_msg_id"] == second["client_msg_id"]


def test_after_ten_minutes_wechat_would_not_know_it_and_it_stays_in_doubt(world: World) -> None:
    world.map_topic(kinds=("template",))
    world.answers("template", DROP)
    world.send()
    Reach.objects.update(not_before=clock.now(), sent_at=clock.now() - dt.timedelta(minutes=10))
    services.send_due_reaches()
    assert (world.row().state, len(world.calls("template"))) == ("uncertain", 1)
    assert not follow_ups()


def test_too_fast_is_later_for_all_workers(world: World) -> None:
    world.map_topic(kinds=("template",))
    world.answers("template", error(45011))
    row = world.send()
    assert (row.state, row.code, row.sent_at) == ("queued", "wechat.too_fast", None)
    assert row.not_before > clock.now() + dt.timedelta(seconds=3)
    second = world.send("r2")
    assert (second.state, len(world.calls("template"))) == ("queued", 1)


@pytest.mark.parametrize("errcode", [45009, 48001, 40164])
def test_a_halted_account_is_not_asked_again_and_what_must_be_said_goes_another_way(
    world: World, errcode: int
) -> None:
    world.map_topic(kinds=("template",))
    world.answers("template", error(errcode))
    row = world.send(channels=("template", "inbox"))
    assert (row.state, row.sent_at) == ("queued", None)
    must = world.send("r2", channels=("template", "inbox"), importance="must")
    assert (must.state, must.channel) == ("sent", "inbox")
    assert len(world.calls("template")) == 1
    assert not InboxMessage.objects.exclude(reason_key="r2").exists()


# Whom it may not reach ------------------------------------------------------------------------------------


def test_marketing_reaches_only_who_agreed_and_news_who_did_not_take_it_back(world: World) -> None:
    assert (world.send("m1", importance="marketing").state, world.row("m1").code) == (
        "skipped",
        "no_consent",
    )
    world.agree_to_marketing()
    assert world.send("m2", importance="marketing").state == "sent"
    she = world.cast.xiaomei.id
    member_services.withdraw_consent(
        member_id=she, kind="marketing", door="mini_program", actor=Actor.member(she)
    )
    assert world.send("n1", importance="normal").code == "no_consent"
    assert world.send("x1", importance="must").state == "sent"


def test_the_topic_of_marketing_goes_to_who_agreed_whatever_a_rule_or_an_order_says(world: World) -> None:
    news = {"topic": "marketing", "values": {}}
    assert list_topic_terms()["marketing"].channels == (
        "subscription",
        "template",
        "service_message",
        "sms",
        "inbox",
    )
    with pytest.raises(TopicIsMarketing):
        set_topic_rule(topic="marketing", is_on=True, importance="must", channels=("inbox",), actor=DIRECTOR)
    TopicRule.objects.create(topic="marketing", is_on=True, importance="must", channels="template,inbox")
    for key, importance in (("a", None), ("b", "must")):
        row = world.send(key, **news, importance=importance)
        assert (row.importance, row.state, row.code) == ("marketing", "skipped", "no_consent")
    world.agree_to_marketing()
    assert (world.send("c", **news).state, world.row("c").channel) == ("sent", "inbox")


def test_news_that_the_chain_calls_marketing_leaves_no_row_without_a_consent(world: World) -> None:
    set_topic_rule(
        topic="coupon_expiring",
        is_on=True,
        importance="marketing",
        channels=("inbox",),
        actor=DIRECTOR,
    )
    told = [MemberText(world.cast.xiaomei.id, "coupon_expiring", "t", "券快到期了", "到店使用。")]
    assert services.tell_members(told=told, at=clock.now()) == 0
    world.agree_to_marketing()
    assert services.tell_members(told=told, at=clock.now()) == 1
    services.send_due_reaches()
    assert world.row("t").state == "sent"


def test_a_topic_that_is_off_an_old_message_and_a_changed_chain(world: World) -> None:
    TopicRule.objects.create(
        topic="coupon_expiring", is_on=True, importance="normal", channels="inbox,service_message"
    )
    world.open_window()
    assert world.send().channel == "service_message"  # the order of the chain is ours
    services.reach_member(order=world.order("old"))
    now = clock.now()
    Reach.objects.filter(reason_key="old").update(
        queued_at=now - dt.timedelta(days=3), expires_at=now - dt.timedelta(hours=1)
    )
    services.send_due_reaches()
    assert (world.row("old").state, world.row("old").code) == ("skipped", "expired")
    TopicRule.objects.update(is_on=False)
    assert world.send("off").code == "topic_off"


def test_a_merged_member_is_reached_as_who_she_lives_on_as(world: World) -> None:
    services.reach_member(order=world.order(member_id=world.cast.xiaoli.id))
    member_services.merge_members(
        first_id=world.cast.xiaoli.id,
        second_id=world.cast.xiaomei.id,
        survivor_id=world.cast.xiaomei.id,
        actor=DIRECTOR,
    )
    services.send_due_reaches()
    assert (world.row().state, world.row().member_id) == ("sent", world.cast.xiaomei.id)
    assert follow_ups()[0].member_id == world.cast.xiaomei.id
