"""Taking over members from another system, in bulk."""

import datetime as dt
from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction

from core import clock
from core.actor import Actor
from core.constraints import violated
from core.models import AuditEntry
from members.contracts import MemberImport
from members.errors import IdentityTaken
from members.models import Identity, Member, MemberIdentity, MemberStage
from members.selectors import phone_index
from members.services.people import name_columns, usable_name, usable_phone

_BATCH = 1000


def import_members(
    *, lines: Sequence[MemberImport], app_id: str, actor: Actor, at: dt.datetime | None = None
) -> list[int]:
    """All these people are members, with identities and one audit row each; ids in the order of `lines`.

    The rows are what one-by-one registration writes, dated as the lines say; no event is published, because
    nothing happened now. Refuses it all for an unusable name or phone, or an identity that is taken.
    `app_id` is the official account the openids belong to.
    """
    at = at or clock.now()
    members = [_row(line) for line in lines]
    try:
        with transaction.atomic():
            Member.objects.bulk_create(members, batch_size=_BATCH)
            MemberIdentity.objects.bulk_create(
                [
                    identity
                    for member, line in zip(members, lines, strict=True)
                    for identity in _identities(member, line, app_id)
                ],
                batch_size=_BATCH,
            )
            AuditEntry.objects.bulk_create(
                [_audit(member, actor, at) for member in members], batch_size=_BATCH
            )
            _tell_planner()
    except IntegrityError as error:
        if violated(error) == "memberidentity_one_owner":
            raise IdentityTaken from None
        raise
    return [member.pk for member in members]


def _tell_planner() -> None:
    """Thousands of new rows: until the planner has counted them, it searches members in the slowest way."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_member, members_memberidentity")


def _row(line: MemberImport) -> Member:
    name = usable_name(line.name) if line.name else ""
    digits = usable_phone(line.phone) if line.phone else ""
    return Member(
        stage=MemberStage.MEMBER if digits else MemberStage.PROSPECT,
        **name_columns(name),
        gender=line.gender,
        birthday=line.birthday,
        phone=digits,
        phone_tail=digits[-4:],
        source=line.source,
        source_scene=line.source_scene,
        is_following=line.is_following,
        follow_changed_at=line.registered_at if line.openid else None,
        registered_at=line.registered_at,
    )


def _identities(member: Member, line: MemberImport, app_id: str) -> list[MemberIdentity]:
    identities = []
    if line.openid:
        identities.append(MemberIdentity(kind=Identity.OPENID, app_id=app_id, value=line.openid))
    if line.phone:
        identities.append(MemberIdentity(kind=Identity.PHONE, value=phone_index(member.phone)))
    for identity in identities:
        identity.member = member
        identity.linked_at = line.registered_at
    return identities


def _audit(member: Member, actor: Actor, at: dt.datetime) -> AuditEntry:
    return AuditEntry(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:80],
        action="members.imported",
        subject_kind=Member._meta.label_lower,
        subject_id=member.pk,
        details={"source": member.source},
    )
