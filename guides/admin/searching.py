"""Lists of what a guide has to do with a member."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from members import selectors as member_selectors


class FoundByMemberOrGuide:
    """Mix into an admin of rows with a member and a guide: found by the member as everywhere, or by the guide's name."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = member_selectors.search_member_ids(term)
        by_guide = queryset.filter(guide__name__icontains=term)
        return queryset.filter(member_id__in=found) | by_guide, False
