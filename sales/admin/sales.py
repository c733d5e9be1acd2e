"""销售单: orders as they stand now, found by number, member or guide; each opens with all that hangs on it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DaysFilter,
    Exports,
    OwnPage,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    money,
    name_actions,
    thousands,
    when,
)
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from sales.admin.desk_text import share_words
from sales.admin.reattribution import Reattribution
from sales.admin.sale_page import page_of
from sales.models import Sale
from sales.selectors.channels import CHANNELS, channel_words
from sales.selectors.documents import live_owners, sales_of_guide

name_actions({"sales.sale_exported": _("导出销售单")})


class ChannelFilter(ChoiceFilter):
    title = _("渠道")
    parameter_name = "channel"
    options = tuple(CHANNELS.items())


class ReturnedFilter(ChoiceFilter):
    title = _("退货")
    parameter_name = "returned"
    options = (("none", _("没有退货")), ("some", _("退了一部分")), ("all", _("全部退了")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found: dict[str, dict[str, Any]] = {
            "none": {"returned_unit_count": 0},
            "some": {"returned_unit_count__gt": 0, "returned_unit_count__lt": F("unit_count")},
            "all": {"returned_unit_count": F("unit_count")},
        }
        return queryset.filter(**found.get(str(self.value()), {}))


class FirstFilter(ChoiceFilter):
    title = _("会员购买")
    parameter_name = "first"
    options = (("1", _("首单")), ("0", _("复购")), ("none", _("散客")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "none":
            return queryset.filter(member__isnull=True)
        if self.value() in {"0", "1"}:
            return queryset.filter(member__isnull=False, is_first=self.value() == "1")
        return queryset


@admin.register(Sale)
class SaleAdmin(TypedSearch, Exports, Reattribution, OwnPage, ScopedReadOnlyAdmin):
    """Current revisions, the newest booked first."""

    list_display = (
        "order_no",
        "store",
        "member_words",
        "amount",
        "returned",
        "owners",
        "kind_label",
        "moment",
    )
    list_select_related = ("store",)
    list_filter = (
        ("business_on", DaysFilter),
        ("store", AutocompleteFilter),
        ("serving_guide", AutocompleteFilter),
        ChannelFilter,
        ReturnedFilter,
        FirstFilter,
    )
    search_fields = ("order_no",)
    search_help_text = _("完整订单号、会员码、会员手机号，或导购工号（看她现在有份的单）")
    ordering = ("-pk",)
    actions_detail = ("reattribute",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(is_current=True)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "sales_sale_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        by_number = queryset.filter(order_no=text)
        if by_number.exists():
            return by_number
        # A guide's number means her orders, also when she has none.
        guide = guide_selectors.list_guides_by_number([text]).get(text)
        if guide is not None:
            return sales_of_guide(queryset, guide.guide_id)
        return queryset.filter(member_id__in=member_selectors.search_member_ids(text))

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        owners = live_owners(row.pk for row in rows)
        members = member_selectors.list_member_cards({row.member_id for row in rows if row.member_id})
        for row in rows:
            row.owner_shares = owners.get(row.pk, [])
            row.member_card = members.get(row.member_id)

    @column(_("会员"))
    def member_words(self, row: Any) -> str:
        return row.member_card.display_name if row.member_card is not None else _now("散客")

    @column(_("成交金额（元）"), ordering="amount_fen")
    def amount(self, row: Sale) -> str:
        return money(row.amount_fen)

    @column(_("已退（元）"), ordering="returned_fen")
    def returned(self, row: Sale) -> str:
        return money(row.returned_fen) if row.returned_unit_count else "—"

    @column(_("业绩归属"))
    def owners(self, row: Any) -> str:
        return _now("，").join(
            f"{share.guide.name if share.guide is not None else share.store.name} {share_words(share.share_bp)}"
            for share in row.owner_shares
        )

    @column(_("类型"), labels={"first": "success", "again": "info", "none": "warning"})
    def kind_label(self, row: Sale) -> tuple[str, str]:
        if row.member_id is None:
            return "none", _now("散客")
        return ("first", _now("首单")) if row.is_first else ("again", _now("复购"))

    @column(_("成交时间"), ordering="sold_at")
    def moment(self, row: Sale) -> str:
        return when(row.sold_at)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        return (
            Column(_("来源系统"), lambda row: row.source),
            Column(_("订单号"), lambda row: row.order_no),
            Column(_("门店"), lambda row: row.store.name),
            Column(_("渠道"), lambda row: channel_words(row.channel)),
            Column(_("营业日"), lambda row: row.business_on, "day"),
            Column(_("成交时间"), lambda row: row.sold_at, "moment"),
            Column(_("吊牌金额（元）"), lambda row: row.list_fen, "fen"),
            Column(_("成交金额（元）"), lambda row: row.amount_fen, "fen"),
            Column(_("已退金额（元）"), lambda row: row.returned_fen, "fen"),
            Column(_("件数"), lambda row: row.unit_count, "count"),
            Column(_("已退件数"), lambda row: row.returned_unit_count, "count"),
            Column(_("类型"), lambda row: self.kind_label(row)[1]),
            Column(_("版本"), lambda row: row.revision, "count"),
        )

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **self.below_form(request, row),
            **page_of(request, row),
            "opts": self.opts,
            "original": row,
            "title": _now("销售单 %(number)s") % {"number": row.order_no},
            "list_url": reverse("admin:sales_sale_changelist"),
            "reattribute_url": reverse("admin:sales_sale_reattribute", args=[row.pk])
            if self.has_reattribute_permission(request)
            else "",
            "tiles": [
                (_now("成交金额（元）"), money(row.amount_fen)),
                (_now("退货后（元）"), money(row.amount_fen - row.returned_fen)),
                (_now("件数"), thousands(row.unit_count - row.returned_unit_count)),
            ],
        }
        return TemplateResponse(request, "admin/sales/sale.html", context)
