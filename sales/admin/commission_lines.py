"""提成明细: every line of every statement that stands, to be searched and taken away as a file."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DaysFilter,
    Exports,
    Rows,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    name_actions,
)
from coupons.selectors import visible_store_ids
from sales import selectors
from sales.admin.commission_sheets import draft_columns, draft_row
from sales.admin.words import month_words, read_month, yuan
from sales.models import Category, CommissionLine, CommissionMonth, LineKind

name_actions({"sales.commissionline_exported": _("导出提成明细")})
_COLOURS: Final = {
    "sale": "info",
    "bounty": "success",
    "target": "success",
    "return": "warning",
    "claw_back": "danger",
    "correction": "danger",
}


class MonthFilter(admin.SimpleListFilter):
    """Months that have statements."""

    title = _("月份")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        months = CommissionMonth.objects.exclude(state="open").order_by("-month_on")
        return [(str(month), month_words(month.month_on)) for month in months]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        return queryset.filter(statement__month__month_on=read_month(self.value() or "", dt.date.min))


class KindFilter(ChoiceFilter):
    title = _("事项")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in LineKind)


class OpenLines:
    """The lines of an open month of those whom the account may see, of one store if the address asks for it."""

    def __init__(self, request: HttpRequest, month_on: dt.date) -> None:
        stores = visible_store_ids(request.user)  # type: ignore[arg-type]
        asked = request.GET.get("store", "")
        seen = selectors.list_paid_guides(month_on, store_ids=stores)
        self._month_on = month_on
        self._guides = [one for one in seen if not asked or str(one.store_id) == asked]

    def count(self) -> int:
        """About: an order of two categories has two lines."""
        return selectors.count_draft_entries(self._month_on, self._guides)

    def __iter__(self) -> Iterator[Any]:
        for guide, line in selectors.list_draft_lines(self._month_on, self._guides):
            yield draft_row(self._month_on, guide, line)


def _open_month(request: HttpRequest) -> dt.date | None:
    """The month the address asks for, if it is one that has no statements."""
    month_on = read_month(request.GET.get("month", ""), dt.date.min)
    is_open = month_on != dt.date.min and selectors.state_of(month_on) == "open"
    return month_on if is_open else None


@admin.register(CommissionLine)
class CommissionLineAdmin(TypedSearch, Exports, ScopedReadOnlyAdmin):
    """The newest first. What a month that was opened again said before is left out."""

    list_display = (
        "month", "guide", "store", "day_on", "kind_label", "document", "base", "rate", "earned", "rule_words",
    )  # fmt: skip
    list_display_links = None
    list_select_related = ("statement__month", "statement__guide", "store", "original__statement__month")
    list_filter = (
        MonthFilter,
        KindFilter,
        ("statement__guide", AutocompleteFilter),
        ("statement__store", AutocompleteFilter),
        ("day_on", DaysFilter),
    )
    search_fields = ("document_no",)
    search_help_text = _("按订单号或退货单号、导购工号或姓名查找")
    ordering = ("-pk",)
    show_full_result_count = False
    has_audit_box = False

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "sales_commissionline_export", self.export_view),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(is_live=True)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        whose = Q(statement__guide__number__iexact=text) | Q(statement__guide__name=text)
        return queryset.filter(Q(document_no=text) | whose)

    @column(_("月份"))
    def month(self, row: CommissionLine) -> str:
        return month_words(row.statement.month.month_on)

    @column(_("导购"))
    def guide(self, row: CommissionLine) -> Any:
        guide = row.statement.guide
        url = reverse("admin:sales_commission_guide", args=[str(row.statement.month), guide.pk])
        return format_html('<a class="xe-link" href="{}">{}（{}）</a>', url, guide.name, guide.number)

    @column(_("事项"), labels=_COLOURS)
    def kind_label(self, row: CommissionLine) -> tuple[str, str]:
        return row.kind, str(LineKind(row.kind).label)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """The orders that the account may open."""
        pages: dict[int, int] = {}
        if request.user.has_perm("sales.view_sale"):
            ids = [row.sale_ref for row in rows if row.sale_ref is not None]
            stores = visible_store_ids(request.user)  # type: ignore[arg-type]
            pages = selectors.find_current_sales(ids, store_ids=stores) if ids else {}
        for row in rows:
            row.page = pages.get(row.sale_ref)

    @column(_("单号"), ordering="document_no")
    def document(self, row: Any) -> Any:
        if row.page is None:
            return row.document_no or "—"
        url = reverse("admin:sales_sale_change", args=[row.page])
        return format_html('<a class="xe-link" href="{}">{}</a>', url, row.document_no)

    @column(_("计提基数"), ordering="base_fen")
    def base(self, row: CommissionLine) -> str:
        return yuan(row.base_fen) if row.kind != LineKind.BOUNTY else "—"

    @column(_("比例"))
    def rate(self, row: CommissionLine) -> str:
        return f"{row.rate_bp / 100:g}%" if row.rate_bp else "—"

    @column(_("提成"), ordering="fen")
    def earned(self, row: CommissionLine) -> str:
        return yuan(row.fen)

    def export_rows(self, request: HttpRequest) -> Rows:
        """Of a month that is open, which has no lines of its own, those that it would have now."""
        month_on = _open_month(request)
        return super().export_rows(request) if month_on is None else OpenLines(request, month_on)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        if _open_month(request) is not None:
            return draft_columns()
        categories = dict(Category.objects.values_list("code", "name"))
        return (
            Column(_("月份"), lambda row: str(row.statement.month)),
            Column(_("工号"), lambda row: row.statement.guide.number),
            Column(_("姓名"), lambda row: row.statement.guide.name),
            Column(_("日期"), lambda row: row.day_on, "day"),
            Column(_("事项"), lambda row: self.kind_label(row)[1]),
            Column(_("单号"), lambda row: row.document_no),
            Column(_("成交门店"), lambda row: row.store.name),
            Column(_("类目"), lambda row: categories.get(row.category_code) or row.category_code),
            Column(_("归属占比"), lambda row: row.share_bp, "share"),
            Column(_("计提基数"), lambda row: row.base_fen, "fen"),
            Column(_("人数"), lambda row: row.unit_count, "count"),
            Column(_("比例"), lambda row: row.rate_bp, "share"),
            Column(_("提成"), lambda row: row.fen, "fen"),
            Column(_("依据"), lambda row: row.rule_words),
            Column(_("追回哪个月"), lambda row: str(row.original.statement.month) if row.original else ""),
        )
