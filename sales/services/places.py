"""Totals within regions and dealers: they follow the totals of stores, and the stores follow the tree of regions."""

import datetime as dt
from collections import defaultdict
from typing import Final

from django.db import connection, transaction

from guides import selectors as guide_selectors
from sales.models import PlaceStore
from sales.selectors.spans import place_of_dealer, place_of_region
from sales.services.reconciling import take_close_lock
from sales.services.sizes import recount_place_sizes

# A store came to a place (1) or left it (-1): its guides' totals of all periods come or go with it. The key begins with
# the period: which there are is found by walking along it, each with its stores then.
_BRING: Final = """
WITH RECURSIVE parts AS (
    (SELECT period, starts_on FROM sales_guidestoretotal ORDER BY period, starts_on LIMIT 1)
    UNION ALL
    SELECT later.period, later.starts_on FROM parts CROSS JOIN LATERAL (
        SELECT period, starts_on FROM sales_guidestoretotal
        WHERE (period, starts_on) > (parts.period, parts.starts_on) ORDER BY period, starts_on LIMIT 1) later)
INSERT INTO sales_placetotal (period, starts_on, metric, guide_id, place, value)
SELECT period, starts_on, metric, guide_id, %(place)s, %(sign)s * sum(value)::bigint
FROM parts JOIN sales_guidestoretotal USING (period, starts_on) WHERE store_id = ANY(%(stores)s)
GROUP BY period, starts_on, metric, guide_id
ORDER BY period, starts_on, metric, guide_id
ON CONFLICT (period, starts_on, metric, guide_id, place)
    DO UPDATE SET value = sales_placetotal.value + excluded.value
"""
# A guide who has nothing left of a place has no place on its board.
_SWEEP: Final = """
DELETE FROM sales_placetotal total WHERE place = %(place)s AND NOT EXISTS (
    SELECT FROM sales_placestore held JOIN sales_guidestoretotal other ON other.store_id = held.store_id
    WHERE held.place = total.place AND other.guide_id = total.guide_id AND other.period = total.period
      AND other.starts_on = total.starts_on AND other.metric = total.metric)
"""
_DIFFERENCES: Final = """
SELECT coalesce(said.metric, stood.metric), coalesce(said.guide_id, stood.guide_id),
       coalesce(said.place, stood.place), coalesce(said.value, 0), coalesce(stood.value, 0)
FROM (
    SELECT total.metric, total.guide_id, held.place, sum(total.value)::bigint AS value
    FROM sales_guidestoretotal total JOIN sales_placestore held ON held.store_id = total.store_id
    WHERE total.period = %(period)s AND total.starts_on = %(start)s GROUP BY 1, 2, 3) said
FULL JOIN (
    SELECT * FROM sales_placetotal WHERE period = %(period)s AND starts_on = %(start)s) stood
    ON stood.metric = said.metric AND stood.guide_id = said.guide_id AND stood.place = said.place
WHERE coalesce(said.value, 0) <> coalesce(stood.value, 0)
"""
_MEND: Final = """
INSERT INTO sales_placetotal (period, starts_on, metric, guide_id, place, value) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (period, starts_on, metric, guide_id, place) DO UPDATE SET value = excluded.value
"""
PlaceDifference = tuple[str, int, int, int, int]  # metric, guide, place, said, stood


def sync_places() -> int:
    """The stores of each place are those of the tree of today, and the totals followed; how many came or went.

    One place after the other, each in a transaction that waits for bookings under way.
    """
    wanted = _wanted()
    standing: dict[int, set[int]] = defaultdict(set)
    for place, store_id in PlaceStore.objects.values_list("place", "store_id"):
        standing[place].add(store_id)
    changed = [
        place
        for place in sorted(wanted.keys() | standing.keys())
        if wanted.get(place, set()) != standing.get(place, set())
    ]
    return sum(_sync_place(place, wanted.get(place, set())) for place in changed)


def mend_places(*, period: str, starts_on: dt.date) -> list[PlaceDifference]:
    """Totals of places that are not what the stores' add up to are written anew; what differed. Inside the
    transaction that holds the close lock alone."""
    found = find_place_differences(period=period, starts_on=starts_on)
    with connection.cursor() as cursor:
        for metric, guide_id, place, said, _stood in found:
            cursor.execute(_MEND, [period, starts_on, metric, guide_id, place, said])
    return found


def find_place_differences(*, period: str, starts_on: dt.date) -> list[PlaceDifference]:
    """What `mend_places` would put right."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, {"period": period, "start": starts_on})
        rows: list[PlaceDifference] = cursor.fetchall()
        return rows


def _wanted() -> dict[int, set[int]]:
    """Places with several stores that are not all stores."""
    found: dict[int, set[int]] = defaultdict(set)
    stores = guide_selectors.list_all_store_places()
    for store in stores:
        for region_id in store.region_ids:
            found[place_of_region(region_id)].add(store.store_id)
        if store.dealer_id is not None:
            found[place_of_dealer(store.dealer_id)].add(store.store_id)
    return {place: ids for place, ids in found.items() if 1 < len(ids) < len(stores)}


def _sync_place(place: int, wanted: set[int]) -> int:
    with transaction.atomic():
        take_close_lock()
        standing = set(PlaceStore.objects.filter(place=place).values_list("store_id", flat=True))
        gone, come = standing - wanted, wanted - standing
        PlaceStore.objects.filter(place=place, store_id__in=gone).delete()
        PlaceStore.objects.bulk_create(
            PlaceStore(place=place, store_id=store_id) for store_id in sorted(come)
        )
        with connection.cursor() as cursor:
            for stores, sign in ((come, 1), (gone, -1)):
                if stores:
                    cursor.execute(_BRING, {"place": place, "sign": sign, "stores": sorted(stores)})
            if gone:
                cursor.execute(_SWEEP, {"place": place})
        recount_place_sizes(place)
    return len(gone) + len(come)
