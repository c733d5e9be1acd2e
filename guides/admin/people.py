"""Guides: hired, moved, gone, back, and let into the assistant."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ScopedAdmin,
    ServiceForms,
    ask,
    autocomplete_field,
    bound_data,
    column,
    operation,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal
from guides import selectors, services
from guides.models import Binding, ChannelCode, Guide, GuideLogin, GuidePosting, GuideRole, GuideState, Store
from guides.services.activation import CODE_LIFE

_MOST_CODES_AT_ONCE = 200


class RoleFilter(ChoiceFilter):
    title = _("岗位")
    parameter_name = "role"
    options = tuple((role.value, role.label) for role in GuideRole)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in GuideState)


class ActivationFilter(ChoiceFilter):
    title = _("导购助手")
    parameter_name = "activated"
    options = (("yes", _("已激活")), ("no", _("还没激活")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        activated = GuideLogin.objects.values("guide_id")
        if self.value() == "yes":
            return queryset.filter(pk__in=activated)
        return queryset.exclude(pk__in=activated) if self.value() == "no" else queryset


class PlaceForm(DressedForm):
    """Where she works and as what; only stores the account may see."""

    role = forms.ChoiceField(label=_("岗位"), choices=GuideRole.choices)

    def __init__(self, *args: Any, stores: QuerySet[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        store = autocomplete_field(Guide, "store", stores.filter(is_active=True), label=_("门店"))
        self.fields = {"store": store, **self.fields}


@admin.register(Guide)
class GuideAdmin(ServiceForms, ScopedAdmin):
    """Guides of the account's part of the chain. Only the name is edited; all else is an event of hers."""

    list_display = ("name", "number", "store", "role", "state_label", "live_count", "activated", "joined_on")
    list_select_related = ("store",)
    list_filter = (StateFilter, RoleFilter, ActivationFilter, ("store", AutocompleteFilter))
    ordering = ("state", "number")
    search_fields = ("number", "name", "store__name")
    search_help_text = _("按工号、姓名或门店名称查找")
    autocomplete_fields = ("store",)
    actions = ("issue_codes",)
    actions_detail = ("move", "issue_code", "drop_login", "leave", "come_back")

    def get_queryset(self, request: HttpRequest) -> Any:
        live = Binding.objects.live().filter(guide=OuterRef("pk")).order_by().values("guide")
        counted = live.annotate(number=Count("pk")).values("number")
        activated = GuideLogin.objects.filter(guide=OuterRef("pk")).order_by("-activated_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                live_total=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
                activated_at=Subquery(activated.values("activated_at")[:1]),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("number", "name", "store", "role")}),)
        return (
            (None, {"fields": (("name", "number"), ("store", "role"), ("state_label", "live_count"))}),
            (_("经历"), {"fields": (("joined_on", "left_on"), "activated")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("number", "store", "role", "state_label", "live_count", "joined_on", "left_on", "activated")

    @column(_("状态"), ordering="state", labels={GuideState.ACTIVE: "success", GuideState.LEFT: "danger"})
    def state_label(self, row: Guide) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("专属会员"), ordering="live_total")
    def live_count(self, row: Any) -> str:
        return thousands(row.live_total)

    @column(_("导购助手激活时间"), ordering="activated_at")
    def activated(self, row: Any) -> str:
        return when(row.activated_at) if row.activated_at else _now("还没激活")

    def run_service(self, request: HttpRequest, row: Guide, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        if change:
            return services.rename_guide(guide_id=row.pk, name=cleaned["name"], actor=actor).id
        return services.hire_guide(
            number=cleaned["number"],
            name=cleaned["name"],
            store_id=cleaned["store"].pk,
            role=cleaned["role"],
            actor=actor,
        ).id

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only the buttons that fit her state."""
        guide = self.subject(request, str(object_id))
        if guide is None or guide.state == GuideState.LEFT:
            fitting = {"return"}
        else:
            fitting = {"move", "leave"} | ({"drop-login"} if guide.activated_at else {"activation-code"})
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path in fitting]

    def _back(self, guide: Guide) -> str:
        return reverse("admin:guides_guide_change", args=[guide.pk])

    def _stores(self, request: HttpRequest) -> QuerySet[Store]:
        stores: QuerySet[Store] = self.admin_site._registry[Store].get_queryset(request)
        return stores

    @operation(_("换店/换岗"), icon="swap_horiz", path="move")
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        guide = self.subject(request, object_id)
        if guide is None:
            return self.no_subject(request, object_id)
        initial = {"store": guide.store_id, "role": guide.role}
        form = PlaceForm(bound_data(request), initial=initial, stores=self._stores(request))

        def run(cleaned: dict[str, Any]) -> str:
            card = services.move_guide(
                guide_id=guide.pk,
                store_id=cleaned["store"].pk,
                role=cleaned["role"],
                actor=staff_actor(request),
            )
            return _now("%(name)s 现在在 %(store)s 任%(role)s") % {
                "name": card.name, "store": card.store.name, "role": card.role_label}  # fmt: skip

        question = Question(
            title=_now("%(name)s 换店或换岗") % {"name": guide.name},
            submit=_("保存"),
            back_url=self._back(guide),
            lines=[
                _now("她的 %(n)s 位专属会员跟着她走，绑定不变") % {"n": thousands(guide.live_total)},
                _("她的渠道码改到新门店名下，已经印出去的码照样能用"),
            ],
        )
        return ask(self, request, question, run, form=form, subject=guide)

    @operation(_("离职"), icon="person_off", variant="danger", path="leave")
    def leave(self, request: HttpRequest, object_id: str) -> HttpResponse:
        guide = self.subject(request, object_id)
        if guide is None:
            return self.no_subject(request, object_id)
        open_codes = ChannelCode.objects.filter(guide=guide, closed_at__isnull=True).count()

        def run(_cleaned: dict[str, Any]) -> str:
            card = services.leave_guide(guide_id=guide.pk, actor=staff_actor(request))
            return _now("%(name)s 已办理离职") % {"name": card.name}

        question = Question(
            title=_now("给 %(name)s 办理离职") % {"name": guide.name},
            submit=_("确认离职"),
            back_url=self._back(guide),
            lines=[
                _now("停用她的 %(n)s 个渠道码，扫了也不再绑定到她") % {"n": thousands(open_codes)},
                _now("她的 %(n)s 位专属会员暂时还在她名下，可以随后改绑到别的导购") % {
                    "n": thousands(guide.live_total)},
                _("她马上退出导购助手，没用过的激活码作废"),
            ],
            is_dangerous=True,
        )  # fmt: skip
        return ask(self, request, question, run, subject=guide)

    @operation(_("返岗"), icon="person_add", path="return")
    def come_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        guide = self.subject(request, object_id)
        if guide is None:
            return self.no_subject(request, object_id)
        initial = {"store": guide.store_id, "role": guide.role}
        form = PlaceForm(bound_data(request), initial=initial, stores=self._stores(request))

        def run(cleaned: dict[str, Any]) -> str:
            card = services.return_guide(
                guide_id=guide.pk,
                store_id=cleaned["store"].pk,
                role=cleaned["role"],
                actor=staff_actor(request),
            )
            return _now("%(name)s 已返岗，新的渠道码已生成") % {"name": card.name}

        question = Question(
            title=_now("%(name)s 返岗") % {"name": guide.name},
            submit=_("确认返岗"),
            back_url=self._back(guide),
            lines=[_("会给她一个新的渠道码，旧码不会恢复"), _("她要用新的激活码重新登录导购助手")],
        )
        return ask(self, request, question, run, form=form, subject=guide)

    @operation(_("解除微信登录"), icon="phonelink_erase", path="drop-login")
    def drop_login(self, request: HttpRequest, object_id: str) -> HttpResponse:
        guide = self.subject(request, object_id)
        if guide is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            card = services.remove_login(guide_id=guide.pk, actor=staff_actor(request))
            return _now("%(name)s 的微信登录已解除，可以生成新的激活码") % {"name": card.name}

        question = Question(
            title=_now("解除 %(name)s 的微信登录") % {"name": guide.name},
            submit=_("解除"),
            back_url=self._back(guide),
            lines=[_("她马上退出导购助手；换手机或换微信号时用，之后要用新的激活码登录")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=guide)

    @operation(_("生成激活码"), icon="key", path="activation-code", variant="primary")
    def issue_code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        guide = self.subject(request, object_id)
        if guide is None:
            return self.no_subject(request, object_id)
        return self._ask_codes(request, [guide], self._back(guide))

    @operation(_("生成激活码"), icon="key")
    def issue_codes(self, request: HttpRequest, queryset: QuerySet[Guide]) -> HttpResponse:
        guides = list(queryset.filter(state=GuideState.ACTIVE).select_related("store")[:_MOST_CODES_AT_ONCE])
        return self._ask_codes(request, guides, reverse("admin:guides_guide_changelist"))

    def _ask_codes(self, request: HttpRequest, guides: Sequence[Guide], back_url: str) -> HttpResponse:
        """Codes are shown on the answer to this very POST and nowhere else: only their digests are kept."""

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            issued = [(guide, *self._issue(request, guide)) for guide in guides]
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("激活码"),
                "issued": issued,
                "life_days": CODE_LIFE.days,
                "back_url": back_url,
            }
            response = TemplateResponse(request, "admin/xiaoer/activation_codes.html", context)
            response["Cache-Control"] = "no-store"
            return response

        if len(guides) == 1:
            title = _now("给 %(name)s 生成激活码") % {"name": guides[0].name}
        else:
            title = _now("给选中的 %(n)s 位在职导购生成激活码") % {"n": len(guides)}
        question = Question(
            title=title,
            submit=_("生成"),
            back_url=back_url,
            lines=[
                _now("激活码只显示一次，%(n)s 天内有效，用一次就作废") % {"n": CODE_LIFE.days},
                _("以前给的、还没用的激活码同时作废"),
            ],
        )
        return ask(self, request, question, run)

    def _issue(self, request: HttpRequest, guide: Guide) -> tuple[str, str]:
        """(code, why not): one of the two is empty."""
        try:
            return services.issue_activation_code(guide_id=guide.pk, actor=staff_actor(request)), ""
        except Refusal as refusal:
            return "", refusal.message


def _summary_panel(request: HttpRequest, guide: Guide) -> Panel:
    summary = selectors.summarize_guide(guide.pk)
    facts = [
        (_("专属会员"), thousands(summary.live_members)),
        (_("今天新增"), thousands(summary.new_today)),
        (_("昨天新增"), thousands(summary.new_yesterday)),
        (_("本月新增"), thousands(summary.new_this_month)),
        (_("今天扫码"), thousands(summary.scans_today)),
    ]
    return Panel(_("业绩概览"), "admin/xiaoer/panel_facts.html", {"facts": facts})


def _postings_panel(request: HttpRequest, guide: Guide) -> Panel:
    postings = GuidePosting.objects.filter(guide=guide).select_related("store").order_by("-started_at", "-pk")
    rows = [
        (posting.store.name, posting.get_role_display(), when(posting.started_at),
         when(posting.ended_at) if posting.ended_at else _now("至今"))
        for posting in postings[:50]
    ]  # fmt: skip
    context = {"heads": (_("门店"), _("岗位"), _("开始"), _("结束")), "rows": rows}
    return Panel(_("任职经历"), "admin/xiaoer/panel_table.html", context)


register_panel("guides.Guide", _summary_panel)
register_panel("guides.Guide", _postings_panel)
