"""What WeChat tells of a message after it took it, and how templates are filled."""

import datetime as dt
from typing import Any

import pytest

from campaigns import handlers, services
from campaigns.errors import MappingUnfit
from campaigns.models import Reach, ReachBar, ReachState, TopicTemplate
from campaigns.services.mapping import guess_fields, map_topic
from core import clock
from core.actor import Actor
from core.errors import Unavailable
from tests.campaigns.kit import MINI_APP, MINI_OPENID, SUBSCRIPTION_ID, World, make_template, tries_of
from tests.cast import APP_ID
from wechat.events import SubscriptionAnswered, SubscriptionSettled, TemplateDelivered
from wechat.services.templates import get_template

STAFF = Actor.staff(1, "总部")


def delivered(world: World, status: str = "success", message_id: str = "77001") -> None:
    now = int(clock.now().timestamp())
    handlers.on_template_delivered(
        TemplateDelivered(
            world.cast.account_id, APP_ID, world.cast.xiaomei_openid, message_id, status, 1, now
        )
    )


def test_a_message_that_arrived_is_delivered_once(world: World) -> None:
    world.map_topic(kinds=("template",))
    world.send()
    delivered(world)
    delivered(world)
    assert world.row().state == "delivered"


@pytest.mark.parametrize(("status", "code"), [("blocked", "wechat.blocked"), ("failed", "not_delivered")])
def test_one_that_did_not_arrive_takes_the_next_channel(world: World, status: str, code: str) -> None:
    world.map_topic(kinds=("template",))
    world.send(channels=("template", "inbox"))
    delivered(world, status)
    services.send_due_reaches()
    row = world.row()
    assert (row.state, row.channel, tries_of(row)) == ("sent", "inbox", [("template", code)])
    assert ReachBar.objects.count() == (1 if status == "blocked" else 0)
    delivered(world, status)  # told again, it changes nothing
    assert world.row().channel == "inbox"


def test_news_that_is_faster_than_our_own_note_comes_again(world: World) -> None:
    world.map_topic(kinds=("template",))
    services.reach_member(order=world.order())
    Reach.objects.update(
        state=ReachState.SENDING,
        channel="template",
        lease_holder="x",
        leased_until=clock.now() + dt.timedelta(minutes=1),
        sent_at=clock.now(),
    )
    with pytest.raises(Unavailable):
        delivered(world)


def test_news_of_messages_that_are_not_ours_is_left_alone(world: World) -> None:
    delivered(world, message_id="4711")
    assert not Reach.objects.exists()


def test_a_subscription_message_that_did_not_arrive_takes_the_next_channel(world: World) -> None:
    world.map_topic(kinds=("subscription",))
    world.grant(2)
    world.send(channels=("subscription", "inbox"))
    now = int(clock.now().timestamp())
    handlers.on_subscription_settled(
        SubscriptionSettled(world.mini_id, MINI_APP, MINI_OPENID, SUBSCRIPTION_ID, "77001", False, 1, 1, now)
    )
    services.send_due_reaches()
    assert world.row().channel == "inbox"


@pytest.mark.parametrize(
    ("is_accepted", "is_setting", "left"),
    [(True, False, 3), (False, False, 2), (True, True, 2), (False, True, 0)],
)
def test_pushes_about_consents(world: World, is_accepted: bool, is_setting: bool, left: int) -> None:
    world.grant(2)
    event = SubscriptionAnswered(
        world.mini_id,
        MINI_APP,
        MINI_OPENID,
        SUBSCRIPTION_ID,
        is_accepted,
        is_setting,
        7,
        int(clock.now().timestamp()),
    )
    for _turn in range(3):
        handlers.on_subscription_answered(event)
    assert world.grants() == left


def test_a_lasting_template_needs_one_consent_for_many_messages(world: World) -> None:
    world.map_topic(kinds=("subscription",))
    make_template(world.mini_id, SUBSCRIPTION_ID).__class__.objects.update(is_lasting=True)
    world.grant(1)
    assert [world.send(key).channel for key in ("a", "b", "c")] == ["subscription"] * 3
    assert world.grants() == 1


# Mapping ---------------------------------------------------------------------------------------------------


def map_coupons(world: World, fields: Any = None) -> TopicTemplate:
    template = make_template(world.cast.account_id, "tpl-map")
    pk = map_topic(
        topic="coupon_expiring",
        template_pk=template.pk,
        fields=fields,
        page="",
        is_on=True,
        actor=STAFF,
    )
    return TopicTemplate.objects.get(pk=pk)


def test_keywords_are_guessed_by_their_words_and_kinds(world: World) -> None:
    row = map_coupons(world)
    assert row.fields["number2"] == {"value": "count"}
    assert row.kind == "template"
    card = get_template(make_template(world.cast.account_id, "tpl-map").pk)
    assert set(guess_fields(topic="sale", card=card)) == {"thing1", "number2", "thing3"}


@pytest.mark.parametrize(
    "fields",
    [
        {"thing1": {"value": "no_such"}, "number2": {"value": "count"}, "thing3": {"words": "x"}},
        {"thing1": {"value": "title"}, "number2": {"words": "三张"}, "thing3": {"words": "x"}},
        {"thing1": {"value": "title"}, "thing3": {"words": "x"}},
    ],
)
def test_what_wechat_would_refuse_is_refused_before(world: World, fields: Any) -> None:
    with pytest.raises(MappingUnfit):
        map_coupons(world, fields)


def test_values_are_made_to_fit_and_what_cannot_be_passes_the_channel_over(world: World) -> None:
    world.map_topic(kinds=("template",))
    row = world.send(title="一张长长长长长长长长长长长长长长长长长长长长长长长长的标题")
    assert len(world.calls("template")[0]["data"]["thing1"]["value"]) == 20
    assert row.channel == "template"
    other = world.send("r2", values={"count": "两张"}, channels=("template", "inbox"))
    assert tries_of(other) == [("template", "field_unfit")]


def test_a_template_that_wechat_has_no_more_is_none(world: World) -> None:
    world.map_topic(kinds=("template",))
    make_template(world.cast.account_id, "tpl-official").__class__.objects.update(gone_at=clock.now())
    assert tries_of(world.send(channels=("template", "inbox"))) == [("template", "no_template")]
