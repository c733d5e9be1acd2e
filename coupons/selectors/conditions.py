"""Conditions about the coupons a member had, has, and used."""

import abc
import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from coupons.models import Coupon, CouponTemplate, Redemption
from members.selectors.conditions import (
    FOUND,
    Condition,
    Found,
    Parameter,
    Picks,
    SetTest,
    Values,
    Whole,
    Window,
    instants_of,
)

FAMILY: Final = _("券")


def _series_names(keys: Collection[Any]) -> Mapping[Any, str | Promise]:
    rows = CouponTemplate.objects.filter(series__in=list(keys)).order_by("version")
    return dict(rows.values_list("series", "title"))  # the newest version's last


def find_series(text: str) -> list[tuple[str, str]]:
    """(series, title) of templates whose title has the text, the newest first, each by its newest version."""
    rows = CouponTemplate.objects.filter(title__icontains=text).order_by("-pk").values_list("series", "title")
    found: dict[str, str] = {}
    for series, title in rows[: 10 * FOUND]:
        found.setdefault(series, title)
    return list(found.items())[:FOUND]


_TEMPLATES: Final = Picks(
    label=_("哪些券（不选为任何券）"), names=_series_names, find=find_series, key=str, is_required=False
)
_LEAST: Final = Whole(
    label=_("至少几张"), least=1, most=1_000, unit=_("张"), lead=_("至少"), is_required=False
)


class _OfCoupons(Condition):
    family = FAMILY
    facts = ("coupons",)

    @abc.abstractmethod
    def rows(self, values: Values, day: dt.date) -> tuple[QuerySet[Any], str]:
        """The rows that count, and the way to the member's key."""

    def found(self, values: Values, day: dt.date) -> Found:
        rows, member = self.rows(values, day)
        least = values.get("at_least") or 1
        if least == 1:
            return SetTest(rows, member)
        return SetTest(rows, member, {"n": Count("pk")}, Q(n__gte=least))

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        rows, member = self.rows(values, day)
        return _now("%(n)s 张") % {"n": rows.filter(**{member: member_id}).count()}


def _of_series(values: Values, path: str) -> Q:
    return Q(**{f"{path}__series__in": values["templates"]}) if values.get("templates") else Q()


def _during(values: Values, day: dt.date, name: str) -> Q:
    since, until = instants_of(values.get("when"), day)
    wanted = Q() if since is None else Q(**{f"{name}__gte": since})
    return wanted if until is None else wanted & Q(**{f"{name}__lt": until})


class CouponHeld(_OfCoupons):
    """Coupons in her hands that she may still use; those whose days are over are closed within the hour."""

    code, label = "coupons.held", _("持有未使用的券")
    parameters: ClassVar[Mapping[str, Parameter]] = {"templates": _TEMPLATES, "at_least": _LEAST}

    def rows(self, values: Values, day: dt.date) -> tuple[QuerySet[Any], str]:
        since = clock.day_bounds(day)[0]
        unused = Coupon.objects.unused().filter(valid_until__gt=since)
        return unused.filter(_of_series(values, "batch__template")), "member_id"

    def moves_daily(self, values: Values) -> bool:
        return True


class CouponExpiring(_OfCoupons):
    """Coupons in her hands whose last day is near."""

    code, label = "coupons.expiring", _("券将过期")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "days": Whole(label=_("几天内"), most=366, unit=_("天内")),
        "templates": _TEMPLATES,
        "at_least": _LEAST,
    }

    def rows(self, values: Values, day: dt.date) -> tuple[QuerySet[Any], str]:
        since = clock.day_bounds(day)[0]
        until = clock.day_bounds(day + dt.timedelta(days=values["days"]))[1]
        unused = Coupon.objects.unused().filter(valid_until__gt=since, valid_until__lte=until)
        return unused.filter(_of_series(values, "batch__template")), "member_id"

    def moves_daily(self, values: Values) -> bool:
        return True


class CouponReceived(_OfCoupons):
    """Coupons that came to her hands and are hers now or were used by her."""

    code, label = "coupons.received", _("领到过券")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("发放时间"), is_required=False),
        "templates": _TEMPLATES,
        "at_least": _LEAST,
    }

    def rows(self, values: Values, day: dt.date) -> tuple[QuerySet[Any], str]:
        wanted = _of_series(values, "batch__template") & _during(values, day, "issued_at")
        return Coupon.objects.filter(wanted), "member_id"


class CouponRedeemed(_OfCoupons):
    """Coupons that she used, and that were not taken back."""

    code, label = "coupons.redeemed", _("用过券")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("核销时间"), is_required=False),
        "templates": _TEMPLATES,
        "at_least": _LEAST,
    }

    def rows(self, values: Values, day: dt.date) -> tuple[QuerySet[Any], str]:
        wanted = _of_series(values, "coupon__batch__template") & _during(values, day, "redeemed_at")
        return Redemption.objects.filter(wanted, reversed_at__isnull=True), "coupon__member_id"
