"""A guide's own link to a material, and the fact that she shared it."""

import datetime as dt
from typing import Final

from campaigns.contracts.materials import ShareCard
from campaigns.errors import NoSuchMaterial
from campaigns.models import MaterialShare, MaterialVisit
from campaigns.selectors.materials import find_material_id, find_share
from core import clock
from guides.contracts import GuideCard
from sales import services as sale_services

_AT_ONCE: Final = 500
# Whoever hears the event is writing it just now.
_GRACE: Final = dt.timedelta(seconds=10)


def open_share(*, public_id: str, guide: GuideCard, at: dt.datetime | None = None) -> ShareCard:
    """The guide has a link of her own to the material, one for good. Of one that is over, or not for her store any more, she
    finds the link that she took of it. Raises NoSuchMaterial."""
    at = at or clock.now()
    material_id = find_material_id(public_id, store_id=guide.store.id, at=at)
    if material_id is not None:
        link = MaterialShare(material_id=material_id, guide_id=guide.id, created_at=at)
        MaterialShare.objects.bulk_create([link], ignore_conflicts=True)
    share = find_share(public_id=public_id, guide_id=guide.id, at=at)
    if share is None or (material_id is None and share.shared_at is None):
        raise NoSuchMaterial
    return share


def note_share(*, public_id: str, guide: GuideCard, at: dt.datetime | None = None) -> None:
    """She took the link, its poster or WeChat's menu just now: her own word, by which she finds it again. What counts is
    that somebody opens it. Raises NoSuchMaterial, also for one that is over."""
    at = at or clock.now()
    share = open_share(public_id=public_id, guide=guide, at=at)
    if not share.material.is_live:
        raise NoSuchMaterial
    MaterialShare.objects.filter(pk=share.id).update(shared_at=at)


def count_share(*, visit_id: int, at: dt.datetime | None = None) -> bool:
    """The visit that carries a share stands in the ledger, as a material shared on its day; whether this call wrote it.
    Told again, it changes nothing. It is never taken back: what was opened was opened."""
    at = at or clock.now()
    rows = MaterialVisit.objects.filter(pk=visit_id, carries=True, counted_at__isnull=True)
    visit = rows.first()
    if visit is None:
        return False
    written = sale_services.record_fact(
        kind="share", ref=visit.pk, happened_at=visit.first_at, guide_id=visit.guide_id, at=at
    )
    rows.update(counted_at=at)
    return written


def count_open_shares(*, at: dt.datetime | None = None) -> int:
    """Shares whose event was lost stand in the ledger; how many were written."""
    at = at or clock.now()
    waiting = MaterialVisit.objects.filter(carries=True, counted_at__isnull=True, first_at__lt=at - _GRACE)
    keys = list(waiting.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    return sum(count_share(visit_id=key, at=at) for key in keys)
