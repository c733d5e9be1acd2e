"""Lists of what a guide has to do with a member."""

from typing import Any

from django.db.models import Q, QuerySet

from core.admin import TypedSearch
from members import selectors as member_selectors


class FoundByMemberOrGuide(TypedSearch):
    """Mix into an admin of rows with a member and a guide: found by the member as everywhere, or by the guide's name."""

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = member_selectors.search_member_ids(text)
        return queryset.filter(Q(member_id__in=found) | Q(guide__name__icontains=text))
