"""What `members` does when the gateway tells of followers, and when an import is to go on. All may come twice."""

import datetime as dt
from typing import TYPE_CHECKING

from core import clock
from core.actor import Actor
from members import events, services

if TYPE_CHECKING:
    from members.events import ImportQueued
    from wechat import events as wechat_events


def on_follower_gained(event: "wechat_events.FollowerGained") -> None:
    """She is registered, and follows."""
    services.register_follower(
        app_id=event.app_id,
        openid=event.openid,
        unionid=event.unionid,
        scene=event.scene or "",
        actor=Actor.wechat(),
        at=_heard_at(event.at),
    )


def on_followers_listed(event: "wechat_events.FollowersListed") -> None:
    """All of the page are registered, and follow."""
    services.register_listed_followers(
        app_id=event.app_id, openids=event.openids.split(), actor=Actor.wechat(), at=_heard_at(event.at)
    )


def on_followers_identified(event: "wechat_events.FollowersIdentified") -> None:
    """Their unionids link them to whoever they are elsewhere."""
    unionids = dict(line.split(" ") for line in event.people.split("\n"))
    services.identify_followers(app_id=event.app_id, unionids=unionids, actor=Actor.wechat())


def on_follower_lost(event: "wechat_events.FollowerLost") -> None:
    """She follows no more."""
    services.note_unfollow(
        app_id=event.app_id, openid=event.openid, actor=Actor.wechat(), at=_heard_at(event.at)
    )


def on_authorization_revoked(event: "wechat_events.AuthorizationRevoked") -> None:
    """What she withdrew is deleted."""
    services.forget_authorization(
        app_id=event.app_id,
        openid=event.openid,
        unionid=event.unionid,
        revoke_info=event.revoke_info,
        is_cancellation=event.is_cancellation,
        actor=Actor.wechat(),
        at=_heard_at(event.at),
    )


def on_reassessment_requested(event: events.ReassessmentRequested) -> None:
    """Work it off now; the job of the same name finds it if this is lost."""
    services.run_reassessments(actor=Actor.system("run_reassessments"))


def on_member_merged(event: events.MemberMerged) -> None:
    """What others wrote to the emptied row at that very moment comes along."""
    services.sweep_emptied(member_id=event.from_member_id, actor=Actor.system("on_member_merged"))


def on_profile_completed(event: events.ProfileCompleted) -> None:
    """She gets the points the chain gives for it, if any."""
    services.reward_profile(member_id=event.member_id, actor=Actor.system("on_profile_completed"))


def on_identity_linked(event: events.IdentityLinked) -> None:
    """What servers told of this openid is hers."""
    services.adopt_behaviours(member_id=event.member_id)


def on_consent_withdrawn(event: events.ConsentWithdrawn) -> None:
    """What she did is forgotten, if that is what she agrees to no more."""
    services.forget_behaviours(member_id=event.member_id)


def on_member_joined(event: events.MemberJoined) -> None:
    """What she did before stays if she agrees."""
    services.forget_behaviours(member_id=event.member_id)


def on_import_queued(event: "ImportQueued") -> None:
    """The import goes on, unless another worker has it."""
    services.work_import(event.job_id)


def _heard_at(unix_seconds: int) -> dt.datetime:
    """WeChat's time of the push; its clock may run ahead of ours, and nothing we keep lies in the future."""
    return min(clock.from_unix(unix_seconds), clock.now())
