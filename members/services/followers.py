"""Followers of an official account: who they are, whether they still follow, what they withdrew."""

import datetime as dt
import re
from typing import Final

from core import audit, clock, events
from core.actor import Actor
from members.contracts import MemberCard
from members.events import MemberFollowed, MemberRegistered, MemberUnfollowed
from members.models import Identity, Member, MemberIdentity, Source
from members.selectors import card_of, person_row_ids
from members.services.identities import (
    again_if_moved,
    check_identities,
    link,
    lock_owners,
    settle_unionid,
)

# RevokeInfo codes that cover what we keep (official page "授权用户信息变更"): nickname, and phone number.
_NAME_CODES: Final = frozenset({"205", "6", "19"})
_PHONE_CODES: Final = frozenset({"8"})
_WECHAT_DOORS: Final = frozenset({Source.FOLLOW, Source.SCAN, Source.MINI_PROGRAM, Source.SHARE})


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
        _note_following(member, is_following=False, actor=actor, at=at)
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


def forget_authorization(
    *, app_id: str, openid: str, revoke_info: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard | None:
    """What the withdrawn authorisation covered is gone: the name, the phone, or (no code given) both.

    None for a stranger. A member who joined at a till or by import gave her data to the shop, not to WeChat;
    hers stays. `revoke_info` is WeChat's code or codes.
    """
    withdrawn = set(re.findall(r"[0-9]+", revoke_info))

    def forget() -> MemberCard | None:
        member, mini = lock_owners((Identity.OPENID, app_id, openid), (Identity.MINI_OPENID, app_id, openid))
        member = member or mini
        if member is None:
            return None
        forgotten = _forget(member, withdrawn) if member.source in _WECHAT_DOORS else []
        audit.record(
            action="members.authorization_forgotten",
            subject=member,
            actor=actor,
            at=at,
            codes=sorted(withdrawn),
            forgotten=forgotten,
        )
        return card_of(member)

    return again_if_moved(forget)


def _forget(member: Member, withdrawn: set[str]) -> list[str]:
    forgotten: list[str] = []
    if not withdrawn or withdrawn & _NAME_CODES:
        member.name, member.name_tokens = "", []
        forgotten += ["name", "name_tokens"]
    if not withdrawn or withdrawn & _PHONE_CODES:
        member.phone = member.phone_tail = ""
        forgotten += ["phone", "phone_tail"]
        MemberIdentity.objects.filter(member=member, kind=Identity.PHONE).delete()
    if forgotten:
        member.save(update_fields=forgotten)
        # The rows merged into hers have forgotten it too: undoing a merge brings nothing back.
        rows = Member.objects.filter(pk__in=person_row_ids(member.pk))
        rows.update(**{field: getattr(member, field) for field in forgotten})
    return forgotten


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
