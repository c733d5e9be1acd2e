"""活动执行: how far a run is, how fast it goes, who had what of it and why others did not."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.campaign_sight import used_words
from campaigns.contracts.runs import NOBODY, RunCard
from campaigns.models import (
    Campaign,
    CampaignMember,
    CampaignMemberState,
    CampaignRun,
    CampaignState,
    ReachState,
    RunState,
)
from campaigns.selectors.runs import list_runs, run_card, run_words
from core.admin import (
    ChoiceFilter,
    Column,
    Exports,
    LongListPaginator,
    OwnPage,
    Panel,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    cost_words,
    money,
    register_panel,
    thousands,
    when,
)
from core.clock import SHANGHAI
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from members.admin.cells import MemberCells

_RUN_COLOURS: Final = {"due": "info", "releasing": "warning", "released": "success", "stopped": "danger"}
_MEMBER_COLOURS: Final = {
    "control": "",
    "waiting": "info",
    "done": "success",
    "refused": "danger",
    "stopped": "",
}


class RunStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in RunState)


@admin.register(CampaignRun)
class CampaignRunAdmin(OwnPage, ScopedReadOnlyAdmin):
    """Every run, newest first; each has a page that follows it."""

    list_display = ("campaign_name", "number", "state_label", "done_words", "due", "spent")
    list_select_related = ("campaign",)
    list_filter = (RunStateFilter,)
    search_fields = ("campaign__name",)
    search_help_text = _("按活动名称查找")
    ordering = ("-pk",)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<int:pk>/progress/", "campaigns_run_progress", self.progress_view),)

    @column(_("营销活动"))
    def campaign_name(self, row: CampaignRun) -> str:
        return row.campaign.name

    @column(_("状态"), ordering="state", labels=_RUN_COLOURS)
    def state_label(self, row: CampaignRun) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已发放"))
    def done_words(self, row: CampaignRun) -> str:
        whole = row.member_count - row.control_count
        return f"{thousands(row.done_count)} / {thousands(whole)}"

    @column(_("应开始时间"), ordering="due_at")
    def due(self, row: CampaignRun) -> str:
        return when(row.due_at)

    @column(_("已用"))
    def spent(self, row: CampaignRun) -> str:
        used_fen = row.spent_fen - (-row.text_hundredths // 100)
        return money(used_fen) if used_fen else "—"

    def row_page(self, request: HttpRequest, run: Any) -> HttpResponse:
        """The run's page, whatever its state."""
        context = {
            **self.admin_site.each_context(request),
            **_standing(run),
            "opts": self.opts,
            "original": run,
            "title": _now("%(name)s · 第 %(n)s 次执行") % {"name": run.campaign.name, "n": run.number},
        }
        return TemplateResponse(request, "admin/xiaoer/campaign_run.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while the run goes on."""
        run = self.subject(request, str(pk))
        if not isinstance(run, CampaignRun):
            raise PermissionDenied
        return TemplateResponse(request, "admin/xiaoer/_campaign_run.html", _standing(run))


def _standing(run: CampaignRun) -> dict[str, Any]:
    card, campaign = run_card(run, with_reaches=True), run.campaign
    is_open = run.state in (RunState.DUE, RunState.RELEASING)
    return {
        "run": card,
        "name": campaign.name,
        "state_words": _state_words(run, campaign),
        "is_open": is_open,
        "pace": _with_held(_pace(card, campaign) if is_open else _ended(card), card.held_count),
        "tiles": [
            (thousands(card.treated_count), _("要发放"), ""),
            (thousands(card.done_count), _("已发放"), _members_url(run, "done")),
            (thousands(card.refused_count), _("未发放"), _members_url(run, "refused")),
            _left_tile(run, card),
            (thousands(card.control_count), _("对照组"), _members_url(run, "control")),
            (thousands(card.clicked_count), _("打开过"), ""),
        ],
        "reaches": [
            (str(ReachState(state).label), thousands(card.reaches[state]))
            for state in ReachState.values
            if card.reaches.get(state)
        ],
        "spent": f"¥{money(card.spent_fen)}",
        "texts_cost": cost_words(card.text_hundredths),
        "texts_held": cost_words(card.held_hundredths) if card.held_hundredths else "",
        "used": used_words(campaign),
        "times": [
            (_("应开始"), when(card.due_at)),
            (_("名单定格"), when(card.launched_at) if card.launched_at else "—"),
            (_("发完"), when(card.released_at) if card.released_at else "—"),
        ],
        "members_url": _members_url(run),
        "list_url": reverse("admin:campaigns_campaignrun_changelist"),
    }


def _state_words(run: CampaignRun, campaign: Campaign) -> str:
    """A run stands still while its campaign does, whatever it was at."""
    is_held = run.state == RunState.RELEASING and campaign.state == CampaignState.PAUSED
    return str(campaign.get_state_display() if is_held else run.get_state_display())


def _left_tile(run: CampaignRun, card: RunCard) -> tuple[str, Any, str]:
    """Those whose turn is still to come, or never came."""
    if run.state == RunState.STOPPED:
        return thousands(card.stopped_count), _("没轮到"), _members_url(run, "stopped")
    return thousands(card.waiting_count), _("待发放"), _members_url(run, "waiting")


def _with_held(told: str, count: int) -> str:
    """Also everybody may have had her turn while the last messages were in the queue."""
    if not count:
        return told
    held = _now("%(n)s 条消息因暂停留在队列里没有发") % {"n": thousands(count)}
    return _now("%(told)s；%(held)s") % {"told": told, "held": held}


def _pace(card: RunCard, campaign: Campaign) -> str:
    """Why it stands still, or how fast it goes and until when."""
    if campaign.state == CampaignState.PAUSED:
        why = run_words(campaign.code)
        return _now("活动已暂停：%(why)s") % {"why": why} if why else _now("活动已暂停，继续后接着发")
    if card.state == RunState.DUE:
        return _now("正在定格名单")
    if card.rate_per_min is None or card.finishes_at is None:
        if campaign.budget_fen is not None and campaign.held_hundredths:
            return _now("预算里留着在途消息的短信费，等它们发完、没用的退回来再接着发")
        if card.has_just_begun:
            return _now("正在发放，过一会儿就知道多快、什么时候发完")
        return _now("在每天的发放时段里分批发放，现在没有在发")
    return _now("每分钟 %(rate)s 人，大约 %(end)s 发完") % {
        "rate": thousands(card.rate_per_min),
        "end": f"{card.finishes_at.astimezone(SHANGHAI):%m-%d %H:%M}",
    }


def _ended(card: RunCard) -> str:
    if card.state == RunState.STOPPED:
        why = run_words(card.code)
        stopped = _now("停止时还有 %(n)s 人没轮到") % {"n": thousands(card.stopped_count)}
        return f"{stopped}：{why}" if why else stopped
    return run_words(card.code) if card.code == NOBODY else _now("全部发完")


def _members_url(run: CampaignRun, state: str = "") -> str:
    narrowed = f"&state={state}" if state else ""
    return f"{reverse('admin:campaigns_campaignmember_changelist')}?run__id__exact={run.pk}{narrowed}"


def _runs_panel(request: HttpRequest, campaign: Any) -> Panel:
    """When a campaign ran, how far each run is, and the way to its page."""
    rows = [
        (
            format_html(
                '<a class="xe-link" href="{}">{}</a>',
                reverse("admin:campaigns_campaignrun_change", args=[card.id]),
                _now("第 %(n)s 次") % {"n": card.number},
            ),
            when(card.launched_at or card.due_at),
            str(RunState(card.state).label),
            f"{thousands(card.done_count)} / {thousands(card.treated_count)}",
            thousands(card.control_count),
            thousands(card.clicked_count),
        )
        for card in list_runs(campaign.pk)
    ]
    heads = (_("执行"), _("开始"), _("状态"), _("已发放"), _("对照组"), _("打开过"))
    context = {"heads": heads, "rows": rows, "empty": _("还没有开始")}
    return Panel(_("执行情况"), "admin/xiaoer/panel_table.html", context)


register_panel("campaigns.Campaign", _runs_panel, order=10)


class MemberStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in CampaignMemberState)


class LetterFilter(ChoiceFilter):
    title = _("版本")
    parameter_name = "letter"
    options = tuple((letter, letter) for letter in "ABCDE")


class WhyFilter(ChoiceFilter):
    title = _("没发放的原因")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Reasons that occur, of the run that is looked at: of all runs together that would be a look through millions."""
        run_id = request.GET.get("run__id__exact", "")
        if not run_id.isdecimal() or len(run_id) > 18:
            return []
        rows = CampaignMember.objects.filter(run_id=int(run_id), state=CampaignMemberState.REFUSED)
        codes = rows.order_by().values_list("code", flat=True).distinct()[:30]
        return [(code, run_words(code)) for code in sorted(codes) if code]


class StoreFilter(ChoiceFilter):
    title = _("门店")
    parameter_name = "store_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = guide_selectors.list_store_names(_seen_store_ids(request))
        return [(str(pk), name) for pk, name in sorted(names.items(), key=lambda one: one[1])]


def _seen_store_ids(request: HttpRequest) -> set[int]:
    run_id = request.GET.get("run__id__exact", "")
    if not run_id.isdecimal() or len(run_id) > 18:
        return set()
    rows = CampaignMember.objects.filter(run_id=int(run_id), store_id__isnull=False)
    return {pk for pk in rows.order_by().values_list("store_id", flat=True).distinct() if pk is not None}


@admin.register(CampaignMember)
class CampaignMemberAdmin(MemberCells, Exports, TypedSearch, ScopedReadOnlyAdmin):
    """Who was in a run, with which version, and what came of it; each account sees members of its part."""

    list_display = (
        "member_name",
        "occurrence",
        "letter_words",
        "state_label",
        "why",
        "store",
        "released",
        "clicked",
    )
    list_select_related = ("run__campaign",)
    list_filter = (
        MemberStateFilter,
        LetterFilter,
        WhyFilter,
        StoreFilter,
        ("run", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("=member__code",)
    search_help_text = _("会员姓名、拼音、手机号或会员码")
    ordering = ("-pk",)
    paginator = LongListPaginator
    show_full_result_count = False
    fields = ("member_link", "run", "letter", "state", "why", "store", "released_at", "clicked_at")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "campaigns_campaignmember_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(member_id__in=member_selectors.search_member_ids(text))

    def export_columns(self, request: HttpRequest) -> tuple[Column, ...]:
        """No name and no phone: whoever must write to them does it through the system."""
        return (
            Column(_("会员码"), lambda row: row.member.code),
            Column(_("营销活动"), lambda row: row.run.campaign.name),
            Column(_("第几次"), lambda row: row.run.number),
            Column(_("版本"), lambda row: row.letter),
            Column(_("状态"), lambda row: str(row.get_state_display())),
            Column(_("原因"), lambda row: run_words(row.code)),
            Column(_("发放时间"), lambda row: row.released_at, "moment"),
            Column(_("打开时间"), lambda row: row.clicked_at, "moment"),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("run__campaign", "member").defer("member__name", "member__phone")

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        super().prepare_rows(request, rows)
        names = guide_selectors.list_store_names({row.store_id for row in rows if row.store_id is not None})
        for row in rows:
            row.store_name = names.get(row.store_id, "—")

    @column(_("执行"))
    def occurrence(self, row: CampaignMember) -> str:
        return _now("%(name)s · 第 %(n)s 次") % {"name": row.run.campaign.name, "n": row.run.number}

    @column(_("版本"))
    def letter_words(self, row: CampaignMember) -> str:
        return row.letter or "—"

    @column(_("状态"), ordering="state", labels=_MEMBER_COLOURS)
    def state_label(self, row: CampaignMember) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("原因"))
    def why(self, row: CampaignMember) -> str:
        return run_words(row.code) or "—"

    @column(_("门店"))
    def store(self, row: Any) -> str:
        if not hasattr(row, "store_name"):
            self.prepare_rows(HttpRequest(), [row])
        return str(row.store_name)

    @column(_("发放时间"))
    def released(self, row: CampaignMember) -> str:
        return when(row.released_at) if row.released_at else "—"

    @column(_("打开时间"))
    def clicked(self, row: CampaignMember) -> str:
        return when(row.clicked_at) if row.clicked_at else "—"
