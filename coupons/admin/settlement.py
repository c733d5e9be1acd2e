"""跨店结算: months with who owes whom, their lines, closing and reopening."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ReadOnlyAdmin,
    ScopedReadOnlyAdmin,
    ask,
    bound_data,
    column,
    money,
    name_actions,
    name_details,
    operation,
    staff_actor,
    thousands,
    when,
)
from core.workbooks import workbook_answer
from coupons import selectors, services
from coupons.admin.settlement_sheets import month_sheets, owner_lines, owner_name, store_lines
from coupons.models import MonthState, SettlementLine, SettlementMonth
from guides import selectors as guide_selectors

name_actions(
    {
        "coupons.month_closed": _("结算关账"),
        "coupons.month_reopened": _("重新打开结算月份"),
        "coupons.settlement_recomputed": _("按现在的规则重算结算"),
    }
)
name_details(
    {
        "line_count": _("笔数"),
        "owed_fen": _("应付合计（分）"),
    }
)
_COLOURS: Final = {"open": "info", "closed": "success"}


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


class MonthFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in MonthState)


@admin.register(SettlementMonth)
class SettlementMonthAdmin(ReadOnlyAdmin):
    """Months, the newest first; each opens as a statement of the part of the chain the account sees."""

    list_display = ("month_words", "state_label", "closed", "version")
    list_filter = (MonthFilter,)
    ordering = ("-month",)
    actions_detail = ("export", "recompute", "close_it", "reopen")
    fieldsets = (
        (None, {"fields": (("month_words", "state_label", "version"), ("closed", "reopen_reason"))}),
    )

    def has_close_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own, and all of the chain in sight: nobody freezes what she cannot see."""
        sees_all = selectors.visible_store_ids(request.user) is None  # type: ignore[arg-type]
        return sees_all and request.user.has_perm("coupons.close_settlement")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for the month as it is."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        is_closed = row.state == MonthState.CLOSED
        hidden = {"recompute": is_closed, "close_it": is_closed, "reopen": not is_closed}
        shown = super().get_actions_detail(request, object_id)
        return [
            one for one in shown if not hidden.get(one.action_name.partition("settlementmonth_")[2], False)
        ]

    @column(_("月份"), ordering="month")
    def month_words(self, row: SettlementMonth) -> str:
        return _now("%(year)s 年 %(month)s 月") % {"year": row.month.year, "month": row.month.month}

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: SettlementMonth) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("关账时间"), ordering="closed_at")
    def closed(self, row: SettlementMonth) -> str:
        return when(row.closed_at)

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """The statement stands above panels and audit box."""
        below = super().below_form(request, instance)
        stores = selectors.visible_store_ids(request.user)  # type: ignore[arg-type]
        owners = selectors.sum_owners(instance.month, store_ids=stores)
        frozen = selectors.list_frozen_sums(instance.month) if stores is None else None
        lines = f"{reverse('admin:coupons_settlementline_changelist')}?month={instance.month.isoformat()}"
        panels = [
            _panel(
                _("谁该付给谁"),
                owner_lines(owners),
                "owners",
                is_same=None if frozen is None else frozen == owners,
            ),
            _panel(
                _("每家门店"),
                store_lines(selectors.sum_stores(instance.month, store_ids=stores)),
                "stores",
                url=lines,
            ),
        ]
        # What was done to a month is told with the sums of the whole chain.
        is_whole = below["has_audit_box"] and stores is None
        return below | {"panels": [*panels, *below["panels"]], "has_audit_box": is_whole}

    @operation(_("导出结算单"), icon="download", needs=("view",), path="export")
    def export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        stores = selectors.visible_store_ids(request.user)  # type: ignore[arg-type]
        state = _now("已关账") if row.state == MonthState.CLOSED else _now("未关账")
        name = _now("跨店结算_%(month)s_%(state)s") % {"month": f"{row.month:%Y-%m}", "state": state}
        return workbook_answer(name=name, sheets=month_sheets(row.month, stores))

    @operation(_("关账"), icon="lock", variant="primary", needs=("close",), path="close")
    def close_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        owners = selectors.sum_owners(row.month)
        lines = [
            _now("%(pairs)s 对往来，应付合计 %(sum)s 元")
            % {"pairs": thousands(len(owners)), "sum": money(sum(one.owed_fen for one in owners))},
            _now("关账后明细不再改动；以后才到的核销、退货和撤销记到下一个月，标为更正"),
        ]

        def run(cleaned: dict[str, Any]) -> str:
            done = services.close_month(month=row.month, actor=staff_actor(request))
            return _now("已关账，共 %(n)s 笔") % {"n": thousands(done.line_count)}

        return ask(self, request, _question(row, _("关账"), lines), run, subject=row)

    @operation(_("重新打开"), icon="lock_open", variant="danger", needs=("close",), path="reopen")
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.reopen_month(month=row.month, reason=cleaned["reason"], actor=staff_actor(request))
            return _now("已重新打开，改好后请再关账")

        lines = [_now("已发给经销商的结算单可能会变，请先和对方说好"), _now("原来的结算单会留底")]
        question = _question(row, _("重新打开"), lines, is_dangerous=True)
        return ask(self, request, question, run, form=ReasonForm(bound_data(request)), subject=row)

    @operation(_("按现在的规则重算"), icon="calculate", needs=("close",), path="recompute")
    def recompute(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            changed = services.recompute_settlement(actor=staff_actor(request))
            return _now("已重算，%(n)s 笔有变化") % {"n": thousands(changed)}

        lines = [_now("所有没有关账的月份都按现在的结算规则重新分摊；已关账的月份不变")]
        return ask(self, request, _question(row, _("重算"), lines), run, subject=row)


class LineMonthFilter(ChoiceFilter):
    title = _("月份")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        months = SettlementMonth.objects.order_by("-month").values_list("month", flat=True)[:36]
        return [(month.isoformat(), f"{month:%Y-%m}") for month in months]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = {value for value, _words in self.lookups(request, None)}
        return queryset.filter(month=self.value()) if self.value() in chosen else queryset


class CorrectionFilter(ChoiceFilter):
    title = _("更正")
    parameter_name = "is_correction"
    options = (("1", _("只看更正")), ("0", _("不看更正")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        return queryset.filter(is_correction=value == "1") if value in {"0", "1"} else queryset


@admin.register(SettlementLine)
class SettlementLineAdmin(ScopedReadOnlyAdmin):
    """Every line, the newest first."""

    list_display = ("month_words", "what", "redeemed_on", "order_no", "batch", "issued_store", "redeemed_store", "discount",
                    "issuer_part", "redeemer_part", "chain_part", "correction")  # fmt: skip
    list_select_related = (
        "entry__redemption",
        "batch",
        "issued_store",
        "redeemed_store",
        "issuer",
        "redeemer",
    )
    list_filter = (
        LineMonthFilter,
        CorrectionFilter,
        ("issued_store", AutocompleteFilter),
        ("redeemed_store", AutocompleteFilter),
    )
    search_fields = ("entry__redemption__order_no",)
    search_help_text = _("按订单号查找")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("month_words", "what", "correction"), ("order_no", "redeemed_on", "batch"))}),
        (_("双方"), {"fields": (("issued_store", "issuer_name"), ("redeemed_store", "redeemer_name"))}),
        (_("分摊"), {"fields": (("discount", "issuer_part", "redeemer_part", "chain_part"),)}),
    )

    @column(_("月份"), ordering="month")
    def month_words(self, row: SettlementLine) -> str:
        return f"{row.month:%Y-%m}"

    @column(_("事项"))
    def what(self, row: SettlementLine) -> str:
        return str(row.entry.get_what_display())

    @column(_("订单号"))
    def order_no(self, row: SettlementLine) -> str:
        return row.entry.redemption.order_no

    @column(_("优惠（元）"), ordering="discount_fen")
    def discount(self, row: SettlementLine) -> str:
        return money(row.discount_fen)

    @column(_("发券方承担"), ordering="issuer_fen")
    def issuer_part(self, row: SettlementLine) -> str:
        return money(row.issuer_fen)

    @column(_("核销方承担"), ordering="redeemer_fen")
    def redeemer_part(self, row: SettlementLine) -> str:
        return money(row.redeemer_fen)

    @column(_("总部承担"), ordering="chain_fen")
    def chain_part(self, row: SettlementLine) -> str:
        return money(row.chain_fen)

    @column(_("发券方"))
    def issuer_name(self, row: SettlementLine) -> str:
        return owner_name(row.issuer_id, guide_selectors.list_dealer_names())

    @column(_("核销方"))
    def redeemer_name(self, row: SettlementLine) -> str:
        return owner_name(row.redeemer_id, guide_selectors.list_dealer_names())

    @column(_("更正"))
    def correction(self, row: SettlementLine) -> str:
        return _now("更正以前月份") if row.is_correction else ""


def _question(row: SettlementMonth, title: Any, lines: list[str], *, is_dangerous: bool = False) -> Question:
    return Question(
        title=f"{title} · {row.month:%Y-%m}",
        submit=title,
        back_url=reverse("admin:coupons_settlementmonth_change", args=[row.pk]),
        lines=lines,
        is_dangerous=is_dangerous,
    )


def _panel(title: Any, lines: Any, kind: str, **context: Any) -> Any:
    return Panel(title, "admin/xiaoer/panel_settlement.html", {"lines": lines, "kind": kind, **context})
