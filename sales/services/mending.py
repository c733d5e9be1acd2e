"""What waits is put right where it lies: a code gets a meaning, a member is named, a conflict is decided."""

import dataclasses
import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from sales.contracts import OrderDocument
from sales.errors import (
    AliasTaken,
    AliasUnusable,
    AlreadySettled,
    DocumentConflict,
    NoSuchAlias,
    NoSuchDocument,
    NothingToMend,
    StillHeld,
    UnknownGuide,
    UnknownMember,
    UnknownStore,
)
from sales.models import AliasKind, CodeAlias, HeldDocument, HeldState, MemberAlias, Sale
from sales.selectors.member_keys import member_index
from sales.services.held import find_row_id, load_document
from sales.services.intake import record_documents, retry_documents

_KINDS = {UnknownStore.code: AliasKind.STORE, UnknownGuide.code: AliasKind.GUIDE}


def explain_code(
    *,
    public_id: str,
    store_id: int | None = None,
    guide_id: int | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> CodeAlias:
    """The code that this document stumbled over means that store or guide whenever its source sends it, from now on.
    Documents that wait are tried by whoever asks. Refuses one that waits for something else, and an unknown target."""
    at = at or clock.now()
    with transaction.atomic():
        row = _waiting(public_id)
        kind = _KINDS.get(row.reason)
        if kind is None or not row.value:
            raise NothingToMend
        target = store_id if kind == AliasKind.STORE else guide_id
        if target is None or not _is_known(kind, target):
            raise AliasUnusable(field=str(kind))
        alias, _is_new = CodeAlias.objects.live().update_or_create(
            kind=kind,
            source=row.source,
            code=row.value[:20],
            defaults={f"{kind}_id": target, "made_at": at, "made_by": _name(actor)},
        )
        audit.record(
            action="sales.code_explained",
            subject=alias,
            actor=actor,
            at=at,
            code=alias.code,
        )
    return alias


def forget_alias(*, alias_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The code means nothing again. What was booked by it stays. Raises NoSuchAlias when it means nothing already."""
    at = at or clock.now()
    with transaction.atomic():
        row = _lock_alias(alias_id)
        if row.forgotten_at is not None:
            raise NoSuchAlias
        row.forgotten_at = at
        row.save(update_fields=["forgotten_at"])
        audit.record(action="sales.code_forgotten", subject=row, actor=actor, at=at, code=row.code)


def restore_alias(*, alias_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """A forgotten code means the same again. Raises NoSuchAlias when it was not forgotten, and AliasTaken when it was
    given another meaning since."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            row = _lock_alias(alias_id)
            if row.forgotten_at is None:
                raise NoSuchAlias
            row.forgotten_at = None
            row.save(update_fields=["forgotten_at"])
            audit.record(action="sales.code_restored", subject=row, actor=actor, at=at, code=row.code)
    except IntegrityError as error:
        if violated(error) == "codealias_once":
            raise AliasTaken from None
        raise


def name_member(
    *, public_id: str, member_id: int | None, actor: Actor, at: dt.datetime | None = None
) -> None:
    """The key by which this document names its member means her whenever its source sends it and nobody has it; None:
    nobody. The document is booked. Refuses one that waits for something else, and raises StillHeld when more is
    missing."""
    at = at or clock.now()
    with transaction.atomic():
        row = _waiting(public_id)
        document = load_document(row)
        if row.reason != UnknownMember.code or document.member is None:
            raise NothingToMend
        if member_id is not None and member_selectors.list_merge_targets([member_id]).get(member_id) is None:
            raise UnknownMember(field="member")
        MemberAlias.objects.update_or_create(
            source=row.source,
            member_index=member_index(document.member),
            defaults={"member_id": member_id, "made_at": at, "made_by": _name(actor)},
        )
        audit.record(
            action="sales.member_named", subject=row, actor=actor, at=at, is_nobody=member_id is None
        )
        told = retry_documents(documents=[document], actor=actor, at=at)[0]
        if told.outcome in ("held", "refused"):
            raise StillHeld(reason=told.reason)


def forget_member_alias(*, alias_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The key by which a source named her means nothing again. What was booked by it stays. Raises NoSuchAlias when it
    means nothing already."""
    with transaction.atomic():
        rows = MemberAlias.objects.lock_all([alias_id])
        if not rows:
            raise NoSuchAlias
        audit.record(
            action="sales.member_alias_forgotten",
            subject=rows[0],
            actor=actor,
            at=at or clock.now(),
        )
        rows[0].delete()


def accept_content(*, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The content of an order that conflicts with what is booked under its number is right: it is booked as the next
    revision. Refuses a return, for which there are no revisions, and raises StillHeld when it cannot be booked."""
    at = at or clock.now()
    with transaction.atomic():
        row = _waiting(public_id)
        document = load_document(row)
        if row.reason != DocumentConflict.code or not isinstance(document, OrderDocument):
            raise NothingToMend
        current = Sale.objects.current().filter(source=document.source, order_no=document.order_no).first()
        if current is None:
            raise NothingToMend
        right = dataclasses.replace(document, revision=current.revision + 1)
        told = record_documents(documents=[right], actor=actor, at=at)[0]
        if told.outcome != "corrected":
            raise StillHeld(reason=told.reason)
        row = _settle(public_id, HeldState.BOOKED, _("作为更正入账"), actor, at)
        audit.record(action="sales.content_accepted", subject=row, actor=actor, at=at)


def keep_booked(*, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """What is booked under the number stands, and this content is set aside."""
    at = at or clock.now()
    with transaction.atomic():
        if _waiting(public_id).reason != DocumentConflict.code:
            raise NothingToMend
        row = _settle(public_id, HeldState.DISCARDED, _("保留已入账的内容"), actor, at)
        audit.record(action="sales.booked_kept", subject=row, actor=actor, at=at)


def _waiting(public_id: str) -> HeldDocument:
    """Not locked yet: whoever books a document locks its member first, and then its row."""
    row = HeldDocument.objects.filter(pk=find_row_id(public_id=public_id)).first()
    if row is None:
        raise NoSuchDocument
    if row.state != HeldState.WAITING:
        raise AlreadySettled
    return row


def _settle(public_id: str, state: HeldState, note: str, actor: Actor, at: dt.datetime) -> HeldDocument:
    row = HeldDocument.objects.lock(find_row_id(public_id=public_id))
    if row.state != HeldState.WAITING:
        raise AlreadySettled
    row.state, row.settled_at, row.settled_by, row.note = state, at, _name(actor), note
    row.save(update_fields=["state", "settled_at", "settled_by", "note"])
    return row


def _lock_alias(alias_id: int) -> CodeAlias:
    rows = CodeAlias.objects.lock_all([alias_id])
    if not rows:
        raise NoSuchAlias
    return rows[0]


def _is_known(kind: AliasKind, target: int) -> bool:
    if kind == AliasKind.STORE:
        return target in guide_selectors.list_store_places([target])
    return target in guide_selectors.known_guide_ids([target])


def _name(actor: Actor) -> str:
    return actor.label[:90] or actor.kind
