"""New bindings, and the members of places, for rules that act on them; unevaluated, for other apps' SQL."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from guides.models import Binding, BindingSource, Region, Store
from members import selectors as member_selectors

# She had the guide before, in another row or another system.
_NO_NEWS: Final = (BindingSource.MERGE, BindingSource.IMPORT)


def new_bindings(
    *, since: dt.datetime, until: dt.datetime, is_first: bool = False
) -> QuerySet[Any, tuple[int, int]]:
    """(member id, binding id) of living members' bindings that began in the half-open span; with `is_first` only
    those of members who had no guide before, also not in a row that was merged into theirs."""
    bindings = Binding.objects.filter(
        bound_at__gte=since, bound_at__lt=until, member_id__in=member_selectors.living_member_ids()
    ).exclude(source__in=_NO_NEWS)
    if is_first:
        earlier = Q(member=OuterRef("member"), pk__lt=OuterRef("pk"))
        in_another_row = Q(member__merged_into=OuterRef("member"))
        bindings = bindings.filter(~Exists(Binding.objects.filter(earlier | in_another_row)))
    return bindings.values_list("member_id", "pk")


def placed_member_ids(*, store_ids: Iterable[int] = (), region_ids: Iterable[int] = ()) -> QuerySet[Any, int]:
    """Ids of members whose guide of today works in one of these stores, or in one of these regions or below."""
    wanted = Q(pk__in=list(store_ids))
    for path in Region.objects.filter(pk__in=list(region_ids)).values_list("path", flat=True):
        wanted |= Q(region__path__startswith=path)
    stores = Store.objects.filter(wanted)
    bound = Binding.objects.live().filter(guide__store__in=stores.values("pk"))
    return bound.values_list("member_id", flat=True)
