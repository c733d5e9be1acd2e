"""Filters of the list of batches."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter
from coupons.models import BatchState, Door


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in BatchState)


class DoorFilter(ChoiceFilter):
    title = _("发放渠道")
    parameter_name = "door"
    options = tuple((door.value, door.label) for door in Door)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(doors__contains=[self.value()]) if self.value() else queryset


class CodesFilter(ChoiceFilter):
    title = _("券码")
    parameter_name = "codes"
    options = (("own", _("自己的券码")), ("partner", _("合作方券码")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(has_partner_codes=self.value() == "partner") if self.value() else queryset
