"""The condition behind the nine numbers: who came in a period, how she stood when it began, and whether she bought."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import ClassVar, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from guides import selectors as guide_selectors
from guides.selectors.conditions import DEALERS, GUIDES, REGIONS, STORES, dealer_ids
from members.selectors.conditions import (
    Choice,
    Choices,
    Condition,
    Every,
    Found,
    Parameter,
    SetTest,
    Values,
    Window,
    span_of,
)
from sales.models import MemberDay, NineScope, Stood
from sales.selectors.nine import days_within, get_active_days, stood_where

BOUGHT: Final = "bought"


class Came(Condition):
    """She came on a day of the period, as the nine numbers count it: to one of these places, or anywhere; of those who stood
    so when the period began, or of all; to buy something that she kept, or whatever for. How she stood looks at all her
    days of the period, what she did at those in the places."""

    code, label, family, facts = "sales.came", _("来过（九宫格）"), _("到访"), ("visits",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("时间"), begins=True),
        "stood": Choices(
            label=_("期初状态（不选为任何状态）"),
            options=tuple((one.value, one.label) for one in Stood),
            is_required=False,
        ),
        "did": Choice(
            label=_("来了做什么"),
            options=(("came", _("来过就算")), (BOUGHT, _("买了东西"))),
            is_required=False,
        ),
        "stores": dataclasses.replace(STORES, label=_("来的门店"), is_required=False),
        "regions": dataclasses.replace(REGIONS, label=_("来的区域"), is_required=False),
        "dealers": dataclasses.replace(DEALERS, label=_("来的经销商"), is_required=False),
        "guides": dataclasses.replace(GUIDES, label=_("当天的专属导购"), is_required=False),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        days = _days(values, day)
        here = _here(values)
        if values.get("did") == BOUGHT:
            here &= Q(order_count__gt=0)
        stood = values.get("stood") or Stood.values
        if len(stood) == len(Stood):
            return SetTest(days.filter(here))
        standing = SetTest(
            days.filter(stood_where(stood, _first(values, day), active_days=get_active_days()))
        )
        return Every((SetTest(days.filter(here)), standing)) if here else standing

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        days = _days(values, day).filter(member_id=member_id)
        here = list(days.filter(_here(values)).values_list("day", flat=True).distinct().order_by("day"))
        if not here:
            return ""
        first, active_days = _first(values, day), get_active_days()
        stood = next(
            (
                one
                for one in Stood
                if days.filter(stood_where([one], first, active_days=active_days)).exists()
            ),
            Stood.NEW,
        )
        return _now("来过 %(n)s 天，最近 %(day)s，期初是%(stood)s") % {
            "n": len(here),
            "day": here[-1].isoformat(),
            "stood": stood.label,
        }


def _first(values: Values, day: dt.date) -> dt.date:
    """The first day of the period; such a window has one."""
    return span_of(values["when"], day)[0] or day


def _days(values: Values, day: dt.date) -> QuerySet[MemberDay]:
    wanted, last = Q(day__gte=_first(values, day)), span_of(values["when"], day)[1]
    return MemberDay.objects.filter(wanted if last is None else wanted & Q(day__lte=last))


def _here(values: Values) -> Q:
    """Days at one of the places; all of them where none is named."""
    places = Q()
    if values.get("stores"):
        stores = guide_selectors.list_stores_by_code(values["stores"])
        places |= Q(store_ref__in=[place.store_id for place in stores.values()])
    if values.get("regions"):
        places |= days_within(NineScope.REGION, values["regions"])
    if values.get("dealers"):
        places |= days_within(NineScope.DEALER, dealer_ids(values["dealers"]))
    if values.get("guides"):
        guides = guide_selectors.list_guides_by_number(values["guides"])
        places |= days_within(NineScope.GUIDE, [place.guide_id for place in guides.values()])
    return places
