"""People who come through a mini-program."""

import datetime as dt

from core import audit, clock, events
from core.actor import Actor
from members.contracts import MemberCard
from members.events import MemberRegistered
from members.models import Identity, Member, Source
from members.selectors import card_of
from members.services.identities import (
    again_if_moved,
    check_identities,
    link,
    lock_owners,
    settle_unionid,
)


def register_mini_visitor(
    *,
    app_id: str,
    openid: str,
    unionid: str | None = None,
    scene: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> MemberCard:
    """She is a member of ours (a prospect when new), known by her openid in this mini-program.

    May be called any number of times, from any number of processes: the unique identity decides who creates
    her. A unionid known from elsewhere, of a follower say, makes the openid one more identity of that member;
    when both exist as rows of their own, the two are merged. `scene` is kept with a new row only: the door
    through which she first came. Refuses identities WeChat cannot have given.
    """
    at = at or clock.now()
    check_identities(app_id=app_id, openid=openid, unionid=unionid)

    def register() -> MemberCard:
        member = _known(app_id, openid, unionid, actor=actor, at=at)
        if member is None:
            member = _create(app_id, openid, unionid, scene=scene, actor=actor, at=at)
        return card_of(member)

    return again_if_moved(register)


def _known(app_id: str, openid: str, unionid: str | None, *, actor: Actor, at: dt.datetime) -> Member | None:
    """The member with this openid or unionid, locked, with both linked to her; None for a stranger."""
    hers = (Identity.MINI_OPENID, app_id, openid)
    if unionid is None:
        return lock_owners(hers)[0]
    member, namesake = lock_owners(hers, (Identity.UNIONID, "", unionid))
    if member is not None:
        return settle_unionid(member=member, namesake=namesake, unionid=unionid, actor=actor, at=at)
    if namesake is not None:
        link(member=namesake, kind=Identity.MINI_OPENID, app_id=app_id, value=openid, actor=actor, at=at)
    return namesake


def _create(
    app_id: str, openid: str, unionid: str | None, *, scene: str, actor: Actor, at: dt.datetime
) -> Member:
    member = Member.objects.create(
        source=Source.MINI_PROGRAM, source_scene=scene.replace("\0", "")[:64], registered_at=at
    )
    link(member=member, kind=Identity.MINI_OPENID, app_id=app_id, value=openid, actor=actor, at=at)
    if unionid is not None:
        link(member=member, kind=Identity.UNIONID, app_id="", value=unionid, actor=actor, at=at)
    audit.record(action="members.registered", subject=member, actor=actor, at=at, source=member.source)
    events.publish(MemberRegistered(member.pk))
    return member
