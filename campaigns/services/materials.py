"""Materials are written, published and withdrawn by staff."""

import datetime as dt
import functools
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import transaction

from campaigns.contracts.materials import MOST_PICTURES, MaterialDraft, StoredPicture
from campaigns.errors import (
    MaterialEmpty,
    MaterialForHeadOffice,
    MaterialNotInState,
    MaterialUnfit,
    NoSuchMaterial,
)
from campaigns.models import Material, MaterialPicture, MaterialState
from campaigns.selectors.campaigns.limits import may_run_for
from campaigns.services.material_pictures import drop_picture_files
from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from core.models import StaffAccount, changed_fields
from core.texts import clean
from coupons import selectors as coupon_selectors

PLACES: Final = ("门店", "导购")
_BRACED: Final = re.compile(r"\{([^{}]*)\}")
_MINI_PAGE: Final = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_\-/.?=&%]{0,199}")


def save_material(
    *,
    draft: MaterialDraft,
    pictures: Sequence[StoredPicture] | None = None,
    material_id: int | None = None,
    staff: StaffAccount | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The material says this now (`material_id` None: a new one, a draft); its id. `pictures` None leaves them as they are.

    Guides and customers see at once what changes in a published one. Refuses what does not fit (MaterialUnfit with its
    field), a part of the chain that is not the account's (MaterialForHeadOffice), and an unknown material.
    """
    at = at or clock.now()
    values = _checked(draft)
    if pictures is not None and len(pictures) > MOST_PICTURES:
        raise MaterialUnfit(field="pictures")
    if staff is not None and not may_run_for(staff, region_id=draft.region_id, store_id=draft.store_id):
        raise MaterialForHeadOffice(field="region")
    with transaction.atomic():
        if material_id is None:
            row = Material.objects.create(created_at=at, changed_at=at, **values)
            changed = sorted(values)
        else:
            row = _locked(material_id)
            changed = changed_fields(row, **values)
            if changed or pictures is not None:
                row.save(update_fields=[*changed, *changed_fields(row, changed_at=at)])
        if pictures is not None:
            _keep_pictures(row, pictures)
            changed = [*changed, "pictures"]
        if row.state == MaterialState.PUBLISHED:
            _check_readable(row)
        if changed:
            audit.record(
                action="campaigns.material_added" if material_id is None else "campaigns.material_changed",
                subject=row,
                actor=actor,
                at=at,
                fields=sorted(changed),
            )
    return row.pk


def publish_material(*, material_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Guides find it, and links to it lead there. Refuses one that shows nothing (MaterialEmpty), one whose time is over
    (MaterialUnfit) and one that is published already (MaterialNotInState)."""
    at = at or clock.now()
    with transaction.atomic():
        row = _locked(material_id)
        if row.state == MaterialState.PUBLISHED:
            raise MaterialNotInState
        _check_readable(row)
        if row.ends_at is not None and row.ends_at <= at:
            raise MaterialUnfit(field="ends_at")
        row.save(update_fields=changed_fields(row, state=MaterialState.PUBLISHED, published_at=at))
        audit.record(action="campaigns.material_published", subject=row, actor=actor, at=at)


def withdraw_material(*, material_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Guides find it no more, and links to it lead nowhere. Refuses one that is not published (MaterialNotInState)."""
    at = at or clock.now()
    with transaction.atomic():
        row = _locked(material_id)
        if row.state != MaterialState.PUBLISHED:
            raise MaterialNotInState
        row.save(update_fields=changed_fields(row, state=MaterialState.WITHDRAWN))
        audit.record(action="campaigns.material_withdrawn", subject=row, actor=actor, at=at)


def _locked(material_id: int) -> Material:
    try:
        return Material.objects.lock(material_id)
    except NotFound as error:
        raise NoSuchMaterial from error


def _check_readable(row: Material) -> None:
    if not row.text and not row.pictures.exists():
        raise MaterialEmpty(field="text")


def _keep_pictures(row: Material, pictures: Sequence[StoredPicture]) -> None:
    """These and no others, in this order; files that nothing names any more go after the commit."""
    before = {name for pair in row.pictures.values_list("picture", "thumb") for name in pair}
    row.pictures.all().delete()
    MaterialPicture.objects.bulk_create(
        [
            MaterialPicture(
                material=row,
                position=place,
                picture=one.name,
                thumb=one.thumb_name,
                width=one.width,
                height=one.height,
            )
            for place, one in enumerate(pictures)
        ]
    )
    gone = sorted(before - {name for one in pictures for name in (one.name, one.thumb_name)})
    if gone:
        transaction.on_commit(functools.partial(drop_picture_files, names=gone))


def _checked(draft: MaterialDraft) -> dict[str, Any]:
    """The columns of a draft."""
    if draft.region_id is not None and draft.store_id is not None:
        raise MaterialUnfit(field="store")
    if draft.starts_at is not None and draft.ends_at is not None and draft.starts_at >= draft.ends_at:
        raise MaterialUnfit(field="ends_at")
    if draft.mini_page and not _MINI_PAGE.fullmatch(draft.mini_page):
        raise MaterialUnfit(field="mini_page")
    return {
        "title": _line(draft.title, "title", 1, 30),
        "category": _line(draft.category, "category", 1, 12),
        "words": _words(draft.words),
        "text": _paragraphs(draft.text, "text", 0, 2_000),
        "link_url": _link(draft.link_url),
        "link_label": _line(draft.link_label, "link_label", 0, 12),
        "mini_page": draft.mini_page,
        "batch_id": _batch(draft.batch_id),
        "region_id": draft.region_id,
        "store_id": draft.store_id,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
    }


def _line(text: str, field: str, least: int, most: int) -> str:
    line = clean(text)
    if not least <= len(line) <= most:
        raise MaterialUnfit(field=field)
    return line


def _paragraphs(text: str, field: str, least: int, most: int) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    whole = "\n".join(map(clean, lines)).strip()
    if not least <= len(whole) <= most:
        raise MaterialUnfit(field=field)
    return whole


def _words(text: str) -> str:
    words = _paragraphs(text, "words", 1, 500)
    if any(place not in PLACES for place in _BRACED.findall(words)):
        raise MaterialUnfit(field="words")
    return words


def _link(url: str) -> str:
    """Another page, safely: phones of customers open it."""
    url = url.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise MaterialUnfit(field="link_url") from error
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.username is not None
        or len(url) > 500
        or not url.isprintable()
    ):
        raise MaterialUnfit(field="link_url")
    return url


def _batch(batch_id: int | None) -> int | None:
    """A batch that members claim by themselves. Raises MaterialUnfit, and NoSuchBatch."""
    if batch_id is not None and "claim" not in coupon_selectors.get_batch(batch_id).terms.doors:
        raise MaterialUnfit(field="batch")
    return batch_id
