"""RFM 分析: the grid of scores with the members behind it, movement, sizes over months; the runs; her own numbers."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.admin import (
    Panel,
    ReadOnlyAdmin,
    ScopedReadOnlyAdmin,
    column,
    narrow,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.workbooks import Sheet, workbook_answer
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from sales import selectors
from sales.admin.rfm_words import (
    COLUMN_WORDS,
    Asked,
    big_money,
    grid_of,
    group_lines,
    move_rows,
)
from sales.admin.words import month_words
from sales.contracts import RfmRules
from sales.models import (
    GROUPS,
    SCORES,
    IntervalTier,
    LifeStage,
    MemberMetrics,
    MetricsRun,
    RfmSettings,
    RunKind,
)

_LINES: Final = 50
_MOST_ROWS: Final = 100_000
_MONTHS: Final = 13


@admin.register(MemberMetrics)
class MemberMetricsAdmin(ScopedReadOnlyAdmin):
    """Not a list of rows first: the grid, of the part of the chain that the account sees."""

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("members/", "sales_rfm_members", self.members_view),
            ("members/export/", "sales_rfm_export", self.export_view),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The grid, the groups, their movement."""
        rows = self._rows(request)
        rules = selectors.get_rfm_rules()
        members_url = reverse("admin:sales_rfm_members")
        groups = selectors.list_groups(rows)
        months = self._months(request, rules)
        context = self._context(request) | {
            "title": _("RFM 分析"),
            "tiles": _tiles(rows, groups, members_url),
            "grid": grid_of(selectors.list_cells(rows), members_url=members_url),
            "scores": range(1, SCORES + 1),
            "groups": group_lines(groups, rules, members_url),
            "group_names": [rules.group_names[group] for group in reversed(range(GROUPS))],
            "moves": move_rows(selectors.list_moves(rows), rules, members_url),
            "stages": _shares(rows, "stage", LifeStage.choices, f"{members_url}?stage="),
            "intervals": _shares(rows, "interval_tier", IntervalTier.choices, f"{members_url}?interval="),
            "months": months,
            "run_words": _run_words(),
            "settings_url": reverse("admin:sales_rfmsettings_changelist")
            if request.user.is_superuser
            else "",
        }
        return TemplateResponse(request, "admin/xiaoer/rfm.html", context)

    def members_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Who is behind a cell, a group or a warning, those who spend most first."""
        asked = Asked.of(request)
        rules = selectors.get_rfm_rules()
        found = asked.narrow(self._rows(request), clock.today()).order_by("-year_amount_fen", "pk")
        shown = Paginator(found, _LINES).get_page(request.GET.get("page"))
        context = self._context(request) | {
            "title": _("RFM 会员"),
            "filters": asked.words(rules),
            "count": thousands(shown.paginator.count),
            "heads": COLUMN_WORDS,
            "lines": [_line(row, cells, rules) for row, cells in _with_cards(list(shown))],
            "before_url": asked.url(page=shown.previous_page_number()) if shown.has_previous() else "",
            "after_url": asked.url(page=shown.next_page_number()) if shown.has_next() else "",
            "page": shown,
            "export_url": reverse("admin:sales_rfm_export") + asked.url(),
            "back_url": reverse("admin:sales_membermetrics_changelist"),
        }
        return TemplateResponse(request, "admin/xiaoer/rfm_members.html", context)

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The list as a workbook with member codes and no phones, at most a hundred thousand; it is on record."""
        asked = Asked.of(request)
        rules = selectors.get_rfm_rules()
        found = asked.narrow(self._rows(request), clock.today()).order_by("-year_amount_fen", "pk")
        rows = list(found[:_MOST_ROWS])
        words = asked.words(rules)
        audit.record(
            action="sales.rfm_exported",
            subject=RfmSettings(pk=1),
            actor=staff_actor(request),
            count=len(rows),
            filters=words,
        )
        codes = member_selectors.list_member_tails([row.pk for row in rows])
        return workbook_answer(name=_now("RFM会员_%(day)s") % {"day": clock.today()}, sheets=[
            Sheet(
                _now("会员"),
                [(_now("会员码"), "text"), (_now("客群"), "text"), ("R", "count"), ("F", "count"), ("M", "count"),
                 (_now("首次消费"), "day"), (_now("最近消费"), "day"), (_now("近 12 个月订单"), "count"),
                 (_now("近 12 个月消费"), "fen"), (_now("累计订单"), "count"), (_now("累计消费"), "fen"),
                 (_now("客单价"), "fen"), (_now("生命周期"), "text"), (_now("预计下次"), "day"),
                 (_now("一个月后"), "text")],
                (
                    [codes[row.pk][0] if row.pk in codes else "", _name(row.rfm_group, rules), row.recency_score,
                     row.frequency_score, row.money_score, row.first_on, row.last_on, row.year_order_count,
                     row.year_amount_fen, row.order_count, row.amount_fen, row.basket_fen, row.get_stage_display(),
                     row.next_on, _name(row.coming_group, rules)]
                    for row in rows
                ),
            ),
            Sheet(_now("说明"), [(_now("查询条件"), "text")], [[word] for word in words] or [[_now("全部")]]),
        ])  # fmt: skip

    def _rows(self, request: HttpRequest) -> QuerySet[MemberMetrics]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return narrow(MemberMetrics, request.user, MemberMetrics.objects.all())

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def _months(self, request: HttpRequest, rules: RfmRules) -> dict[str, Any]:
        """Sizes at the ends of the last months, for the chart and the table beside it."""
        stores = None
        if not request.user.is_superuser:
            model = apps.get_model("guides", "Store")
            stores = set(
                narrow(model, request.user, model._default_manager.all()).values_list("pk", flat=True)
            )
        since = clock.today().replace(day=1) - dt.timedelta(days=31 * _MONTHS)
        found = selectors.list_group_months(store_ids=stores, since=since)
        order = list(reversed(range(GROUPS)))
        return {
            "names": [rules.group_names[group] for group in order],
            "months": [month_words(month) for month in found],
            "sizes": [[sizes.get(group, 0) for group in order] for sizes in found.values()],
        }


@admin.register(MetricsRun)
class MetricsRunAdmin(ReadOnlyAdmin):
    """Each pass over all members, and what it found wrong."""

    list_display = (
        "day",
        "kind",
        "progress",
        "member_count",
        "added_count",
        "slid_count",
        "wrong_count",
        "ended",
    )
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("day", "kind"), ("began", "ended"), "progress")}),
        (
            _("结果"),
            {"fields": (("member_count", "added_count", "slid_count", "wrong_count"), "wrong_words")},
        ),
    )

    @column(_("进度"))
    def progress(self, row: MetricsRun) -> str:
        if row.finished_at is not None:
            return _now("已完成")
        return f"{min(99, row.cursor * 100 // row.last_id) if row.last_id else 0}%"

    @column(_("开始时间"), ordering="started_at")
    def began(self, row: MetricsRun) -> str:
        return when(row.started_at)

    @column(_("完成时间"), ordering="finished_at")
    def ended(self, row: MetricsRun) -> str:
        return when(row.finished_at) if row.finished_at else "—"

    @column(_("修正过的会员编号（前 20 个）"))
    def wrong_words(self, row: MetricsRun) -> str:
        return "、".join(str(one) for one in row.wrong_rows) or "—"


def _tiles(
    rows: QuerySet[MemberMetrics], groups: Sequence[Any], members_url: str
) -> list[tuple[Any, str, str]]:
    buyers = sum(line.member_count for line in groups)
    falling = sum(line.falling_count for line in groups)
    due = Asked({"due": "1"}).narrow(rows, clock.today()).count()
    amount = sum(line.amount_fen for line in groups)
    return [
        (_("消费过的会员"), thousands(buyers), members_url),
        (_("近 12 个月消费"), big_money(amount), ""),
        (_("一个月内不消费会降级"), thousands(falling), f"{members_url}?falling=1"),
        (_("到了回购的时候"), thousands(due), f"{members_url}?due=1"),
    ]


def _shares(
    rows: QuerySet[MemberMetrics], name: str, choices: Sequence[tuple[str, Any]], url: str
) -> list[dict[str, Any]]:
    """Buyers by one of their words; who has never bought is told apart elsewhere."""
    buyers = rows.filter(rfm_group__isnull=False).values(name).annotate(count=Count("pk")).order_by(name)
    counts: dict[str, int] = {row[name]: row["count"] for row in buyers}
    whole = sum(counts.values())
    return [
        {
            "words": words,
            "count": thousands(counts.get(value, 0)),
            "percent": round(counts.get(value, 0) * 100 / whole) if whole else 0,
            "url": f"{url}{value}" if counts.get(value) else "",
        }
        for value, words in choices
        if counts.get(value) or value not in {"unbought"} or name == "interval_tier"
    ]


def _run_words() -> str:
    """How fresh it is, and whether it is being worked out."""
    run = MetricsRun.objects.order_by("-pk").first()
    if run is None:
        return _now("还没有计算过，今天夜里会自动计算")
    if run.finished_at is None:
        share = min(99, run.cursor * 100 // run.last_id) if run.last_id else 0
        kind = _now("正在按新规则重新计算") if run.kind == RunKind.RULES else _now("正在重新计算")
        return f"{kind}：{share}%"
    return _now("每笔销售随时计入，全量核对于 %(at)s") % {"at": when(run.finished_at)}


def _with_cards(rows: Sequence[MemberMetrics]) -> list[tuple[MemberMetrics, Any]]:
    cards = member_selectors.list_member_cards([row.pk for row in rows])
    return [(row, cards[row.pk]) for row in rows if row.pk in cards]


def _name(group: int | None, rules: RfmRules) -> str:
    return "—" if group is None else rules.group_names[group]


def _line(row: MemberMetrics, card: Any, rules: RfmRules) -> dict[str, Any]:
    falls = row.coming_group != row.rfm_group
    return {
        "name": card.display_name,
        "url": reverse("admin:members_member_change", args=[row.pk]),
        "cells": (
            _name(row.rfm_group, rules), row.recency_score, row.frequency_score, row.money_score,
            row.last_on, thousands(row.year_order_count), big_money(row.year_amount_fen), big_money(row.basket_fen),
            row.get_stage_display(), row.next_on or "—",
        ),
        "coming": _name(row.coming_group, rules) if falls else _now("不变"),
        "falls": falls,
    }  # fmt: skip


def _member_panel(request: HttpRequest, member: Any) -> Panel | None:
    """Her numbers on her own page."""
    if not request.user.has_perm("sales.view_membermetrics"):
        return None
    row = MemberMetrics.objects.buyers().filter(pk=member.pk).select_related("store").first()
    if row is None or row.rfm_group is None:
        return Panel(
            _("消费画像"), "admin/xiaoer/panel_facts.html", {"facts": [(_("消费"), _now("还没有消费记录"))]}
        )
    rules = selectors.get_rfm_rules()
    names = selectors.list_category_names(row.categories)
    store = guide_selectors.list_store_labels([row.store_id]).get(row.store_id or 0) if row.store_id else None
    facts = [
        (_("RFM 客群"), f"{_name(row.rfm_group, rules)}（R{row.recency_score} F{row.frequency_score} M{row.money_score}）"),
        (_("上月末"), _name(row.before_group, rules)),
        (_("一个月内不消费"), _now("变为%(group)s") % {"group": _name(row.coming_group, rules)}
         if row.coming_group != row.rfm_group else _now("不变")),
        (_("生命周期"), row.get_stage_display()),
        (_("购买间隔层级"), row.get_interval_tier_display()),
        (_("首次消费"), row.first_on),
        (_("最近消费"), row.last_on),
        (_("近 12 个月"), _now("%(n)s 单，%(money)s") % {
            "n": thousands(row.year_order_count), "money": big_money(row.year_amount_fen)}),
        (_("累计"), _now("%(n)s 单，%(units)s 件，%(money)s") % {
            "n": thousands(row.order_count), "units": thousands(row.unit_count), "money": big_money(row.amount_fen)}),
        (_("客单价"), big_money(row.basket_fen)),
        (_("价格带"), band_words(row.price_band, rules)),
        (_("偏好类目"), "、".join(names[code] for code in row.categories) or "—"),
        (_("通常间隔"), _now("%(n)s 天") % {"n": row.typical_days} if row.typical_days else "—"),
        (_("预计下次"), row.next_on or "—"),
        (_("常去门店"), store.name if store else "—"),
        (_("常来时段"), "—" if row.hour is None else f"{row.hour}:00–{row.hour + 1}:00"),
    ]  # fmt: skip
    note = _now("按订单扣除退货计算，全部退回的订单不计")
    return Panel(_("消费画像"), "admin/xiaoer/panel_facts.html", {"facts": facts, "note": note})


def band_words(band: int | None, rules: RfmRules) -> str:
    """The price of a unit she usually pays: "¥300–600"."""
    if band is None:
        return "—"
    cuts = [cut // 100 for cut in rules.price_cuts]
    if band == 0:
        return f"¥{cuts[0]:,} 以下"
    return f"¥{cuts[-1]:,} 以上" if band >= len(cuts) else f"¥{cuts[band - 1]:,}–{cuts[band]:,}"


register_panel("members.Member", _member_panel, order=20)
