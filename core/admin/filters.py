"""List filters that stay inside a staff account's part of the chain."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

if TYPE_CHECKING:
    _AutocompleteSelectFilter = admin.RelatedFieldListFilter

    class _DropdownFilter(admin.SimpleListFilter):
        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None: ...
else:
    from unfold.contrib.filters.admin import AutocompleteSelectFilter as _AutocompleteSelectFilter
    from unfold.contrib.filters.admin import DropdownFilter as _DropdownFilter


class AutocompleteFilter(_AutocompleteSelectFilter):
    """Choose one related row by typing; a row outside the account's part is neither offered nor named."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            # The chosen row is shown by name: look it up through the related page, which is scoped.
            shown: Any = choice
            related: Any = self.field.related_model
            page = changelist.model_admin.admin_site._registry[related]
            field = next(iter(shown["form"].fields.values()))
            field.queryset = page.get_queryset(changelist.model_admin.request)
            yield shown


class ChoiceFilter(_DropdownFilter):
    """Choose one of a few fixed values."""

    options: tuple[tuple[str, Any], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(text)) for value, text in self.options]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value else queryset


class CountedFilter(_DropdownFilter):
    """Choose one value; every choice says how many rows it has. Subclasses give the counts by one query."""

    def counts(self, request: HttpRequest, page: Any) -> Iterable[tuple[str, Any, int]]:
        """(value, text, count) in the order shown; nothing unless the subclass says what."""
        return []

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, f"{text}（{count:,}）") for value, text, count in self.counts(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value else queryset
