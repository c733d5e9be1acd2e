"""提成: months, everybody's statements, and the tables for payroll."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

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
from core.admin import ReadOnlyAdmin, when
from core.errors import NotFound
from core.workbooks import workbook_answer
from coupons import selectors as coupon_selectors
from sales import selectors, services
from sales.admin.commission_decisions import DECISIONS, WORKED_AT, standing
from sales.admin.commission_sheets import month_sheet, statement_sheets
from sales.admin.words import month_words, rate, read_month, yuan
from sales.contracts import CommissionLineCard
from sales.models import CommissionMonth

_STATES: Final = {
    "open": _("未结算"),
    "preparing": _("正在生成"),
    "prepared": _("待确认"),
    "closed": _("已关账"),
    "discarding": _("正在退回"),
    "reopening": _("正在重新打开"),
}
_AT_ONCE: Final = 100


@admin.register(CommissionMonth)
class CommissionMonthAdmin(ReadOnlyAdmin):
    """The newest months first, also those that nobody has settled; each with the statements the account may see."""

    fields = ("month_on", "state", "version", "closed_at", "closed_by", "reopen_reason")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("of/<str:month>/", "sales_commission_month", self.month_view),
            ("of/<str:month>/sums/", "sales_commission_sums", self.sums_view),
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
                "prepared": _by_whom(row.prepared_at, row.prepared_by) if (row := rows.get(month)) else "—",
                "closed": _by_whom(row.closed_at, row.closed_by) if row else "—",
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
        if state in WORKED_AT:
            return self._page(request, "commission_preparing", **head, **standing(row))
        asked = self._asked(request, month_on)
        page = Paginator(asked.shown, _AT_ONCE).get_page(request.GET.get("page"))
        found = selectors.list_commissions(month_on, list(page))
        is_open = state == "open"
        # What a whole chain comes to is added up while the page is read already.
        is_later = is_open and page.has_other_pages()
        sums = {} if is_later else selectors.sum_commissions(month_on, asked.shown)
        wrong = () if is_open else services.prove_commission(month_on=month_on)
        return self._page(
            request,
            "commission_month",
            **head,
            tiles=_tiles(sums) if sums else [],
            sums_url=reverse("admin:sales_commission_sums", args=[month]) + f"?{asked.query}"
            if is_later
            else "",
            lines=[
                (one, _guide_url(month, one.guide_id), [yuan(getattr(one, name)) for name in selectors.SUMS])
                for one in found
            ],
            pages=page,
            page_query=f"?{asked.query}",
            asked=asked.text,
            is_empty=not asked.all,
            stores=[(str(pk), name, str(pk) == asked.store) for pk, name in asked.stores],
            is_proven=not wrong,
            is_over=clock.today() >= selectors.add_months(month_on, 1),
            is_newest=selectors.next_commission_month() == selectors.add_months(month_on, 1),
            lines_url=_lines_url(request, month_on, asked.store, is_open=is_open),
        )

    def sums_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponse:
        """What the statements of an open month come to: the part of the page that asks for itself."""
        self._may_look(request)
        month_on = self._month(month)
        sums = selectors.sum_commissions(month_on, self._asked(request, month_on).shown)
        context = {"tiles": _tiles(sums)}
        return TemplateResponse(request, "admin/xiaoer/sales/_commission_sums.html", context)

    def progress_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while statements are written; then the page is asked for anew."""
        self._may_look(request)
        row = CommissionMonth.objects.being_worked_at().filter(month_on=self._month(month)).first()
        if row is None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        context = {"month": month, "row": row, "may_close": self._may_close(request), **standing(row)}
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
            tiles=_tiles({name: getattr(summary, name) for name in selectors.SUMS}),
            lines=self._cells_of(request, card.lines),
            sum_words=yuan(summary.earned_fen + summary.bonus_fen + summary.clawed_back_fen),
            back_url=reverse("admin:sales_commission_month", args=[month]),
            export_url=reverse("admin:sales_commission_guide_export", args=[month, guide_id]),
        )

    def _cells_of(self, request: HttpRequest, lines: Sequence[CommissionLineCard]) -> list[dict[str, Any]]:
        """The lines, each with its order if the account may open that."""
        pages: dict[int, int] = {}
        if request.user.has_perm("sales.view_sale"):
            ids = [line.sale_id for line in lines if line.sale_id is not None]
            pages = selectors.find_current_sales(ids, store_ids=self._stores(request))
        return [_line_cells(line, pages.get(line.sale_id or 0)) for line in lines]

    def export_view(self, request: HttpRequest, month: str, model_admin: Any = None) -> HttpResponseBase:
        """One table for payroll. Lines have a list of their own."""
        self._may_look(request)
        month_on = self._month(month)
        found = selectors.list_commissions(month_on, self._asked(request, month_on).shown)
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
        if verb not in DECISIONS:
            raise Http404
        return DECISIONS[verb](self, request, month_on)

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _may_close(self, request: HttpRequest) -> bool:
        """A right of its own, and all of the chain in sight: nobody freezes what she cannot see."""
        return self._stores(request) is None and request.user.has_perm("sales.close_commission")

    def _stores(self, request: HttpRequest) -> frozenset[int] | None:
        return coupon_selectors.visible_store_ids(request.user)  # type: ignore[arg-type]

    def _asked(self, request: HttpRequest, month_on: dt.date) -> "_Asked":
        seen = selectors.list_paid_guides(month_on, store_ids=self._stores(request))
        return _Asked(seen, request.GET.get("store", ""), request.GET.get("q", "").strip()[:40])

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


class _Asked:
    """Whom the address asks for, of those whom the account may see."""

    def __init__(self, seen: Sequence[selectors.PaidGuide], store: str, text: str) -> None:
        self.all, self.store, self.text = seen, store, text
        self.stores = sorted({(one.store_id, one.store_name) for one in seen}, key=lambda one: one[1])
        self.query = urlencode({"store": store, "q": text})
        self.shown = [
            one
            for one in seen
            if (not store or str(one.store_id) == store)
            and (not text or text in one.guide_name or text.upper() in one.guide_number.upper())
        ]


def _lines_url(request: HttpRequest, month_on: dt.date, store: str, *, is_open: bool) -> str:
    """All lines: those that are stored have a list; those of an open month are computed into a file."""
    asked = {"month": f"{month_on:%Y-%m}"}
    if not is_open:
        may_look = request.user.has_perm("sales.view_commissionline")
        return reverse("admin:sales_commissionline_changelist", query=asked) if may_look else ""
    may_export = request.user.has_perm("sales.export_commissionline")
    asked |= {"store": store} if store else {}
    return reverse("admin:sales_commissionline_export", query=asked) if may_export else ""


_TILES: Final = (
    ("payable_fen", _("应发")),
    ("sales_fen", _("计提业绩")),
    ("earned_fen", _("销售提成")),
    ("bonus_fen", _("奖励")),
    ("clawed_back_fen", _("追回和更正")),
    ("carried_in_fen", _("上月结转")),
    ("carried_out_fen", _("结转下月")),
)


def _by_whom(at: dt.datetime | None, who: str) -> str:
    return f"{when(at)} {who}" if at is not None else when(at)


def _tiles(sums: dict[str, int]) -> list[tuple[Any, str]]:
    """What is paid and for how much; the rest where there is any."""
    return [
        (label, yuan(sums[name]))
        for name, label in _TILES
        if sums[name] or name in {"payable_fen", "sales_fen"}
    ]


def _guide_url(month: str, guide_id: int) -> str:
    return reverse("admin:sales_commission_guide", args=[month, guide_id])


def _line_cells(line: CommissionLineCard, sale_id: int | None) -> dict[str, Any]:
    return {
        "line": line,
        "url": reverse("admin:sales_sale_change", args=[sale_id]) if sale_id is not None else "",
        "share": rate(line.share_bp) if line.kind == "sale" and line.share_bp != 10_000 else "",
        "base": yuan(line.base_fen) if line.kind != "bounty" else _now("%(n)s 人") % {"n": line.unit_count},
        "rate": f"{line.rate_bp / 100:g}%" if line.rate_bp else "—",
        "fen": yuan(line.fen),
        "original": month_words(line.original_month_on) if line.original_month_on else "",
    }
