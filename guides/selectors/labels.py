"""Names of places and people for tables of numbers, and which stores a part of the chain has."""

from collections.abc import Iterable

from guides.contracts import StoreLabel
from guides.models import Dealer, Guide, Region, Store


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


def list_dealer_names() -> dict[int, str]:
    """Every dealer's name, by id."""
    return dict(Dealer.objects.values_list("pk", "name"))
