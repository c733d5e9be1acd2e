"""营销活动: the list, the form with its numbers and phones, a campaign's page with what its approver needs, the calendar."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import services
from campaigns.admin import campaign_sight as sights
from campaigns.admin import campaign_words as words
from campaigns.admin.calendar import calendar_view
from campaigns.admin.campaign_deeds import CampaignDeeds, row_url
from campaigns.admin.campaign_form import CampaignForms
from campaigns.contracts.campaigns import CampaignDraft
from campaigns.errors import CampaignUnfit
from campaigns.models import Campaign, CampaignState
from campaigns.selectors.acts import act_of
from campaigns.selectors.campaigns import (
    acts_of,
    draft_of,
    get_campaign_policy,
    may_approve_for,
    read_draft,
)
from campaigns.selectors.campaigns.times import recurrence_of
from core.admin import (
    Column,
    Exports,
    OwnPage,
    ScopedReadOnlyAdmin,
    column,
    operation,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal

_LIST: Final = "admin:campaigns_campaign_changelist"


@admin.register(Campaign)
class CampaignAdmin(CampaignDeeds, Exports, OwnPage, ScopedReadOnlyAdmin):
    """Head office sees all; others those of their regions and stores."""

    list_display = ("name", "kind_words", "place", "state_label", "when_words", "expected", "author")
    list_select_related = ("region", "store", "author")
    list_filter = words.FILTERS
    search_fields = ("name", "note")
    search_help_text = _("按名称或说明查找")
    ordering = ("-starts_at", "-pk")
    actions_list = ("calendar",)

    class Media:
        js = ("admin_xiaoer/coupons.js", "admin_xiaoer/campaigns.js")
        css: Any = {"all": ("admin_xiaoer/coupons.css", "admin_xiaoer/campaigns.css")}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("campaigns.add_campaign"))

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: Campaign) -> str:
        return str(row.get_kind_display())

    @column(_("范围"))
    def place(self, row: Campaign) -> str:
        return sights.place_words(row)

    @column(_("状态"), ordering="state", labels=words.COLOURS)
    def state_label(self, row: Campaign) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("时间"), ordering="starts_at")
    def when_words(self, row: Campaign) -> str:
        if row.starts_at is None and row.ends_at is None:
            return "—"
        rule = recurrence_of(row.recurrence)
        span = f"{when(row.starts_at)} – {when(row.ends_at)}"
        return span if rule is None else f"{rule.words()} · {span}"

    @column(_("预计人数"), ordering="expected_count")
    def expected(self, row: Campaign) -> str:
        return "—" if row.expected_count is None else thousands(row.expected_count)

    def export_columns(self, request: HttpRequest) -> tuple[Column, ...]:
        return (
            Column(_("名称"), lambda row: row.name),
            Column(_("类型"), lambda row: str(row.get_kind_display())),
            Column(_("范围"), sights.place_words),
            Column(_("状态"), lambda row: str(row.get_state_display())),
            Column(_("开始"), lambda row: row.starts_at, "moment"),
            Column(_("截止"), lambda row: row.ends_at, "moment"),
            Column(_("预计人数"), lambda row: row.expected_count, "count"),
            Column(_("预算（元）"), lambda row: row.budget_fen, "fen"),
            Column(_("已用（元）"), lambda row: row.used_fen, "fen"),
            Column(_("编写人"), lambda row: str(row.author)),
        )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("export/", "campaigns_campaign_export", self.export_view),
            ("look/", "campaigns_campaign_look", self.look_view),
            ("calendar/", "campaigns_calendar", self.calendar_view),
            *self.deed_urls(),
            ("<int:pk>/edit/", "campaigns_campaign_edit", self.edit_view),
        )

    @operation(_("营销日历"), icon="calendar_month", needs=("view",), path="calendar")
    def calendar(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:campaigns_calendar"))

    def calendar_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The month with what there is to plan around."""
        return calendar_view(self, request)

    # Writing -------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._write(request, None)

    def edit_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        row = self.open_row(request, pk)
        if not self.has_operate_permission(request) or row.state != CampaignState.DRAFT:
            raise PermissionDenied
        return self._write(request, row)

    def _write(self, request: HttpRequest, row: Campaign | None) -> HttpResponse:
        data = request.POST if request.method == "POST" else None
        forms = CampaignForms(request, get_campaign_policy(), campaign=row, data=data)
        if data is not None and forms.is_valid():
            try:
                pk = self._save(request, row, forms.draft(), data.get("revision", ""))
            except CampaignUnfit as refusal:
                forms.add_faults(refusal)
            except Refusal as refusal:
                forms.main.add_error(None, refusal.message)
            else:
                return HttpResponseRedirect(row_url(pk))
        context = {
            "title": _now("新建活动") if row is None else _now("修改「%(name)s」") % {"name": row.name},
            "forms": forms,
            "form": forms.main,
            "row": row,
            "revision": data.get("revision", "") if data is not None else row.revision if row else 0,
            "look_url": reverse("admin:campaigns_campaign_look"),
            "back_url": reverse(_LIST) if row is None else row_url(row.pk),
            "media": self.media + forms.main.media,
        }
        return self._page(request, "form.html", context)

    def _save(self, request: HttpRequest, row: Campaign | None, draft: CampaignDraft, revision: str) -> int:
        actor = staff_actor(request)
        if row is None:
            return services.create_campaign(draft=draft, actor=actor)
        known = int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 10 else 0
        services.change_campaign(campaign_id=row.pk, revision=known, draft=draft, actor=actor)
        return row.pk

    def look_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """How many the form in hand would reach now and how it looks; stores nothing."""
        may = self.has_add_permission(request) or self.has_operate_permission(request)
        if request.method != "POST" or not may:
            raise PermissionDenied
        forms = CampaignForms(request, get_campaign_policy(), data=request.POST)
        forms.is_valid()
        draft = forms.draft()
        read = read_draft(draft, staff=request.user)  # type: ignore[arg-type]
        named = {fault.path for fault in read.faults}
        variants = tuple(
            (one.weight, tuple(act_of(act) for act in one.acts)) for one in read.variants if one.weight
        )
        context: dict[str, Any] = {"phones": _lettered(variants), "faults": read.faults}
        context["lacks_place"] = "/region" in named
        if not named & {"/segment", "/excluded_segment", "/region", "/store", "/holdout_bp"}:
            unsaved = Campaign(**dict(read.values))
            sight, estimate = sights.sight_of(unsaved, variants)
            context["lines"] = sights.audience_lines(unsaved, sight, estimate, variants)
        return self._page(request, "_look.html", context)

    # Looking -------------------------------------------------------------------------------------------------

    def row_page(self, request: HttpRequest, row: Campaign) -> HttpResponse:
        draft = draft_of(row)
        is_open = row.state != CampaignState.ENDED
        sight, estimate = sights.sight_of(row) if is_open else (None, None)
        approved_at, changes = sights.changed_lines(row)
        context = {
            "title": row.name,
            "original": row,
            "row": row,
            "state": row.get_state_display(),
            "colour": words.COLOURS[row.state],
            "code": sights.CODE_WORDS.get(row.code, row.code),
            "content": sights.content_lines(draft),
            "audience": sights.audience_lines(row, sight, estimate, acts_of(row)) if estimate else [],
            "approved_at": approved_at and when(approved_at),
            "changes": changes,
            "phones": _lettered(acts_of(row)),
            "life": sights.life_of(row),
            "used": sights.used_words(row) if row.state in ("running", "paused", "ended") else "",
            "next_run": when(row.next_run_at) if row.next_run_at else "",
            "media": self.media,
            **self._buttons(request, row),
            **self.below_form(request, row),
        }
        return self._page(request, "campaign.html", context)

    def _buttons(self, request: HttpRequest, row: Campaign) -> dict[str, Any]:
        """What this account may do with it now."""
        may_change = self.has_operate_permission(request)
        staff: Any = request.user
        may_judge = staff.has_perm("campaigns.approve_campaign") and may_approve_for(
            staff, get_campaign_policy(), row
        )
        may_brake = may_change or staff.has_perm("campaigns.approve_campaign")
        is_writer = staff.pk in row.writers
        state = row.state
        offered = {
            "submit": state == "draft" and may_change,
            "edit": state == "draft" and may_change,
            "drop": state == "draft" and may_change,
            "approve": state == "submitted" and may_judge and not is_writer,
            "return": state == "submitted" and may_judge,
            "recall": state in ("submitted", "approved") and may_brake,
            "pause": state == "running" and may_brake,
            "resume": state == "paused" and may_brake,
            "stop": state in ("approved", "running", "paused") and may_brake,
            "budget": state in ("approved", "running", "paused")
            and may_judge
            and not is_writer
            and row.budget_fen is not None,
            "try": state != "ended" and may_brake,
            "copy": self.has_add_permission(request),
        }
        waits = state == "submitted" and is_writer
        return {"may": offered, "waits_for_other": waits}

    def open_row(self, request: HttpRequest, pk: int) -> Campaign:
        row = self.subject(request, str(pk))
        if not isinstance(row, Campaign):
            raise PermissionDenied
        return row

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/campaigns/{name}", whole)


def _lettered(variants: Any) -> list[tuple[str, list[sights.PhoneSight], list[str]]]:
    """Each version's letter, phones, and what else it does."""
    return [
        (letter, sights.phones_of(acts), [sights.act_words(act) for act in acts if act.kind != "reach"])
        for letter, (_weight, acts) in zip("ABCDE", variants, strict=False)
    ]
