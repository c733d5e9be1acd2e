"""What members may ask for, as data."""

import datetime as dt

from django.db import IntegrityError, transaction

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from core.models import changed_fields
from guides.contracts import RequestKindCard
from guides.errors import RequestKindNameTaken, RequestKindUnusable
from guides.models import RequestKind
from guides.selectors.requests import kind_card_of


def create_request_kind(
    *,
    name: str,
    wants_time: bool = False,
    accept_within_hours: int = 4,
    finish_within_hours: int = 24,
    close_after_days: int = 3,
    is_active: bool = True,
    order: int = 0,
    code: str | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RequestKindCard:
    """Members may ask for this. `code` names it for the mini-program; made up when not given.

    Refuses an empty or overlong name, hours and days out of bounds, and a name that is there.
    """
    return _save(
        RequestKind(**({"code": code} if code else {})),
        {
            "name": _name(name),
            "wants_time": wants_time,
            "accept_within_hours": accept_within_hours,
            "finish_within_hours": finish_within_hours,
            "close_after_days": close_after_days,
            "is_active": is_active,
            "order": order,
        },
        actor=actor,
        at=at,
    )


def change_request_kind(
    *,
    kind_id: int,
    name: str,
    wants_time: bool,
    accept_within_hours: int,
    finish_within_hours: int,
    close_after_days: int,
    is_active: bool,
    order: int,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RequestKindCard:
    """The kind is this now; deadlines that run already stay. Refuses what `create_request_kind` refuses."""
    kind = RequestKind.objects.filter(pk=kind_id).first()
    if kind is None:
        raise NotFound
    return _save(
        kind,
        {
            "name": _name(name),
            "wants_time": wants_time,
            "accept_within_hours": accept_within_hours,
            "finish_within_hours": finish_within_hours,
            "close_after_days": close_after_days,
            "is_active": is_active,
            "order": order,
        },
        actor=actor,
        at=at,
    )


def _save(
    kind: RequestKind, values: dict[str, object], *, actor: Actor, at: dt.datetime | None
) -> RequestKindCard:
    is_new = kind.pk is None
    changed = changed_fields(kind, **values)
    if not is_new and not changed:
        return kind_card_of(kind)
    try:
        with transaction.atomic():
            kind.save(update_fields=None if is_new else changed)
            audit.record(
                action=f"guides.request_kind_{'created' if is_new else 'changed'}",
                subject=kind,
                actor=actor,
                at=at or clock.now(),
                fields=sorted(changed),
            )
    except IntegrityError as error:
        if violated(error) == "requestkind_terms_are_humane":
            raise RequestKindUnusable(field="accept_within_hours") from None
        if violated(error) == "guides_requestkind_name_key":
            raise RequestKindNameTaken(field="name") from None
        raise
    return kind_card_of(kind)


def _name(text: str) -> str:
    name = " ".join("".join(character for character in text if character.isprintable()).split())
    if not 1 <= len(name) <= 20:
        raise RequestKindUnusable(field="name")
    return name
