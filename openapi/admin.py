"""Keys of tills and partners, and the log of what they asked. Head office's: a key may act for the whole chain."""

import datetime as dt
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core import clock
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ScopedAdmin,
    ScopedReadOnlyAdmin,
    ServiceForms,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    name_values,
    operation,
    register_panel,
    staff_actor,
    when,
)
from openapi import services
from openapi.contracts import ClientTerms, NewSecret
from openapi.models import ApiClient, ApiRequest, ApiSecret, ClientState, Scope

name_actions(
    {
        "openapi.client_created": _("新建接口密钥"),
        "openapi.client_changed": _("修改接口密钥"),
        "openapi.secret_rotated": _("更换密钥"),
        "openapi.client_revoked": _("停用接口密钥"),
    }
)
name_details({"scopes": _("权限")})
name_values("scopes", Scope.choices, within="openapi.client_")
_OVERLAPS: Final = (
    (0, _("立即失效")),
    (24, _("再用 24 小时")),
    (168, _("再用 7 天")),
    (720, _("再用 30 天")),
)
_SHOWN_REQUESTS: Final = 20


class ClientForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a client may do; the service judges it."""

    scopes = forms.MultipleChoiceField(
        label=_("权限"),
        choices=Scope.choices,
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("没有勾选的一概不能做"),
    )

    def _post_clean(self) -> None:
        """The service says what is wrong, at its field and in words."""

    class Meta:
        model = ApiClient
        fields = ("name", "kind", "store", "dealer", "scopes", "per_minute", "source")


class OverlapForm(DressedForm):
    overlap = forms.TypedChoiceField(label=_("旧密钥"), choices=_OVERLAPS, coerce=int, initial=24)


def _key_of(row: Any) -> int | None:
    return None if row is None else int(row.pk)


class StatusFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "outcome"
    options = (("ok", _("成功")), ("refused", _("被拒绝")), ("failed", _("系统出错")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        spans = {"ok": (200, 399), "refused": (400, 499), "failed": (500, 599)}
        span = spans.get(str(self.value()))
        return queryset.filter(status__range=span) if span else queryset


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ClientState)


@admin.register(ApiClient)
class ApiClientAdmin(ServiceForms, ScopedAdmin):
    """One row for each till or system; revoked, never deleted."""

    form = ClientForm
    list_display = ("name", "key_id", "kind_label", "place", "scope_words", "used", "state_label")
    list_select_related = ("store", "dealer")
    list_filter = (StateFilter, "kind", ("store", AutocompleteFilter))
    search_fields = ("name", "=key_id")
    search_help_text = _("按名称或密钥编号查找")
    ordering = ("-pk",)
    autocomplete_fields = ("store", "dealer")
    readonly_fields = ("key_id", "state_label", "used", "created_at", "secret_state")
    actions_detail = ("rotate", "revoke")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        place = _("门店和经销商都不填，就是整个连锁；保存后不能再改")
        first = (
            (None, {"fields": ("name", "kind")}),
            (_("适用范围"), {"fields": (("store", "dealer"),), "description": place}),
            (_("权限"), {"fields": ("scopes", "per_minute")}),
            (_("销售单据"), {"fields": ("source",)}),
        )
        if obj is None:
            return first
        standing = {"fields": (("key_id", "state_label"), ("secret_state", "used"), "created_at")}
        return ((_("密钥"), standing), *first)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """For whom it acts is fixed; a revoked one is history."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "store", "dealer")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.state == ClientState.REVOKED:
            return False
        return super().has_change_permission(request, obj)

    def run_service(self, request: HttpRequest, row: Any, form: Any, change: bool) -> int:
        given = form.cleaned_data
        terms = ClientTerms(
            name=given["name"],
            kind=given["kind"],
            scopes=tuple(given["scopes"]),
            store_id=row.store_id if change else _key_of(given["store"]),
            dealer_id=row.dealer_id if change else _key_of(given["dealer"]),
            per_minute=given["per_minute"],
            source=given["source"],
        )
        actor = staff_actor(request)
        if change:
            services.change_client(client_id=row.pk, terms=terms, actor=actor)
            return int(row.pk)
        made = services.create_client(terms=terms, actor=actor)
        request.new_secret = made  # type: ignore[attr-defined]
        return made.client_id

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """The secret is shown on the answer to this very POST and nowhere else."""
        return self._show(request, obj, request.new_secret)  # type: ignore[attr-defined]

    def _show(self, request: HttpRequest, row: ApiClient, made: NewSecret) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("接口密钥"),
            "row": row,
            "made": made,
            "old_ends_at": "" if made.old_ends_at is None else when(made.old_ends_at),
            "reference_url": reverse("openapi_reference"),
            "back_url": reverse("admin:openapi_apiclient_change", args=[row.pk]),
        }
        response = TemplateResponse(request, "admin/xiaoer/api_secret.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @column(_("类型"), ordering="kind", labels={"till": "info", "partner": "success"})
    def kind_label(self, row: ApiClient) -> tuple[str, str]:
        return row.kind, str(row.get_kind_display())

    @column(_("适用范围"))
    def place(self, row: ApiClient) -> str:
        if row.store is not None:
            return str(row.store)
        return str(row.dealer) if row.dealer is not None else _now("整个连锁")

    @column(_("权限"))
    def scope_words(self, row: ApiClient) -> str:
        return "、".join(str(Scope(scope).label) for scope in row.scopes)

    @column(_("最近使用"), ordering="last_used_at")
    def used(self, row: ApiClient) -> str:
        return when(row.last_used_at) if row.last_used_at else _now("还没用过")

    @column(_("状态"), ordering="state", labels={"active": "success", "revoked": "danger"})
    def state_label(self, row: ApiClient) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("密钥内容"))
    def secret_state(self, row: ApiClient) -> str:
        secrets = list(ApiSecret.objects.filter(client=row).order_by("-pk")[:2])
        if not secrets:
            return "—"
        words = _now("%(at)s 生成，不再显示") % {"at": when(secrets[0].created_at)}
        old = secrets[1].ends_at if len(secrets) > 1 else None
        if old is not None and old > clock.now():
            words += _now("；旧密钥用到 %(at)s") % {"at": when(old)}
        return words

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Nothing is done with a revoked key."""
        row = self.subject(request, str(object_id))
        is_open = row is not None and row.state == ClientState.ACTIVE
        return super().get_actions_detail(request, object_id) if is_open else []

    @operation(_("更换密钥"), icon="key", path="rotate")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            overlap = dt.timedelta(hours=cleaned["overlap"])
            made = services.rotate_secret(client_id=row.pk, overlap=overlap, actor=staff_actor(request))
            return self._show(request, row, made)

        question = Question(
            title=_now("更换「%(name)s」的密钥") % {"name": row.name},
            submit=_("更换"),
            back_url=reverse("admin:openapi_apiclient_change", args=[row.pk]),
            lines=[_now("新密钥只显示一次；换好之前，旧密钥还能用下面选的时间")],
        )
        return ask(self, request, question, run, form=OverlapForm(bound_data(request)), subject=row)

    @operation(_("停用"), icon="block", variant="danger", path="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            services.revoke_client(client_id=row.pk, actor=staff_actor(request))
            return _now("已停用")

        question = Question(
            title=_now("停用「%(name)s」") % {"name": row.name},
            submit=_("停用"),
            back_url=reverse("admin:openapi_apiclient_change", args=[row.pk]),
            lines=[
                _now("从下一个请求起就不能再用，也不能恢复"),
                _now("最近使用：%(at)s") % {"at": self.used(row)},
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=row)


@admin.register(ApiRequest)
class ApiRequestAdmin(ScopedReadOnlyAdmin):
    """What was asked and how it ended, the newest first; nothing of its content is kept."""

    list_display = ("moment", "client", "method", "endpoint", "status_label", "code", "took", "replay")
    list_select_related = ("client",)
    list_filter = (StatusFilter, ("client", AutocompleteFilter), "is_replay")
    search_fields = ("=code", "=endpoint")
    search_help_text = _("按错误码或接口查找，例如 coupons.coupon_redeemed、/orders/redeem")
    date_hierarchy = "at"
    ordering = ("-pk",)
    has_audit_box = False

    @column(_("时间"), ordering="at")
    def moment(self, row: ApiRequest) -> str:
        return when(row.at)

    @column(
        _("状态码"), ordering="status", labels={"ok": "success", "refused": "warning", "failed": "danger"}
    )
    def status_label(self, row: ApiRequest) -> tuple[str, str]:
        kind = "ok" if row.status < 400 else "refused" if row.status < 500 else "failed"
        return kind, str(row.status)

    @column(_("重复请求"))
    def replay(self, row: ApiRequest) -> str:
        return _now("是，答复同第一次") if row.is_replay else "—"

    @column(_("用时"), ordering="took_ms")
    def took(self, row: ApiRequest) -> str:
        return _now("%(n)s 毫秒") % {"n": row.took_ms}


def _requests_panel(request: HttpRequest, client: ApiClient) -> Panel:
    rows = ApiRequest.objects.filter(client=client).order_by("-pk")[:_SHOWN_REQUESTS]
    context = {
        "heads": (_("时间"), _("接口"), _("状态码"), _("错误码"), _("用时")),
        "rows": [
            (
                when(row.at),
                f"{row.method} {row.endpoint}",
                f"{row.status}{_now('（重复）') if row.is_replay else ''}",
                row.code or "—",
                _now("%(n)s 毫秒") % {"n": row.took_ms},
            )
            for row in rows
        ],
        "empty": _("还没有请求"),
        "more_url": f"{reverse('admin:openapi_apirequest_changelist')}?client__id__exact={client.pk}",
        "more_text": _("全部请求"),
    }
    return Panel(_("最近的请求"), "admin/xiaoer/panel_table.html", context)


register_panel("openapi.ApiClient", _requests_panel)
