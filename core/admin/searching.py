"""Lists that are searched by whole numbers and names, not by parts of columns."""

from typing import TYPE_CHECKING, Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.base import BaseAdmin

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

_LONGEST: Final = 64


class TypedSearch(_Base):
    """Mix into a list and say in `found_by` what a text means; without one all is shown."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.replace("\0", "").strip()[:_LONGEST]
        return (self.found_by(queryset, text) if text else queryset), False

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that the text means."""
        return queryset


def first_found(*found: QuerySet[Any]) -> QuerySet[Any]:
    """The first of these that has a row, else the last."""
    return next((rows for rows in found[:-1] if rows.exists()), found[-1])
