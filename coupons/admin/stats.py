"""券数据: the page of numbers with its charts, the rows behind them, its workbooks; and panels on other pages."""

import datetime as dt
from collections.abc import Sequence
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

from core.admin import (
    Panel,
    ReadOnlyAdmin,
    ScopedReadOnlyAdmin,
    column,
    money,
    name_actions,
    name_details,
    register_panel,
    when,
)
from core.workbooks import workbook_answer
from coupons import selectors
from coupons.admin.stats_form import BY_WORDS, SIDE_WORDS, Asked
from coupons.admin.stats_sheets import entry_sheets, stats_sheets
from coupons.admin.stats_words import SORTS, cells_of, columns_of, spans_of, tail, tiles_of
from coupons.contracts import CouponNumbers, StatsLine, StatsQuery
from coupons.models import CouponBatch, CouponDay, CouponTemplate, StatsProof
from guides import selectors as guide_selectors

name_actions({"coupons.stats_repaired": _("修正券数据")})
name_details({"wrong_count": _("修正的行数")})
_LINES: Final = 50
_MOST_ROWS: Final = 100_000
_PATH: Final = "admin:coupons_couponday_changelist"


@admin.register(CouponDay)
class CouponDayAdmin(ScopedReadOnlyAdmin):
    """Not a list of rows: numbers by a dimension, over a span, for a part of the chain."""

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("rows/", "coupons_stats_rows", self.rows_view),
            ("export/", "coupons_stats_export", self.export_view),
            ("rows/export/", "coupons_stats_rows_export", self.rows_export_view),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The numbers."""
        asked = self._asked(request)
        context = {
            **self._context(request, asked),
            "title": _("券数据"),
            "spans": spans_of(asked),
            "tabs": _tabs(asked),
        }
        if asked.is_valid:
            context |= self._numbers(asked)
        return TemplateResponse(request, "admin/xiaoer/coupon_stats.html", context)

    def rows_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """What stands behind: redemptions and what was taken back, or the coupons that were issued."""
        asked = self._asked(request)
        what = (
            "issued" if asked.address.get("what") == "issued" and asked.query.side == "issued" else "entries"
        )
        number = asked.address.get("page", "1")
        page = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1
        lines: Sequence[Any] = ()
        if asked.is_valid:
            read = selectors.list_issued if what == "issued" else selectors.list_entries
            lines = read(asked.query, limit=_LINES + 1, offset=(max(1, page) - 1) * _LINES)
        context = {
            **self._context(request, asked),
            "title": _("券数据明细"),
            "what": what,
            "rows": _row_cells(request, what, lines[:_LINES], asked.query),
            "filters": _filter_words(asked),
            "back_url": reverse(_PATH) + asked.url(what=None),
            "entries_url": asked.url(what="entries"),
            "issued_url": asked.url(what="issued") if asked.query.side == "issued" else "",
            "before_url": asked.url(page=page - 1) if page > 1 else "",
            "after_url": asked.url(page=page + 1) if len(lines) > _LINES else "",
            "export_url": reverse("admin:coupons_stats_rows_export") + asked.url(),
        }
        return TemplateResponse(request, "admin/xiaoer/coupon_stats_rows.html", context)

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The table and the days as a workbook."""
        asked = self._asked(request)
        if not asked.is_valid:
            return self.changelist_view(request)
        name = _now("券数据_按%(by)s_%(span)s") % {"by": BY_WORDS[asked.by], "span": asked.span_words}
        lines = selectors.list_stats(asked.query, by=asked.by)
        days = selectors.list_stats(asked.query, by="day")
        return workbook_answer(name=name, sheets=stats_sheets(asked, lines, days, _filter_words(asked)))

    def rows_export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The redemptions behind the numbers as a workbook, the newest hundred thousand."""
        asked = self._asked(request)
        if not asked.is_valid:
            return self.rows_view(request)
        name = _now("核销明细_%(span)s") % {"span": asked.span_words}
        lines = selectors.list_entries(asked.query, limit=_MOST_ROWS)
        return workbook_answer(name=name, sheets=entry_sheets(lines))

    def _asked(self, request: HttpRequest) -> Asked:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return Asked(request)

    def _context(self, request: HttpRequest, asked: Asked) -> dict[str, Any]:
        until = selectors.folded_until()
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": asked.form,
            "media": asked.form.media,
            "is_valid": asked.is_valid,
            "fresh": when(until) if until else "",
            "export_url": reverse("admin:coupons_stats_export") + asked.url(),
        }

    def _numbers(self, asked: Asked) -> dict[str, Any]:
        lines = selectors.list_stats(asked.query, by=asked.by)
        sort = asked.address.get("sort", "")
        name = sort.removeprefix("-")
        if name in SORTS:
            lines = tuple(
                sorted(lines, key=lambda line: SORTS[name](line.numbers), reverse=sort.startswith("-"))
            )
        pages = Paginator(lines, _LINES)
        shown = pages.get_page(asked.address.get("page"))
        days = lines if asked.by == "day" else selectors.list_stats(asked.query, by="day")
        return {
            "tiles": tiles_of(selectors.sum_coupons(asked.query), asked.query.side),
            "heads": _heads(asked, sort),
            "lines": [_line_cells(line, asked) for line in shown],
            "page": shown,
            "before_url": asked.url(page=shown.previous_page_number()) if shown.has_previous() else "",
            "after_url": asked.url(page=shown.next_page_number()) if shown.has_next() else "",
            "rows_url": reverse("admin:coupons_stats_rows") + asked.url(),
            "days": _days_of(days),
            "by_words": BY_WORDS[asked.by],
        }


@admin.register(StatsProof)
class StatsProofAdmin(ReadOnlyAdmin):
    """Each night's comparison with the facts."""

    list_display = ("day", "ran", "row_count", "wrong_count", "seconds")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("day", "ran"), ("row_count", "wrong_count", "seconds"))}),
        (_("修正内容"), {"fields": ("wrong_words",)}),
    )

    @column(_("核对时间"), ordering="ran_at")
    def ran(self, row: StatsProof) -> str:
        return when(row.ran_at)

    @column(_("前 50 行：表、键、原来的数、应有的数"))
    def wrong_words(self, row: StatsProof) -> str:
        return "\n".join(str(wrong) for wrong in row.wrong_rows) or "—"


def _tabs(asked: Asked) -> list[dict[str, Any]]:
    return [
        {"words": words, "url": asked.url(by=by, sort=None), "is_on": by == asked.by}
        for by, words in BY_WORDS.items()
    ]


def _heads(asked: Asked, sort: str) -> list[dict[str, Any]]:
    """A head sorts by its column, the greatest first; again, the other way round."""
    return [
        {
            "words": words,
            "url": asked.url(sort=name if sort == f"-{name}" else f"-{name}"),
            "sign": {f"-{name}": "↓", name: "↑"}.get(sort, ""),
        }
        for name, words in columns_of(asked.query, asked.by)
    ]


def _line_cells(line: StatsLine, asked: Asked) -> dict[str, Any]:
    is_row = line.key not in {"0", "-1"}
    changes: dict[str, Any] = (
        {"since": line.key, "until": line.key} if asked.by == "day" else {asked.by: line.key}
    )
    rows = reverse("admin:coupons_stats_rows") + asked.url(**changes, by=None, sort=None)
    narrower = asked.url(**changes, by="day", sort=None) if asked.by != "day" else ""
    return {
        "label": line.label,
        "url": narrower if is_row else "",
        "rows_url": rows if is_row else "",
        "cells": cells_of(line.numbers, columns_of(asked.query, asked.by)),
    }


def _days_of(lines: Sequence[StatsLine]) -> list[dict[str, Any]]:
    """Every day from the first to the last of these, for the charts: one on which nothing happened is a nought."""
    known = {line.key: line.numbers for line in lines}
    if not known:
        return []
    first, last = (dt.date.fromisoformat(pick(known)) for pick in (min, max))
    days = [(first + dt.timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
    return [
        {
            "day": day,
            "issued": numbers.issued_count,
            "redeemed": numbers.redeemed_count,
            "sales": round(numbers.sales_fen / 100, 2),
            "discount": round(numbers.discount_fen / 100, 2),
        }
        for day in days
        for numbers in (known.get(day, CouponNumbers()),)
    ]


def _filter_words(asked: Asked) -> list[str]:
    cleaned = asked.form.cleaned_data
    chosen = [
        str(cleaned[name])
        for name in ("template", "batch", "region", "dealer", "store", "guide")
        if cleaned.get(name)
    ]
    door = dict(asked.form.fields["door"].choices).get(asked.query.door, "") if asked.query.door else ""  # type: ignore[attr-defined]
    words = [asked.span_words, str(SIDE_WORDS[asked.query.side]), str(door), *chosen]
    return [word for word in words if word]


def _row_cells(
    request: HttpRequest, what: str, lines: Sequence[Any], query: StatsQuery
) -> list[dict[str, Any]]:
    stores = {line.issued_store_id for line in lines} | {getattr(line, "store_id", None) for line in lines}
    names = guide_selectors.list_store_labels(filter(None, stores)) if lines else {}
    guides = (
        guide_selectors.list_guide_labels({line.issued_guide_id for line in lines if line.issued_guide_id})
        if what == "issued"
        else {}
    )

    def store(pk: int | None) -> str:
        return names[pk].name if pk in names else "—"

    if what == "issued":
        may_open = request.user.has_perm("coupons.view_coupon") and query.store_ids is None
        return [
            {
                "url": reverse("admin:coupons_coupon_change", args=[line.coupon_id]) if may_open else "",
                "cells": (
                    tail(line.code), line.batch_name, line.door_label, store(line.issued_store_id),
                    guides.get(line.issued_guide_id, "—"), line.state_label,
                ),
                "at": when(line.issued_at),
            }
            for line in lines
        ]  # fmt: skip
    may_open = request.user.has_perm("coupons.view_redemption")
    return [
        {
            "url": reverse("admin:coupons_redemption_change", args=[line.redemption_id])
            if may_open and (query.store_ids is None or line.store_id in query.store_ids)
            else "",
            "what": line.what,
            "what_label": line.what_label,
            "day": line.day,
            "redeemed_on": line.redeemed_on,
            "cells": (
                tail(line.code),
                line.batch_name,
                store(line.issued_store_id),
                store(line.store_id),
                line.order_no,
            ),
            "sales": money(line.sales_fen),
            "discount": money(line.discount_fen),
        }
        for line in lines
    ]


def _panel(request: HttpRequest, numbers: CouponNumbers, address: str) -> Panel | None:
    if not request.user.has_perm("coupons.view_couponday"):
        return None
    context = {"tiles": tiles_of(numbers, "issued"), "url": reverse(_PATH) + address}
    return Panel(_("数据（全部日期）"), "admin/xiaoer/panel_coupon_stats.html", context)


def _batch_panel(request: HttpRequest, batch: CouponBatch) -> Panel | None:
    stores = selectors.visible_store_ids(request.user)  # type: ignore[arg-type]
    numbers = selectors.sum_coupons(StatsQuery(batch_id=batch.pk, store_ids=stores))
    return _panel(request, numbers, f"?ever=1&batch={batch.pk}&by=day")


def _template_panel(request: HttpRequest, template: CouponTemplate) -> Panel | None:
    stores = selectors.visible_store_ids(request.user)  # type: ignore[arg-type]
    numbers = selectors.sum_coupons(StatsQuery(template_id=template.pk, store_ids=stores))
    return _panel(request, numbers, f"?ever=1&template={template.pk}&by=batch")


register_panel("coupons.CouponBatch", _batch_panel, order=20)
register_panel("coupons.CouponTemplate", _template_panel, order=20)
