"""活动效果: campaigns side by side, and each one's report, both also as files."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.proof_columns import VIEWS, rates_of, view_cells, view_heads
from campaigns.admin.proof_form import Asked
from campaigns.admin.proof_sheets import csv_answer, league_sheet, report_sheets, stamp
from campaigns.admin.proof_terms import WORDS
from campaigns.admin.proof_words import (
    LEAGUE_COLUMNS,
    cell,
    days_of,
    finding_words,
    league_value,
    money_sentence_of,
    progress_words,
    roi_words,
    sentence_of,
    sorted_league,
    steps_of,
    tiles_of,
    tone_of,
    yuan,
)
from campaigns.contracts.proof import LeagueLine, LeagueSum, ProofBy, ProofLine, ProofReport, VariantUplift
from campaigns.models import Campaign, CampaignBook, CampaignGoal, CampaignKind, CampaignRun
from campaigns.selectors.league import MOST_LINES, list_league, sum_league
from campaigns.selectors.proof import get_proof, list_proof_lines
from core import audit, clock
from core.admin import (
    OwnPage,
    Panel,
    ScopedReadOnlyAdmin,
    name_actions,
    percent,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.errors import NotFound
from core.workbooks import workbook_answer
from coupons.selectors import visible_store_ids

name_actions({"campaigns.proof_exported": _("导出活动报告"), "campaigns.league_exported": _("导出活动排行")})
BY_WORDS: Final[dict[ProofBy, Any]] = {
    "variant": _("版本"), "region": _("区域"), "store": _("门店"), "guide": _("导购"), "tier": _("等级"),
}  # fmt: skip
_LINES: Final = 50
_LIST: Final = "admin:campaigns_campaignbook_changelist"
_ONE: Final = "admin:campaigns_campaignbook_change"
_ALL: Final = "admin:campaigns_proof_of_campaign"
_PROGRESS: Final = "admin:campaigns_proof_progress"


@admin.register(CampaignBook)
class CampaignBookAdmin(OwnPage, ScopedReadOnlyAdmin):
    """The list is the table of campaigns, a row the report of its run. Each account sees the part of its stores' members."""

    has_audit_box = False

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("export/", "campaigns_league_export", self.league_export_view),
            ("together/", "campaigns_league_together", self.together_view),
            ("of/<int:pk>/", "campaigns_proof_of_campaign", self.campaign_view),
            ("of/<int:pk>/progress/", "campaigns_proof_progress", self.progress_view),
            ("of/<int:pk>/export/", "campaigns_proof_export", self.export_view),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Campaigns beside each other."""
        self._guard(request)
        asked = Asked(request)
        context: dict[str, Any] = {
            "title": _("活动效果"),
            "form": asked.form,
            "media": asked.form.media,
            "is_valid": asked.is_valid,
        }
        if asked.is_valid:
            lines = sorted_league(list_league(asked.query), asked.sort)
            shown = Paginator(lines, _LINES).get_page(asked.address.get("page"))
            export = reverse("admin:campaigns_league_export") + asked.url()
            context |= {
                "heads": _heads(asked),
                "lines": [_league_line(line) for line in shown],
                "together_url": reverse("admin:campaigns_league_together") + asked.url(),
                "page": shown,
                "before_url": asked.url(page=shown.previous_page_number()) if shown.has_previous() else "",
                "after_url": asked.url(page=shown.next_page_number()) if shown.has_next() else "",
                "export_url": export if self._may_export(request) else "",
                "is_cut": len(lines) >= MOST_LINES,
            }
        return self._page(request, "league", context)

    def together_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """What the campaigns of the table brought together, asked for by the page that shows it: seconds over millions."""
        self._guard(request)
        asked = Asked(request)
        return HttpResponse(escape(_whole_words(sum_league(asked.query))) if asked.is_valid else "")

    def league_export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The table as it is filtered and sorted."""
        self._guard(request, to_export=True)
        asked = Asked(request)
        if not asked.is_valid:
            return self.changelist_view(request)
        lines = sorted_league(list_league(asked.query), asked.sort)
        sheet = league_sheet(lines, sum_league(asked.query))
        self._note(request, len(lines), of_one=False)
        name = _now("活动排行_%(day)s") % {"day": stamp()}
        if asked.address.get("form") == "csv":
            return csv_answer(name=name, sheet=sheet)
        return workbook_answer(name=name, sheets=[sheet])

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of a page that asks for itself until everybody has been counted once; then the whole page is another."""
        self._guard(request)
        report = self._read(pk, _run_of(request), visible_store_ids(request.user))  # type: ignore[arg-type]
        if report.progress is None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "admin/xiaoer/proof/_progress.html", _progress(report))

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The report of one run."""
        campaign_id = CampaignRun.objects.values_list("campaign_id", flat=True).get(pk=row.pk)
        return self._report(request, campaign_id, row.pk)

    def campaign_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The report of all runs of a campaign."""
        self._guard(request)
        return self._report(request, pk, None)

    def export_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponseBase:
        """The report as a workbook, or one of its tables as CSV."""
        self._guard(request, to_export=True)
        stores, by = visible_store_ids(request.user), _by_of(request)  # type: ignore[arg-type]
        report = self._read(pk, _run_of(request), stores)
        is_csv = request.GET.get("form") == "csv"
        dimensions: list[ProofBy] = [by] if is_csv else list(BY_WORDS)
        tables = [
            (str(BY_WORDS[one]), list_proof_lines(report, by=one, store_ids=stores)) for one in dimensions
        ]
        sheets = report_sheets(report, tables)
        self._note(request, sum(len(lines) for _name, lines in tables), of_one=True)
        name = _now("活动报告_%(name)s_%(day)s") % {"name": report.campaign_name, "day": stamp()}
        return csv_answer(name=name, sheet=sheets[1]) if is_csv else workbook_answer(name=name, sheets=sheets)

    def _report(self, request: HttpRequest, campaign_id: int, run_id: int | None) -> HttpResponse:
        stores = visible_store_ids(request.user)  # type: ignore[arg-type]
        report = self._read(campaign_id, run_id, stores)
        by, view = _by_of(request), _view_of(request)
        export = reverse("admin:campaigns_proof_export", args=[campaign_id])
        context = {
            "title": report.campaign_name,
            "report": report,
            "tone": tone_of(report.uplift),
            "sentence": _sentence(report),
            "money_sentence": money_sentence_of(report.uplift, report.treated.cost_fen),
            "goal_words": CampaignGoal(report.goal).label,
            "fresh": when(report.summed_at) if report.summed_at else "",
            "printed": clock.now(),
            "is_part": stores is not None,
            "runs": _run_tabs(report),
            "tiles": tiles_of(report),
            "steps": steps_of(report),
            "rates": rates_of(report),
            "days": days_of(report),
            "variants": [_variant(one, report) for one in report.variants]
            if len(report.variants) > 1
            else [],
            "words": WORDS,
            "export_url": export + _asked_again(by=by, run=run_id) if self._may_export(request) else "",
            "back_url": reverse(_LIST),
            **_progress(report),
            **_table(request, report, by, view, list_proof_lines(report, by=by, store_ids=stores)),
        }
        return self._page(request, "report", context)

    def _read(self, campaign_id: int, run_id: int | None, stores: Collection[int] | None) -> ProofReport:
        try:
            return get_proof(campaign_id, run_id=run_id, store_ids=stores)
        except NotFound as unknown:
            raise Http404 from unknown

    def _guard(self, request: HttpRequest, *, to_export: bool = False) -> None:
        if not self.has_view_permission(request) or (to_export and not self._may_export(request)):
            raise PermissionDenied

    def _may_export(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("campaigns.export_campaignbook"))

    def _note(self, request: HttpRequest, count: int, *, of_one: bool) -> None:
        audit.record(
            action="campaigns.proof_exported" if of_one else "campaigns.league_exported",
            subject=request.user,  # type: ignore[arg-type]
            actor=staff_actor(request),
            row_count=count,
        )

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/proof/{name}.html", whole)


def _progress(report: ProofReport) -> dict[str, Any]:
    """What a page shows while runs that were just launched are counted for the first time, asking again and again."""
    progress, address = report.progress, reverse(_PROGRESS, args=[report.campaign_id])
    return {
        "progress_words": progress_words(progress),
        "progress_percent": progress.percent if progress else 100,
        "progress_url": address + _asked_again(run=report.run_id),
    }


def _table(
    request: HttpRequest, report: ProofReport, by: ProofBy, view: str, lines: Sequence[ProofLine]
) -> dict[str, Any]:
    """One dimension, one set of columns, one page of it."""
    shown = Paginator(lines, _LINES).get_page(request.GET.get("page"))
    columns = next(columns for name, _words, columns in VIEWS if name == view)
    return {
        "tabs": [
            {"words": words, "url": _asked_again(by=name, view=view), "is_on": name == by}
            for name, words in BY_WORDS.items()
            if name != "variant" or len(report.variants) > 1
        ],
        "views": [
            {"words": words, "url": _asked_again(by=by, view=name), "is_on": name == view}
            for name, words, _columns in VIEWS
        ],
        "by_words": BY_WORDS[by],
        "cut_words": _cut_words(BY_WORDS[by], shown),
        "heads": view_heads(columns),
        "lines": [{"label": line.label, "cells": view_cells(line, columns)} for line in shown],
        "page": shown,
        "before_url": _asked_again(by=by, view=view, page=shown.previous_page_number()) if shown.has_previous() else "",
        "after_url": _asked_again(by=by, view=view, page=shown.next_page_number()) if shown.has_next() else "",
    }  # fmt: skip


def _cut_words(by_words: Any, shown: Page[Any]) -> str:
    """The table's title on paper, which shows no more than the page did."""
    if not shown.has_other_pages():
        return _now("按%(by)s") % {"by": by_words}
    return _now("按%(by)s，第 %(first)s–%(last)s 行，共 %(all)s 行；全部在导出的表里") % {
        "by": by_words,
        "first": shown.start_index(),
        "last": shown.end_index(),
        "all": shown.paginator.count,
    }


def _view_of(request: HttpRequest) -> str:
    asked = request.GET.get("view", "")
    return next((name for name, _words, _columns in VIEWS if name == asked), VIEWS[0][0])


def _by_of(request: HttpRequest) -> ProofBy:
    asked = request.GET.get("by", "")
    return next((by for by in BY_WORDS if by == asked), "store")


def _run_of(request: HttpRequest) -> int | None:
    asked = request.GET.get("run", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else None


def _whole_words(whole: LeagueSum) -> str:
    return _now("这些活动合在一起（每笔购买只算一次）：%(buyers)s 人买了 %(orders)s 单，%(amount)s") % {
        "buyers": thousands(whole.buyer_count), "orders": thousands(whole.order_count), "amount": yuan(whole.amount_fen),
    }  # fmt: skip


def _sentence(report: ProofReport) -> str:
    if not report.treated.member_count:
        return _now("还没有数据")
    return sentence_of(report.uplift, report.goal, report.ends_at)


def _asked_again(**asked: Any) -> str:
    return "?" + urlencode({name: str(value) for name, value in asked.items() if value is not None})


def _run_tabs(report: ProofReport) -> list[dict[str, Any]]:
    """All runs, then each, where there are several."""
    if len(report.runs) < 2:
        return []
    whole = {
        "words": _("全部执行"),
        "url": reverse(_ALL, args=[report.campaign_id]),
        "is_on": report.run_id is None,
    }
    return [
        whole,
        *(
            {
                "words": _now("第 %(n)s 次 · %(at)s") % {"n": run.number, "at": when(run.launched_at)},
                "url": reverse(_ONE, args=[run.id]),
                "is_on": run.id == report.run_id,
            }
            for run in report.runs[:12]
        ),
    ]


def _variant(one: VariantUplift, report: ProofReport) -> dict[str, Any]:
    numbers = one.numbers
    return {
        "letter": one.letter,
        "tone": tone_of(one.uplift),
        "sentence": sentence_of(one.uplift, report.goal, report.ends_at),
        "cells": (
            thousands(numbers.member_count), thousands(numbers.buyer_count),
            percent(numbers.buyer_count, numbers.member_count), cell(numbers.amount_fen, "fen"),
            cell(numbers.cost_fen, "fen"), roi_words(one.uplift, numbers.cost_fen),
        ),
    }  # fmt: skip


def _heads(asked: Asked) -> list[dict[str, Any]]:
    """A head sorts by its column, the greatest first; again, the other way round."""
    return [
        {
            "words": words,
            "url": asked.url(sort=name if asked.sort == f"-{name}" else f"-{name}"),
            "sign": {f"-{name}": "↓", name: "↑"}.get(asked.sort, ""),
        }
        for name, words, _kind in LEAGUE_COLUMNS
    ]


def _league_line(line: LeagueLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "url": reverse(_ALL, args=[line.campaign_id]),
        "owner": line.owner,
        "kind": CampaignKind(line.kind).label,
        "goal": CampaignGoal(line.goal).label,
        "run_count": line.run_count,
        "finding": finding_words(line.uplift),
        "tone": tone_of(line.uplift),
        "cells": [cell(league_value(line, name), kind) for name, _words, kind in LEAGUE_COLUMNS],
    }


def _panel(request: HttpRequest, campaign: Campaign) -> Panel | None:
    if not request.user.has_perm("campaigns.view_campaignbook"):
        return None
    try:
        report = get_proof(campaign.pk, store_ids=visible_store_ids(request.user))  # type: ignore[arg-type]
    except NotFound:
        return None
    if not report.runs:
        return None
    context = {
        "sentence": _sentence(report),
        "tiles": tiles_of(report),
        "url": reverse(_ALL, args=[campaign.pk]),
        **_progress(report),
    }
    return Panel(_("效果"), "admin/xiaoer/proof/panel.html", context)


register_panel("campaigns.Campaign", _panel, order=20)
