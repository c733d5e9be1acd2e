"""What we sent and what we called."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import ChoiceFilter, CountedFilter, ReadOnlyAdmin, column, mask_openid, operation, when
from core.logs import redact
from wechat.admin.interfaces import NAMES, interface_name
from wechat.admin.quota import QuotaDesk
from wechat.models import OutboundCall, OutboundMessage
from wechat.models.outbox import MessageKind, MessageState
from wechat.services.verdicts import words_of

_STATE_COLOURS: Final = {
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "dropped": "danger",
    "uncertain": "warning",
}
_OUTCOME_COLOURS: Final = {
    "ok": "success",
    "refused": "danger",
    "http": "danger",
    "timeout": "warning",
    "connection": "warning",
}
OUTCOMES: Final[dict[str, Any]] = {
    "ok": _("成功"),
    "refused": _("微信拒绝"),
    "http": _("微信出错"),
    "timeout": _("超时"),
    "connection": _("连不上"),
    "unreadable": _("回答读不懂"),
}


class MessageStateFilter(CountedFilter):
    title = _("状态")
    parameter_name = "state"

    def counts(self, request: HttpRequest, page: Any) -> list[tuple[str, Any, int]]:
        rows = dict(OutboundMessage.objects.order_by().values_list("state").annotate(number=Count("pk")))
        return [(state.value, state.label, rows.get(state.value, 0)) for state in MessageState]


class MessageKindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in MessageKind)


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ReadOnlyAdmin):
    """The outbox: customer-service messages with their outcome in words."""

    list_display = ("masked_user", "kind_words", "summary", "state_label", "outcome_words", "created")
    list_filter = (MessageStateFilter, MessageKindFilter, "account")
    search_fields = ("reason_key",)
    search_help_text = _("按事由查找：greet: 扫码欢迎语，tell: 告知导购，rule: 自动回复卡片")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("masked_user", "account"),
                    ("kind_words", "state_label"),
                    "content",
                    "outcome_words",
                )
            },
        ),
        (
            _("经过"),
            {"fields": (("created_at", "not_before"), ("window_until", "finished_at"), "attempt_count")},
        ),
        (_("依据"), {"fields": ("reason_words", "errcode")}),
    )

    @column(_("用户"))
    def masked_user(self, row: OutboundMessage) -> str:
        return mask_openid(row.openid)

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: OutboundMessage) -> str:
        return str(row.get_kind_display())

    @column(_("内容"))
    def summary(self, row: OutboundMessage) -> str:
        text = redact(str(row.payload.get("text") or row.payload.get("title") or ""))
        return text if len(text) <= 28 else f"{text[:28]}…"

    @column(_("内容"))
    def content(self, row: OutboundMessage) -> str:
        text = redact(str(row.payload.get("text") or row.payload.get("title") or ""))
        return format_html('<div class="xe-plain">{}</div>', text)

    @column(_("状态"), ordering="state", labels=_STATE_COLOURS)
    def state_label(self, row: OutboundMessage) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("结果"))
    def outcome_words(self, row: OutboundMessage) -> str:
        if row.state == MessageState.SENT:
            return _now("已送达微信")
        if row.state in {MessageState.QUEUED, MessageState.SENDING}:
            return _now("%(at)s 前有效") % {"at": when(row.window_until)}
        words = redact(words_of(row.outcome)) or _now("没有说明")
        return f"{words}（{row.errcode}）" if row.errcode else words

    @column(_("事由"))
    def reason_words(self, row: OutboundMessage) -> str:
        return redact(row.reason_key)

    @column(_("创建时间"), ordering="created_at")
    def created(self, row: OutboundMessage) -> str:
        return when(row.created_at)


class OutcomeFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "outcome"
    options = tuple(OUTCOMES.items())


class PathFilter(CountedFilter):
    """Counts of today: over the whole log they would read every row."""

    title = _("接口（今天的次数）")
    parameter_name = "path"

    def counts(self, request: HttpRequest, page: Any) -> list[tuple[str, Any, int]]:
        rows = OutboundCall.objects.filter(called_on=clock.today()).order_by()
        counted = rows.values_list("path").annotate(number=Count("pk")).order_by("-number", "path")
        return [(path, interface_name(path), number) for path, number in counted]


@admin.register(OutboundCall)
class OutboundCallAdmin(QuotaDesk, ReadOnlyAdmin):
    """Every call to WeChat with its outcome and how long it took; holds no parameter."""

    list_display = ("called", "account", "interface", "path", "outcome_label", "errcode", "latency")
    list_select_related = ("account",)
    list_filter = (OutcomeFilter, PathFilter, "account")
    search_fields = ("path", "=errcode", "=rid")
    search_help_text = _("按接口路径、返回码或微信请求号查找")
    date_hierarchy = "called_at"
    ordering = ("-called_at", "-pk")
    actions_list = ("open_quota",)
    has_audit_box = False
    fields = ("called_at", "account", "interface", "path", "outcome_label", "errcode", "rid", "latency")

    @column(_("时间"), ordering="called_at")
    def called(self, row: OutboundCall) -> str:
        return when(row.called_at)

    @column(_("用途"), ordering="path")
    def interface(self, row: OutboundCall) -> str:
        return "—" if row.path not in NAMES else interface_name(row.path)

    @column(_("结果"), ordering="outcome", labels=_OUTCOME_COLOURS)
    def outcome_label(self, row: OutboundCall) -> tuple[str, str]:
        return row.outcome, str(OUTCOMES.get(row.outcome, row.outcome))

    @column(_("耗时"), ordering="latency_ms")
    def latency(self, row: OutboundCall) -> str:
        return _now("%(n)s 毫秒") % {"n": f"{row.latency_ms:,}"}

    @operation(_("今日接口用量"), icon="monitoring", needs=("view",), path="today")
    def open_quota(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:wechat_quota"))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return self.quota_urls()
