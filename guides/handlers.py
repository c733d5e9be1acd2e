"""What `guides` does when the gateway or the domain tells of something. All may be delivered twice."""

import datetime as dt
import logging

from core import clock
from core.actor import Actor
from core.errors import Unavailable
from guides import events, services
from members import events as member_events
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


def on_message_received(event: wechat_events.MessageReceived) -> None:
    """What no rule settles is kept for her guide."""
    if event.is_answered:
        return
    services.keep_message(
        account_id=event.account_id,
        app_id=event.app_id,
        openid=event.openid,
        kind=event.kind,
        inbound_id=event.inbound_id,
        actor=Actor.wechat(),
        at=min(clock.from_unix(event.at), clock.now()),
    )


def on_member_bound(event: events.MemberBound) -> None:
    """The guide is told of her new member."""
    services.tell_of_new_member(binding_id=event.binding_id)


def on_member_unbound(event: events.MemberUnbound) -> None:
    """The guide is told whom she lost."""
    services.tell_of_lost_member(binding_id=event.binding_id)


def on_request_stepped(event: events.RequestStepped) -> None:
    """The member and the guides concerned are told of it."""
    services.tell_of_request_step(step_id=event.step_id)


def move_requests_of_bound(event: events.MemberBound) -> None:
    """What she has asked for goes to her new guide."""
    services.settle_member_requests(member_id=event.member_id, actor=Actor.system("on_member_bound"))


def move_requests_of_unbound(event: events.MemberUnbound) -> None:
    """What her guide of before had not done goes where it belongs now."""
    services.settle_member_requests(member_id=event.member_id, actor=Actor.system("on_member_unbound"))


def move_requests_of_merged(event: member_events.MemberMerged) -> None:
    """What either row asked for goes to the guide of the one she lives on in."""
    services.settle_member_requests(member_id=event.into_member_id, actor=Actor.system("on_member_merged"))


def move_requests_of_parted(event: member_events.MemberUnmerged) -> None:
    """What each of the two asked for goes to that one's own guide."""
    for member_id in (event.parted_member_id, event.survivor_id):
        services.settle_member_requests(member_id=member_id, actor=Actor.system("on_member_unmerged"))


def move_follow_ups_of_bound(event: events.MemberBound | events.MemberUnbound) -> None:
    """What was to be done for her is her new guide's, or waits until she has one."""
    services.settle_follow_ups(member_ids=[event.member_id])


def move_follow_ups_of_merged(event: member_events.MemberMerged) -> None:
    """What was to be done for either row is for the guide of the one she lives on in."""
    services.settle_follow_ups(member_ids=[event.into_member_id])


def on_tags_changed(event: member_events.MembersTagged | member_events.MembersUntagged) -> None:
    """Followers' tags in WeChat that follow this one are to be looked at."""
    services.note_tag_change(member_tag_id=event.tag_id)


def on_guide_left(event: events.GuideLeft) -> None:
    """What she had not done goes to the store, or where the member's binding wants it."""
    services.settle_guide_requests(guide_id=event.guide_id, actor=Actor.system("on_guide_left"))


def on_guide_moved(event: events.GuideMoved) -> None:
    """Her own members' requests go with her to the new store; others stay in the old one."""
    services.settle_guide_requests(guide_id=event.guide_id, actor=Actor.system("on_guide_moved"))


def on_channel_code_opened(event: events.ChannelCodeOpened) -> None:
    """WeChat is asked for the code's ticket. What cannot be had now, renew_channel_codes asks for again."""
    try:
        services.publish_channel_code(event.channel_code_id)
    except (NoAccount, CodeBudgetSpent, WeChatRefused, Unavailable) as refusal:
        logger.info(
            "guides.code_not_published",
            extra={"channel_code": event.channel_code_id, "refusal": refusal.code},
        )


def on_points_granted(event: member_events.PointsGranted) -> None:
    """She is told, in the transaction that gave or took them."""
    services.tell_of_points(entry_id=event.entry_id)


def on_points_expiring(event: member_events.PointsExpiring) -> None:
    """She is told, while she may be written to."""
    services.tell_of_expiring_points(
        member_id=event.member_id, expires_on=dt.date.fromisoformat(event.expires_on), points=event.points
    )


def on_tier_changed(event: member_events.TierChanged) -> None:
    """Who rose is told."""
    services.tell_of_upgrades(first_change_id=event.first_change_id, last_change_id=event.last_change_id)


def on_tier_at_risk(event: member_events.TierAtRisk) -> None:
    """She is warned, while she may be written to."""
    services.tell_of_tier_at_risk(
        member_id=event.member_id, tier_id=event.tier_id, ends_on=dt.date.fromisoformat(event.ends_on)
    )
