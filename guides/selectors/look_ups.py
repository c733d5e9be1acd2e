"""Many stores, guides and bindings at once, by the names that tills give them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection

from core.arrays import array_words
from core.compiled import ask, ask_once
from guides.contracts import GuidePlace, StorePlace
from guides.models import Guide, Store
from guides.selectors.places import PLACE_COLUMNS, store_place_of

# One index probe for each pair (binding_history_of_member).
_EXCLUSIVE: Final = """
SELECT asked.place, held.guide_id, held.store_id, store.dealer_id
FROM unnest(%(members)s::bigint[], %(moments)s::timestamptz[]) WITH ORDINALITY AS asked(member_id, at, place)
CROSS JOIN LATERAL (
    SELECT guide_id, store_id FROM guides_binding
    WHERE member_id = asked.member_id AND bound_at <= asked.at AND (ended_at IS NULL OR ended_at > asked.at)
    ORDER BY bound_at DESC, id DESC LIMIT 1) held
JOIN guides_store store ON store.id = held.store_id
"""

# Before her first posting, and in a gap between two, she is where she works today.
_POSTED: Final = """
SELECT guide.id, store.id, store.dealer_id
FROM unnest(%s::bigint[], %s::timestamptz[]) WITH ORDINALITY AS asked(guide_id, at, place)
JOIN guides_guide guide ON guide.id = asked.guide_id
LEFT JOIN LATERAL (
    SELECT store_id FROM guides_guideposting
    WHERE guide_id = asked.guide_id AND started_at <= asked.at AND (ended_at IS NULL OR ended_at > asked.at)
    ORDER BY started_at DESC, id DESC LIMIT 1) posted ON true
JOIN guides_store store ON store.id = coalesce(posted.store_id, guide.store_id)
ORDER BY asked.place
"""


_FEW: Final = 100
_NAMED: Final = """
SELECT true, store.code, store.id, store.id, store.dealer_id, region.path, store.is_active
FROM guides_store store JOIN guides_region region ON region.id = store.region_id
WHERE store.code = ANY(%(codes)s::text[])
UNION ALL
SELECT false, guide.number, guide.id, guide.store_id, store.dealer_id, '', true
FROM guides_guide guide JOIN guides_store store ON store.id = guide.store_id
WHERE guide.number = ANY(%(numbers)s::text[])
"""


def list_named_places(
    *, codes: Iterable[str] = (), numbers: Iterable[str] = ()
) -> tuple[dict[str, StorePlace], dict[str, GuidePlace]]:
    """Open and closed stores by the codes that tills send, and guides, also those who have left, by number, with the
    store of today; what is unknown is missing."""
    asked = {"codes": array_words(set(codes)), "numbers": array_words(set(numbers))}
    stores: dict[str, StorePlace] = {}
    guides: dict[str, GuidePlace] = {}
    for is_store, name, row_id, store_id, dealer_id, path, is_active in ask(_NAMED, asked):
        if is_store:
            stores[name] = store_place_of(store_id, path, dealer_id, is_active)
        else:
            guides[name] = GuidePlace(row_id, store_id, dealer_id)
    return stores, guides


def list_stores_by_code(codes: Iterable[str]) -> dict[str, StorePlace]:
    """The stores alone."""
    return list_named_places(codes=codes)[0]


def list_guides_by_number(numbers: Iterable[str]) -> dict[str, GuidePlace]:
    """The guides alone."""
    return list_named_places(numbers=numbers)[1]


def list_store_places(store_ids: Iterable[int]) -> dict[int, StorePlace]:
    """The same by row id."""
    rows = Store.objects.filter(pk__in=set(store_ids)).values_list(*PLACE_COLUMNS)
    return {row[0]: store_place_of(*row) for row in rows}


def list_guide_places(guide_ids: Iterable[int]) -> dict[int, GuidePlace]:
    """The same by row id."""
    rows = Guide.objects.filter(pk__in=set(guide_ids)).values_list("pk", "store_id", "store__dealer_id")
    return {row[0]: GuidePlace(*row) for row in rows}


def list_guide_places_at(asked: Sequence[tuple[int, dt.datetime]]) -> list[GuidePlace]:
    """For each of these guides (row ids) and instants the store she worked in then; in order."""
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_POSTED, [[guide for guide, _at in asked], [at for _guide, at in asked]])
        return [GuidePlace(*row) for row in cursor.fetchall()]


def list_exclusive_guides(asked: Sequence[tuple[int, dt.datetime]]) -> list[GuidePlace | None]:
    """For each member and instant the guide she belonged to then, with that guide's store of then; in order."""
    answers: list[GuidePlace | None] = [None] * len(asked)
    if not asked:
        return answers
    values = {
        "members": array_words(member for member, _at in asked),
        "moments": array_words(at for _member, at in asked),
    }
    for place, guide_id, store_id, dealer_id in (ask if len(asked) <= _FEW else ask_once)(_EXCLUSIVE, values):
        answers[place - 1] = GuidePlace(guide_id, store_id, dealer_id)
    return answers


def known_guide_ids(guide_ids: Iterable[int]) -> set[int]:
    """Which of these guides exist."""
    return set(Guide.objects.filter(pk__in=list(guide_ids)).values_list("pk", flat=True))


def list_store_names(store_ids: Iterable[int]) -> dict[int, str]:
    """Names by row id, in one query."""
    return dict(Store.objects.filter(pk__any_of=store_ids).values_list("pk", "name"))
