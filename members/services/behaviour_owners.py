"""Whose behaviours are, as people become known, and no longer, when they do not agree to it."""

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from core import clock
from members.errors import NoSuchMember
from members.models import (
    Behaviour,
    BehaviourVisitor,
    ConsentAction,
    ConsentEntry,
    Identity,
    MemberIdentity,
)
from members.selectors.behaviours import RECOMMENDATION, keepers_among
from members.services.people import lock_member

# No event of ours is lost for longer than a job that runs every hour needs to find it.
_LOOK_BACK: Final = dt.timedelta(days=2)
_CHUNK: Final = 1_000


def adopt_behaviours(*, member_id: int | None = None, at: dt.datetime | None = None) -> int:
    """What was kept under an openid that is somebody's by now is hers, or gone when she does not agree; how many openids.

    Only this member's, or everybody's.
    """
    at = at or clock.now()
    hers = MemberIdentity.objects.filter(
        kind=OuterRef("kind"), app_id=OuterRef("app_id"), value=OuterRef("value")
    )
    if member_id is not None:
        hers = hers.filter(member_id=member_id)
    known = BehaviourVisitor.objects.annotate(is_known=Exists(hers)).filter(is_known=True)
    ids = list(known.order_by("pk").values_list("pk", flat=True)[:_CHUNK])
    return sum(_adopt(visitor_id, at) for visitor_id in ids)


def _adopt(visitor_id: int, at: dt.datetime) -> bool:
    with transaction.atomic():
        visitor = BehaviourVisitor.objects.filter(pk=visitor_id).first()
        owner = None if visitor is None else _owner_id(visitor)
        if visitor is None or owner is None:
            return False
        try:
            owner = lock_member(owner)
        except NoSuchMember:
            owner = None
        # Locked after the member, as whoever writes under it does.
        if not BehaviourVisitor.objects.filter(pk=visitor_id).lock_rows():
            return False
        rows = Behaviour.objects.filter(visitor_id=visitor_id)
        if owner is not None and owner in keepers_among([owner], at=at):
            rows.update(member_id=owner, visitor_id=None)
        else:
            rows.delete()
        visitor.delete()
    return True


def _owner_id(visitor: BehaviourVisitor) -> int | None:
    identity = MemberIdentity.objects.filter(kind=visitor.kind, app_id=visitor.app_id, value=visitor.value)
    return identity.values_list("member_id", flat=True).first()


def forget_behaviours(*, member_id: int, at: dt.datetime | None = None) -> int:
    """Of a member who does not agree (any more) nothing is left; how many rows went. Nothing for anybody else."""
    at = at or clock.now()
    with transaction.atomic():
        try:
            member_id = lock_member(member_id)
        except NoSuchMember:
            return 0
        if member_id in keepers_among([member_id], at=at):
            return 0
        return Behaviour.objects.filter(member_id=member_id).delete()[0]


def forget_unagreed(*, at: dt.datetime | None = None) -> int:
    """The same for whoever withdrew or became a member within two days; how many rows went."""
    at = at or clock.now()
    since = at - _LOOK_BACK
    withdrawn = ConsentEntry.objects.filter(
        kind__code=RECOMMENDATION, action=ConsentAction.WITHDRAWN, at__gte=since
    )
    joined = MemberIdentity.objects.filter(kind=Identity.PHONE, linked_at__gte=since)
    ids = {*withdrawn.values_list("member_id", flat=True), *joined.values_list("member_id", flat=True)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM unnest(%s::bigint[]) asked (id) WHERE EXISTS "
            "(SELECT FROM members_behaviour WHERE member_id = asked.id)",
            [sorted(ids)],
        )
        having = [pk for (pk,) in cursor.fetchall()]
    return sum(forget_behaviours(member_id=pk, at=at) for pk in having)
