"""Guides: joining, moving, leaving, coming back."""

import datetime as dt

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from core.models import changed_fields
from guides.contracts import GuideCard
from guides.errors import GuideHasLeft, GuideNumberTaken, GuideStillHere, GuideUnusable, NoSuchGuide
from guides.events import GuideLeft, GuideMoved
from guides.models import (
    ActivationCode,
    ChannelCode,
    CodeKind,
    Guide,
    GuideLogin,
    GuidePosting,
    GuideRole,
    GuideState,
)
from guides.selectors.people import get_guide_card
from guides.services.codes import create_code
from guides.services.organisation import lock_open_store


def hire_guide(
    *,
    number: str,
    name: str,
    store_id: int,
    role: str = GuideRole.GUIDE,
    actor: Actor,
    at: dt.datetime | None = None,
) -> GuideCard:
    """She works in the store from now on: her posting and her channel code are open.

    Refuses an unusable or taken number, an empty name and a closed store.
    """
    at = at or clock.now()
    number, name = _word(number, 20), _word(name, 40)
    try:
        with transaction.atomic():
            store = lock_open_store(store_id)
            guide = Guide.objects.create(
                number=number,
                name=name,
                store=store,
                role=_role(role),
                joined_on=clock.business_day(at),
            )
            _open_posting(guide, at)
            create_code(kind=CodeKind.GUIDE, guide=guide, store_id=store.pk, actor=actor, at=at)
            audit.record(
                action="guides.guide_hired",
                subject=guide,
                actor=actor,
                at=at,
                store_id=store.pk,
                role=guide.role,
            )
            return get_guide_card(guide.pk)
    except IntegrityError as error:
        if violated(error) == "guides_guide_number_key":
            raise GuideNumberTaken from None
        raise


def rename_guide(*, guide_id: int, name: str, actor: Actor, at: dt.datetime | None = None) -> GuideCard:
    """Her name is this one."""
    name = _word(name, 40)
    with transaction.atomic():
        guide = lock_guide(guide_id)
        if changed_fields(guide, name=name):
            guide.save(update_fields=["name"])
            audit.record(action="guides.guide_renamed", subject=guide, actor=actor, at=at)
        return get_guide_card(guide.pk)


def move_guide(
    *, guide_id: int, store_id: int, role: str, actor: Actor, at: dt.datetime | None = None
) -> GuideCard:
    """She works in that store in that role from now on.

    The posting before is closed and kept; her open codes follow her, her members' bindings keep the store
    they were made in. Refuses one who has left and a closed store. The same place and role change nothing.
    """
    at = at or clock.now()
    with transaction.atomic():
        store = lock_open_store(store_id)
        guide = lock_guide(guide_id)
        if guide.state != GuideState.ACTIVE:
            raise GuideHasLeft
        from_store_id = guide.store_id
        changed = changed_fields(guide, store_id=store.pk, role=_role(role))
        if not changed:
            return get_guide_card(guide.pk)
        guide.save(update_fields=changed)
        _close_posting(guide, at)
        _open_posting(guide, at)
        ChannelCode.objects.filter(guide=guide, closed_at__isnull=True).update(store=store)
        audit.record(
            action="guides.guide_moved",
            subject=guide,
            actor=actor,
            at=at,
            from_store_id=from_store_id,
            to_store_id=store.pk,
            role=guide.role,
        )
        if from_store_id != store.pk:
            events.publish(GuideMoved(guide.pk, from_store_id, store.pk))
        return get_guide_card(guide.pk)


def leave_guide(*, guide_id: int, actor: Actor, at: dt.datetime | None = None) -> GuideCard:
    """She has left: sessions end, logins and unused activation codes are gone, posting and codes are closed.

    Her members stay bound to her until they are handed over; a scan of another guide's code takes them along.
    Refuses one who has left before.
    """
    at = at or clock.now()
    with transaction.atomic():
        guide = lock_guide(guide_id)
        if guide.state != GuideState.ACTIVE:
            raise GuideHasLeft
        guide.state = GuideState.LEFT
        guide.left_on = clock.business_day(at)
        guide.session_epoch += 1
        guide.save(update_fields=["state", "left_on", "session_epoch"])
        _close_posting(guide, at)
        ChannelCode.objects.filter(guide=guide, closed_at__isnull=True).update(closed_at=at)
        GuideLogin.objects.filter(guide=guide).delete()
        ActivationCode.objects.filter(guide=guide, used_at__isnull=True, revoked_at__isnull=True).update(
            revoked_at=at
        )
        audit.record(action="guides.guide_left", subject=guide, actor=actor, at=at)
        events.publish(GuideLeft(guide.pk))
        return get_guide_card(guide.pk)


def return_guide(
    *, guide_id: int, store_id: int, role: str = GuideRole.GUIDE, actor: Actor, at: dt.datetime | None = None
) -> GuideCard:
    """She is back, with a new posting and a new channel code; the old codes stay closed.

    Refuses one who is here, and a closed store.
    """
    at = at or clock.now()
    with transaction.atomic():
        store = lock_open_store(store_id)
        guide = lock_guide(guide_id)
        if guide.state == GuideState.ACTIVE:
            raise GuideStillHere
        guide.state = GuideState.ACTIVE
        guide.left_on = None
        guide.store = store
        guide.role = _role(role)
        guide.session_epoch += 1
        guide.save(update_fields=["state", "left_on", "store", "role", "session_epoch"])
        _open_posting(guide, at)
        create_code(kind=CodeKind.GUIDE, guide=guide, store_id=store.pk, actor=actor, at=at)
        audit.record(
            action="guides.guide_returned",
            subject=guide,
            actor=actor,
            at=at,
            store_id=store.pk,
            role=guide.role,
        )
        return get_guide_card(guide.pk)


def lock_guide(guide_id: int) -> Guide:
    """The guide's row, locked. Raises NoSuchGuide."""
    try:
        return Guide.objects.lock(guide_id)
    except NotFound:
        raise NoSuchGuide from None


def _open_posting(guide: Guide, at: dt.datetime) -> None:
    # Coming back before the last posting ended (a correction of the day) would overlap: start where it ended.
    last = guide.postings.order_by("-started_at", "-pk").first()
    started_at = at if last is None or last.ended_at is None else max(at, last.ended_at)
    GuidePosting.objects.create(guide=guide, store=guide.store, role=guide.role, started_at=started_at)


def _close_posting(guide: Guide, at: dt.datetime) -> None:
    for posting in GuidePosting.objects.filter(guide=guide, ended_at__isnull=True):
        posting.ended_at = max(at, posting.started_at)
        posting.save(update_fields=["ended_at"])


def _role(role: str) -> GuideRole:
    try:
        return GuideRole(role)
    except ValueError:
        raise GuideUnusable(field="role") from None


def _word(text: str, length: int) -> str:
    word = " ".join(text.replace("\0", "").split())
    if not 1 <= len(word) <= length:
        raise GuideUnusable(field="name")
    return word
