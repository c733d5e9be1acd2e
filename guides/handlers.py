"""What `guides` does when the gateway or the domain tells of something. All may be delivered twice."""

import logging

from core import clock
from core.actor import Actor
from core.errors import Unavailable
from guides import events, services
from wechat import events as wechat_events
from wechat.errors import CodeBudgetSpent, NoAccount, WeChatRefused

logger = logging.getLogger(__name__)


def on_code_scanned(event: wechat_events.CodeScanned) -> None:
    """She is registered, bound if the policy says so, and greeted."""
    services.answer_scan(
        account_id=event.account_id,
        app_id=event.app_id,
        openid=event.openid,
        unionid=event.unionid,
        scene=event.scene,
        is_new_follower=event.is_new_follower,
        inbound_id=event.inbound_id,
        actor=Actor.wechat(),
        # WeChat's clock may run ahead of ours; nothing we keep lies in the future.
        at=min(clock.from_unix(event.at), clock.now()),
    )


def on_member_bound(event: events.MemberBound) -> None:
    """The guide is told of her new member."""
    services.tell_of_new_member(binding_id=event.binding_id)


def on_member_unbound(event: events.MemberUnbound) -> None:
    """The guide is told whom she lost."""
    services.tell_of_lost_member(binding_id=event.binding_id)


def on_channel_code_opened(event: events.ChannelCodeOpened) -> None:
    """WeChat is asked for the code's ticket. What cannot be had now, renew_channel_codes asks for again."""
    try:
        services.publish_channel_code(event.channel_code_id)
    except (NoAccount, CodeBudgetSpent, WeChatRefused, Unavailable) as refusal:
        logger.info(
            "guides.code_not_published",
            extra={"channel_code": event.channel_code_id, "refusal": refusal.code},
        )
