"""The parts of the chain that boards are about, from the tree of regions. Pure."""

from collections.abc import Iterator, Sequence

from guides.contracts import StorePlace


def region_children(stores: Sequence[StorePlace], *, parent_id: int | None) -> list[tuple[int, int]]:
    """(store, region directly below the parent in which it lies). Without a parent: the regions below the one root
    there is, or the roots themselves where there are several. Stores that hang directly on the parent are left out."""
    if parent_id is not None:
        return [
            (store_id, region_id)
            for above, region_id, store_id in children_below(stores)
            if above == parent_id
        ]
    roots = {store.region_ids[0] for store in stores if store.region_ids}
    depth = 1 if len(roots) == 1 and any(len(store.region_ids) > 1 for store in stores) else 0
    return [(store.store_id, store.region_ids[depth]) for store in stores if len(store.region_ids) > depth]


def children_below(stores: Sequence[StorePlace]) -> Iterator[tuple[int, int, int]]:
    """(region, region directly below it, store) along every store's path."""
    for store in stores:
        for parent_id, region_id in zip(store.region_ids, store.region_ids[1:], strict=False):
            yield parent_id, region_id, store.store_id
