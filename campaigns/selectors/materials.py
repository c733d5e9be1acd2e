"""Materials as guides find them, as their customers open them, and which of them a staff account sees."""

import datetime as dt
from collections.abc import Collection
from typing import Final

from django.db.models import Q, QuerySet

from campaigns.contracts.materials import (
    MaterialCard,
    MaterialLine,
    MaterialLines,
    PictureCard,
    ShareCard,
    SharedMaterial,
)
from campaigns.errors import NoSuchMaterial
from campaigns.models import Material, MaterialPicture, MaterialShare, MaterialState, MaterialVisit
from core import clock
from core.models import StaffAccount
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors
from sales.contracts import FactNote

PAGE_ROWS: Final = 20
_MOST_CATEGORIES: Final = 20


def scope_materials(staff: StaffAccount, materials: QuerySet[Material]) -> QuerySet[Material]:
    """Head office sees all; others those of the regions they were given, with all below, and of their stores."""
    stores = coupon_selectors.visible_store_ids(staff)
    if stores is None:
        return materials
    regions = guide_selectors.visible_region_ids(staff) or frozenset()
    return materials.filter(Q(store_id__in=stores) | Q(region_id__in=regions))


def list_guide_materials(
    *,
    guide_id: int,
    store_id: int,
    query: str = "",
    category: str = "",
    only_mine: bool = False,
    offset: int = 0,
    at: dt.datetime | None = None,
) -> MaterialLines:
    """What a guide of this store may share now, the newest first; or what she took the link of, the last first, also what
    is over by now. Found are those that contain every word of the query."""
    at = at or clock.now()
    if only_mine:
        shares = MaterialShare.objects.filter(guide_id=guide_id, shared_at__isnull=False)
        order = list(shares.order_by("-shared_at", "-pk").values_list("material_id", flat=True))
        rows = Material.objects.filter(pk__in=order)
    else:
        order = []
        rows = Material.objects.live(at).filter(_for_store(store_id))
    if category:
        rows = rows.filter(category=category.replace("\0", ""))
    for word in query.replace("\0", "").split()[:5]:
        rows = rows.filter(
            Q(title__icontains=word)
            | Q(words__icontains=word)
            | Q(text__icontains=word)
            | Q(category__icontains=word)
        )
    if only_mine:
        places = {material_id: place for place, material_id in enumerate(order)}
        found = sorted(rows, key=lambda row: places[row.pk])[offset : offset + PAGE_ROWS + 1]
    else:
        found = list(rows.order_by("-published_at", "-pk")[offset : offset + PAGE_ROWS + 1])
    return MaterialLines(
        _lines(found[:PAGE_ROWS], guide_id, at), offset + PAGE_ROWS if len(found) > PAGE_ROWS else None
    )


def list_material_categories(store_id: int, *, at: dt.datetime | None = None) -> tuple[str, ...]:
    """Of what a guide of this store may share now; those with the newest material first."""
    rows = Material.objects.live(at or clock.now()).filter(_for_store(store_id))
    names = rows.order_by("-published_at", "-pk").values_list("category", flat=True)[:500]
    return tuple(dict.fromkeys(names))[:_MOST_CATEGORIES]


def count_new_materials(store_id: int, *, since: dt.datetime, at: dt.datetime | None = None) -> int:
    """How many of what she may share were published since then."""
    rows = Material.objects.live(at or clock.now()).filter(_for_store(store_id))
    return rows.filter(published_at__gte=since).count()


def find_material_id(public_id: str, *, store_id: int, at: dt.datetime | None = None) -> int | None:
    """The material that a guide of this store may share now."""
    rows = Material.objects.live(at or clock.now()).filter(_for_store(store_id), public_id=_id(public_id))
    return rows.values_list("pk", flat=True).first()


def find_share(*, public_id: str, guide_id: int, at: dt.datetime | None = None) -> ShareCard | None:
    """Her link to this material, whatever became of it; None while she has none."""
    rows = MaterialShare.objects.filter(guide_id=guide_id, material__public_id=_id(public_id))
    share = rows.select_related("material").first()
    if share is None:
        return None
    return ShareCard(share.pk, share.token, card_of(share.material, at or clock.now()), share.shared_at)


def get_shared_material(token: str, *, at: dt.datetime | None = None) -> SharedMaterial:
    """What the link with this token leads to. Raises NoSuchMaterial: unknown, withdrawn and over look the same."""
    at = at or clock.now()
    share = MaterialShare.objects.filter(token=_id(token)).select_related("material").first()
    if share is None:
        raise NoSuchMaterial
    card = card_of(share.material, at)
    if not card.is_live:
        raise NoSuchMaterial
    return SharedMaterial(share.pk, share.guide_id, card)


def get_material_card(material_id: int, *, at: dt.datetime | None = None) -> MaterialCard:
    """The material, in any state. Raises NoSuchMaterial."""
    row = Material.objects.filter(pk=material_id).first()
    if row is None:
        raise NoSuchMaterial
    return card_of(row, at or clock.now())


def card_of(row: Material, at: dt.datetime) -> MaterialCard:
    """What may be shown of a material."""
    return MaterialCard(
        id=row.pk,
        public_id=row.public_id,
        title=row.title,
        category=row.category,
        words=row.words,
        text=row.text,
        link_url=row.link_url,
        link_label=row.link_label,
        mini_page=row.mini_page,
        batch_id=row.batch_id,
        pictures=_pictures(row.pk),
        published_at=row.published_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        is_live=_is_live(row, at),
    )


def describe_shares(refs: Collection[int]) -> list[FactNote]:
    """What these facts of the ledger were about: the material's title."""
    rows = MaterialVisit.objects.filter(pk__in=list(refs))
    return [
        FactNote("share", pk, None, title) for pk, title in rows.values_list("pk", "share__material__title")
    ]


def _is_live(row: Material, at: dt.datetime) -> bool:
    return (
        row.state == MaterialState.PUBLISHED
        and (row.starts_at is None or row.starts_at <= at)
        and (row.ends_at is None or row.ends_at > at)
    )


def _for_store(store_id: int) -> Q:
    """What guides of this store share: the chain's, and what was written for it or for a region it lies in."""
    place = guide_selectors.get_store_place(store_id)
    of_chain = Q(region__isnull=True, store__isnull=True)
    return of_chain | Q(store_id=store_id) | Q(region_id__in=place.region_ids)


def _lines(rows: list[Material], guide_id: int, at: dt.datetime) -> tuple[MaterialLine, ...]:
    keys = [row.pk for row in rows]
    thumbs = {
        picture.material_id: picture.thumb.url
        for picture in MaterialPicture.objects.filter(material_id__in=keys).order_by(
            "material_id", "-position"
        )
    }
    mine = {
        share.material_id: share
        for share in MaterialShare.objects.filter(guide_id=guide_id, material_id__in=keys)
    }
    lines = []
    for row in rows:
        share = mine.get(row.pk)
        lines.append(
            MaterialLine(
                public_id=row.public_id,
                title=row.title,
                category=row.category,
                words=row.words,
                thumb_url=thumbs.get(row.pk, ""),
                published_at=row.published_at,
                ends_at=row.ends_at,
                is_live=_is_live(row, at),
                shared_at=None if share is None else share.shared_at,
                view_count=0 if share is None else share.view_count,
                visitor_count=0 if share is None else share.visitor_count,
            )
        )
    return tuple(lines)


def _pictures(material_id: int) -> tuple[PictureCard, ...]:
    rows = MaterialPicture.objects.filter(material_id=material_id).order_by("position")
    return tuple(
        PictureCard(row.picture.name or "", row.picture.url, row.thumb.url, row.width, row.height)
        for row in rows
    )


def _id(text: str) -> str:
    """As PostgreSQL takes it; what is too long is nobody's."""
    return text.replace("\0", "")[:17]
