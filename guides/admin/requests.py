"""Service requests at the staff's desk: which wait where, one with its history, giving it to a guide; the kinds."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    ServiceForms,
    Tile,
    ask,
    autocomplete_field,
    bound_data,
    column,
    name_actions,
    name_details,
    name_values,
    narrow,
    operation,
    register_panel,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from guides import selectors, services
from guides.admin.searching import FoundByMemberOrGuide
from guides.models import (
    UNFINISHED,
    Guide,
    RequestAct,
    RequestKind,
    RequestState,
    ServiceRequest,
    ServiceRequestStep,
)
from members.admin.cells import MemberCells

_LABELS = {
    "open": "warning",
    "accepted": "info",
    "in_progress": "info",
    "done": "success",
    "closed": "success",
    "cancelled": "",
    "refused": "",
    "late": "danger",
}
_OF_MEMBER = 10

name_actions(
    {f"guides.request_{act.value}": act.label for act in RequestAct}
    | {
        "guides.request_overdue": _("服务请求超时"),
        "guides.request_kind_created": _("新增服务类型"),
        "guides.request_kind_changed": _("修改服务类型"),
    }
)
name_details({"state": _("状态")})
name_values("was", RequestState.choices, within="guides.request_")


class RequestStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in RequestState)


class OverdueFilter(ChoiceFilter):
    title = _("是否超时")
    parameter_name = "overdue"
    options = (("yes", _("已超时")), ("no", _("没有超时")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        late = ServiceRequest.objects.overdue(clock.now()).values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=late)
        return queryset.exclude(pk__in=late) if self.value() == "no" else queryset


class ReassignForm(DressedForm):
    """The new guide, by typing; only guides at work whom the account may see."""

    note = forms.CharField(
        label=_("说明"), max_length=300, required=False, help_text=_("只有导购看得到，会员看不到")
    )

    def __init__(self, *args: Any, guides: QuerySet[Guide], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        guide = autocomplete_field(
            ServiceRequest,
            "guide",
            guides.filter(state="active"),
            label=_("转给哪位导购"),
            help_text=_("输入工号、姓名或门店"),
        )
        self.fields = {"guide": guide, **self.fields}


@admin.register(ServiceRequest)
class ServiceRequestAdmin(FoundByMemberOrGuide, MemberCells, ScopedReadOnlyAdmin):
    """What members asked for, newest first; a request changes by its guide, its member, or the one button here."""

    list_display = ("member_name", "kind", "state_words", "due_words", "store", "guide_words", "opened")
    list_select_related = ("kind", "store", "guide")
    list_filter = (
        RequestStateFilter,
        OverdueFilter,
        "kind",
        ("store", AutocompleteFilter),
        ("guide", AutocompleteFilter),
    )
    search_fields = ("guide__name",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或导购姓名")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at", "-pk")
    actions_detail = ("reassign",)
    fieldsets = (
        (None, {"fields": (("member_link", "kind"), ("state_words", "due_words"), "words")}),
        (_("由谁处理"), {"fields": (("store", "guide_words"),)}),
        (_("时间"), {"fields": (("opened_at", "wanted_at"), ("scheduled_at", "state_at"))}),
    )

    @column(_("状态"), ordering="state", labels=_LABELS)
    def state_words(self, row: ServiceRequest) -> tuple[str, str]:
        if selectors.is_request_overdue(row.state, row.due_at, clock.now()):
            return "late", _now("%(state)s · 超时") % {"state": row.get_state_display()}
        return row.state, str(row.get_state_display())

    @column(_("期限"), ordering="due_at")
    def due_words(self, row: ServiceRequest) -> str:
        return when(row.due_at)

    @column(_("导购"), ordering="guide")
    def guide_words(self, row: ServiceRequest) -> str:
        return str(row.guide) if row.guide is not None else _now("全店可接")

    @column(_("提交时间"), ordering="opened_at")
    def opened(self, row: ServiceRequest) -> str:
        return when(row.opened_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """A request that is done or over is given to nobody."""
        row = self.subject(request, str(object_id))
        if row is None or row.state not in UNFINISHED:
            return []
        return super().get_actions_detail(request, object_id)

    @operation(_("转给…"), icon="swap_horiz", path="reassign")
    def reassign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        guides = self.admin_site._registry[Guide].get_queryset(request)
        form = ReassignForm(bound_data(request), guides=guides)

        def run(cleaned: dict[str, Any]) -> str:
            services.reassign_request(
                request_id=row.pk,
                to_guide_id=cleaned["guide"].pk,
                note=cleaned["note"],
                actor=staff_actor(request),
            )
            return _now("已转给 %(guide)s") % {"guide": cleaned["guide"].name}

        question = Question(
            title=_now("转交 %(name)s 的“%(kind)s”") % {"name": self.member_name(row), "kind": row.kind.name},
            submit=_("转交"),
            back_url=reverse("admin:guides_servicerequest_change", args=[row.pk]),
            lines=[
                _now("现在由 %(guide)s 处理") % {"guide": row.guide.name}
                if row.guide is not None
                else _now("现在等 %(store)s 的导购接单") % {"store": row.store.name},
                _("新的导购要先接单；会员、新旧导购都会收到提醒"),
            ],
        )
        return ask(self, request, question, run, form=form, subject=row)


@admin.register(RequestKind)
class RequestKindAdmin(ServiceForms, BaseAdmin):
    """What members may ask for. Everybody with the right may look, head office changes it."""

    list_display = (
        "name",
        "wants_time",
        "accept_within_hours",
        "finish_within_hours",
        "close_after_days",
        "is_active",
        "order",
    )
    ordering = ("order", "pk")
    fields = (
        "name",
        "wants_time",
        ("accept_within_hours", "finish_within_hours"),
        "close_after_days",
        ("is_active", "order"),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def run_service(self, request: HttpRequest, row: RequestKind, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        if change:
            return services.change_request_kind(kind_id=row.pk, **cleaned, actor=actor).id
        return services.create_request_kind(**cleaned, actor=actor).id


def _steps_panel(request: HttpRequest, row: ServiceRequest) -> Panel:
    """Everything that happened, the newest first."""
    steps = ServiceRequestStep.objects.filter(request=row).select_related("guide", "store").order_by("-pk")
    rows = [
        (
            when(step.at),
            step.get_act_display(),
            step.done_by,
            step.guide.name if step.guide is not None else step.store.name,
            step.words or "—",
            step.note or "—",
            when(step.read_at),
        )
        for step in steps
    ]
    heads = (_("时间"), _("进展"), _("操作者"), _("归谁"), _("对会员说"), _("内部说明"), _("会员已读"))
    return Panel(_("经过"), "admin/xiaoer/panel_table.html", {"heads": heads, "rows": rows})


def _member_panel(request: HttpRequest, member: Any) -> Panel:
    """What she asked for last, as far as this account sees it."""
    found = narrow(ServiceRequest, request.user, ServiceRequest.objects.filter(member_id=member.pk))
    newest = found.select_related("kind", "store", "guide").order_by("-opened_at", "-pk")[:_OF_MEMBER]
    rows = [
        (
            when(row.opened_at),
            row.kind.name,
            row.get_state_display(),
            row.store.name,
            row.guide.name if row.guide is not None else _now("全店可接"),
        )
        for row in newest
    ]
    context = {
        "heads": (_("提交时间"), _("服务类型"), _("状态"), _("门店"), _("导购")),
        "rows": rows,
        "empty": _("还没有提交过服务请求"),
        "more_url": f"{reverse('admin:guides_servicerequest_changelist')}?q={member.code}" if rows else "",
        "more_text": _("看她的全部服务请求"),
    }
    return Panel(_("服务请求"), "admin/xiaoer/panel_table.html", context)


def _tiles(request: HttpRequest) -> list[Tile]:
    """What waits too long in the account's part of the chain."""
    late = narrow(ServiceRequest, request.user, ServiceRequest.objects.overdue(clock.now())).count()
    url = f"{reverse('admin:guides_servicerequest_changelist')}?overdue=yes"
    return [Tile(_("超时的服务请求"), thousands(late), url, is_alarm=late > 0)]


register_panel("guides.ServiceRequest", _steps_panel)
register_panel("members.Member", _member_panel, order=50)
register_tiles("guides.view_servicerequest", _tiles, order=3)
