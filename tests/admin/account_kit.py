"""The account's desks for the pages of the admin."""

import datetime as dt
from typing import Any

from core import clock
from core.actor import Actor
from guides import services as guide_services
from tests.admin.sms_kit import fill_texts
from tests.cast import Cast
from tests.wechat.reply_kit import make_rule
from wechat.models import (
    Follower,
    FollowerSync,
    FollowerTag,
    InboundEvent,
    MessageTemplate,
    OutboundCall,
    OutboundMessage,
    ReplyHours,
    TemplateTrial,
)
from wechat.models.account import PermanentCodeBudget
from wechat.services import lanes
from wechat.services.menus import save_menu_draft
from wechat.services.verdicts import Trouble


def make_push(account_id: int, number: int, **values: Any) -> InboundEvent:
    """One stored push."""
    at = values.pop("at", None) or clock.now() - dt.timedelta(minutes=number)
    fields = {
        "dedupe_key": f"push-{number}",
        "kind": "event.subscribe",
        "openid": "oxiaomei00000000000000000000",
        "raw": "<xml><FromUserName>oxiaomei00000000000000000000</FromUserName>"
        "<Content>13912345678</Content></xml>",
        "state": "processed",
        "received_at": at,
        "pushed_at": at,
    }
    return InboundEvent.objects.create(account_id=account_id, **{**fields, **values})


def fill_account(cast: Cast) -> None:
    """What came from WeChat and what went to it, what staff keep there, and text messages."""
    now = clock.now()
    account = cast.account_id
    make_push(account, 1)
    make_push(account, 2, kind="event.strange", state="ignored")
    Follower.objects.create(account_id=account, openid=cast.xiaomei_openid, followed_at=now)
    OutboundMessage.objects.create(
        account_id=account,
        openid=cast.xiaomei_openid,
        kind="text",
        payload={"text": "您好"},
        reason_key="r1",
        state="dropped",
        outcome="超出可发消息的时间",
        errcode=45015,
        created_at=now,
        not_before=now,
        window_until=now,
    )
    OutboundCall.objects.create(
        account_id=account,
        path="/cgi-bin/stable_token",
        called_at=now,
        called_on=clock.business_day(now),
        outcome="ok",
        latency_ms=80,
    )
    fill_texts()
    guide_services.keep_message(
        account_id=account,
        app_id=cast.app_id,
        openid=cast.xiaoli_openid,
        kind="image",
        inbound_id=987_000,
        actor=Actor.wechat(),
    )
    guide_services.save_quick_reply(
        reply_id=None,
        group="尺码",
        title="问身高体重",
        text="{会员}，您的身高体重是多少？",
        is_active=True,
        order=1,
        actor=Actor.system("test"),
    )
    fill_desk(account)
    fill_templates(cast)


def fill_desk(account: int) -> None:
    """A reply, hours, a menu, a sync under way, a tag, a channel that WeChat stopped."""
    now = clock.now()
    PermanentCodeBudget.objects.create(account_id=account, spent_count=1_204)
    make_rule(account, "欢迎", {"text": "欢迎关注"}, trigger="follow")
    ReplyHours.objects.create(account_id=account, weekly=["10:00-22:00"] * 7)
    save_menu_draft(
        account_id=account,
        buttons=[{"type": "click", "name": "积分", "key": "POINTS"}],
        conditionals=[{"tag_id": "100", "buttons": [{"type": "click", "name": "会员", "key": "VIP"}]}],
        actor=Actor.system("test"),
    )
    FollowerSync.objects.create(
        account_id=account, started_at=now, phase_started_at=now, moved_at=now, total_count=100_000
    )
    FollowerTag.objects.create(account_id=account, wechat_tag_id=100, name="老客", synced_at=now)
    halt = Trouble("halt", "wechat.no_permission", 48001)
    lanes.note_trouble(account_id=account, channel="template", trouble=halt, at=now)


def fill_templates(cast: Cast) -> None:
    """A template that was tried."""
    now = clock.now()
    template = MessageTemplate.objects.create(
        account_id=cast.account_id,
        template_id="T-delivery",
        title="发货提醒",
        content="商品名称:{{thing1.DATA}}",
        example="商品名称:羊毛大衣",
        fields=[{"name": "thing1", "kind": "thing", "label": "商品名称", "example": "羊毛大衣"}],
        synced_at=now,
    )
    TemplateTrial.objects.create(
        template=template,
        openid=cast.xiaomei_openid,
        tried_at=now,
        tried_by="总部",
        state="sent",
        message_id="7",
    )
