"""Whose the members of a list are now."""

from collections.abc import Iterable

from guides.models import Binding, GuideState


def list_bound_guides(member_ids: Iterable[int]) -> dict[int, int]:
    """The guide at work each of these members is bound to; who has none is missing."""
    live = Binding.objects.live().filter(member_id__in=list(member_ids), guide__state=GuideState.ACTIVE)
    return dict(live.values_list("member_id", "guide_id"))
