"""Stores, as cards and by distance."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import ASin, Cast, Cos, Least, NullIf, Power, Radians, Sin, Sqrt

from core.compiled import Given, compiled
from core.errors import InvalidInput, NotFound
from guides.contracts import StoreCard, StorePlace
from guides.models import Dealer, Region, Store

_EARTH_DIAMETER_M: Final = 12_742_017.6  # twice the mean radius, IUGG

PLACE_COLUMNS: Final = ("pk", "region__path", "dealer_id", "is_active")


def store_place_of(store_id: int, path: str, dealer_id: int | None, is_active: bool) -> StorePlace:
    """The place from these columns of a store."""
    return StorePlace(store_id, tuple(int(step) for step in path.split("/") if step), dealer_id, is_active)


def store_card_of(store: Store, distance_m: int | None = None) -> StoreCard:
    """The card of a store fetched with its region and dealer."""
    return StoreCard(
        id=store.pk,
        public_id=store.public_id,
        name=store.name,
        region_name=store.region.name,
        dealer_name=store.dealer.name if store.dealer is not None else "",
        address=store.address,
        phone=store.phone,
        opening_hours=tuple(store.opening_hours),
        distance_m=distance_m,
        latitude=None if store.latitude is None else float(store.latitude),
        longitude=None if store.longitude is None else float(store.longitude),
    )


def get_store_card(store_id: int) -> StoreCard:
    """Raises NotFound."""
    store = Store.objects.select_related("region", "dealer").filter(pk=store_id).first()
    if store is None:
        raise NotFound
    return store_card_of(store)


def find_open_store(public_id: str) -> StoreCard | None:
    """The open store with that public id."""
    stores = Store.objects.select_related("region", "dealer").filter(is_active=True)
    store = stores.filter(public_id=public_id.replace("\0", "")[:17]).first()
    return None if store is None else store_card_of(store)


@compiled
def _place(*, store_id: Given) -> QuerySet[Store, Any]:
    return Store.objects.filter(pk=store_id).values_list(*PLACE_COLUMNS)


def get_store_place(store_id: int) -> StorePlace:
    """Raises NotFound."""
    found = _place.first(store_id=store_id)
    if found is None:
        raise NotFound
    return store_place_of(*found)


def list_all_store_places() -> tuple[StorePlace, ...]:
    """Every store, open or closed, with its region and all above it."""
    rows = Store.objects.values_list(*PLACE_COLUMNS).order_by("pk")
    return tuple(store_place_of(*row) for row in rows)


def find_children_step(parent_id: int | None) -> tuple[int, str]:
    """Which step of a store's path names the region directly below the parent (for `stores_below`), and the step before
    it. Without a parent: the regions below the one root there is, or the roots where there are several."""
    if parent_id is not None:
        path = Region.objects.filter(pk=parent_id).values_list("path", flat=True).first()
        return (len((path or "//").split("/")), str(parent_id))
    held = Region.objects.filter(Exists(Store.objects.filter(region=OuterRef("pk"))))
    paths = [path.split("/")[1:-1] for path in held.values_list("path", flat=True)]
    roots = {path[0] for path in paths}
    return (3, roots.pop()) if len(roots) == 1 and any(len(path) > 1 for path in paths) else (2, "")


def stores_below(*, step: Given, above: Given) -> QuerySet[Store, Any]:
    """(store, region, dealer, path) of the stores in a region's children, for `find_children_step`; unevaluated. Stores
    that hang directly on the parent are left out."""
    number = Cast(step, IntegerField())
    stores = Store.objects.annotate(region_step=_path_step(number), above_step=_path_step(number - 1))
    held = stores.filter(above_step=above).exclude(region_step="")
    subject = Cast(NullIf(F("region_step"), Value("")), BigIntegerField())
    return held.annotate(subject=subject).values_list("pk", "subject", "dealer_id", "region__path")


def stores_of_dealers() -> QuerySet[Store, Any]:
    """(store, dealer, dealer, path) of the stores that dealers own; unevaluated."""
    stores = Store.objects.filter(dealer__isnull=False).annotate(subject=F("dealer_id"))
    return stores.values_list("pk", "subject", "dealer_id", "region__path")


def _path_step(number: Any) -> Func:
    return Func(F("region__path"), Value("/"), number, function="split_part", output_field=CharField())


def list_store_ids_within(
    *, region_id: int | None = None, dealer_id: int | None = None
) -> tuple[tuple[int, ...], bool]:
    """The stores, open or closed, of a region with all below it and of a dealer; and whether these are all stores."""
    stores = Store.objects.order_by("pk").values_list("pk", flat=True)
    if region_id is not None:
        stores = stores.filter(region__path__contains=f"/{region_id}/")
    if dealer_id is not None:
        stores = stores.filter(dealer_id=dealer_id)
    found = tuple(stores)
    return found, len(found) == Store.objects.count()


@compiled
def _place_of_code(*, code: Given) -> QuerySet[Store, Any]:
    return Store.objects.filter(code=code).values_list(*PLACE_COLUMNS)


def find_store_place(code: str) -> StorePlace | None:
    """Where the store of that number stands."""
    found = _place_of_code.first(code=code.replace("\0", "")[:21])
    return None if found is None else store_place_of(*found)


def get_store_code(store_id: int) -> str:
    """The store's number. Raises NotFound."""
    found = _code.first(store_id=store_id)
    if found is None:
        raise NotFound
    return found


@compiled
def _code(*, store_id: Given) -> QuerySet[Store, str]:
    return Store.objects.filter(pk=store_id).values_list("code", flat=True)


def known_place_ids(
    *, store_ids: Iterable[int], region_ids: Iterable[int], dealer_ids: Iterable[int]
) -> tuple[set[int], set[int], set[int]]:
    """Which of these stores, regions and dealers exist."""
    return (
        set(Store.objects.filter(pk__in=list(store_ids)).values_list("pk", flat=True)),
        set(Region.objects.filter(pk__in=list(region_ids)).values_list("pk", flat=True)),
        set(Dealer.objects.filter(pk__in=list(dealer_ids)).values_list("pk", flat=True)),
    )


def stores_within(*, store_ids: Iterable[int], region_ids: Iterable[int]) -> frozenset[int]:
    """Ids of the stores that are named, or lie in a named region or below it; open and closed."""
    regions = set(region_ids)
    below = {place.store_id for place in list_all_store_places() if regions & set(place.region_ids)}
    return frozenset(below | set(store_ids))


def nearest_stores(latitude: float, longitude: float, limit: int = 10) -> tuple[StoreCard, ...]:
    """Open stores with a position, nearest first, with the great-circle distance in metres (haversine).

    Degrees are WGS-84. Raises InvalidInput for a place that is not on earth.
    """
    stores = _by_distance(Store.objects.filter(is_active=True, latitude__isnull=False), latitude, longitude)
    return tuple(store_card_of(store, round(store.distance_m)) for store in stores[: max(0, min(limit, 100))])


def list_stores_within(
    *,
    store_ids: Iterable[int] = (),
    region_ids: Iterable[int] = (),
    dealer_ids: Iterable[int] = (),
    place: tuple[float, float] | None = None,
    limit: int = 20,
) -> tuple[tuple[StoreCard, ...], int]:
    """Open stores that are named, lie in a named region or below it, or are a named dealer's, and how many there are;
    all of them where nothing is named. With a place (WGS-84 latitude, longitude) the nearest come first and those
    without a position last, else by number."""
    named, regions, dealers = list(store_ids), list(region_ids), list(dealer_ids)
    stores = Store.objects.filter(is_active=True)
    if named or regions or dealers:
        wanted = Q(pk__in=named) | Q(dealer_id__in=dealers)
        for path in Region.objects.filter(pk__in=regions).values_list("path", flat=True):
            wanted |= Q(region__path__startswith=path)
        stores = stores.filter(wanted)
    count = stores.count()
    limit = max(0, min(limit, 100))
    if place is None:
        rows = stores.select_related("region", "dealer").order_by("code")[:limit]
        return tuple(store_card_of(store) for store in rows), count
    near = _by_distance(stores, *place)[:limit]
    return tuple(
        store_card_of(store, None if store.distance_m is None else round(store.distance_m)) for store in near
    ), count


def _by_distance(stores: QuerySet[Store], latitude: float, longitude: float) -> QuerySet[Any]:
    """Stores with their region, dealer and `distance_m`, the nearest first, those without a position last."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise InvalidInput(field="latitude")
    there_lat = Radians(Cast("latitude", FloatField()))
    half_lat = (there_lat - Radians(Value(float(latitude)))) / Value(2.0)
    half_lon = (Radians(Cast("longitude", FloatField())) - Radians(Value(float(longitude)))) / Value(2.0)
    chord = Power(Sin(half_lat), 2) + Cos(there_lat) * Cos(Radians(Value(float(latitude)))) * Power(
        Sin(half_lon), 2
    )
    # Rounding may lift the chord of two antipodes above 1, where asin ends.
    distance = ExpressionWrapper(
        ASin(Sqrt(Least(chord, Value(1.0)))) * Value(_EARTH_DIAMETER_M), output_field=FloatField()
    )
    return (
        stores.select_related("region", "dealer")
        .annotate(distance_m=distance)
        .order_by(F("distance_m").asc(nulls_last=True), "pk")
    )
