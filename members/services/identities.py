"""Who an outside identity belongs to, under locks: the ground of every door through which people come."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import IntegrityError, transaction

from core import audit, events
from core.actor import Actor
from core.constraints import violated
from core.errors import Conflict
from members.errors import IdentityUnusable
from members.events import IdentityLinked
from members.models import GivenThrough, Identity, Member, MemberIdentity
from members.services.merging import merge_locked

Answer = TypeVar("Answer")

_IDENTITY: Final = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_ATTEMPTS: Final = 5


class Moved(Exception):
    """An identity changed hands while we waited for a lock."""


def again_if_moved(work: Callable[[], Answer]) -> Answer:
    """Do the work in a transaction, and once more from the start when another process was in between.

    That is: it registered or linked the same identity between our look-up and our insert, or merged the
    member while we waited for her lock. Raises Conflict when that goes on.
    """
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                return work()
        except Moved:
            continue
        except IntegrityError as error:
            if violated(error) != "memberidentity_one_owner":
                raise
    raise Conflict


def check_identities(*, app_id: str, openid: str, unionid: str | None) -> None:
    """Raise IdentityUnusable for what WeChat cannot have given."""
    if not 1 <= len(app_id) <= 40 or not _IDENTITY.fullmatch(openid):
        raise IdentityUnusable
    if unionid is not None and not _IDENTITY.fullmatch(unionid):
        raise IdentityUnusable


def lock_owners(*wanted: tuple[Identity, str, str]) -> list[Member | None]:
    """The members these identities belong to, all locked in pk order; None where nobody has the identity.

    Identities always point to a living row. A merge may move them while we wait for the locks: then the
    caller rolls back, which gives the locks up, and asks again. Asking again with the old rows still locked
    would lock out of order and end in a deadlock.
    """
    owners = [owner_id(kind=identity[0], app_id=identity[1], value=identity[2]) for identity in wanted]
    rows = {row.pk: row for row in Member.objects.lock_all({pk for pk in owners if pk is not None})}
    if [owner_id(kind=identity[0], app_id=identity[1], value=identity[2]) for identity in wanted] != owners:
        raise Moved
    return [None if pk is None else rows[pk] for pk in owners]


def owner_id(*, kind: Identity, app_id: str, value: str) -> int | None:
    """Whom an identity belongs to now."""
    identity = MemberIdentity.objects.filter(kind=kind, app_id=app_id, value=value)
    return identity.values_list("member_id", flat=True).first()


def settle_unionid(
    *, member: Member, namesake: Member | None, unionid: str, actor: Actor, at: dt.datetime
) -> Member:
    """The one person whom both rows are: `namesake` has the unionid now, nobody if None; both are locked."""
    if namesake is None:
        link(member=member, kind=Identity.UNIONID, app_id="", value=unionid, actor=actor, at=at)
        return member
    if namesake.pk == member.pk:
        return member
    return merge_locked(one=member, other=namesake, actor=actor, at=at)


def link(
    *,
    member: Member,
    kind: Identity,
    app_id: str,
    value: str,
    given_through: GivenThrough | None = None,
    actor: Actor,
    at: dt.datetime,
) -> None:
    """This name of the outside world is hers from now on. The unique constraint says whether it was free."""
    identity = MemberIdentity.objects.create(
        member=member,
        kind=kind,
        app_id=app_id,
        value=value,
        linked_at=at,
        given_through=[given_through] if given_through else [],
    )
    audit.record(action="members.identity_linked", subject=member, actor=actor, at=at, kind=kind.value)
    events.publish(IdentityLinked(member.pk, identity.pk))
