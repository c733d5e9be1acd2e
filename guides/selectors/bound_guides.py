"""Whose the members of a list are now."""

from collections.abc import Iterable

from django.db.models import QuerySet

from core.compiled import Given, compiled, ids_of
from guides.models import Binding, GuideState


def list_bound_guides(member_ids: Iterable[int]) -> dict[int, int]:
    """The guide at work each of these members is bound to; who has none is missing."""
    return dict(_guides(member_ids=list(member_ids)))


@compiled
def _guides(*, member_ids: Given) -> QuerySet[Binding, tuple[int, int]]:
    live = Binding.objects.live().filter(member_id__in=ids_of(member_ids), guide__state=GuideState.ACTIVE)
    return live.values_list("member_id", "guide_id")
