"""Documents that could not be booked: kept with their reason, tried again, or set aside by a person."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q

from core import audit, clock, events
from core.actor import Actor
from core.clock import business_day
from core.codes import new_public_ids
from core.errors import Refusal
from sales.contracts import OrderDocument, ReturnDocument
from sales.errors import (
    AlreadySettled,
    CorrectedBelowReturned,
    DocumentConflict,
    NotDiscarded,
    ReasonMissing,
    ReturnTooLarge,
    UnknownGuide,
    UnknownMember,
    UnknownOrder,
    UnknownStore,
)
from sales.events import DocumentsHeld
from sales.models import HeldDocument, HeldState
from sales.selectors.member_keys import member_index
from sales.services.reading import digest_of_order, digest_of_return, dump_document, load_order, load_return

Document = OrderDocument | ReturnDocument
# What a later document or a person can mend; everything else is told to whoever sent it.
HELD_FOR: Final = (
    UnknownStore, UnknownGuide, UnknownMember, UnknownOrder, ReturnTooLarge, DocumentConflict, CorrectedBelowReturned,
)  # fmt: skip
_MENDABLE: Final = tuple(kind.code for kind in HELD_FOR if kind is not DocumentConflict)
# How long a document rests between two tries, by how many it has had: for a day ten minutes, for a week an hour, then
# six, for ever. What nobody mends costs less and less, and what is mended after a year is still booked by itself.
_RETRY_PAUSES: Final = ((144, dt.timedelta(minutes=10)), (300, dt.timedelta(hours=1)))
_LONGEST_PAUSE: Final = dt.timedelta(hours=6)
_KNOWN_LENGTH: Final = 64
_INSERT: Final = """
INSERT INTO sales_helddocument (public_id, kind, source, number, order_no, digest, body, reason, field, value,
    store_code, member_index, due_on, state, tries, held_at, tried_at, settled_by, note)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::date[]) AS held(public_id, kind, source, number, order_no,
    digest, body, reason, field, value, store_code, member_index, due_on),
    (SELECT 'waiting', 0, %s::timestamptz, %s::timestamptz, '', '') AS rest
ON CONFLICT (kind, source, number, digest)
    DO UPDATE SET reason = excluded.reason, field = excluded.field, value = excluded.value,
        tries = sales_helddocument.tries + 1, tried_at = excluded.tried_at
    WHERE sales_helddocument.state = 'waiting'
"""


def kind_of(document: Document) -> str:
    """The kind as it stands in rows and answers."""
    return "order" if isinstance(document, OrderDocument) else "return"


def number_of(document: Document) -> str:
    """The number under which its sender knows it."""
    return document.order_no if isinstance(document, OrderDocument) else document.return_no


def moment_of(document: Document) -> dt.datetime:
    """When it happened."""
    return document.sold_at if isinstance(document, OrderDocument) else document.returned_at


def digest_of(document: Document) -> bytes:
    """The fingerprint of its content."""
    return digest_of_order(document) if isinstance(document, OrderDocument) else digest_of_return(document)


def hold_documents(held: Sequence[tuple[Document, Refusal]], *, at: dt.datetime) -> None:
    """These documents wait, each once however often it is sent. Inside the transaction that booked the others."""
    if not held:
        return
    body_field = HeldDocument._meta.get_field("body")
    # One statement meets each row once: a document that is twice in the batch waits once.
    held = list(
        {(kind_of(one), one.source, number_of(one), digest_of(one)): (one, why) for one, why in held}.values()
    )
    rows = [
        (
            public_id, kind_of(document), document.source, number_of(document),
            document.order_no if isinstance(document, ReturnDocument) else "", digest_of(document),
            body_field.get_prep_value(dump_document(document)), refusal.code,
            str(refusal.details.get("field", ""))[:40], str(refusal.details.get("value", ""))[:_KNOWN_LENGTH],
            document.store_code, member_index(document.member), business_day(moment_of(document)),
        )
        for public_id, (document, refusal) in zip(new_public_ids(len(held)), held, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: row[1:6])
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*map(list, zip(*rows, strict=True)), at, at])
    events.publish(DocumentsHeld(len(held)))


def settle_held(documents: Iterable[Document], *, actor: Actor, at: dt.datetime) -> int:
    """Those of these documents that waited are booked now; how many."""
    return HeldDocument.objects.filter(pk__in=_waiting_ids(documents)).update(
        state=HeldState.BOOKED, settled_at=at, settled_by=actor.label[:90] or actor.kind
    )


def waiting_returns(orders: Iterable[tuple[str, str]]) -> list[ReturnDocument]:
    """Returns that wait for one of these orders (source, number)."""
    asked = set(orders)
    rows = HeldDocument.objects.waiting().filter(
        reason=UnknownOrder.code,
        source__in={source for source, _no in asked},
        order_no__in={order_no for _source, order_no in asked},
    )
    return [load_return(row.body) for row in rows.order_by("pk") if (row.source, row.order_no) in asked]


def discard_document(*, public_id: str, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The document is set aside for good, with who and why. Refuses an empty reason and one that was settled."""
    at = at or clock.now()
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    with transaction.atomic():
        row = HeldDocument.objects.lock(find_row_id(public_id=public_id))
        if row.state != HeldState.WAITING:
            raise AlreadySettled
        row.state, row.settled_at, row.settled_by, row.note = (
            HeldState.DISCARDED, at, actor.label[:90] or actor.kind, reason,
        )  # fmt: skip
        row.save(update_fields=["state", "settled_at", "settled_by", "note"])
        audit.record(action="sales.document_discarded", subject=row, actor=actor, at=at)


def restore_document(*, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """A document that was set aside waits again. Refuses one that was not set aside."""
    at = at or clock.now()
    with transaction.atomic():
        row = HeldDocument.objects.lock(find_row_id(public_id=public_id))
        if row.state != HeldState.DISCARDED:
            raise NotDiscarded
        row.state, row.settled_at, row.settled_by, row.note = HeldState.WAITING, None, "", ""
        row.save(update_fields=["state", "settled_at", "settled_by", "note"])
        audit.record(action="sales.document_restored", subject=row, actor=actor, at=at)


def due_documents(*, limit: int, at: dt.datetime) -> list[Document]:
    """Documents that something may have mended since they were tried, those tried longest ago first."""
    has_rested = Q(tried_at__lte=at - _LONGEST_PAUSE)
    for tries, pause in _RETRY_PAUSES:
        has_rested |= Q(tries__lt=tries, tried_at__lte=at - pause)
    rows = HeldDocument.objects.waiting().filter(has_rested, reason__in=_MENDABLE)
    return [load_document(row) for row in rows.order_by("tried_at", "pk")[:limit]]


def next_try_of(row: HeldDocument) -> dt.datetime | None:
    """From when the job takes it up again; None for one that waits for a person, or no longer."""
    if row.state != HeldState.WAITING or row.reason not in _MENDABLE:
        return None
    return row.tried_at + next((pause for tries, pause in _RETRY_PAUSES if row.tries < tries), _LONGEST_PAUSE)


def documents_of(public_ids: Iterable[str]) -> list[Document]:
    """The waiting documents a person chose."""
    rows = HeldDocument.objects.waiting().filter(public_id__in=list(public_ids))
    return [load_document(row) for row in rows.order_by("pk")]


def load_document(row: HeldDocument) -> Document:
    """What was sent."""
    return load_order(row.body) if row.kind == "order" else load_return(row.body)


def note_try(documents: Iterable[Document], *, at: dt.datetime) -> None:
    """They were tried just now, so that the job goes on to others."""
    HeldDocument.objects.filter(pk__in=_waiting_ids(documents)).update(tried_at=at, tries=F("tries") + 1)


def _waiting_ids(documents: Iterable[Document]) -> list[int]:
    """The rows of those of these documents that wait."""
    keys = {(kind_of(one), one.source, number_of(one), digest_of(one)) for one in documents}
    if not keys or not HeldDocument.objects.waiting().exists():
        return []
    rows = HeldDocument.objects.waiting().filter(number__in=[number for _k, _s, number, _d in keys])
    found = rows.values_list("pk", "kind", "source", "number", "digest")
    return [pk for pk, kind, source, number, digest in found if (kind, source, number, bytes(digest)) in keys]


def find_row_id(*, public_id: str) -> int:
    """The row of that public id; 0 when there is none."""
    row_id = HeldDocument.objects.filter(public_id=public_id[:16]).values_list("pk", flat=True).first()
    return row_id or 0
