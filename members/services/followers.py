"""Followers of an official account: who they are, whether they still follow, what they withdrew."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import Conflict
from members.contracts import MemberCard
from members.errors import IdentityUnusable
from members.events import IdentityLinked, MemberFollowed, MemberRegistered, MemberUnfollowed
from members.models import Identity, Member, MemberIdentity, Source
from members.selectors import card_of
from members.services.merging import merge_locked

Answer = TypeVar("Answer")

# RevokeInfo codes that cover what we keep (official page "授权用户信息变更"): nickname, and phone number.
_NAME_CODES: Final = frozenset({"205", "6", "19"})
_PHONE_CODES: Final = frozenset({"8"})
_WECHAT_DOORS: Final = frozenset({Source.FOLLOW, Source.SCAN, Source.MINI_PROGRAM, Source.SHARE})
_IDENTITY: Final = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_ATTEMPTS: Final = 5


class _Moved(Exception):
    """An identity changed hands while we waited for a lock."""


def _again_if_moved(work: Callable[[], Answer]) -> Answer:
    """Do the work in a transaction, and once more from the start when another process was in between.

    That is: it registered or linked the same identity between our look-up and our insert, or merged the
    member while we waited for her lock. Raises Conflict when that goes on.
    """
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                return work()
        except _Moved:
            continue
        except IntegrityError as error:
            if violated(error) != "memberidentity_one_owner":
                raise
    raise Conflict


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
    _check_identities(app_id, openid, unionid)

    def register() -> MemberCard:
        member = _known(app_id, openid, unionid, actor=actor, at=at)
        if member is None:
            member = _create(app_id, openid, unionid, scene=scene, actor=actor, at=at)
        else:
            _note_following(member, is_following=True, actor=actor, at=at)
        return card_of(member)

    return _again_if_moved(register)


def note_unfollow(
    *, app_id: str, openid: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard | None:
    """She no longer follows the account; member, identities and binding stay. None for a stranger.

    An unfollow older than the last follow is ignored: pushes may arrive out of order.
    """
    at = at or clock.now()

    def note() -> MemberCard | None:
        member = _lock_owner(Identity.OPENID, app_id, openid)
        if member is None:
            return None
        _note_following(member, is_following=False, actor=actor, at=at)
        return card_of(member)

    return _again_if_moved(note)


def identify_follower(
    *, app_id: str, openid: str, unionid: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard | None:
    """Her unionid is known. None for a stranger.

    When the unionid belongs to another member, the two rows are one person: they are merged and MemberMerged
    is published. Repeating it changes nothing.
    """
    at = at or clock.now()
    _check_identities(app_id, openid, unionid)

    def identify() -> MemberCard | None:
        member, namesake = _lock_owners((Identity.OPENID, app_id, openid), (Identity.UNIONID, "", unionid))
        if member is None:
            return None
        return card_of(_settle_unionid(member, namesake, unionid, actor=actor, at=at))

    return _again_if_moved(identify)


def forget_authorization(
    *, app_id: str, openid: str, revoke_info: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard | None:
    """What the withdrawn authorisation covered is gone: the name, the phone, or (no code given) both.

    None for a stranger. A member who joined at a till or by import gave her data to the shop, not to WeChat;
    hers stays. `revoke_info` is WeChat's code or codes.
    """
    withdrawn = set(re.findall(r"[0-9]+", revoke_info))

    def forget() -> MemberCard | None:
        member, mini = _lock_owners((Identity.OPENID, app_id, openid), (Identity.MINI_OPENID, app_id, openid))
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

    return _again_if_moved(forget)


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
    return forgotten


def _check_identities(app_id: str, openid: str, unionid: str | None) -> None:
    if not 1 <= len(app_id) <= 40 or not _IDENTITY.fullmatch(openid):
        raise IdentityUnusable
    if unionid is not None and not _IDENTITY.fullmatch(unionid):
        raise IdentityUnusable


def _lock_owner(kind: Identity, app_id: str, value: str) -> Member | None:
    """The member an identity belongs to, locked, or None."""
    return _lock_owners((kind, app_id, value))[0]


def _lock_owners(*wanted: tuple[Identity, str, str]) -> list[Member | None]:
    """The members these identities belong to, all locked in pk order; None where nobody has the identity.

    Identities always point to a living row. A merge may move them while we wait for the locks: then the
    caller rolls back, which gives the locks up, and asks again. Asking again with the old rows still locked
    would lock out of order and end in a deadlock.
    """
    owners = [_owner_id(*identity) for identity in wanted]
    rows = {row.pk: row for row in Member.objects.lock_all({pk for pk in owners if pk is not None})}
    if [_owner_id(*identity) for identity in wanted] != owners:
        raise _Moved
    return [None if pk is None else rows[pk] for pk in owners]


def _owner_id(kind: Identity, app_id: str, value: str) -> int | None:
    identity = MemberIdentity.objects.filter(kind=kind, app_id=app_id, value=value)
    return identity.values_list("member_id", flat=True).first()


def _known(app_id: str, openid: str, unionid: str | None, *, actor: Actor, at: dt.datetime) -> Member | None:
    """The member with this openid or unionid, locked, with both linked to her; None for a stranger."""
    if unionid is None:
        return _lock_owner(Identity.OPENID, app_id, openid)
    member, namesake = _lock_owners((Identity.OPENID, app_id, openid), (Identity.UNIONID, "", unionid))
    if member is not None:
        return _settle_unionid(member, namesake, unionid, actor=actor, at=at)
    if namesake is not None:
        _link(namesake, Identity.OPENID, app_id, openid, actor=actor, at=at)
    return namesake


def _settle_unionid(
    member: Member, namesake: Member | None, unionid: str, *, actor: Actor, at: dt.datetime
) -> Member:
    """`namesake` has the unionid now, nobody if None; both rows are locked."""
    if namesake is None:
        _link(member, Identity.UNIONID, "", unionid, actor=actor, at=at)
        return member
    if namesake.pk == member.pk:
        return member
    return merge_locked(one=member, other=namesake, actor=actor, at=at)


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
    _link(member, Identity.OPENID, app_id, openid, actor=actor, at=at)
    if unionid is not None:
        _link(member, Identity.UNIONID, "", unionid, actor=actor, at=at)
    audit.record(action="members.registered", subject=member, actor=actor, at=at, source=member.source)
    events.publish(MemberRegistered(member.pk))
    events.publish(MemberFollowed(member.pk))
    return member


def _link(member: Member, kind: Identity, app_id: str, value: str, *, actor: Actor, at: dt.datetime) -> None:
    identity = MemberIdentity.objects.create(
        member=member, kind=kind, app_id=app_id, value=value, linked_at=at
    )
    audit.record(action="members.identity_linked", subject=member, actor=actor, at=at, kind=kind.value)
    events.publish(IdentityLinked(member.pk, identity.pk))


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
