"""Channel codes with their numbers and pictures, and the scans behind the numbers."""

import io
from typing import Any, Final
from urllib.parse import quote

import segno
from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Panel,
    Question,
    ScopedAdmin,
    ScopedReadOnlyAdmin,
    ServiceForms,
    ask,
    column,
    operation,
    percent,
    register_answer,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal
from guides import services
from guides.models import ChannelCode, ChannelScan, CodeKind, CodePurpose, ScanOutcome
from guides.models.codes import CodeTerm
from members.admin.cells import MemberCells
from wechat.contracts import CodeBudget
from wechat.services import accounts as wechat_accounts
from wechat.services import qrcodes

# 33 modules and the quiet zone at 12 dots give about 500 pixels: sharp on paper, small as a file.
_DOTS: Final = 12
_OUTCOME_COLOURS: Final = {
    "bound": "success",
    "already_yours": "info",
    "kept_by_other": "info",
    "code_closed": "warning",
    "guide_left": "warning",
    "no_guide": "warning",
    "unknown_code": "danger",
}
_STATE_COLOURS: Final = {"open": "success", "waiting": "warning", "over": "danger", "closed": "info"}


def find_budget() -> CodeBudget | None:
    """The permanent codes of the account that codes go through; None while there is no account."""
    try:
        return qrcodes.get_code_budget(wechat_accounts.get_default_official().id)
    except Refusal:
        return None


class CodeKindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in CodeKind)


class TermFilter(ChoiceFilter):
    title = _("期限")
    parameter_name = "term"
    options = tuple((term.value, term.label) for term in CodeTerm)


class OpenFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (("open", _("使用中")), ("waiting", _("等微信返回二维码")), ("over", _("已停用或过期")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        now = clock.now()
        over = Q(closed_at__isnull=False) | Q(valid_until__lte=now)
        if self.value() == "over":
            return queryset.filter(over)
        if self.value() == "waiting":
            return queryset.exclude(over).filter(qr_url="")
        return queryset.exclude(over) if self.value() == "open" else queryset


class CodeForm(forms.ModelForm[ChannelCode]):
    """A new code for one guide or for one store."""

    class Meta:
        model = ChannelCode
        fields = ("guide", "store", "term", "label", "valid_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "guide" not in self.fields:  # the read-only page of a code that exists
            return
        self.fields["guide"].help_text = _("导购码填这里；门店会自动带出")
        self.fields["store"].help_text = _("门店码填这里，扫码的会员分给店里会员最少的在职导购")
        self.fields["store"].required = False
        self.fields["label"].help_text = _("如：收银台立牌、三八节海报")
        budget = find_budget()
        if budget is not None:
            self.fields["term"].help_text = _(
                "永久码还剩 %(n)s 个，用掉不能收回；临时码会自动续期，一般够用"
            ) % {"n": thousands(budget.remaining)}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        guide, store = cleaned.get("guide"), cleaned.get("store")
        if guide is not None and store is not None:
            self.add_error("store", _("导购和门店只选一个"))
        elif guide is None and store is None and not self.errors:
            self.add_error("guide", _("请选择导购或门店"))
        return cleaned

    def _post_clean(self) -> None:
        """The service makes the row; the model's own rule (a guide's code has a store) is its business."""


@admin.register(ChannelCode)
class ChannelCodeAdmin(ServiceForms, ScopedAdmin):
    """Codes are opened, published and closed; never edited, because they are printed on paper."""

    form = CodeForm
    list_display = (
        "owner",
        "kind",
        "label",
        "term",
        "state_label",
        "scan_count",
        "follow_count",
        "binding_count",
        "conversion",
    )
    list_select_related = ("guide", "store")
    list_filter = (OpenFilter, CodeKindFilter, TermFilter, ("store", AutocompleteFilter))
    list_before_template = "admin/xiaoer/code_budget.html"
    search_fields = ("=code", "guide__name", "=guide__number", "store__name", "label")
    search_help_text = _("按渠道码、导购姓名或工号、门店、用途查找")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    autocomplete_fields = ("guide", "store")
    actions_detail = ("publish", "close")
    add_fieldsets = (
        (_("谁的码"), {"fields": ("guide", "store")}),
        (_("怎么用"), {"fields": ("term", "label", "valid_until")}),
    )
    fieldsets = (
        (None, {"fields": (("owner", "state_label"), ("kind", "term"), ("code", "label"))}),
        (_("时间"), {"fields": (("created_at", "valid_until"), ("ticket_expires_at", "closed_at"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list leaves out the codes that guides show for minutes: they have a page of their own, by what they
        are for, and there are many."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "guides_channelcode_changelist"
        return rows.filter(purpose=CodePurpose.BINDING) if is_list else rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "guide":
            field.queryset = field.queryset.filter(state="active")
        elif db_field.name == "store":
            field.queryset = field.queryset.filter(is_active=True)
        return field

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"code_budget": find_budget(), **(extra_context or {})})

    def run_service(self, request: HttpRequest, row: ChannelCode, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        return services.open_channel_code(
            guide_id=cleaned["guide"].pk if cleaned["guide"] else None,
            store_id=cleaned["store"].pk if cleaned["store"] else None,
            term=cleaned["term"],
            label=cleaned["label"],
            valid_until=cleaned["valid_until"],
            actor=staff_actor(request),
        ).id

    @column(_("归属"), ordering="store__name")
    def owner(self, row: ChannelCode) -> str:
        return f"{row.guide.name}（{row.store.name}）" if row.guide is not None else row.store.name

    @column(_("状态"), labels=_STATE_COLOURS)
    def state_label(self, row: ChannelCode) -> tuple[str, str]:
        if row.closed_at is not None:
            return "closed", _now("已停用")
        if row.valid_until is not None and row.valid_until <= clock.now():
            return "over", _now("已过期")
        return ("open", _now("使用中")) if row.qr_url else ("waiting", _now("等微信返回"))

    @column(_("扫码到绑定"))
    def conversion(self, row: ChannelCode) -> str:
        return percent(row.binding_count, row.scan_count)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """A closed code has no buttons."""
        row = self.subject(request, str(object_id))
        if row is None or row.closed_at is not None:
            return []
        return super().get_actions_detail(request, object_id)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<path:object_id>/qr.png", "guides_channelcode_qr", self.qr_view),)

    def qr_view(self, request: HttpRequest, object_id: str, model_admin: Any = None) -> HttpResponse:
        """The picture to print, as a file with a telling name."""
        row = self.subject(request, object_id)
        if row is None or not row.qr_url or not self.has_view_permission(request, row):
            return self.no_subject(request, object_id)
        picture = io.BytesIO()
        segno.make(row.qr_url, error="q", micro=False).save(picture, kind="png", scale=_DOTS, border=4)
        response = HttpResponse(picture.getvalue(), content_type="image/png")
        name = f"{row.guide.name if row.guide else row.store.name}-{row.label or row.code}.png"
        response.headers["Content-Disposition"] = _attachment(name)
        return response

    @operation(_("重新发布"), icon="cloud_upload", path="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            card = services.publish_channel_code(row.pk)
            return _now("二维码可以用了") if card.qr_content else _now("正在向微信取二维码，几秒后刷新看看")

        lines: list[Any] = [_("向微信取这个码的二维码；已经取到并且没到期的，不会重复取")]
        if row.term == CodeTerm.PERMANENT and not row.ticket:
            budget = find_budget()
            left = thousands(budget.remaining) if budget is not None else "—"
            lines.append(_("会用掉 1 个永久码额度，现在还剩 %(n)s 个") % {"n": left})
        question = Question(
            title=_("重新发布渠道码"), submit=_("发布"), back_url=self._back(row), lines=lines
        )
        return ask(self, request, question, run, subject=row)

    @operation(_("停用"), icon="block", variant="danger", path="close")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            services.close_channel_code(channel_code_id=row.pk, actor=staff_actor(request))
            return _now("渠道码已停用")

        question = Question(
            title=_now("停用 %(owner)s 的渠道码") % {"owner": self.owner(row)},
            submit=_("停用"),
            back_url=self._back(row),
            lines=[
                _("停用后不能恢复，印出去的码扫了也不再绑定"),
                _now("它到现在被扫 %(scans)s 次，绑定 %(bindings)s 位会员，这些绑定不受影响") % {
                    "scans": thousands(row.scan_count), "bindings": thousands(row.binding_count)},
            ],
            is_dangerous=True,
        )  # fmt: skip
        return ask(self, request, question, run, subject=row)

    def _back(self, row: ChannelCode) -> str:
        return reverse("admin:guides_channelcode_change", args=[row.pk])


class OutcomeFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "outcome"
    options = tuple((outcome.value, outcome.label) for outcome in ScanOutcome)


@admin.register(ChannelScan)
class ChannelScanAdmin(MemberCells, ScopedReadOnlyAdmin):
    """Scans and what came of them."""

    list_display = ("scanned", "member_name", "code_words", "guide", "new_label", "outcome_label")
    list_select_related = ("channel_code__guide", "channel_code__store", "guide")
    list_filter = (OutcomeFilter, "is_new_follower", ("guide", AutocompleteFilter))
    search_fields = ("=scene", "guide__name")
    search_help_text = _("按渠道码或导购姓名查找")
    date_hierarchy = "scanned_at"
    ordering = ("-scanned_at", "-pk")
    has_audit_box = False
    fields = (
        ("scanned_at", "member_name"), ("code_words", "scene"), ("guide", "outcome_label"), "is_new_follower",
    )  # fmt: skip

    @column(_("时间"), ordering="scanned_at")
    def scanned(self, row: ChannelScan) -> str:
        return when(row.scanned_at)

    @column(_("渠道码"))
    def code_words(self, row: ChannelScan) -> str:
        return str(row.channel_code) if row.channel_code is not None else _now("不认识的码")

    @column(_("新关注"), ordering="is_new_follower", boolean=True)
    def new_label(self, row: ChannelScan) -> bool:
        return row.is_new_follower

    @column(_("结果"), ordering="outcome", labels=_OUTCOME_COLOURS)
    def outcome_label(self, row: ChannelScan) -> tuple[str, str]:
        return row.outcome, str(row.get_outcome_display())


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name)}"


def _qr_panel(request: HttpRequest, row: ChannelCode) -> Panel:
    """The picture and the numbers of one code."""
    picture = (
        segno.make(row.qr_url, error="q", micro=False).svg_data_uri(scale=4, border=4) if row.qr_url else ""
    )
    facts = [
        (_("扫码"), thousands(row.scan_count)),
        (_("新关注"), thousands(row.follow_count)),
        (_("绑定"), thousands(row.binding_count)),
        (_("扫码到绑定"), percent(row.binding_count, row.scan_count)),
    ]
    context = {
        "picture": picture,
        "facts": facts,
        "is_over": row.closed_at is not None,
        "download_url": reverse("admin:guides_channelcode_qr", args=[row.pk]),
        "scans_url": f"{reverse('admin:guides_channelscan_changelist')}?q={row.code}",
    }
    return Panel(_("二维码和效果"), "admin/xiaoer/panel_qr.html", context)


def channel_code_words(code: str) -> str | None:
    """Whose code it is, for the pages of the gateway that keep only its text."""
    found = ChannelCode.objects.filter(code=code).select_related("guide", "store").first()
    if found is None:
        return None
    owner = f"{found.guide.name}（{found.store.name}）" if found.guide is not None else found.store.name
    return f"{found.get_kind_display()} · {owner}" + (f" · {found.label}" if found.label else "")


register_panel("guides.ChannelCode", _qr_panel)
register_answer("channel_code_words", channel_code_words)
