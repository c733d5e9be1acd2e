"""九宫格: traffic, conversion and basket of new, returning and dormant members, and who is behind each number."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.admin import ReadOnlyAdmin, rule_url, staff_actor, thousands, when
from core.workbooks import Sheet, workbook_answer
from members import selectors as member_selectors
from sales import selectors
from sales.admin.boards_form import span_words
from sales.admin.nine_form import Asked
from sales.admin.nine_words import (
    METRICS,
    board_rows,
    board_sheets,
    how_words,
    trend_heads,
    trend_rows,
)
from sales.admin.words import yuan
from sales.contracts.nine import NineBoard, NineMember
from sales.models import NineFold, Trace

_LINES: Final = 50
_MOST_ROWS: Final = 100_000


@admin.register(NineFold)
class NineFoldAdmin(ReadOnlyAdmin):
    """Not a list of rows: the board, of the part of the chain that the account sees."""

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("export/", "sales_nine_export", self.export_view),
            ("members/", "sales_nine_members", self.members_view),
            ("members/export/", "sales_nine_members_export", self.members_export_view),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The board."""
        asked = self._asked(request)
        context = self._context(request) | {
            "title": _("九宫格"),
            "form": asked.form,
            "media": asked.form.media,
            "is_valid": asked.is_valid,
            "fault": asked.fault,
            "where": asked.where,
            "span_words": span_words(asked.span),
            "before_url": asked.url(day=selectors.span_before(asked.span).starts_on.isoformat()),
            "after_url": asked.url(day=asked.span.ends_on.isoformat()),
        }
        if asked.is_valid and not asked.fault:
            context |= self._shown(request, asked, _board(asked))
        return TemplateResponse(request, "admin/sales/nine.html", context)

    def _shown(self, request: HttpRequest, asked: Asked, board: NineBoard) -> dict[str, Any]:
        members = reverse("admin:sales_nine_members")
        return {
            "board": board,
            "is_empty": not any(column.whole.came_count for column in board.trend),
            "is_running": asked.span.starts_on <= clock.today() < asked.span.ends_on,
            "folded": when(board.folded_at),
            "metrics": METRICS,
            "rows": board_rows(
                board,
                lambda **changes: members + asked.url(**changes),
                lambda stood, **way: rule_url(
                    request, asked.rule(stood, **way), asked.rule_name(stood, **way)
                ),
            ),
            "trend_heads": trend_heads(),
            "trend_rows": trend_rows(board),
            "how": how_words(board),
            "export_url": reverse("admin:sales_nine_export") + asked.url(),
        }

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The twelve periods as a workbook."""
        asked = self._asked(request)
        if not asked.is_valid or asked.fault:
            return self.changelist_view(request)
        name = _now("九宫格_%(where)s_%(span)s") % {"where": asked.where, "span": span_words(asked.span)}
        return workbook_answer(name=name, sheets=board_sheets(_board(asked), asked.where))

    def members_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Who is behind a number, those who spent most first, as far as the account may see them."""
        asked = self._asked(request)
        back_url = reverse("admin:sales_ninefold_changelist") + asked.url(stood=None, bought=None)
        context = self._context(request) | {
            "title": _("九宫格会员"),
            "fault": asked.fault,
            "back_url": back_url,
        }
        if asked.is_valid and not asked.fault:
            shown = Paginator(_members(request, asked), _LINES).get_page(request.GET.get("page"))
            lines = selectors.nine_members(list(shown))
            cards = member_selectors.list_member_cards([one.member_id for one in lines])
            context |= {
                "filters": asked.words(),
                "count": thousands(shown.paginator.count),
                "is_part": not request.user.is_superuser,
                "lines": [_line(one, cards[one.member_id]) for one in lines if one.member_id in cards],
                "before_url": asked.url(page=shown.previous_page_number()) if shown.has_previous() else "",
                "after_url": asked.url(page=shown.next_page_number()) if shown.has_next() else "",
                "keep_url": rule_url(
                    request,
                    asked.rule(asked.stood, has_bought=asked.has_bought),
                    asked.rule_name(asked.stood, has_bought=asked.has_bought),
                ),
                "export_url": reverse("admin:sales_nine_members_export") + asked.url()
                if request.user.has_perm("sales.export_ninefold")
                else "",
            }
        return TemplateResponse(request, "admin/sales/nine_members.html", context)

    def members_export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The list as a workbook with member codes and no phones, at most a hundred thousand; it is on record."""
        asked = self._asked(request)
        if not request.user.has_perm("sales.export_ninefold"):
            raise PermissionDenied
        if not asked.is_valid or asked.fault:
            return self.members_view(request)
        lines = selectors.nine_members(list(_members(request, asked)[:_MOST_ROWS]))
        audit.record(
            action="sales.nine_exported",
            subject=NineFold(pk=1),
            actor=staff_actor(request),
            count=len(lines),
            filters=asked.words(),
        )
        codes = member_selectors.list_member_tails([one.member_id for one in lines])
        sheet = Sheet(
            _now("会员"),
            [
                (_now("会员码"), "text"), (_now("来访天数"), "count"), (_now("来访方式"), "text"),
                (_now("最近来访"), "day"), (_now("订单"), "count"), (_now("净额"), "fen"), (_now("之前最后购买"), "day"),
            ],
            (
                [
                    codes[one.member_id][0] if one.member_id in codes else "", one.day_count, _traces(one.traces),
                    one.last_on, one.order_count, one.net_fen, one.stood_on,
                ]
                for one in lines
            ),
        )  # fmt: skip
        words = Sheet(_now("说明"), [(_now("查询条件"), "text")], [[word] for word in asked.words()])
        return workbook_answer(
            name=_now("九宫格会员_%(day)s") % {"day": clock.today()}, sheets=[sheet, words]
        )

    def _asked(self, request: HttpRequest) -> Asked:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return Asked(request)

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}


def _board(asked: Asked) -> NineBoard:
    return selectors.get_nine(scope=asked.scope, ref=asked.ref, span=asked.span)


def _members(request: HttpRequest, asked: Asked) -> Any:
    return selectors.list_nine_members(
        scope=asked.scope,
        ref=asked.ref,
        span=asked.span,
        stood=asked.stood,
        has_bought=asked.has_bought,
        among=asked.members_among(request),
    )


def _traces(traces: int) -> str:
    return _now("、").join(str(trace.label) for trace in Trace if traces & trace.value)


def _line(one: NineMember, card: Any) -> dict[str, Any]:
    return {
        "name": card.display_name,
        "url": reverse("admin:members_member_change", args=[one.member_id]),
        "cells": (
            thousands(one.day_count), _traces(one.traces), one.last_on, thousands(one.order_count),
            yuan(one.net_fen), one.stood_on or "—",
        ),
    }  # fmt: skip
