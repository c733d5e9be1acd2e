"""The desk of templates, and the channels on the quota page."""

import datetime as dt

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from tests.cast import Cast
from wechat.models import MessageTemplate, SendLane, TemplateTrial
from wechat.services import lanes
from wechat.services.verdicts import Trouble

LIST = "admin:wechat_messagetemplate_changelist"


@pytest.fixture
def template(cast: Cast) -> MessageTemplate:
    return MessageTemplate.objects.create(
        account_id=cast.account_id,
        template_id="T1",
        title="发货提醒",
        content="商品名称:{{thing1.DATA}}\n发货时间:{{time2.DATA}}",
        example="商品名称:羊毛大衣\n发货时间:2026年11月28日 10:00",
        fields=[
            {"name": "thing1", "kind": "thing", "label": "商品名称", "example": "羊毛大衣"},
            {"name": "time2", "kind": "time", "label": "发货时间", "example": "2026年11月28日 10:00"},
        ],
        synced_at=clock.now(),
    )


def page_of(template: MessageTemplate) -> str:
    return reverse("admin:wechat_messagetemplate_change", args=[template.pk])


def test_the_page_shows_the_message_as_the_phone_does_with_its_rules(
    desk: Client, template: MessageTemplate
) -> None:
    body = desk.get(page_of(template)).content.decode()
    for words in ("发货提醒", "羊毛大衣", "20 个字以内", "24 小时制的时间", "还没有试发过"):
        assert words in body


def test_the_list_says_which_templates_are_gone(desk: Client, template: MessageTemplate) -> None:
    MessageTemplate.objects.update(gone_at=clock.now())
    assert "微信里已删除" in desk.get(reverse(LIST)).content.decode()
    assert "发货提醒" not in desk.get(reverse(LIST), {"live": "yes"}).content.decode()
    assert "试发一条" not in desk.get(page_of(template)).content.decode()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"recipient": "没有这个人"}, "recipient"),
        ({"recipient": ""}, "recipient"),
        ({"recipient": "oTESTUSER_00000000000000001", "time2": "明天"}, "time2"),
        ({"recipient": "oTESTUSER_00000000000000001", "opens": "javascript:alert(1)"}, "opens"),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_field(
    desk: Client, template: MessageTemplate, values: dict[str, str], field: str
) -> None:
    filled = {"thing1": "大衣", "time2": "10:00", **values}
    answer = desk.post(page_of(template), filled)
    assert set(answer.context["form"].errors) == {field}
    assert not TemplateTrial.objects.exists()


def test_staff_who_may_only_look_cannot_send(looker: Client, template: MessageTemplate) -> None:
    body = looker.get(page_of(template)).content.decode()
    assert "试发一条" not in body
    looker.post(
        page_of(template), {"recipient": "oTESTUSER_00000000000000001", "thing1": "x", "time2": "10:00"}
    )
    assert not TemplateTrial.objects.exists()


# Channels -------------------------------------------------------------------------------------------------


@pytest.fixture
def halted(cast: Cast) -> SendLane:
    lanes.note_trouble(
        account_id=cast.account_id,
        channel="template",
        trouble=Trouble("halt", "wechat.no_permission", 48001),
        at=clock.now(),
    )
    return SendLane.objects.get()


def test_a_halt_is_told_on_the_first_page_and_lifted_on_the_quota_page(
    desk: Client, halted: SendLane
) -> None:
    first = desk.get(reverse("admin:index")).content.decode()
    assert "停发的消息通道：素衣 SUYI · 模板消息" in first
    assert "（48001）" in first
    assert "请在微信后台确认这个账号已开通该接口，再恢复" in first
    body = desk.get(reverse("admin:wechat_quota")).content.decode()
    lift = reverse("admin:wechat_sendlane_lift", args=[halted.pk])
    assert "48001" in body
    assert lift in body
    assert "停发原因" in desk.get(lift).content.decode()
    answer = desk.post(lift, {"_confirmed": "1"})
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [
        "已恢复发送，等着的消息会陆续发出"
    ]
    assert "停发的消息通道" not in desk.get(reverse("admin:index")).content.decode()


def test_a_halt_that_somebody_else_lifted_is_said_so(desk: Client, halted: SendLane, cast: Cast) -> None:
    lanes.lift_halt(account_id=cast.account_id, channel="template", actor=Actor.system("x"))
    answer = desk.post(reverse("admin:wechat_sendlane_lift", args=[halted.pk]), {"_confirmed": "1"})
    assert "没有停发" in answer.content.decode()


@pytest.mark.parametrize(("rate", "saved"), [("20", 20), ("0", 200), ("5001", 200), ("x", 200)])
def test_a_rate_is_changed_within_bounds(desk: Client, halted: SendLane, rate: str, saved: int) -> None:
    desk.post(
        reverse("admin:wechat_sendlane_change_rate", args=[halted.pk]),
        {"_confirmed": "1", "rate_per_s": rate},
    )
    halted.refresh_from_db()
    assert halted.rate_per_s == saved


def test_a_slowed_channel_says_until_when(desk: Client, halted: SendLane) -> None:
    SendLane.objects.update(halted_at=None, backoff_until=clock.now() + dt.timedelta(seconds=50))
    assert "放慢中" in desk.get(reverse("admin:wechat_quota")).content.decode()


def test_staff_who_may_only_look_cannot_lift(looker: Client, halted: SendLane) -> None:
    lift = reverse("admin:wechat_sendlane_lift", args=[halted.pk])
    assert lift not in looker.get(reverse("admin:wechat_quota")).content.decode()
    looker.post(lift, {"_confirmed": "1"})
    halted.refresh_from_db()
    assert halted.halted_at is not None
