"""Campaigns in a list: colours of their states, what it is filtered by."""

import datetime as dt
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignKind, CampaignState
from core import clock
from core.admin import ChoiceFilter

COLOURS: Final = {
    "draft": "",
    "submitted": "warning",
    "approved": "info",
    "running": "success",
    "paused": "danger",
    "ended": "",
}
_MONTHS: Final = 12


def month_of(words: str) -> dt.date | None:
    """ "2026-12" as its first day."""
    try:
        return dt.date.fromisoformat(f"{words}-01") if len(words) == 7 else None
    except ValueError:
        return None


def shifted(first: dt.date, months: int) -> dt.date:
    """The first of the month so many months later."""
    number = first.year * 12 + first.month - 1 + months
    return dt.date(number // 12, number % 12 + 1, 1)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in CampaignState)


class KindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in CampaignKind)


class PlaceFilter(ChoiceFilter):
    title = _("范围")
    parameter_name = "place"
    options = (("chain", _("全国")), ("region", _("区域")), ("store", _("门店")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        wanted = {
            "chain": Q(region__isnull=True, store__isnull=True),
            "region": Q(region__isnull=False),
            "store": Q(store__isnull=False),
        }.get(str(self.value()))
        return queryset if wanted is None else queryset.filter(wanted)


class MonthFilter(ChoiceFilter):
    """The Shanghai month in which they begin: from half a year ago to half a year ahead."""

    title = _("开始的月份")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        first = clock.today().replace(day=1)
        months = [shifted(first, number) for number in range(_MONTHS // 2, -_MONTHS // 2 - 1, -1)]
        return [(f"{one:%Y-%m}", _now("%(y)s年%(m)s月") % {"y": one.year, "m": one.month}) for one in months]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        first = month_of(self.value() or "")
        if first is None:
            return queryset
        begins, _end = clock.day_bounds(first)
        ends, _end = clock.day_bounds(shifted(first, 1))
        return queryset.filter(starts_at__gte=begins, starts_at__lt=ends)


FILTERS: Final = (StateFilter, KindFilter, PlaceFilter, MonthFilter)
