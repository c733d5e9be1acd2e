"""Taking a wrong identity from a member."""

import datetime as dt

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from core.models import changed_fields
from members.contracts import MemberCard
from members.errors import NoSuchIdentity, ReasonMissing
from members.events import IdentityUnlinked
from members.models import Identity, Member, MemberIdentity, UnlinkReason
from members.selectors import card_of, phone_indexes
from members.services.people import lock_member


def unlink_identity(
    *, member_id: int, identity_id: int, reason: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard:
    """This identity is hers no more and nobody's; who brings it next is whoever she is then.

    With the phone's identity goes the number in her row; she stays a member. `reason` is an UnlinkReason.
    Refuses another's identity as an unknown one.
    """
    at = at or clock.now()
    if reason not in UnlinkReason.values:
        raise ReasonMissing(field="reason")
    with transaction.atomic():
        member = Member.objects.lock(lock_member(member_id))
        rows = MemberIdentity.objects.filter(pk=identity_id, member=member).lock_rows()
        if not rows:
            raise NoSuchIdentity
        identity = rows[0]
        kind = identity.kind
        if kind == Identity.PHONE and member.phone and identity.value in phone_indexes(member.phone):
            member.save(update_fields=changed_fields(member, phone="", phone_tail=""))
        identity.delete()
        audit.record(
            action="members.identity_unlinked", subject=member, actor=actor, at=at, kind=kind, reason=reason
        )
        events.publish(IdentityUnlinked(member.pk, kind))
        return card_of(member)
