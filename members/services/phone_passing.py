"""A proved number that another WeChat account had: the same person, or the number's next owner."""

import datetime as dt
from typing import Final

from core import audit, events
from core.actor import Actor
from core.models import LockingQuerySet, changed_fields
from members.events import IdentityUnlinked
from members.models import Identity, Member, MemberIdentity, PassedPhone
from members.selectors import are_told_apart, phone_indexes
from members.selectors.privacy import get_privacy_decisions

_WECHAT: Final = (Identity.OPENID, Identity.MINI_OPENID, Identity.UNIONID)


def is_same_person(*, prover: Member, owner: Member, digits: str, at: dt.datetime) -> bool:
    """Whether who proved this number now is who had it, both locked: then the two rows are merged.

    She is, unless both have a WeChat account of the same app of ours (or a unionid), and the owner gave or proved
    the number longer ago than `phone_rest_days`: operators let a number that was given up lie about so long before
    somebody else gets it. Two whom staff told apart, or between whom a number passed before, are never merged by a
    number: WeChat's quick check of phones is not made anew each time (official page getPhoneNumber), so a former
    owner may still "prove" one that she has lost.
    """
    if are_told_apart(prover.pk, owner.pk):
        return False
    if not _wechat_apps(prover.pk) & _wechat_apps(owner.pk):
        return True
    given_at = max(
        identity.proved_at or identity.linked_at
        for identity in phone_identities(member_id=owner.pk, digits=digits)
    )
    rest = dt.timedelta(days=get_privacy_decisions().phone_rest_days)
    return at - given_at <= rest


def pass_phone(*, former: Member, holder: Member, digits: str, actor: Actor, at: dt.datetime) -> None:
    """The number is nobody's for the moment, to become the holder's; the former owner stays who she is, without it.

    The merge desk shows the two to staff, who merge them if they are one person after all.
    """
    phone_identities(member_id=former.pk, digits=digits).delete()
    if former.phone == digits:
        former.save(update_fields=changed_fields(former, phone="", phone_tail=""))
    PassedPhone.objects.create(former=former, holder=holder, passed_at=at)
    audit.record(action="members.phone_passed_on", subject=former, actor=actor, at=at, to_member_id=holder.pk)
    audit.record(
        action="members.phone_taken_over", subject=holder, actor=actor, at=at, from_member_id=former.pk
    )
    events.publish(IdentityUnlinked(former.pk, Identity.PHONE.value))


def phone_identities(*, member_id: int, digits: str) -> LockingQuerySet[MemberIdentity]:
    """The identities by which this number is hers, under whichever key; unevaluated."""
    return MemberIdentity.objects.filter(
        member_id=member_id, kind=Identity.PHONE, app_id="", value__in=phone_indexes(digits)
    )


def _wechat_apps(member_id: int) -> set[tuple[str, str]]:
    rows = MemberIdentity.objects.filter(member_id=member_id, kind__in=_WECHAT)
    return set(rows.values_list("kind", "app_id"))
