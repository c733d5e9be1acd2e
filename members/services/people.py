"""People: joining with a phone, naming, and the row locks other apps need."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from core import audit, clock, events, phones
from core.actor import Actor
from core.compiled import Given, compiled_lock, ids_of
from core.constraints import violated
from core.errors import Conflict
from core.models import changed_fields
from members.contracts import MemberCard, SourceKind
from members.errors import NameUnusable, NoSuchMember, PhoneAlreadyRegistered, PhoneUnusable
from members.events import IdentityLinked, MemberRegistered
from members.models import (
    Gender,
    GivenThrough,
    Identity,
    Member,
    MemberIdentity,
    MemberStage,
    Source,
)
from members.selectors import card_of, list_merge_targets, name_tokens, phone_index
from members.services.phone_claims import claim_phones


def lock_member(member_id: int) -> int:
    """The living row of this member is locked until the caller's transaction ends; its id is returned.

    A merged row leads to the one she lives on in. Raises NoSuchMember, also when she has been erased. The first
    lock of every rule that decides about one member (order: Member → Binding → …).
    """
    for _attempt in range(5):
        target = list_merge_targets([member_id]).get(member_id)
        if target is None:
            raise NoSuchMember
        # She may be merged between the look-up and the lock; then the living row is another one. Rolling back
        # to the savepoint gives this lock up first: two rows are only ever locked in pk order.
        with transaction.atomic():
            row = Member.objects.lock(target)
            if row.merged_into_id is None:
                if row.stage == MemberStage.ERASED:
                    raise NoSuchMember
                return target
            transaction.set_rollback(True)
    raise Conflict


def lock_members(member_ids: Iterable[int]) -> list[int]:
    """These rows, merged or not, are locked in pk order until the transaction ends; those that exist."""
    # Names and phones are sealed: opened for nobody here, thousands of times.
    return [member.pk for member in Member.objects.only("pk").filter(pk__any_of=member_ids).lock_rows()]


def lock_living(member_ids: Iterable[int]) -> bool:
    """These rows are locked like that; whether all of them are there, merged into none and not erased."""
    asked = sorted(set(member_ids))
    rows = _states(ids=asked)
    return len(rows) == len(asked) and all(
        merged_into is None and stage != MemberStage.ERASED for merged_into, stage in rows
    )


@compiled_lock
def _states(*, ids: Given) -> QuerySet[Member, tuple[int | None, str]]:
    return Member.objects.filter(pk__in=ids_of(ids)).values_list("merged_into_id", "stage")


def register_member(
    *,
    name: str,
    phone: str,
    source: SourceKind,
    gender: str = "",
    birthday: dt.date | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> MemberCard:
    """A member with a verified phone exists.

    Refuses an unusable name or phone, and a phone that is somebody's already (the unique identity decides, so
    two tills at once make one member). The number is sealed; its fingerprint is her identity.
    """
    at = at or clock.now()
    digits, name = usable_phone(phone), usable_name(name)
    given_through = Source(source).given_through
    try:
        with transaction.atomic():
            claim_phones([digits])
            member = Member.objects.create(
                stage=MemberStage.MEMBER,
                **name_columns(name),
                name_given_through=given_through,
                gender=Gender(gender),
                birthday=birthday,
                phone=digits,
                phone_tail=digits[-4:],
                source=source,
                registered_at=at,
            )
            identity = MemberIdentity.objects.create(
                member=member,
                kind=Identity.PHONE,
                value=phone_index(digits),
                linked_at=at,
                given_through=[given_through],
            )
            audit.record(
                action="members.registered",
                subject=member,
                actor=actor,
                at=at,
                source=source,
                has_joined=True,
            )
            events.publish(MemberRegistered(member.pk))
            events.publish(IdentityLinked(member.pk, identity.pk))
    except IntegrityError as error:
        if violated(error) == "memberidentity_one_owner":
            raise PhoneAlreadyRegistered from None
        raise
    return card_of(member)


def rename_member(*, member_id: int, name: str, actor: Actor, at: dt.datetime | None = None) -> MemberCard:
    """Staff say that her name is this one; its pinyin is what searches find. Refuses an empty or overlong name."""
    name = usable_name(name)
    with transaction.atomic():
        member = Member.objects.lock(lock_member(member_id))
        changed = changed_fields(member, **name_columns(name))
        if changed:
            member.name_given_through = GivenThrough.STAFF
            member.save(update_fields=[*changed, "name_given_through"])
            audit.record(action="members.renamed", subject=member, actor=actor, at=at)
    return card_of(member)


def usable_phone(text: str) -> str:
    """The 11 digits of a mobile number. Raises PhoneUnusable, without the number in it."""
    digits = phones.digits_of(text)
    if not phones.is_mobile(digits):
        raise PhoneUnusable(field="phone")
    return digits


def usable_name(text: str) -> str:
    """The name without stray blanks and control characters. Raises NameUnusable."""
    name = " ".join("".join(character for character in text if character.isprintable()).split())
    if not 1 <= len(name) <= 60:
        raise NameUnusable(field="name")
    return name


def name_columns(name: str) -> dict[str, Any]:
    """All columns of a member that go with a usable name, or with none (the empty text)."""
    return {"name": name, "name_tokens": name_tokens(name)}
