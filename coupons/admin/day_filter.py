"""A list filter for a span of Shanghai days."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core import clock


class DaysFilter(admin.FieldListFilter):
    """From one day to another, both included; what is no date narrows nothing.

    The library's own filter for dates counts an end as its midnight, and needs a script that list pages do not load.
    """

    template = "admin/xiaoer/coupons/days_filter.html"

    def __init__(self, field: Any, request: HttpRequest, params: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, params, *args, **kwargs)
        self.days = {side: _day(self.used_parameters.pop(f"{self.field_path}_{side}", "")) for side in _SIDES}

    def expected_parameters(self) -> list[str | None]:
        return [f"{self.field_path}_{side}" for side in _SIDES]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, last = (day.isoformat() if day is not None else "" for day in self.days.values())
        yield {"name": self.field_path, "first": first, "last": last, "selected": bool(first or last)}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self.days.values()
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": clock.day_bounds(first)[0]})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": clock.day_bounds(last)[1]})
        return queryset


_SIDES = ("from", "to")


def _day(value: Any) -> dt.date | None:
    text = str(value[-1] if isinstance(value, list) and value else value or "")
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
