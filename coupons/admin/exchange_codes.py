"""Single exchange codes: which are free, who used which."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    first_found,
    thousands,
    when,
)
from coupons import selectors
from coupons.models import ExchangeCode, ExchangeCodeState
from members import selectors as member_selectors

_COLOURS = {"free": "info", "used": "success", "voided": "danger"}


class CodeStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ExchangeCodeState)


@admin.register(ExchangeCode)
class ExchangeCodeAdmin(TypedSearch, ScopedReadOnlyAdmin):
    """Single codes, those used last first, known by their number in the set; a typed code is found by its fingerprint."""

    list_display = ("place", "exchange_set", "state_label", "user_name", "coupon", "used_words")
    list_select_related = ("exchange_set", "used_by", "coupon")
    list_filter = (CodeStateFilter, ("exchange_set", AutocompleteFilter))
    search_fields = ("code_index",)
    search_help_text = _("输入完整的兑换码，或会员姓名、手机号、会员码")
    ordering = (F("used_at").desc(nulls_last=True), "-pk")
    fieldsets = (
        (
            None,
            {"fields": (("exchange_set", "place"), ("state_label", "used_words"), ("user_name", "coupon"))},
        ),
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return first_found(
            queryset.filter(pk__in=selectors.find_exchange_code_ids(text)),
            queryset.filter(used_by_id__in=member_selectors.search_member_ids(text)),
        )

    @column(_("序号"), ordering="number")
    def place(self, row: ExchangeCode) -> str:
        return thousands(row.number)

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: ExchangeCode) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("兑换人"))
    def user_name(self, row: ExchangeCode) -> str:
        return "—" if row.used_by is None else member_selectors.card_of(row.used_by).display_name

    @column(_("兑换时间"), ordering="used_at")
    def used_words(self, row: ExchangeCode) -> str:
        return "—" if row.used_at is None else when(row.used_at)
