"""Regions, dealers and stores."""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from core import audit
from core.actor import Actor
from core.constraints import violated
from core.models import changed_fields
from guides.contracts import DealerCard, RegionCard, StoreCard
from guides.errors import (
    DealerCodeTaken,
    DealerUnusable,
    RegionInsideItself,
    RegionNameTaken,
    RegionUnusable,
    StoreClosed,
    StoreCodeTaken,
    StoreHasGuides,
    StoreUnusable,
)
from guides.models import Dealer, Guide, Region, Store
from guides.selectors.places import get_store_card

_DEPTH: Final = 10
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
_DEGREE: Final = Decimal("0.000001")


def open_region(
    *, name: str, parent_id: int | None = None, actor: Actor, at: dt.datetime | None = None
) -> RegionCard:
    """The region exists below its parent. Refuses an unusable or taken name and a tree deeper than ten."""
    name = _word(name, 40, RegionUnusable)
    try:
        with transaction.atomic():
            prefix = "/" if parent_id is None else Region.objects.lock(parent_id).path
            region = Region.objects.create(name=name, parent_id=parent_id, path="")
            region.path = f"{prefix}{region.pk}/"
            _check_depth(region.path)
            region.save(update_fields=["path"])
            audit.record(action="guides.region_opened", subject=region, actor=actor, at=at)
    except IntegrityError as error:
        raise _translated(error) from error
    return _region_card(region)


def rename_region(*, region_id: int, name: str, actor: Actor, at: dt.datetime | None = None) -> RegionCard:
    """The region is called this. Refuses an unusable or taken name."""
    name = _word(name, 40, RegionUnusable)
    try:
        with transaction.atomic():
            region = Region.objects.lock(region_id)
            if changed_fields(region, name=name):
                region.save(update_fields=["name"])
                audit.record(action="guides.region_renamed", subject=region, actor=actor, at=at)
    except IntegrityError as error:
        raise _translated(error) from error
    return _region_card(region)


def move_region(
    *, region_id: int, parent_id: int | None, actor: Actor, at: dt.datetime | None = None
) -> RegionCard:
    """The region hangs, with all that is below it, under another parent (None: the top).

    Refuses to hang it below itself, a taken name and a tree deeper than ten. The whole tree is locked: two
    moves that are fine alone can make a ring together.
    """
    try:
        with transaction.atomic():
            rows = {row.pk: row for row in Region.objects.lock_rows()}
            region = rows.get(region_id) or Region.objects.lock(region_id)
            parent = None if parent_id is None else rows.get(parent_id) or Region.objects.lock(parent_id)
            if parent is not None and parent.path.startswith(region.path):
                raise RegionInsideItself
            old, new = region.path, f"{parent.path if parent else '/'}{region.pk}/"
            if old == new:
                return _region_card(region)
            for row in rows.values():
                if row.path.startswith(old):
                    _check_depth(new + row.path[len(old) :])
            # The name is unique below a parent, so parent and paths change apart.
            region.parent, region.path = parent, new
            region.save(update_fields=["parent"])
            Region.objects.filter(path__startswith=old).update(
                path=Concat(Value(new), Substr("path", len(old) + 1))
            )
            audit.record(
                action="guides.region_moved", subject=region, actor=actor, at=at, from_path=old, to_path=new
            )
    except IntegrityError as error:
        raise _translated(error) from error
    return _region_card(region)


def open_dealer(
    *, code: str, name: str, contact: str = "", actor: Actor, at: dt.datetime | None = None
) -> DealerCard:
    """The dealer exists. Refuses an unusable or taken code."""
    code, name = _word(code, 20, DealerUnusable), _word(name, 60, DealerUnusable)
    try:
        with transaction.atomic():
            dealer = Dealer.objects.create(code=code, name=name, contact=contact[:40])
            audit.record(action="guides.dealer_opened", subject=dealer, actor=actor, at=at)
    except IntegrityError as error:
        raise _translated(error) from error
    return DealerCard(dealer.pk, dealer.code, dealer.name, dealer.is_active)


def open_store(
    *,
    code: str,
    name: str,
    region_id: int,
    dealer_id: int | None = None,
    address: str = "",
    latitude: float | Decimal | None = None,
    longitude: float | Decimal | None = None,
    phone: str = "",
    opening_hours: Sequence[str] = (),
    actor: Actor,
    at: dt.datetime | None = None,
) -> StoreCard:
    """The store exists and is open.

    Refuses an unusable or taken code, half a position or one off the earth (WGS-84 degrees), and opening
    hours that are not seven spans, Monday first, "" for a day off. A directly owned store has no dealer.
    """
    try:
        with transaction.atomic():
            store = Store.objects.create(
                code=_word(code, 20, StoreUnusable),
                name=_word(name, 60, StoreUnusable),
                region=Region.objects.lock(region_id),
                dealer_id=_known_dealer(dealer_id),
                address=address[:120],
                phone=phone[:20],
                opening_hours=_hours(opening_hours),
                **_position(latitude, longitude),
            )
            audit.record(action="guides.store_opened", subject=store, actor=actor, at=at)
            return get_store_card(store.pk)
    except IntegrityError as error:
        raise _translated(error) from error


def change_store(
    *,
    store_id: int,
    name: str,
    region_id: int,
    dealer_id: int | None,
    address: str,
    latitude: float | Decimal | None,
    longitude: float | Decimal | None,
    phone: str,
    opening_hours: Sequence[str],
    actor: Actor,
    at: dt.datetime | None = None,
) -> StoreCard:
    """The store's particulars are these; its code never changes. Refuses what `open_store` refuses."""
    try:
        with transaction.atomic():
            store = Store.objects.lock(store_id)
            changed = changed_fields(
                store,
                name=_word(name, 60, StoreUnusable),
                region_id=Region.objects.lock(region_id).pk,
                dealer_id=_known_dealer(dealer_id),
                address=address[:120],
                phone=phone[:20],
                opening_hours=_hours(opening_hours),
                **_position(latitude, longitude),
            )
            if changed:
                store.save(update_fields=changed)
                audit.record(
                    action="guides.store_changed", subject=store, actor=actor, at=at, fields=sorted(changed)
                )
            return get_store_card(store.pk)
    except IntegrityError as error:
        raise _translated(error) from error


def close_store(*, store_id: int, actor: Actor, at: dt.datetime | None = None) -> StoreCard:
    """The store is closed. Refuses while active guides work there: their members need a place first."""
    with transaction.atomic():
        store = Store.objects.lock(store_id)
        if Guide.objects.active().filter(store_id=store.pk).exists():
            raise StoreHasGuides
        if changed_fields(store, is_active=False):
            store.save(update_fields=["is_active"])
            audit.record(action="guides.store_closed", subject=store, actor=actor, at=at)
        return get_store_card(store.pk)


def reopen_store(*, store_id: int, actor: Actor, at: dt.datetime | None = None) -> StoreCard:
    """The store is open again."""
    with transaction.atomic():
        store = Store.objects.lock(store_id)
        if changed_fields(store, is_active=True):
            store.save(update_fields=["is_active"])
            audit.record(action="guides.store_reopened", subject=store, actor=actor, at=at)
        return get_store_card(store.pk)


def lock_open_store(store_id: int) -> Store:
    """The store's row, locked; refuses a closed one. Guides come and go under this lock."""
    store = Store.objects.lock(store_id)
    if not store.is_active:
        raise StoreClosed
    return store


def _region_card(region: Region) -> RegionCard:
    return RegionCard(region.pk, region.name, region.parent_id, region.path.count("/") - 1)


def _check_depth(path: str) -> None:
    if path.count("/") - 1 > _DEPTH:
        raise RegionUnusable(field="parent")


def _word(text: str, length: int, refusal: type[RegionUnusable | DealerUnusable | StoreUnusable]) -> str:
    word = " ".join(text.replace("\0", "").split())
    if not 1 <= len(word) <= length:
        raise refusal(field="name")
    return word


def _known_dealer(dealer_id: int | None) -> int | None:
    if dealer_id is not None and not Dealer.objects.filter(pk=dealer_id).exists():
        raise StoreUnusable(field="dealer")
    return dealer_id


def _hours(spans: Sequence[str]) -> list[str]:
    if spans and (len(spans) != 7 or any(span and not _HOURS.fullmatch(span) for span in spans)):
        raise StoreUnusable(field="opening_hours")
    return list(spans)


def _position(latitude: float | Decimal | None, longitude: float | Decimal | None) -> dict[str, Any]:
    if latitude is None or longitude is None:
        if latitude is not None or longitude is not None:
            raise StoreUnusable(field="latitude")
        return {"latitude": None, "longitude": None}
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise StoreUnusable(field="latitude")
    return {
        "latitude": Decimal(str(latitude)).quantize(_DEGREE, ROUND_HALF_EVEN),
        "longitude": Decimal(str(longitude)).quantize(_DEGREE, ROUND_HALF_EVEN),
    }


def _translated(error: IntegrityError) -> Exception:
    refusals: dict[str, type[Exception]] = {
        "region_name_once_below_a_parent": RegionNameTaken,
        "guides_dealer_code_key": DealerCodeTaken,
        "guides_store_code_key": StoreCodeTaken,
    }
    return refusals.get(violated(error), lambda: error)()
