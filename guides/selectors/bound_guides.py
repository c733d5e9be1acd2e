"""Whose the members of a list are now."""

from collections.abc import Iterable

from django.db.models import QuerySet

from core.compiled import Given, compiled, ids_of
from guides.models import Binding, GuideState


def list_bound_guides(member_ids: Iterable[int]) -> dict[int, int]:
    """The guide at work each of these members is bound to; who has none is missing."""
    return dict(_guides(member_ids=list(member_ids)))


def with_guide_ids() -> QuerySet[Binding, int]:
    """Ids of the members bound to a guide at work; unevaluated, for composition."""
    live = Binding.objects.live().filter(guide__state=GuideState.ACTIVE)
    return live.values_list("member_id", flat=True)


def list_guide_words(member_ids: Iterable[int]) -> dict[str, dict[int, str]]:
    """What the guide at work and the store of each of these members are called, under "guide" and "store"."""
    rows = _names(member_ids=list(member_ids))
    return {
        "guide": {member_id: guide for member_id, guide, _store in rows},
        "store": {member_id: store for member_id, _guide, store in rows},
    }


@compiled
def _names(*, member_ids: Given) -> QuerySet[Binding, tuple[int, str, str]]:
    live = Binding.objects.live().filter(member_id__in=ids_of(member_ids), guide__state=GuideState.ACTIVE)
    return live.values_list("member_id", "guide__name", "guide__store__name")


@compiled
def _guides(*, member_ids: Given) -> QuerySet[Binding, tuple[int, int]]:
    live = Binding.objects.live().filter(member_id__in=ids_of(member_ids), guide__state=GuideState.ACTIVE)
    return live.values_list("member_id", "guide_id")


def live_binding_rows() -> QuerySet[Binding, tuple[int, int, int]]:
    """Member, guide and the guide's store of today, of everybody who is bound; unevaluated, for composition."""
    return Binding.objects.live().order_by().values_list("member_id", "guide_id", "guide__store_id")
