"""排行榜: who stands where, by any metric, in any period, within any part of the chain; and what was frozen."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, when
from core.workbooks import Sheet, workbook_answer
from guides import selectors as guide_selectors
from sales import selectors
from sales.admin.boards_form import Asked
from sales.admin.boards_then import compared, thens
from sales.admin.words import month_words
from sales.contracts import Board, BoardLine
from sales.models import MONEY_METRICS, BoardFreeze, FrozenSubject, Metric

_LINES: Final = 50
_BARS: Final = 20
_MOST_ROWS: Final = 20_000
_FREEZES: Final = 24


@admin.register(BoardFreeze)
class BoardFreezeAdmin(ReadOnlyAdmin):
    """Not a list of rows: one board, and below it which months stand still."""

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "sales_boards_export", self.export_view),)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The board."""
        asked = self._asked(request)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("排行榜"),
            "form": asked.form,
            "media": asked.form.media,
            "is_valid": asked.is_valid,
            "span_words": asked.span_words,
            "before_url": asked.url(**_moved(asked, back=True)),
            "after_url": asked.url(**_moved(asked, back=False)),
            "export_url": reverse("admin:sales_boards_export") + asked.url(),
        }
        if asked.is_valid:
            context |= _shown(asked, may_open=request.user.has_perm("sales.view_performanceentry"))
        return TemplateResponse(request, "admin/xiaoer/sales_boards.html", context)

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The whole board as a workbook."""
        asked = self._asked(request)
        if not asked.is_valid:
            return self.changelist_view(request)
        board = _board(asked, _MOST_ROWS)
        names = _names(asked, board.lines)
        subject, metric = str(FrozenSubject(asked.subject).label), str(Metric(asked.metric).label)
        sheet = Sheet(
            _now("排行榜"),
            [
                (_now("名次"), "count"), (_now("上期名次"), "count"), (subject, "text"), (_now("所在"), "text"),
                (metric, "fen" if asked.metric in MONEY_METRICS else "count"),
            ],
            (
                [line.rank, None if line.moved is None else line.rank + line.moved, *names[line.subject_id], line.value]
                for line in board.lines
            ),
        )  # fmt: skip
        name = _now("%(subject)s排行榜_%(metric)s_%(span)s") % {
            "subject": subject, "metric": metric, "span": asked.span_words,
        }  # fmt: skip
        return workbook_answer(name=name, sheets=[sheet])

    def _asked(self, request: HttpRequest) -> Asked:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return Asked(request)


def _moved(asked: Asked, *, back: bool) -> dict[str, Any]:
    """The period before, or after, of the same length."""
    day = asked.before_day if back else asked.span.ends_on
    if asked.period != "range":
        return {"day": day.isoformat(), "then": None}
    last = day + (asked.span.ends_on - asked.span.starts_on) - dt.timedelta(days=1)
    return {"day": day.isoformat(), "until": last.isoformat(), "then": None}


def _board(asked: Asked, limit: int) -> Board:
    return selectors.get_board(
        metric=asked.metric, span=asked.span, subject=asked.subject, scope=asked.scope, limit=limit
    )


def _shown(asked: Asked, *, may_open: bool) -> dict[str, Any]:
    board = _board(asked, _LINES)
    names = _names(asked, board.lines)
    is_money = asked.metric in MONEY_METRICS
    best = max((line.value for line in board.lines), default=0)
    rows = [
        {
            "rank": line.rank,
            "name": names[line.subject_id][0],
            "place": names[line.subject_id][1],
            "url": _entries_url(asked, line.subject_id) if may_open else "",
            "value": f"{line.value / 100:,.2f}" if is_money else f"{line.value:,}",
            "moved": line.moved,
            "places": None if line.moved is None else abs(line.moved),
            "share": max(0, round(line.value * 100 / best)) if best > 0 else 0,
        }
        for line in board.lines
    ]
    return {
        "rows": rows,
        "count": board.ranked_count,
        "more": max(0, board.ranked_count - len(rows)),
        "frozen": when(board.frozen_at) if board.frozen_at else "",
        "subject_words": FrozenSubject(asked.subject).label,
        "has_places": asked.subject in {"guide", "store"},
        "metric_words": Metric(asked.metric).label,
        "is_money": is_money,
        "bars": [
            {"name": names[line.subject_id][0], "value": line.value / 100 if is_money else line.value}
            for line in board.lines[:_BARS]
        ],
        "freezes": _freezes(),
        "thens": thens(asked),
        **compared(asked, board, lambda lines: _names(asked, lines)),
    }


def _entries_url(asked: Asked, subject_id: int) -> str:
    """The entries that make the value; empty where the ledger cannot be narrowed to the same."""
    scope = asked.scope
    if asked.subject not in {"guide", "store"} or scope.region_id is not None or scope.dealer_id is not None:
        return ""
    query = {
        f"{asked.subject}__id__exact": subject_id,
        "metric": asked.metric,
        "booked_on_from": asked.span.starts_on,
        "booked_on_to": asked.span.ends_on - dt.timedelta(days=1),
    }
    # Several stores are all that the account sees: its ledger has no others.
    if asked.subject == "guide" and scope.store_ids is not None and len(scope.store_ids) == 1:
        query["store__id__exact"] = scope.store_ids[0]
    return f"{reverse('admin:sales_performanceentry_changelist')}?{urlencode(query)}"


def _names(asked: Asked, lines: Sequence[BoardLine]) -> dict[int, tuple[str, str]]:
    """Name and where it belongs, by id; a row that is gone has its number."""
    ids = [line.subject_id for line in lines]
    found: dict[int, tuple[str, str]] = {pk: (f"#{pk}", "") for pk in ids}
    if asked.subject == "guide":
        entries = guide_selectors.list_guide_entries(ids)
        left = _now("，已离职")
        found |= {
            pk: (f"{one.name}（{one.number}）", one.store_name + ("" if one.is_active else left))
            for pk, one in entries.items()
        }
    elif asked.subject == "store":
        labels = guide_selectors.list_store_labels(ids)
        found |= {
            pk: (one.name, " · ".join(filter(None, (one.region_name, one.dealer_name))))
            for pk, one in labels.items()
        }
    else:
        _stores, regions, dealers = guide_selectors.list_place_names(region_ids=ids, dealer_ids=ids)
        chosen = regions if asked.subject == "region" else dealers
        found |= {pk: (chosen[pk], "") for pk in ids if pk in chosen}
    return found


def _freezes() -> list[dict[str, Any]]:
    """The newest months that were closed, also those that were opened again."""
    rows = BoardFreeze.objects.filter(period="month", subject=FrozenSubject.GUIDE).select_related("close")
    return [
        {
            "month": month_words(row.starts_on),
            # One that was opened again is shown beside what came of it.
            "url": f"?period=month&day={row.starts_on}" + (f"&then={row.pk}" if row.thawed_at else ""),
            "frozen": when(row.frozen_at),
            "by": row.close.closed_by,
            "thawed": when(row.thawed_at) if row.thawed_at else "",
            "reason": row.close.reopen_reason,
        }
        for row in rows.order_by("-starts_on", "-pk")[:_FREEZES]
    ]
