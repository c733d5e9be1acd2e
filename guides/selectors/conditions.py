"""Conditions about the guide a member belongs to, and where that guide works."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from guides.models import Binding, BindingSource, Dealer, Guide, Region, Store
from members.selectors.conditions import (
    FOUND,
    Choices,
    Condition,
    Found,
    Parameter,
    Picks,
    RowTest,
    Values,
    Window,
    instants_of,
)

FAMILY: Final = _("导购和门店")
Names = Mapping[Any, str | Promise]


def _guide_names(keys: Collection[Any]) -> Names:
    return dict(Guide.objects.filter(number__in=list(keys)).values_list("number", "name"))


def _store_names(keys: Collection[Any]) -> Names:
    return dict(Store.objects.filter(code__in=list(keys)).values_list("code", "name"))


def _dealer_names(keys: Collection[Any]) -> Names:
    return dict(Dealer.objects.filter(code__in=list(keys)).values_list("code", "name"))


def _dealers() -> list[tuple[Any, str | Promise]]:
    return list(Dealer.objects.order_by("code").values_list("code", "name"))


def _region_names(keys: Collection[Any]) -> Names:
    return dict(Region.objects.filter(pk__in=list(keys)).values_list("pk", "name"))


def _regions() -> list[tuple[Any, str | Promise]]:
    """In the order of the tree, deeper ones moved to the right."""
    rows = Region.objects.values_list("pk", "name", "path").order_by("path")
    return [(pk, "　" * (path.count("/") - 2) + name) for pk, name, path in rows]


def find_guides(text: str) -> list[tuple[str, str]]:
    """(number, name and store) of guides whose name, number or store has the text."""
    wanted = Q(name__icontains=text) | Q(number__istartswith=text) | Q(store__name__icontains=text)
    rows = Guide.objects.filter(wanted).order_by("number").values_list("number", "name", "store__name")
    return [(number, f"{name}（{number}）· {store}") for number, name, store in rows[:FOUND]]


def find_stores(text: str) -> list[tuple[str, str]]:
    """(number, name) of stores whose name, number or region has the text; closed ones too: members bought there."""
    wanted = Q(name__icontains=text) | Q(code__istartswith=text) | Q(region__name__icontains=text)
    rows = Store.objects.filter(wanted).order_by("-is_active", "code").values_list("code", "name")
    return [(code, f"{name}（{code}）") for code, name in rows[:FOUND]]


GUIDES: Final = Picks(label=_("导购"), names=_guide_names, find=find_guides, key=str)
STORES: Final = Picks(label=_("门店"), names=_store_names, find=find_stores, key=str)
REGIONS: Final = Picks(label=_("区域"), names=_region_names, options=_regions)
DEALERS: Final = Picks(label=_("经销商"), names=_dealer_names, options=_dealers, key=str)


def dealer_ids(codes: Collection[str]) -> QuerySet[Dealer, int]:
    """The rows of dealers with these codes."""
    return Dealer.objects.filter(code__in=codes).values_list("pk", flat=True)


class _OfHerGuide(Condition):
    family = FAMILY
    facts = ("binding",)

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        rows = Binding.objects.live().filter(member_id=member_id)
        row = rows.select_related("guide__store").first()
        return "" if row is None else f"{row.guide.name}（{row.guide.number}）· {row.guide.store.name}"


def _where_guide(guides: QuerySet[Guide]) -> Found:
    return RowTest(Binding.objects.live(), Q(guide_id__in=guides.values("pk")))


class GuideIs(_OfHerGuide):
    """She belongs to one of these guides today."""

    code, label = "guides.guide", _("专属导购是")
    parameters: ClassVar[Mapping[str, Parameter]] = {"guides": GUIDES}

    def found(self, values: Values, day: dt.date) -> Found:
        return _where_guide(Guide.objects.filter(number__in=values["guides"]))


class StoreIs(_OfHerGuide):
    """Her guide of today works in one of these stores."""

    code, label = "guides.store", _("导购所在门店")
    parameters: ClassVar[Mapping[str, Parameter]] = {"stores": STORES}

    def found(self, values: Values, day: dt.date) -> Found:
        return _where_guide(Guide.objects.filter(store__code__in=values["stores"]))


class RegionIs(_OfHerGuide):
    """Her guide of today works in one of these regions or below it."""

    code, label = "guides.region", _("导购所在区域")
    parameters: ClassVar[Mapping[str, Parameter]] = {"regions": REGIONS}

    def found(self, values: Values, day: dt.date) -> Found:
        below = Q(pk__in=[])
        for path in Region.objects.filter(pk__in=values["regions"]).values_list("path", flat=True):
            below |= Q(path__startswith=path)
        return _where_guide(Guide.objects.filter(store__region__in=Region.objects.filter(below).values("pk")))


class DealerIs(_OfHerGuide):
    """Her guide of today works for one of these dealers."""

    code, label = "guides.dealer", _("导购所属经销商")
    parameters: ClassVar[Mapping[str, Parameter]] = {"dealers": DEALERS}

    def found(self, values: Values, day: dt.date) -> Found:
        return _where_guide(Guide.objects.filter(store__dealer__code__in=values["dealers"]))


class BoundWithin(_OfHerGuide):
    """She belongs to a guide; since when and by which door may be asked too."""

    code, label = "guides.bound", _("有专属导购")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("绑定时间"), is_required=False),
        "sources": Choices(
            label=_("绑定方式"),
            options=tuple((one.value, one.label) for one in BindingSource),
            is_required=False,
        ),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        since, until = instants_of(values.get("when"), day)
        where = Q(member_id__isnull=False) if since is None else Q(bound_at__gte=since)
        if until is not None:
            where &= Q(bound_at__lt=until)
        if values.get("sources"):
            where &= Q(source__in=values["sources"])
        return RowTest(Binding.objects.live(), where)

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        bound = Binding.objects.live().filter(member_id=member_id).first()
        if bound is None:
            return ""
        since = clock.business_day(bound.bound_at).isoformat()
        return _now("%(day)s %(how)s") % {"day": since, "how": bound.get_source_display()}
