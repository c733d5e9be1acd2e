"""退货单: what came back, to which order it belongs."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DaysFilter,
    Exports,
    Panel,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    first_found,
    money,
    name_actions,
    register_panel,
    thousands,
    when,
)
from sales.admin.desk_text import signed_words
from sales.admin.documents import link_to
from sales.models import PerformanceEntry, SaleReturn
from sales.selectors.documents import DocumentName

name_actions({"sales.salereturn_exported": _("导出退货单")})


class OriginalFilter(ChoiceFilter):
    title = _("原订单")
    parameter_name = "original"
    options = (("with", _("有原订单")), ("without", _("没有原订单")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"with", "without"}:
            return queryset
        return queryset.filter(sale__isnull=self.value() == "without")


@admin.register(SaleReturn)
class SaleReturnAdmin(TypedSearch, Exports, ScopedReadOnlyAdmin):
    """Returns, the newest booked first."""

    list_display = ("return_no", "original", "store", "amount", "unit_count", "moment")
    list_select_related = ("store", "sale")
    list_filter = (("business_on", DaysFilter), ("store", AutocompleteFilter), OriginalFilter)
    search_fields = ("return_no",)
    search_help_text = _("完整退货单号或原订单号")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("return_no", "original", "source"), ("store", "amount", "unit_count"))}),
        (_("时间"), {"fields": (("moment", "business_on", "recorded"),)}),
    )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "sales_salereturn_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return first_found(queryset.filter(return_no=text), queryset.filter(order_no=text))

    @column(_("原订单"))
    def original(self, row: SaleReturn) -> Any:
        if row.sale is None:
            return _now("没有原订单")
        return link_to("sale", DocumentName(row.sale.order_no, row.sale.pk))

    @column(_("退款金额（元）"), ordering="amount_fen")
    def amount(self, row: SaleReturn) -> str:
        return money(row.amount_fen)

    @column(_("退货时间"), ordering="returned_at")
    def moment(self, row: SaleReturn) -> str:
        return when(row.returned_at)

    @column(_("入账时间"), ordering="pk")
    def recorded(self, row: SaleReturn) -> str:
        return when(row.recorded_at)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        return (
            Column(_("来源系统"), lambda row: row.source),
            Column(_("退货单号"), lambda row: row.return_no),
            Column(_("原订单号"), lambda row: row.order_no),
            Column(_("退货门店"), lambda row: row.store.name),
            Column(_("营业日"), lambda row: row.business_on, "day"),
            Column(_("退货时间"), lambda row: row.returned_at, "moment"),
            Column(_("退款金额（元）"), lambda row: row.amount_fen, "fen"),
            Column(_("件数"), lambda row: row.unit_count, "count"),
        )


def _goods_panel(request: HttpRequest, row: SaleReturn) -> Panel:
    lines = row.lines.select_related("product").order_by("number")
    return Panel(
        _("退回的商品"),
        "admin/xiaoer/panel_table.html",
        {
            "heads": [_("行号"), _("商品"), _("原行号"), _("数量"), _("退款（元）")],
            "rows": [
                (
                    line.number,
                    line.product.name or line.product.code,
                    line.sale_line_number or "—",
                    thousands(line.quantity),
                    money(line.amount_fen),
                )
                for line in lines
            ],
        },
    )


def _entries_panel(request: HttpRequest, row: SaleReturn) -> Panel:
    entries = PerformanceEntry.objects.filter(return_ref=row.pk)
    if row.sale_id is not None:
        # By the index of the order's entries: returns of an order have none of their own.
        entries = entries.filter(sale_ref=row.sale_id)
    else:
        entries = entries.filter(sale_ref__isnull=True)
    return Panel(
        _("业绩流水"),
        "admin/xiaoer/panel_table.html",
        {
            "heads": [_("计入日期"), _("导购"), _("门店"), _("指标"), _("数值"), _("事由")],
            "rows": [
                (
                    entry.booked_on,
                    entry.guide or _("门店自身"),
                    entry.store,
                    entry.get_metric_display(),
                    signed_words(entry.metric, entry.value),
                    entry.get_reason_display(),
                )
                for entry in entries.select_related("guide", "store").order_by("pk")[:100]
            ],
        },
    )


register_panel("sales.SaleReturn", _goods_panel, order=10)
register_panel("sales.SaleReturn", _entries_panel, order=20)
