"""By what of their purchases members are counted."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from members.selectors.conditions import Facet
from sales.models import GROUPS, MemberMetrics
from sales.selectors.rfm_rules import get_rfm_rules


class RfmFacet(Facet):
    """The RFM group; None has not bought."""

    code, label = "rfm", _("RFM 客群")

    def rows(self, day: dt.date) -> QuerySet[Any, Any]:
        return MemberMetrics.objects.filter(rfm_group__isnull=False).values_list("member_id", "rfm_group")

    def names(self, keys: Collection[Any]) -> Mapping[Any, str | Promise]:
        names = get_rfm_rules().group_names
        return {**{group: names[group] for group in reversed(range(GROUPS))}, None: _now("未消费")}
