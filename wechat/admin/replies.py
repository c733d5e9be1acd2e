"""Reply rules and their tester."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, ChoiceFilter, DressedForm, column, find_answer, operation
from wechat.admin.reply_forms import TEXT_BYTES, ReplyRuleForm
from wechat.models import Account, ReplyRule
from wechat.models.account import AccountKind
from wechat.models.outbox import MessageKind
from wechat.models.replies import ReplyTrigger
from wechat.services import accounts, replies

SITUATIONS: Final = (("follow", _("关注")), ("scan", _("扫某个码关注")), ("text", _("发文字")))


class TriggerFilter(ChoiceFilter):
    title = _("何时回复")
    parameter_name = "trigger"
    options = tuple((trigger.value, trigger.label) for trigger in ReplyTrigger)


class ReplyKindFilter(ChoiceFilter):
    title = _("回复类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in MessageKind)


@admin.register(ReplyRule)
class ReplyRuleAdmin(BaseAdmin):
    """Rules by which the account answers, with a preview beside the form and a page to try them."""

    form = ReplyRuleForm
    list_display = ("name", "account", "occasion", "kind_label", "summary", "priority", "is_active")
    list_select_related = ("account",)
    list_filter = (TriggerFilter, ReplyKindFilter, "is_active", "account")
    search_fields = ("name", "keyword", "text", "title", "=channel_code")
    search_help_text = _("按规则名、关键词、内容或渠道码查找")
    actions_list = ("open_tester",)
    radio_fields = {"trigger": admin.HORIZONTAL, "kind": admin.HORIZONTAL, "keyword_match": admin.HORIZONTAL}
    change_form_outer_after_template = "admin/xiaoer/reply_rule_after.html"
    # Only what the chosen trigger and kind need is shown.
    conditional_fields = {
        "channel_code": "trigger == 'follow'",
        "keyword": "trigger == 'keyword'",
        "keyword_match": "trigger == 'keyword'",
        "text": "kind == 'text'",
        "title": "kind != 'text'",
        "description": "kind == 'article'",
        "url": "kind == 'article'",
        "picture_url": "kind == 'article'",
        "card_app_id": "kind == 'mini_program_card'",
        "card_page": "kind == 'mini_program_card'",
        "card_thumb": "kind == 'mini_program_card'",
    }
    fieldsets = (
        (None, {"fields": ("account", "name", "is_active", "priority")}),
        (_("什么时候回复"), {"fields": ("trigger", "channel_code", "keyword", "keyword_match")}),
        (
            _("回复什么"),
            {
                "fields": (
                    "kind", "text", "title", "description", "url", "picture_url",
                    "card_app_id", "card_page", "card_thumb",
                )
            },
        ),
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rules are texts, not history: they may go."""
        opts = self.model._meta
        return request.user.has_perm(f"{opts.app_label}.delete_{opts.model_name}")

    @column(_("何时回复"), ordering="trigger")
    def occasion(self, row: ReplyRule) -> str:
        if row.trigger == ReplyTrigger.KEYWORD:
            return f"{row.get_keyword_match_display()}“{row.keyword}”"
        if row.trigger == ReplyTrigger.FOLLOW and row.channel_code:
            return _now("扫码 %(code)s 关注时") % {"code": row.channel_code}
        return str(row.get_trigger_display())

    @column(
        _("类型"),
        ordering="kind",
        labels={"text": "info", "article": "success", "mini_program_card": "warning"},
    )
    def kind_label(self, row: ReplyRule) -> tuple[str, str]:
        return row.kind, str(row.get_kind_display())

    @column(_("内容"))
    def summary(self, row: ReplyRule) -> str:
        text = row.text if row.kind == MessageKind.TEXT else row.title
        return text if len(text) <= 30 else f"{text[:30]}…"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "text":
            field.widget.attrs |= {"data-byte-limit": str(TEXT_BYTES), "rows": "6"}
        return field

    def save_model(self, request: HttpRequest, obj: ReplyRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        accounts.forget_cached()
        if obj.channel_code and find_answer("channel_code_words", obj.channel_code) is None:
            messages.warning(
                request,
                _now("没有找到渠道码 %(code)s，请核对；规则已保存，但现在没有人能触发它")
                % {"code": obj.channel_code},
            )

    @operation(_("试一试"), icon="play_circle", needs=("view",), path="open-tester", variant="primary")
    def open_tester(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:wechat_reply_tester"))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("try/", "wechat_reply_tester", self.tester_view),)

    def tester_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """What the account would answer to a sample; changes nothing, so the sample is in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TesterForm(request.GET if "situation" in request.GET else None)
        explanation = None
        if form.is_bound and form.is_valid():
            chosen = form.cleaned_data
            explanation = replies.explain(
                account_id=chosen["account"].pk,
                situation=chosen["situation"],
                text=chosen["text"],
                scene=chosen["scene"].strip(),
            )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("试一试自动回复"),
            "form": form,
            "media": form.media,
            "explanation": explanation,
            "sample": form.cleaned_data if explanation else None,
            "scene_words": find_answer("channel_code_words", form.cleaned_data["scene"].strip())
            if explanation and form.cleaned_data["situation"] == "scan"
            else None,
        }
        return TemplateResponse(request, "admin/xiaoer/reply_tester.html", context)


class TesterForm(DressedForm):
    """The sample to try."""

    account = forms.ModelChoiceField(
        label=_("公众号"),
        queryset=Account.objects.filter(kind=AccountKind.OFFICIAL, is_active=True),
        empty_label=None,
    )
    situation = forms.ChoiceField(label=_("会员做了什么"), choices=SITUATIONS, initial="follow")
    scene = forms.CharField(label=_("扫的渠道码"), required=False, max_length=64)
    text = forms.CharField(label=_("发的文字"), required=False, max_length=600)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("situation") == "text" and not str(cleaned.get("text", "")).strip():
            self.add_error("text", _("请填写要试的文字"))
        if cleaned.get("situation") == "scan" and not str(cleaned.get("scene", "")).strip():
            self.add_error("scene", _("请填写渠道码，可在「渠道码」列表里复制"))
        return cleaned
