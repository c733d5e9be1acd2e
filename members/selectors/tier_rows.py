"""Who stands on which tier, for composition."""

from django.db.models import QuerySet

from members.models import MemberTier


def tier_rows() -> QuerySet[MemberTier, tuple[int, int]]:
    """Member and tier, as it stands in her row; who reached nothing is missing; unevaluated, for composition."""
    return MemberTier.objects.filter(tier__isnull=False).order_by().values_list("member_id", "tier_id")
