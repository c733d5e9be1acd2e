"""New bindings, and the members of places, for rules that act on them; unevaluated, for other apps' SQL."""

import datetime as dt
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from guides.models import Binding, BindingSource
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
