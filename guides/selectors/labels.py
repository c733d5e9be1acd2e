"""Names of places and people for tables of numbers, and which stores a part of the chain has."""

from collections.abc import Iterable

from django.db.models import Count, F, Q, Subquery

from guides.contracts import GuideEntry, RegionNode, StoreLabel
from guides.models import Dealer, Guide, GuideState, Region, Store


def list_store_labels(store_ids: Iterable[int] | None = None) -> dict[int, StoreLabel]:
    """Stores with their region and dealer, by id; all of them when none are named."""
    rows = Store.objects.select_related("region", "dealer")
    if store_ids is not None:
        rows = rows.filter(pk__in=list(store_ids))
    return {
        row.pk: StoreLabel(
            id=row.pk,
            code=row.code,
            name=row.name,
            region_id=row.region_id,
            region_name=row.region.name,
            dealer_id=row.dealer_id,
            dealer_name=row.dealer.name if row.dealer is not None else "",
        )
        for row in rows
    }


def list_store_owners() -> dict[int, int | None]:
    """The dealer of every store, None for the chain's own."""
    return dict(Store.objects.values_list("pk", "dealer_id"))


def list_store_ids(*, region_id: int | None = None, dealer_id: int | None = None) -> frozenset[int]:
    """The stores in the region or below it, and of the dealer; none when there is no such region."""
    rows = Store.objects.all()
    if region_id is not None:
        path = Region.objects.filter(pk=region_id).values_list("path", flat=True).first()
        rows = rows.none() if path is None else rows.filter(region__path__startswith=path)
    if dealer_id is not None:
        rows = rows.filter(dealer_id=dealer_id)
    return frozenset(rows.values_list("pk", flat=True))


def list_guide_labels(guide_ids: Iterable[int]) -> dict[int, str]:
    """Name and number of guides, by id."""
    rows = Guide.objects.filter(pk__in=list(guide_ids)).values_list("pk", "name", "number")
    return {pk: f"{name}（{number}）" for pk, name, number in rows}


def list_guide_entries(guide_ids: Iterable[int]) -> dict[int, GuideEntry]:
    """Guides in a table of numbers, also those who have left, by id."""
    rows = Guide.objects.select_related("store").filter(pk__in=list(guide_ids))
    return {row.pk: _entry(row) for row in rows}


def list_active_guide_entries(store_id: int, *, also: Iterable[int] = ()) -> dict[int, GuideEntry]:
    """Who works in the store now, and these others, by id."""
    here = Q(store_id=store_id, state=GuideState.ACTIVE)
    rows = Guide.objects.select_related("store").filter(here | Q(pk__in=list(also))).order_by("number")
    return {row.pk: _entry(row) for row in rows}


def list_regions_above(store_id: int) -> tuple[tuple[RegionNode, ...], int | None]:
    """The regions in which the store lies, from below, without one that is the root of all, and its dealer; one
    query."""
    store = Store.objects.filter(pk=store_id)
    roots = Region.objects.filter(parent__isnull=True).order_by().values("parent_id")
    rows = (
        Region.objects.alias(below=Subquery(store.values("region__path")[:1]))
        .filter(below__startswith=F("path"))
        .annotate(
            roots=Subquery(roots.annotate(count=Count("*")).values("count")),
            dealer=Subquery(store.values("dealer_id")[:1]),
        )
        .order_by("-path")
    )
    found = list(rows)
    nodes = [RegionNode(row.pk, row.name, row.path.count("/") - 2) for row in found]
    dealer_id: int | None = found[0].dealer if found else None
    return tuple(
        node for node, row in zip(nodes, found, strict=True) if node.depth or row.roots > 1
    ), dealer_id


def list_dealer_names() -> dict[int, str]:
    """Every dealer's name, by id."""
    return dict(Dealer.objects.values_list("pk", "name"))


def _entry(row: Guide) -> GuideEntry:
    is_active = row.state == GuideState.ACTIVE
    return GuideEntry(row.pk, row.name, row.number, row.store_id, row.store.name, is_active)
