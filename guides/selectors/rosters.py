"""Who worked where in a stretch of days, and which regions a staff account sees."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet

from core import clock
from core.models import StaffAccount
from guides.contracts import GuideSeat
from guides.models import Guide, GuidePosting, Region, StaffScope, Store


def list_roster(
    *,
    starts_on: dt.date,
    ends_on: dt.date,
    store_ids: Collection[int] | None = None,
    guide_ids: Collection[int] | None = None,
) -> tuple[GuideSeat, ...]:
    """Guides who worked between these days (Shanghai, half-open), each in the store and role she had last in them;
    by store and number. Who moved away from one of the stores in between stands in the store she moved to."""
    until = clock.day_bounds(ends_on)[0]
    last = _last_postings(starts_on, ends_on, guide_ids).select_related("guide")
    seats = [
        GuideSeat(
            guide_id=row.guide_id,
            number=row.guide.number,
            name=row.guide.name,
            store_id=row.store_id,
            is_manager=row.role == "manager",
            stays=row.ended_at is None or row.ended_at >= until,
        )
        for row in last
        if store_ids is None or row.store_id in store_ids
    ]
    return tuple(sorted(seats, key=lambda seat: (seat.store_id, seat.number)))


def list_roster_stores(*, starts_on: dt.date, ends_on: dt.date, guide_ids: Collection[int]) -> dict[int, int]:
    """The store that each of these guides worked in last between these days, by guide; nothing of who did not work."""
    return dict(_last_postings(starts_on, ends_on, guide_ids).values_list("guide_id", "store_id"))


def _last_postings(
    starts_on: dt.date, ends_on: dt.date, guide_ids: Collection[int] | None
) -> QuerySet[GuidePosting]:
    since, until = clock.day_bounds(starts_on)[0], clock.day_bounds(ends_on)[0]
    postings = GuidePosting.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=since), started_at__lt=until
    )
    if guide_ids is not None:
        postings = postings.filter(guide_id__any_of=guide_ids)
    return postings.order_by("guide_id", "-started_at", "-pk").distinct("guide_id")


def visible_region_ids(staff: StaffAccount) -> frozenset[int] | None:
    """The regions an account was given, with all below them; None for head office, which sees every region."""
    if staff.is_active and staff.is_superuser:
        return None
    wanted = Q(pk__in=[])
    if staff.is_active:
        paths = StaffScope.objects.filter(staff_id=staff.pk, region__isnull=False)
        for path in paths.values_list("region__path", flat=True):
            wanted |= Q(path__startswith=path)
    return frozenset(Region.objects.filter(wanted).values_list("pk", flat=True))


def list_region_paths() -> dict[int, tuple[int, ...]]:
    """Every region with the ids from the root down to itself."""
    return {
        pk: tuple(int(step) for step in path.split("/") if step)
        for pk, path in Region.objects.order_by("path").values_list("pk", "path")
    }


def open_store_ids(store_ids: Collection[int]) -> set[int]:
    """Those of the stores that are open for business."""
    return set(Store.objects.filter(pk__in=list(store_ids), is_active=True).values_list("pk", flat=True))


def list_guide_tags(guide_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Number and name of guides by id."""
    rows = Guide.objects.filter(pk__any_of=guide_ids).values_list("pk", "number", "name")
    return {pk: (number, name) for pk, number, name in rows}
