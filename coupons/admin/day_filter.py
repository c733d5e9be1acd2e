"""A list filter for a span of Shanghai days."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core import clock

if TYPE_CHECKING:

    class _Range(admin.FieldListFilter):
        used_parameters: dict[str, Any]
        parameter_name: str

else:
    from unfold.contrib.filters.admin import RangeDateFilter as _Range


class DaysFilter(_Range):
    """From one day to another, both included; what is no date narrows nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": clock.day_bounds(first)[0]})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": clock.day_bounds(last)[1]})
        return queryset

    def _day(self, side: str) -> dt.date | None:
        text = str(self.used_parameters.get(f"{self.field_path}_{side}") or "")
        for read in _READERS:
            try:
                return read(text)
            except ValueError:
                continue
        return None


_READERS: tuple[Callable[[str], dt.date], ...] = (
    dt.date.fromisoformat,
    lambda text: dt.datetime.strptime(text, "%Y/%m/%d").date(),  # noqa: DTZ007  (a day, not an instant)
)
