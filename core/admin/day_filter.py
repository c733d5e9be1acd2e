"""A list filter for a span of Shanghai days."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from core import clock


class DaysFilter(admin.FieldListFilter):
    """From one day to another, both included, of a column of instants or of days; what is no date narrows nothing.

    The library's own filter for dates counts an end as its midnight, and needs a script that list pages do not load.
    """

    template = "admin/xiaoer/days_filter.html"

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
        is_instant = isinstance(self.field, models.DateTimeField)
        if first is not None:
            start = clock.day_bounds(first)[0] if is_instant else first
            queryset = queryset.filter(**{f"{self.field_path}__gte": start})
        if last is not None:
            end = clock.day_bounds(last)[1] if is_instant else last + dt.timedelta(days=1)
            queryset = queryset.filter(**{f"{self.field_path}__lt": end})
        return queryset


_SIDES = ("from", "to")


def _day(value: Any) -> dt.date | None:
    text = str(value[-1] if isinstance(value, list) and value else value or "")
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
