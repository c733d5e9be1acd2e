"""Consent: kinds and texts as data, and an append-only book of who said yes or no to which version."""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock, crypto, events
from core.actor import Actor
from core.constraints import violated
from core.models import changed_fields
from members.contracts import ConsentCard, ConsentTextCard
from members.errors import (
    ConsentDoorUnknown,
    ConsentKindTaken,
    ConsentKindUnusable,
    ConsentNotGiven,
    ConsentTextOutdated,
    ConsentTextPublished,
    ConsentTextUnusable,
    NoSuchConsentKind,
    NoSuchConsentText,
)
from members.events import ConsentAgreed, ConsentWithdrawn
from members.events import ConsentTextPublished as TextPublished
from members.models import ConsentAction, ConsentDoor, ConsentEntry, ConsentKind, ConsentText, Member
from members.selectors.consents import MARKETING, consent_text_card_of, list_consents
from members.services.people import lock_member
from members.services.tags import tag_doer

# WeChat tells whole seconds: what it tells of the second in which she agreed came after it.
_TELLING_TIME: Final = dt.timedelta(seconds=1)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,19}")


def create_consent_kind(
    *,
    code: str,
    title: str,
    is_required: bool = False,
    offers_erasure: bool = False,
    order: int = 0,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """There is one more thing to agree to; its id. Refuses an unusable or taken code or title, and a marketing
    consent that would be a condition of membership (PIPL, article 16: service may not hang on it)."""
    title = " ".join(title.split())
    if not _CODE.fullmatch(code) or not 1 <= len(title) <= 20 or (is_required and code == MARKETING):
        raise ConsentKindUnusable(field="code")
    try:
        with transaction.atomic():
            kind = ConsentKind.objects.create(
                code=code, title=title, is_required=is_required, offers_erasure=offers_erasure, order=order
            )
            audit.record(action="members.consent_kind_created", subject=kind, actor=actor, at=at, code=code)
    except IntegrityError:
        raise ConsentKindTaken(field="code") from None
    return kind.pk


def change_consent_kind(
    *,
    kind_id: int,
    title: str,
    order: int,
    offers_erasure: bool,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The kind is shown so; its id. Code and whether it is required stay: entries were made under them.

    Refuses an unknown kind and an unusable title.
    """
    title = " ".join(title.split())
    if not 1 <= len(title) <= 20:
        raise ConsentKindUnusable(field="title")
    with transaction.atomic():
        rows = ConsentKind.objects.filter(pk=kind_id).lock_rows()
        if not rows:
            raise NoSuchConsentKind
        changed = changed_fields(rows[0], title=title, order=order, offers_erasure=offers_erasure)
        if changed:
            rows[0].save(update_fields=changed)
            audit.record(
                action="members.consent_kind_changed", subject=rows[0], actor=actor, at=at, fields=changed
            )
    return kind_id


def ensure_consent_kinds(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """The four kinds that every chain needs exist; how many were missing. Texts are written by people."""
    standard = (
        ("privacy", _("隐私政策"), True, True),
        ("charter", _("会员章程"), True, False),
        (MARKETING, _("营销信息"), False, False),
        ("recommendation", _("个性化推荐"), False, False),
    )
    missing = 0
    for order, (code, title, is_required, offers_erasure) in enumerate(standard, start=1):
        if not ConsentKind.objects.filter(code=code).exists():
            create_consent_kind(
                code=code,
                title=title,
                is_required=is_required,
                offers_erasure=offers_erasure,
                order=order,
                actor=actor,
                at=at,
            )
            missing += 1
    return missing


def draft_consent_text(
    *, kind: str, title: str, body: str, change_note: str = "", actor: Actor, at: dt.datetime | None = None
) -> int:
    """The next version of a kind's text is being written; its row id. Drafting again changes the draft there is.

    Refuses an unknown kind, and an empty or overlong title or body.
    """
    at = at or clock.now()
    title, body = " ".join(title.split()), body.strip()
    if not 1 <= len(title) <= 60 or not 1 <= len(body) <= 50_000:
        raise ConsentTextUnusable(field="body" if 1 <= len(title) <= 60 else "title")
    with transaction.atomic():
        found = _kind(kind)
        row = ConsentText.objects.filter(kind=found, published_at__isnull=True).first()
        if row is None:
            row = _open_draft(found, title, body, change_note, at)
        row = ConsentText.objects.lock(row.pk)
        if row.published_at is not None:
            raise ConsentTextPublished
        changed = changed_fields(row, title=title, body=body, change_note=change_note[:200])
        if changed:
            row.save(update_fields=changed)
        audit.record(
            action="members.consent_text_drafted", subject=row, actor=actor, at=at, version=row.version
        )
    return row.pk


def publish_consent_text(*, text_id: int, actor: Actor, at: dt.datetime | None = None) -> ConsentTextCard:
    """Members are asked to agree to this version from now on. Refuses a version that is out already."""
    at = at or clock.now()
    with transaction.atomic():
        row = _lock_text(text_id)
        if row.published_at is not None:
            raise ConsentTextPublished
        row.published_at, row.published_by = at, tag_doer(actor)
        row.save(update_fields=["published_at", "published_by"])
        kind = row.kind.code
        audit.record(
            action="members.consent_text_published",
            subject=row,
            actor=actor,
            at=at,
            kind=kind,
            version=row.version,
        )
        events.publish(TextPublished(kind, row.version))
    return consent_text_card_of(row)


def agree_consent(
    *,
    member_id: int,
    kind: str,
    version: int,
    door: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ConsentCard:
    """She agrees to this version, which is the current one; saying so twice is one entry.

    Refuses an unknown kind or door, a version that is not published, one that a newer has followed, and a member
    who has been erased.
    """
    at, door = at or clock.now(), _door(door)
    with transaction.atomic():
        member_id = lock_member(member_id)
        found = _kind(kind)
        last = _last_word(member_id, found)
        if last is None or last.action != ConsentAction.AGREED or last.text.version != version:
            text = _current_text(found, version, at)
            _write(member_id, found, text, ConsentAction.AGREED, door=door, actor=actor, at=at)
            audit.record(
                action="members.consent_agreed",
                subject=Member(pk=member_id),
                actor=actor,
                at=at,
                kind=kind,
                version=version,
                door=door,
            )
            events.publish(ConsentAgreed(member_id, kind, version))
        return _card(member_id, kind)


def withdraw_consent(
    *, member_id: int, kind: str, door: str, actor: Actor, at: dt.datetime | None = None
) -> ConsentCard:
    """She agrees no more; twice is once. `offers_erasure` of the answer says that she should be offered to go.

    Refuses an unknown kind or door, and a member who never agreed or has been erased.
    """
    at, door = at or clock.now(), _door(door)
    with transaction.atomic():
        member_id = lock_member(member_id)
        if not withdraw_locked(member_id=member_id, kind=_kind(kind), door=door, actor=actor, at=at):
            raise ConsentNotGiven
        return _card(member_id, kind)


def withdraw_locked(*, member_id: int, kind: ConsentKind, door: str, actor: Actor, at: dt.datetime) -> bool:
    """The same for a member whose row the caller has locked; False when she never said anything.

    A withdrawal that is older than her last yes is no news: pushes may arrive late.
    """
    last = _last_word(member_id, kind)
    if last is None:
        return False
    if last.at - _TELLING_TIME < at <= last.at:
        at = last.at
    if last.action == ConsentAction.AGREED and at >= last.at:
        _write(member_id, kind, last.text, ConsentAction.WITHDRAWN, door=door, actor=actor, at=at)
        audit.record(
            action="members.consent_withdrawn",
            subject=Member(pk=member_id),
            actor=actor,
            at=at,
            kind=kind.code,
            version=last.text.version,
            door=door,
        )
        events.publish(ConsentWithdrawn(member_id, kind.code))
    return True


def withdraw_kinds(*, member_id: int, kinds: Iterable[str], door: str, actor: Actor, at: dt.datetime) -> None:
    """She, locked by the caller, agrees to none of these kinds any more; kinds nobody knows are passed over."""
    for kind in ConsentKind.objects.filter(code__in=list(kinds)).order_by("order", "pk"):
        withdraw_locked(member_id=member_id, kind=kind, door=door, actor=actor, at=at)


def _write(
    member_id: int,
    kind: ConsentKind,
    text: ConsentText,
    action: ConsentAction,
    *,
    door: str,
    actor: Actor,
    at: dt.datetime,
) -> None:
    ConsentEntry.objects.create(
        member_id=member_id,
        kind=kind,
        text=text,
        action=action,
        door=door,
        at=at,
        actor=tag_doer(actor),
        text_digest=crypto.digest(f"{text.title}\n{text.body}"),
    )


def _last_word(member_id: int, kind: ConsentKind) -> ConsentEntry | None:
    entries = ConsentEntry.objects.filter(member_id=member_id, kind=kind).select_related("text")
    return entries.order_by("-at", "-pk").first()


def _current_text(kind: ConsentKind, version: int, at: dt.datetime) -> ConsentText:
    """The text of that version if it is the newest published one."""
    newest = ConsentText.objects.published(at).filter(kind=kind).order_by("-version").first()
    if newest is None or version > newest.version or version < 1:
        raise NoSuchConsentText
    if version != newest.version:
        raise ConsentTextOutdated(current_version=newest.version)
    return newest


def _open_draft(kind: ConsentKind, title: str, body: str, change_note: str, at: dt.datetime) -> ConsentText:
    """A draft with the next number; of two at once one is made, and the second changes it."""
    last = ConsentText.objects.filter(kind=kind).order_by("-version").first()
    try:
        with transaction.atomic():
            return ConsentText.objects.create(
                kind=kind,
                version=1 if last is None else last.version + 1,
                title=title,
                body=body,
                change_note=change_note[:200],
                created_at=at,
            )
    except IntegrityError as error:
        if violated(error) not in ("consenttext_one_per_version", "consenttext_one_draft_per_kind"):
            raise
    draft = ConsentText.objects.filter(kind=kind, published_at__isnull=True).first()
    if draft is None:
        raise ConsentTextPublished
    return draft


def _lock_text(text_id: int) -> ConsentText:
    rows = ConsentText.objects.filter(pk=text_id).lock_rows()
    if not rows:
        raise NoSuchConsentText
    return rows[0]


def _kind(code: str) -> ConsentKind:
    kind = ConsentKind.objects.filter(code=code.replace("\0", "")).first()
    if kind is None:
        raise NoSuchConsentKind
    return kind


def _door(door: str) -> str:
    if door not in ConsentDoor.values:
        raise ConsentDoorUnknown(field="door")
    return door


def _card(member_id: int, kind: str) -> ConsentCard:
    return next(card for card in list_consents(member_id) if card.kind == kind)
