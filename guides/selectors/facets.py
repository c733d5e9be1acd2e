"""By what of their guides members are counted."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from guides.models import Binding, Store
from members.selectors.conditions import Facet


class StoreFacet(Facet):
    """The store in which her guide works today; None belongs to nobody."""

    code, label = "store", _("导购所在门店")

    def rows(self, day: dt.date) -> QuerySet[Any, Any]:
        return Binding.objects.live().values_list("member_id", "guide__store_id")

    def names(self, keys: Collection[Any]) -> Mapping[Any, str | Promise]:
        stores = Store.objects.filter(pk__in=[key for key in keys if key]).order_by("code")
        named = dict(stores.values_list("pk", "name"))
        return {**named, None: _now("没有专属导购")}
