"""Followers of an official account: who they are, whether they still follow, what they withdrew."""

import datetime as dt

from core import audit, clock, events
from core.actor import Actor
from members.contracts import MemberCard
from members.events import MemberFollowed, MemberRegistered, MemberUnfollowed
from members.models import ConsentDoor, Identity, Member, Source
from members.selectors import MARKETING, card_of, get_privacy_decisions
from members.services.consents import withdraw_kinds
from members.services.identities import (
    again_if_moved,
    check_identities,
    link,
    lock_owners,
    settle_unionid,
)


def register_follower(
    *,
    app_id: str,
    openid: str,
    unionid: str | None = None,
    scene: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> MemberCard:
    """She is a member of ours (a prospect when new) and follows the account since `at`.

    May be called any number of times, from any number of processes: the unique identity decides who creates
    her. A unionid known from elsewhere makes the openid one more identity of that member. A follow that is
    older than what we last heard of her following changes nothing but her existence.
    Refuses identities WeChat cannot have given.
    """
    at = at or clock.now()
    check_identities(app_id=app_id, openid=openid, unionid=unionid)

    def register() -> MemberCard:
        member = _known(app_id, openid, unionid, actor=actor, at=at)
        if member is None:
            member = _create(app_id, openid, unionid, scene=scene, actor=actor, at=at)
        else:
            _note_following(member, is_following=True, actor=actor, at=at)
        return card_of(member)

    return again_if_moved(register)


def note_unfollow(
    *, app_id: str, openid: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard | None:
    """She no longer follows the account; member, identities and binding stay. None for a stranger.

    An unfollow older than the last follow is ignored: pushes may arrive out of order.
    """
    at = at or clock.now()

    def note() -> MemberCard | None:
        member = lock_owners((Identity.OPENID, app_id, openid))[0]
        if member is None:
            return None
        was_following = member.is_following
        _note_following(member, is_following=False, actor=actor, at=at)
        if was_following and not member.is_following and get_privacy_decisions().unfollow_withdraws_marketing:
            withdraw_kinds(
                member_id=member.pk, kinds=[MARKETING], door=ConsentDoor.WECHAT, actor=actor, at=at
            )
        return card_of(member)

    return again_if_moved(note)


def identify_follower(
    *, app_id: str, openid: str, unionid: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard | None:
    """Her unionid is known. None for a stranger.

    When the unionid belongs to another member, the two rows are one person: they are merged and MemberMerged
    is published. Repeating it changes nothing.
    """
    at = at or clock.now()
    check_identities(app_id=app_id, openid=openid, unionid=unionid)

    def identify() -> MemberCard | None:
        member, namesake = lock_owners((Identity.OPENID, app_id, openid), (Identity.UNIONID, "", unionid))
        if member is None:
            return None
        return card_of(settle_unionid(member=member, namesake=namesake, unionid=unionid, actor=actor, at=at))

    return again_if_moved(identify)


def _known(app_id: str, openid: str, unionid: str | None, *, actor: Actor, at: dt.datetime) -> Member | None:
    """The member with this openid or unionid, locked, with both linked to her; None for a stranger."""
    if unionid is None:
        return lock_owners((Identity.OPENID, app_id, openid))[0]
    member, namesake = lock_owners((Identity.OPENID, app_id, openid), (Identity.UNIONID, "", unionid))
    if member is not None:
        return settle_unionid(member=member, namesake=namesake, unionid=unionid, actor=actor, at=at)
    if namesake is not None:
        link(member=namesake, kind=Identity.OPENID, app_id=app_id, value=openid, actor=actor, at=at)
    return namesake


def _create(
    app_id: str, openid: str, unionid: str | None, *, scene: str, actor: Actor, at: dt.datetime
) -> Member:
    member = Member.objects.create(
        source=Source.SCAN if scene else Source.FOLLOW,
        source_scene=scene.replace("\0", "")[:64],
        is_following=True,
        follow_changed_at=at,
        registered_at=at,
    )
    link(member=member, kind=Identity.OPENID, app_id=app_id, value=openid, actor=actor, at=at)
    if unionid is not None:
        link(member=member, kind=Identity.UNIONID, app_id="", value=unionid, actor=actor, at=at)
    audit.record(action="members.registered", subject=member, actor=actor, at=at, source=member.source)
    events.publish(MemberRegistered(member.pk))
    events.publish(MemberFollowed(member.pk))
    return member


def _note_following(member: Member, *, is_following: bool, actor: Actor, at: dt.datetime) -> None:
    if member.follow_changed_at is not None and at < member.follow_changed_at:
        return
    was_following = member.is_following
    if was_following == is_following and member.follow_changed_at == at:
        return
    member.is_following = is_following
    member.follow_changed_at = at
    member.save(update_fields=["is_following", "follow_changed_at"])
    if was_following == is_following:
        return
    audit.record(
        action="members.followed" if is_following else "members.unfollowed",
        subject=member,
        actor=actor,
        at=at,
    )
    events.publish(MemberFollowed(member.pk) if is_following else MemberUnfollowed(member.pk))
