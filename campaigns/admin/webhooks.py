"""外部系统: where journeys and campaigns may tell somebody else's machine, and what was told."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns import services
from campaigns.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    LongListPaginator,
    Question,
    ScopedReadOnlyAdmin,
    ServiceForms,
    ask,
    column,
    operation,
    staff_actor,
    when,
)
from members.admin.cells import MemberCells

_COLOURS: Final = {
    "waiting": "info",
    "sending": "info",
    "delivered": "success",
    "failed": "danger",
    "skipped": "",
}
_WHY: Final = {
    "no_address": _("域名解析不到"),
    "not_public": _("域名指向内网，没有发送"),
    "no_answer": _("对方没有回应"),
    "status": _("对方没有接收"),
}


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    """Code, name and address; the secret is made by us."""

    url = forms.CharField(
        label=_("地址"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("https:// 开头的公网地址；每次通知都带签名，对方据此确认是我们发的"),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("code", "name", "url", "is_active")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ServiceForms, BaseAdmin):
    """Head office only: the table is in no scope."""

    form = EndpointForm
    list_display = ("name", "code", "url", "is_active", "changed")
    fields = ("code", "name", "url", "is_active")
    search_fields = ("name", "code")
    search_help_text = _("按名称或代号查找")
    ordering = ("name",)
    actions_detail = ("renew",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code",) if obj is not None else ()

    @column(_("修改时间"), ordering="changed_at")
    def changed(self, row: WebhookEndpoint) -> str:
        return when(row.changed_at)

    def run_service(self, request: HttpRequest, row: WebhookEndpoint, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        if not change:
            made = services.create_endpoint(
                code=cleaned["code"], name=cleaned["name"], url=cleaned["url"], actor=actor
            )
            self._tell(request, made.secret)
            return made.pk
        services.change_endpoint(
            endpoint_id=row.pk,
            name=cleaned["name"],
            url=cleaned["url"],
            is_active=cleaned["is_active"],
            actor=actor,
        )
        return row.pk

    @operation(_("更换签名密钥…"), icon="key", path="renew")
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> HttpResponse:
            self._tell(request, services.renew_secret(endpoint_id=row.pk, actor=staff_actor(request)))
            return HttpResponseRedirect(reverse("admin:campaigns_webhookendpoint_change", args=[row.pk]))

        question = Question(
            title=_now("更换“%(name)s”的签名密钥") % {"name": row.name},
            submit=_("更换"),
            back_url=reverse("admin:campaigns_webhookendpoint_change", args=[row.pk]),
            lines=[_now("之后发出的通知都用新密钥签名；对方换上以前会验签失败，系统会自动重试。")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=row)

    def _tell(self, request: HttpRequest, secret: str) -> None:
        messages.warning(
            request, _now("签名密钥只显示这一次，请交给对方保存：%(secret)s") % {"secret": secret}
        )


class DeliveryStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in DeliveryState)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(MemberCells, ScopedReadOnlyAdmin):
    """What was told of whom; each account sees members of its part."""

    list_display = ("member_name", "endpoint", "state_label", "attempt_count", "why", "created", "finished")
    list_filter = (DeliveryStateFilter, "endpoint")
    list_select_related = ("endpoint",)
    ordering = ("-pk",)
    paginator = LongListPaginator
    show_full_result_count = False
    fields = (
        ("member_link", "endpoint"),
        ("state_label", "attempt_count"),
        "why",
        ("created", "finished"),
        "key",
    )
    actions_detail = ("retry",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("endpoint")

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: WebhookDelivery) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("原因"))
    def why(self, row: WebhookDelivery) -> str:
        if not row.code:
            return "—"
        words = str(_WHY.get(row.code, row.code))
        return f"{words}（HTTP {row.status_code}）" if row.status_code else words

    @column(_("创建时间"), ordering="created_at")
    def created(self, row: WebhookDelivery) -> str:
        return when(row.created_at)

    @column(_("完成时间"))
    def finished(self, row: WebhookDelivery) -> str:
        return when(row.finished_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what failed and still has its words."""
        row = self.subject(request, str(object_id))
        may = row is not None and row.state == DeliveryState.FAILED and row.content
        return super().get_actions_detail(request, object_id) if may else []

    @operation(_("再发一次"), icon="redo", path="retry")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            services.retry_delivery(delivery_id=row.pk, actor=staff_actor(request))
            return _now("已重新排队")

        question = Question(
            title=_now("再通知一次“%(name)s”") % {"name": row.endpoint.name},
            submit=_("再发一次"),
            back_url=reverse("admin:campaigns_webhookdelivery_changelist"),
            lines=[_now("用原来的编号发送，对方收过的会认出来。")],
        )
        return ask(self, request, question, run, subject=row)
