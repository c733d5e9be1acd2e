"""业绩关账: months with their state, closing with what still waits, opening again with a reason, what came late."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    DressedForm,
    Panel,
    Question,
    ReadOnlyAdmin,
    ask,
    bound_data,
    column,
    money,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from coupons.selectors import visible_store_ids
from sales import services
from sales.admin.desk_text import value_words
from sales.admin.words import month_words
from sales.models import PeriodClose
from sales.selectors.desk import count_held
from sales.selectors.ledger import MonthLine, list_late, list_months, month_sums
from sales.selectors.spans import add_months


class ReopenForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


@admin.register(PeriodClose)
class PeriodCloseAdmin(ReadOnlyAdmin):
    """Not a list of rows: months, closed or not. A row's own page tells one close."""

    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("month_words", "closed", "closed_by"),
                    ("reopened", "reopened_by", "reopen_reason"),
                )
            },
        ),
    )

    def has_close_permission(self, request: HttpRequest) -> bool:
        """A right of its own, and all of the chain in sight: nobody freezes what she cannot see."""
        sees_all = visible_store_ids(request.user) is None  # type: ignore[arg-type]
        return sees_all and request.user.has_perm("sales.close_periodclose")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<slug:month>/close/", "sales_month_close", self.close_view),
            ("<slug:month>/reopen/", "sales_month_reopen", self.reopen_view),
        )

    @column(_("月份"), ordering="month_on")
    def month_words(self, row: PeriodClose) -> str:
        return month_words(row.month_on)

    @column(_("关账时间"))
    def closed(self, row: PeriodClose) -> str:
        return when(row.closed_at)

    @column(_("重新打开时间"))
    def reopened(self, row: PeriodClose) -> str:
        return when(row.reopened_at)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        sees_all = visible_store_ids(request.user) is None  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("业绩关账"),
            "months": [self._month(line) for line in list_months(today=clock.today())],
            "may_close": self.has_close_permission(request),
            # Sums of the chain are head office's.
            "sees_all": sees_all,
            "held": count_held() if sees_all else 0,
            "held_url": reverse("admin:sales_helddocument_changelist"),
        }
        return TemplateResponse(request, "admin/sales/months.html", context)

    def _month(self, line: MonthLine) -> dict[str, Any]:
        slug = f"{line.month_on:%Y-%m}"
        return {
            "words": month_words(line.month_on),
            "is_closed": line.is_closed,
            "is_over": line.is_over,
            "was_reopened": line.close is not None and not line.is_closed,
            "closed": when(line.close.closed_at) if line.close else "",
            "closed_by": line.close.closed_by if line.close else "",
            "sales": money(line.sums.get("sales_fen", 0)),
            "orders": thousands(line.sums.get("order_count", 0)),
            "returns": money(line.sums.get("return_fen", 0)),
            "url": reverse("admin:sales_periodclose_change", args=[line.close.pk]) if line.close else "",
            "close_url": reverse("admin:sales_month_close", args=[slug]),
            "reopen_url": reverse("admin:sales_month_reopen", args=[slug]),
        }

    def close_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponse:
        """What is in the month and what is not yet, then the close."""
        month_on = self._asked(request, month)
        sums = month_sums(month_on)
        held = count_held(month_on=month_on, until=add_months(month_on, 1))
        lines = [
            _now("销售额 %(sales)s 元，%(orders)s 单，退货 %(returns)s 元")
            % {
                "sales": money(sums.get("sales_fen", 0)),
                "orders": thousands(sums.get("order_count", 0)),
                "returns": money(sums.get("return_fen", 0)),
            },
            _now("还有 %(n)s 张待处理单据属于这个月，关账后它们会计入以后的月份") % {"n": thousands(held)}
            if held
            else _now("没有属于这个月的待处理单据"),
            _now("关账后排行定格；以后才到的单据、退货和重新归属都计入下一个没有关账的月份"),
        ]

        def run(cleaned: dict[str, Any]) -> str:
            services.close_month(month_on=month_on, actor=staff_actor(request))
            return _now("%(month)s已关账") % {"month": month_words(month_on)}

        question = Question(
            title=_now("关账 · %(month)s") % {"month": month_words(month_on)},
            submit=_("关账"),
            back_url=reverse("admin:sales_periodclose_changelist"),
            lines=lines,
            is_dangerous=bool(held),
        )
        return ask(self, request, question, run)

    def reopen_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponse:
        month_on = self._asked(request, month)

        def run(cleaned: dict[str, Any]) -> str:
            services.reopen_month(month_on=month_on, reason=cleaned["reason"], actor=staff_actor(request))
            return _now("%(month)s已重新打开，改好后请再关账") % {"month": month_words(month_on)}

        question = Question(
            title=_now("重新打开 · %(month)s") % {"month": month_words(month_on)},
            submit=_("重新打开"),
            back_url=reverse("admin:sales_periodclose_changelist"),
            lines=[
                _now("这个月的业绩和排行会重新变动，已发出的报表和提成可能对不上"),
                _now("关账期间计入以后月份的业绩不会搬回来"),
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=ReopenForm(bound_data(request)))

    def _asked(self, request: HttpRequest, month: str) -> dt.date:
        if not self.has_close_permission(request):
            raise PermissionDenied
        try:
            return dt.date.fromisoformat(f"{month}-01")
        except ValueError:
            raise Http404 from None


def _late_panel(request: HttpRequest, row: PeriodClose) -> Panel | None:
    if visible_store_ids(request.user) is not None:  # type: ignore[arg-type]
        return None
    return Panel(
        _("关账后才到、计入以后月份的"),
        "admin/xiaoer/panel_table.html",
        {
            "heads": [_("计入月份"), _("指标"), _("数值"), _("分录数")],
            "rows": [
                (
                    month_words(line.booked_month),
                    line.label,
                    value_words(line.metric, line.value),
                    thousands(line.entry_count),
                )
                for line in list_late(row.month_on)
            ],
            "empty": _("没有晚到的单据"),
        },
    )


register_panel("sales.PeriodClose", _late_panel)
