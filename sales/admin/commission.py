"""提成: months, everybody's statements, preparing, closing and reopening, and the tables for payroll."""

import datetime as dt
import math
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import DressedForm, Question, ReadOnlyAdmin, ask, bound_data, staff_actor, thousands
from core.errors import NotFound
from core.workbooks import workbook_answer
from coupons import selectors as coupon_selectors
from sales import selectors, services
from sales.admin.commission_sheets import month_sheet, statement_sheets
from sales.admin.words import month_words, rate, read_month, yuan
from sales.contracts import CommissionLineCard, CommissionSummary
from sales.models import CommissionMonth

_STATES: Final = {
    "open": _("未结算"),
    "preparing": _("正在生成"),
    "prepared": _("待确认"),
    "closed": _("已关账"),
}
_AT_ONCE: Final = 100
_SUMS: Final = (
    "sales_fen", "earned_fen", "bonus_fen", "clawed_back_fen", "carried_in_fen", "payable_fen", "carried_out_fen",
)  # fmt: skip


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


@admin.register(CommissionMonth)
class CommissionMonthAdmin(ReadOnlyAdmin):
    """The newest months first, also those that nobody has settled; each with the statements the account may see."""

    fields = ("month_on", "state", "version", "closed_at", "closed_by", "reopen_reason")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("of/<str:month>/", "sales_commission_month", self.month_view),
            ("of/<str:month>/progress/", "sales_commission_progress", self.progress_view),
            ("of/<str:month>/export/", "sales_commission_export", self.export_view),
            ("of/<str:month>/do/<slug:verb>/", "sales_commission_do", self.do_view),
            ("of/<str:month>/guides/<int:guide_id>/", "sales_commission_guide", self.guide_view),
            (
                "of/<str:month>/guides/<int:guide_id>/export/",
                "sales_commission_guide_export",
                self.guide_export_view,
            ),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The months of a year."""
        self._may_look(request)
        rows = {row.month_on: row for row in CommissionMonth.objects.all()}
        lines = [
            {
                "words": month_words(month),
                "state": state,
                "state_words": _STATES[state],
                "row": rows.get(month),
                "url": reverse("admin:sales_commission_month", args=[f"{month:%Y-%m}"]),
            }
            for month, state in selectors.list_commission_months()
        ]
        return self._page(request, "commission_months", title=_("提成结算"), lines=lines)

    def month_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponse:
        """Everybody's statement, a page at a time; while they are being written, how far that is."""
        self._may_look(request)
        month_on = self._month(month)
        state = selectors.state_of(month_on)
        row = CommissionMonth.objects.filter(month_on=month_on).first()
        head = {
            "title": _now("提成 · %(month)s") % {"month": month_words(month_on)},
            "month": month,
            "state": state,
            "state_words": _STATES[state],
            "row": row,
            "may_close": self._may_close(request),
        }
        if state == "preparing":
            return self._page(request, "commission_preparing", **head, **_standing(row))
        found = self._seen(request, month_on)
        store, asked = request.GET.get("store", ""), request.GET.get("q", "").strip()[:40]
        stores = sorted({(one.store_id, one.store_name) for one in found}, key=lambda one: one[1])
        shown = [
            one
            for one in found
            if (not store or str(one.store_id) == store)
            and (not asked or asked in one.guide_name or asked.upper() in one.guide_number.upper())
        ]
        page = Paginator(shown, _AT_ONCE).get_page(request.GET.get("page"))
        wrong = services.prove_commission(month_on=month_on) if state != "open" else ()
        return self._page(
            request,
            "commission_month",
            **head,
            tiles=_tiles({name: sum(getattr(one, name) for one in shown) for name in _SUMS}),
            lines=[
                (one, _guide_url(month, one.guide_id), [yuan(getattr(one, name)) for name in _SUMS])
                for one in page
            ],
            pages=page,
            query=urlencode({"store": store, "q": asked}),
            asked=asked,
            is_empty=not found,
            stores=[(str(pk), name, str(pk) == store) for pk, name in stores],
            is_proven=not wrong,
            is_over=clock.today() >= selectors.add_months(month_on, 1),
            is_newest=selectors.next_commission_month() == selectors.add_months(month_on, 1),
            lines_url=_lines_url(request, month_on) if state != "open" else "",
        )

    def progress_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while statements are written; then the page is asked for anew."""
        self._may_look(request)
        row = CommissionMonth.objects.preparing().filter(month_on=self._month(month)).first()
        if row is None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        context = {"month": month, "row": row, "may_close": self._may_close(request), **_standing(row)}
        return TemplateResponse(request, "admin/xiaoer/sales/_commission_standing.html", context)

    def guide_view(
        self, request: HttpRequest, month: str, guide_id: int, model_admin: Any = None
    ) -> HttpResponse:
        """One statement with every line."""
        card = self._card(request, month, guide_id)
        summary = card.summary
        return self._page(
            request,
            "commission_statement",
            title=_now("%(name)s · %(month)s 提成")
            % {"name": summary.guide_name, "month": month_words(summary.month_on)},
            month=month,
            summary=summary,
            state_words=_STATES[summary.state],
            tiles=_tiles({name: getattr(summary, name) for name in _SUMS}),
            lines=[_line_cells(line) for line in card.lines],
            sum_words=yuan(summary.earned_fen + summary.bonus_fen + summary.clawed_back_fen),
            back_url=reverse("admin:sales_commission_month", args=[month]),
            export_url=reverse("admin:sales_commission_guide_export", args=[month, guide_id]),
        )

    def export_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponseBase:
        """One table for payroll. Lines have a list of their own."""
        self._may_look(request)
        month_on = self._month(month)
        found = self._seen(request, month_on)
        state = _STATES[selectors.state_of(month_on)]
        name = _now("提成_%(month)s_%(state)s") % {"month": month, "state": state}
        return workbook_answer(name=name, sheets=[month_sheet(found)])

    def guide_export_view(
        self, request: HttpRequest, month: str, guide_id: int, model_admin: Any = None
    ) -> HttpResponseBase:
        """One guide's statement."""
        card = self._card(request, month, guide_id)
        name = _now("提成单_%(month)s_%(number)s_%(name)s") % {
            "month": month,
            "number": card.summary.guide_number,
            "name": card.summary.guide_name,
        }
        return workbook_answer(name=name, sheets=statement_sheets(card))

    def do_view(self, request: HttpRequest, month: str, verb: str, model_admin: Any = None) -> HttpResponse:
        """Prepare, discard, close, reopen: each asks first."""
        if not self._may_close(request):
            raise PermissionDenied
        month_on = self._month(month)
        ways = {
            "prepare": self._prepare,
            "discard": self._discard,
            "close": self._close,
            "reopen": self._reopen,
        }
        if verb not in ways:
            raise Http404
        return ways[verb](request, month_on)

    def _prepare(self, request: HttpRequest, month_on: dt.date) -> HttpResponse:
        def run(cleaned: dict[str, Any]) -> str:
            services.begin_commission(month_on=month_on, actor=staff_actor(request))
            return _now("开始生成提成单，会在后台继续；生成完请核对后确认关账")

        lines = [
            _now("按现在的规则和业绩流水给每位导购生成提成单，供您核对；确认之前可以退回重来"),
            _now("生成期间不能修改提成规则"),
            _now("生成之后才到的单据、退货和更正，记到下一个月"),
        ]
        return ask(self, request, _question(month_on, _("生成提成单"), lines), run)

    def _discard(self, request: HttpRequest, month_on: dt.date) -> HttpResponse:
        def run(cleaned: dict[str, Any]) -> str:
            services.discard_commission(month_on=month_on, actor=staff_actor(request))
            return _now("已退回，改好规则后可以再生成")

        lines = [_now("生成的提成单作废，月份回到未结算")]
        return ask(self, request, _question(month_on, _("退回"), lines), run)

    def _close(self, request: HttpRequest, month_on: dt.date) -> HttpResponse:
        found = selectors.list_commissions(month_on)
        payable = sum(one.payable_fen for one in found)
        seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
        form = type("SeenForm", (forms.Form,), {"payable_fen": seen})(
            bound_data(request), initial={"payable_fen": payable}
        )

        def run(cleaned: dict[str, Any]) -> str:
            count = services.close_commission(
                month_on=month_on, payable_fen=cleaned["payable_fen"] or 0, actor=staff_actor(request)
            )
            return _now("已关账，共 %(n)s 份提成单") % {"n": thousands(count)}

        lines = [
            _now("%(n)s 位导购，应发合计 %(sum)s") % {"n": thousands(len(found)), "sum": yuan(payable)},
            _now("关账后提成单不能再改；以后的退货和更正在下一个月追回"),
        ]
        return ask(self, request, _question(month_on, _("确认关账"), lines), run, form=form)

    def _reopen(self, request: HttpRequest, month_on: dt.date) -> HttpResponse:
        def run(cleaned: dict[str, Any]) -> str:
            services.reopen_commission(
                month_on=month_on, reason=cleaned["reason"], actor=staff_actor(request)
            )
            return _now("已重新打开，改好后请再生成和关账")

        lines = [_now("已经发给导购的提成单可能会变，请先和她们说好"), _now("原来的提成单会留底")]
        question = _question(month_on, _("重新打开"), lines, is_dangerous=True)
        return ask(self, request, question, run, form=ReasonForm(bound_data(request)))

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _may_close(self, request: HttpRequest) -> bool:
        """A right of its own, and all of the chain in sight: nobody freezes what she cannot see."""
        return self._stores(request) is None and request.user.has_perm("sales.close_commission")

    def _stores(self, request: HttpRequest) -> frozenset[int] | None:
        return coupon_selectors.visible_store_ids(request.user)  # type: ignore[arg-type]

    def _seen(self, request: HttpRequest, month_on: dt.date) -> tuple[CommissionSummary, ...]:
        return selectors.list_commissions(month_on, store_ids=self._stores(request))

    def _card(self, request: HttpRequest, month: str, guide_id: int) -> Any:
        """A statement the account may see; one outside its part looks like one there is none of."""
        self._may_look(request)
        try:
            card = selectors.get_commission(guide_id, self._month(month))
        except NotFound:
            raise Http404 from None
        stores = self._stores(request)
        if stores is not None and card.summary.store_id not in stores:
            raise Http404
        return card

    def _month(self, text: str) -> dt.date:
        month_on = read_month(text, dt.date.min)
        if month_on == dt.date.min:
            raise Http404
        return month_on

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/sales/{template}.html", whole)


def _standing(row: CommissionMonth | None) -> dict[str, Any]:
    """How far the writing of statements is."""
    if row is None or row.begun_at is None:
        return {}
    asked = len(row.guide_refs)
    seconds = (clock.now() - row.begun_at).total_seconds()
    left = (asked - row.done_count) * seconds / row.done_count if row.done_count else 0
    return {
        "asked_count": asked,
        "percent": 100 * row.done_count // asked if asked else 100,
        "minutes_left": math.ceil(left / 60),
    }


def _lines_url(request: HttpRequest, month_on: dt.date) -> str:
    if not request.user.has_perm("sales.view_commissionline"):
        return ""
    return reverse("admin:sales_commissionline_changelist", query={"month": f"{month_on:%Y-%m}"})


_TILES: Final = (
    ("payable_fen", _("应发")),
    ("sales_fen", _("计提业绩")),
    ("earned_fen", _("销售提成")),
    ("bonus_fen", _("奖励")),
    ("clawed_back_fen", _("追回和更正")),
    ("carried_in_fen", _("上月结转")),
    ("carried_out_fen", _("结转下月")),
)


def _tiles(sums: dict[str, int]) -> list[tuple[Any, str]]:
    """What is paid and for how much; the rest where there is any."""
    return [
        (label, yuan(sums[name]))
        for name, label in _TILES
        if sums[name] or name in {"payable_fen", "sales_fen"}
    ]


def _guide_url(month: str, guide_id: int) -> str:
    return reverse("admin:sales_commission_guide", args=[month, guide_id])


def _line_cells(line: CommissionLineCard) -> dict[str, Any]:
    return {
        "line": line,
        "share": rate(line.share_bp) if line.kind == "sale" and line.share_bp != 10_000 else "",
        "base": yuan(line.base_fen) if line.kind != "bounty" else _now("%(n)s 人") % {"n": line.unit_count},
        "rate": f"{line.rate_bp / 100:g}%" if line.rate_bp else "—",
        "fen": yuan(line.fen),
        "original": f"{line.original_month_on:%Y-%m}" if line.original_month_on else "",
    }


def _question(month_on: dt.date, title: Any, lines: list[str], *, is_dangerous: bool = False) -> Question:
    return Question(
        title=f"{title} · {month_words(month_on)}",
        submit=title,
        back_url=reverse("admin:sales_commission_month", args=[f"{month_on:%Y-%m}"]),
        lines=lines,
        is_dangerous=is_dangerous,
    )
