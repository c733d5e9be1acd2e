"""What people decided unknown codes stand for, looked up for a batch together."""

from collections.abc import Iterable
from typing import Final, get_args

from django.db.models import Q, QuerySet

from core.errors import InvalidInput
from guides import selectors as guide_selectors
from guides.contracts import GuidePlace, StorePlace
from members import selectors as member_selectors
from sales.contracts import MemberKey, MemberKeyKind
from sales.models import AliasKind, CodeAlias, MemberAlias
from sales.selectors.member_keys import member_indexes

_KEY_KINDS: Final[tuple[MemberKeyKind, ...]] = get_args(MemberKeyKind)
Sourced = tuple[str, str]  # source, code


def list_store_aliases(asked: Iterable[Sourced]) -> dict[Sourced, StorePlace]:
    """The stores that codes of these sources stand for; those nobody decided are missing."""
    asked = set(asked)
    if not asked:
        return {}
    rows = _rows(AliasKind.STORE, asked).values_list("source", "code", "store_id")
    found = {(source, code): store_id for source, code, store_id in rows}
    places = guide_selectors.list_store_places(found.values())
    return {key: places[store_id] for key, store_id in found.items()}


def list_guide_aliases(asked: Iterable[Sourced]) -> dict[Sourced, GuidePlace]:
    """The same of guides."""
    asked = set(asked)
    if not asked:
        return {}
    rows = _rows(AliasKind.GUIDE, asked).values_list("source", "code", "guide_id")
    found = {(source, code): guide_id for source, code, guide_id in rows}
    places = guide_selectors.list_guide_places(found.values())
    return {key: places[guide_id] for key, guide_id in found.items()}


def list_member_aliases(asked: Iterable[tuple[str, MemberKey]]) -> dict[tuple[str, MemberKey], int | None]:
    """Whom sources mean by these keys, the row she lives on in after a merge; None: nobody, on purpose."""
    asked = set(asked)
    if not asked:
        return {}
    indexes = {
        (source, index): (source, member) for source, member in asked for index in member_indexes(member)
    }
    rows = MemberAlias.objects.filter(
        source__in={source for source, _index in indexes},
        member_index__in={index for _source, index in indexes},
    ).values_list("source", "member_index", "member_id")
    found = {
        indexes[(source, index)]: member_id for source, index, member_id in rows if (source, index) in indexes
    }
    living = member_selectors.list_merge_targets(one for one in found.values() if one is not None)
    return {
        key: None if member_id is None else living[member_id]
        for key, member_id in found.items()
        if member_id is None or member_id in living
    }


def member_alias_ids(key: str) -> QuerySet[MemberAlias, int]:
    """Ids of those that name a member by exactly this key, of whatever kind it may be."""
    indexes: set[str] = set()
    for kind in _KEY_KINDS:
        try:
            indexes.update(member_indexes(MemberKey(kind, key)))
        except InvalidInput:
            continue  # a text that cannot be a key of this kind
    return MemberAlias.objects.filter(member_index__in=indexes).values_list("pk", flat=True)


def _rows(kind: AliasKind, asked: set[Sourced]) -> QuerySet[CodeAlias]:
    wanted = Q(pk__in=[])
    for source in {source for source, _code in asked}:
        wanted |= Q(source=source, code__in={code for of, code in asked if of == source})
    return CodeAlias.objects.live().filter(wanted, kind=kind)
