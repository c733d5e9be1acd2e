"""By what of themselves members are counted."""

import datetime as dt
import itertools
from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from members.models import Gender, Member, MemberTier, Tier
from members.selectors.conditions.base import Facet
from members.selectors.conditions.profile import years_before

# From which age each band begins.
_AGES: Final = (0, 18, 25, 30, 35, 40, 50, 60)
Names = Mapping[Any, str | Promise]


class TierFacet(Facet):
    """The tier that stands in her row; None reached nothing."""

    code, label = "tier", _("会员等级")

    def rows(self, day: dt.date) -> QuerySet[Any, Any]:
        return MemberTier.objects.filter(tier__isnull=False).values_list("member_id", "tier_id")

    def names(self, keys: Collection[Any]) -> Names:
        tiers = Tier.objects.filter(pk__in=[key for key in keys if key]).in_order().reverse()
        named = dict(tiers.values_list("pk", "name"))
        return {**named, None: _now("没有更高的等级")}


class GenderFacet(Facet):
    """Her gender."""

    code, label = "gender", _("性别")

    def rows(self, day: dt.date) -> QuerySet[Any, Any]:
        return Member.objects.values_list("pk", "gender")

    def names(self, keys: Collection[Any]) -> Names:
        return {one.value: one.label for one in (Gender.FEMALE, Gender.MALE, Gender.UNKNOWN)}


class AgeFacet(Facet):
    """Her age in bands."""

    code, label = "age", _("年龄")

    def rows(self, day: dt.date) -> QuerySet[Any, Any]:
        bands = [
            When(Q(birthday__gt=years_before(day, upper)), then=Value(f"{lower:03d}"))
            for lower, upper in itertools.pairwise(_AGES)
        ]
        band = Case(*bands, default=Value(f"{_AGES[-1]:03d}"), output_field=CharField())
        return Member.objects.filter(birthday__isnull=False).values_list("pk", band)

    def names(self, keys: Collection[Any]) -> Names:
        named: dict[Any, str] = {}
        for lower, upper in zip(_AGES, [*_AGES[1:], None], strict=True):
            if upper is None:
                words = _now("%(n)s 岁及以上") % {"n": lower}
            elif not lower:
                words = _now("不到 %(n)s 岁") % {"n": upper}
            else:
                words = _now("%(low)s–%(high)s 岁") % {"low": lower, "high": upper - 1}
            named[f"{lower:03d}"] = words
        return {**named, None: _now("没有填生日")}
