"""A phone that was proved to be hers."""

import datetime as dt

from core import audit, clock, events
from core.actor import Actor
from core.models import changed_fields
from members.contracts import MemberCard, PhoneProof
from members.errors import NoSuchMember, PhoneAlreadyRegistered
from members.events import MemberJoined
from members.models import GivenThrough, Identity, Member, MemberIdentity, MemberStage
from members.selectors import card_of, list_merge_targets, phone_index, phone_indexes
from members.services.identities import Moved, again_if_moved, link
from members.services.merging import merge_locked
from members.services.people import usable_phone
from members.services.phone_claims import claim_phones
from members.services.phone_passing import is_same_person, pass_phone, phone_identities
from members.services.profile import note_completion


def verify_phone(
    *, member_id: int, phone: str, how: PhoneProof, actor: Actor, at: dt.datetime | None = None
) -> MemberCard:
    """This number is hers, proved by WeChat or by a code sent to it; a prospect becomes a member.

    Whoever holds the number is one person: when another row has it (she joined at a till, or with another
    WeChat account), the two are merged at once; only where it looks as if the operator gave the number to somebody
    else (`is_same_person`) it passes to her alone. A number she had before is given up, so that its next owner is
    not taken for her. The same number again is noted as proved anew. Refuses what is no mobile number of mainland
    China (PhoneUnusable) and an unknown member. Two phones that prove one number at the same moment are one
    member afterwards: the unique identity decides who comes second, and the second merges.
    """
    at = at or clock.now()
    digits = usable_phone(phone)

    def verify() -> MemberCard:
        member, owner = _lock_both(member_id, digits)
        _give_up_former(member, digits)
        if owner is None:
            _link(member, digits, actor=actor, at=at)
        elif owner.pk != member.pk and is_same_person(prover=member, owner=owner, digits=digits, at=at):
            member = merge_locked(one=member, other=owner, how="phone", actor=actor, at=at)
        elif owner.pk != member.pk:
            pass_phone(former=owner, holder=member, digits=digits, actor=actor, at=at)
            _link(member, digits, actor=actor, at=at)
        _note_proof(member, digits, at=at)
        _keep(member, digits, how=how, actor=actor, at=at)
        note_completion(member=member, at=at)
        return card_of(member)

    return again_if_moved(verify)


def _lock_both(member_id: int, digits: str) -> tuple[Member, Member | None]:
    """Her living row and the row that has the number, both locked in pk order."""
    target = list_merge_targets([member_id]).get(member_id)
    if target is None:
        raise NoSuchMember
    owner = _owner_of(digits)
    rows = {row.pk: row for row in Member.objects.lock_all({target, owner or target})}
    if rows[target].merged_into_id is not None:
        raise Moved
    if _owner_of(digits) != owner:
        raise Moved
    return rows[target], None if owner is None else rows[owner]


def _owner_of(digits: str) -> int | None:
    """Whose number it is now, under whichever key its fingerprint was made."""
    rows = MemberIdentity.objects.filter(kind=Identity.PHONE, app_id="", value__in=phone_indexes(digits))
    return rows.values_list("member_id", flat=True).first()


def _link(member: Member, digits: str, *, actor: Actor, at: dt.datetime) -> None:
    try:
        claim_phones([digits])
    except PhoneAlreadyRegistered:
        raise Moved from None  # somebody wrote it under an older key since we looked
    link(
        member=member,
        kind=Identity.PHONE,
        app_id="",
        value=phone_index(digits),
        given_through=GivenThrough.MINI_PROGRAM,
        actor=actor,
        at=at,
    )


def _note_proof(member: Member, digits: str, *, at: dt.datetime) -> None:
    """When it was proved last, and that it was given in the mini-program, besides where it was given before."""
    for identity in phone_identities(member_id=member.pk, digits=digits).lock_rows():
        given = identity.given_through
        if GivenThrough.MINI_PROGRAM not in given:
            given = [*given, GivenThrough.MINI_PROGRAM]
        proved_at = at if identity.proved_at is None else max(at, identity.proved_at)
        identity.save(update_fields=changed_fields(identity, given_through=given, proved_at=proved_at))


def _give_up_former(member: Member, digits: str) -> None:
    if member.phone and member.phone != digits:
        phone_identities(member_id=member.pk, digits=member.phone).delete()


def _keep(member: Member, digits: str, *, how: PhoneProof, actor: Actor, at: dt.datetime) -> None:
    """The row says what was proved; who was a prospect has joined."""
    has_joined = member.stage == MemberStage.PROSPECT
    changed = changed_fields(member, phone=digits, phone_tail=digits[-4:], stage=MemberStage.MEMBER)
    if not changed:
        return
    member.save(update_fields=changed)
    audit.record(
        action="members.phone_verified", subject=member, actor=actor, at=at, how=how, has_joined=has_joined
    )
    if has_joined:
        events.publish(MemberJoined(member.pk))
