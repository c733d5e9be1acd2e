"""Places for those who choose them: the tree of regions, stores and dealers by name, and the members behind them."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from guides.contracts import RegionNode
from guides.models import Binding, Dealer, Region, Store

_FOUND = 20


def list_region_tree() -> tuple[RegionNode, ...]:
    """All regions, each behind its parent; siblings by name."""
    rows = list(Region.objects.order_by("name", "pk"))
    below: dict[int | None, list[Region]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    nodes: list[RegionNode] = []

    def walk(parent_id: int | None, depth: int) -> None:
        for row in below.get(parent_id, []):
            nodes.append(RegionNode(row.pk, row.name, depth))
            walk(row.pk, depth + 1)

    walk(None, 0)
    return tuple(nodes)


def search_stores(query: str, stores: QuerySet[Any] | None = None) -> list[tuple[int, str]]:
    """(id, name) of open stores whose name, number or region has the text; at most twenty. `stores` narrows them."""
    text = query.replace("\0", "").strip()[:40]
    rows = Store.objects.filter(is_active=True) if stores is None else stores.filter(is_active=True)
    wanted = Q(name__icontains=text) | Q(code__istartswith=text) | Q(region__name__icontains=text)
    found = rows.filter(wanted).order_by("code")[:_FOUND]
    return list(found.values_list("pk", "name"))


def search_dealers(query: str) -> list[tuple[int, str]]:
    """The same of dealers."""
    text = query.replace("\0", "").strip()[:40]
    rows = Dealer.objects.filter(Q(name__icontains=text) | Q(code__istartswith=text), is_active=True)
    return list(rows.order_by("code")[:_FOUND].values_list("pk", "name"))


def list_place_names(
    *, store_ids: Iterable[int] = (), region_ids: Iterable[int] = (), dealer_ids: Iterable[int] = ()
) -> tuple[dict[int, str], dict[int, str], dict[int, str]]:
    """The names of stores, regions and dealers by id; unknown ones are missing."""
    stores, regions, dealers = (
        dict(model._default_manager.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
        for model, ids in ((Store, list(store_ids)), (Region, list(region_ids)), (Dealer, list(dealer_ids)))
    )
    return stores, regions, dealers


def place_member_ids(
    *,
    store_ids: Collection[int] = (),
    region_ids: Collection[int] = (),
    dealer_ids: Collection[int] = (),
) -> QuerySet[Any, int]:
    """Ids of the members whose guide of today works in one of these stores, in a region or below it, or for a dealer;
    unevaluated."""
    wanted = Q(pk__in=store_ids) | Q(dealer_id__in=dealer_ids)
    for path in Region.objects.filter(pk__in=region_ids).values_list("path", flat=True):
        wanted |= Q(region__path__startswith=path)
    live = Binding.objects.live().filter(guide__store__in=Store.objects.filter(wanted).values("pk"))
    return live.values_list("member_id", flat=True)
