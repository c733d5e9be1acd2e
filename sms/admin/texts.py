"""短信签名 and 短信模板: as the provider approved them."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ServiceForms,
    ask,
    bound_data,
    column,
    operation,
    register_panel,
    staff_actor,
    when,
)
from core.admin.forms import dress
from sms import services
from sms.admin.text_drafts import DraftPages
from sms.contracts import TextCard
from sms.models import Purpose, ReviewState, SmsSign, SmsTemplate
from sms.services import trials
from sms.services.words import words_of

_TRIAL_STATES: Final[dict[str, Any]] = {
    "": _("发送中"),
    "sent": _("服务商已收下"),
    "delivered": _("已送达"),
    "failed": _("没有送达"),
    "refused": _("服务商没有收"),
    "later": _("暂时发不出"),
    "uncertain": _("结果未知"),
    "halted": _("已停发"),
}
_COLOURS: Final = {"pending": "info", "approved": "success", "rejected": "danger", "gone": "danger"}


class PurposeFilter(ChoiceFilter):
    title = _("用途")
    parameter_name = "purpose"
    options = tuple(Purpose.choices)


class ReviewFilter(ChoiceFilter):
    title = _("审核状态")
    parameter_name = "state"
    options = tuple(ReviewState.choices)


class ReviewedPages(ServiceForms, BaseAdmin):
    """What signs and templates share: their reviews, and a look at the provider now."""

    actions_list = ("sync",)

    @column(_("审核状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: SmsSign | SmsTemplate) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("核对时间"), ordering="checked_at")
    def checked(self, row: SmsSign | SmsTemplate) -> str:
        return when(row.checked_at)

    @operation(_("核对审核状态"), icon="sync", path="sync", variant="primary")
    def sync(self, request: HttpRequest) -> HttpResponse:
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if not self.has_operate_permission(request):
            return HttpResponseRedirect(back)

        def run(_cleaned: dict[str, Any]) -> str:
            changed = services.sync_reviews(actor=staff_actor(request))
            return _now("已核对，%(n)s 项有变化") % {"n": changed} if changed else _now("已核对，没有变化")

        question = Question(
            title=_("向服务商核对签名和模板"),
            submit=_("现在核对"),
            back_url=back,
            lines=[
                _("按模板 ID 和签名 ID 查询审核状态；模板正文以服务商的为准"),
                _("系统每 6 小时也会自己核对一次；不会发送任何短信"),
            ],
        )
        return ask(self, request, question, run)


class SignForm(forms.ModelForm[SmsSign]):
    """The default is asked for by a field of its own: a second one is no fault, the first gives way to it."""

    becomes_default = forms.BooleanField(
        label=_("默认签名"), required=False, help_text=_("没有指定签名的模板用它；原来的默认签名自动让位")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["becomes_default"] = self.instance.is_default
        if "becomes_default" in self.fields:
            dress(self.fields["becomes_default"])


@admin.register(SmsSign)
class SmsSignAdmin(ReviewedPages):
    """Signs; one of them is the default."""

    empty_words = _("签名先在服务商控制台申请，通过后在这里新增")
    form = SignForm
    list_display = ("shown_name", "is_default", "state_label", "review_note", "checked")
    list_filter = (ReviewFilter,)
    search_fields = ("name",)
    search_help_text = _("按签名查找")
    ordering = ("-is_default", "name")
    fields = ("name", "provider_id", "becomes_default", "state", "review_note", "checked_at")
    readonly_fields = ("review_note", "checked_at")

    def run_service(self, request: HttpRequest, row: SmsSign, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        return services.save_sign(
            sign_id=row.pk,
            name=cleaned["name"],
            provider_id=cleaned["provider_id"],
            is_default=cleaned["becomes_default"],
            state=cleaned["state"],
            actor=staff_actor(request),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @column(_("签名"), ordering="name")
    def shown_name(self, row: SmsSign) -> str:
        return str(row)


@admin.register(SmsTemplate)
class SmsTemplateAdmin(DraftPages, ReviewedPages):
    """Templates, with the state of their reviews and a phone beside the form."""

    empty_words = _("模板先在服务商控制台申请，通过后在这里新增")
    actions_detail = ("try_one",)
    list_display = ("title", "code", "purpose_words", "short_text", "state_label", "is_on", "checked")
    list_filter = (PurposeFilter, ReviewFilter)
    search_fields = ("title", "=code", "text")
    search_help_text = _("按名称、模板 ID 或正文查找")
    ordering = ("purpose", "title", "pk")
    fieldsets = (
        (None, {"fields": (("title", "code"), "purpose", "text", ("sign", "gap_limit"), "is_on")}),
        (
            _("审核"),
            {
                "fields": ("state", ("review_note", "checked_at")),
                "description": _(
                    "点列表上的“核对审核状态”会自动更新；服务商不让查询时，按控制台的结果在这里选。"
                ),
            },
        ),
    )
    readonly_fields = ("review_note", "checked_at")

    def run_service(self, request: HttpRequest, row: SmsTemplate, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        return services.save_template(
            template_id=row.pk,
            code=cleaned["code"],
            title=cleaned["title"],
            purpose=cleaned["purpose"],
            text=cleaned["text"],
            sign_id=None if cleaned["sign"] is None else cleaned["sign"].pk,
            gap_limit=cleaned["gap_limit"],
            is_on=cleaned["is_on"],
            state=cleaned["state"],
            actor=staff_actor(request),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @column(_("用途"), ordering="purpose")
    def purpose_words(self, row: SmsTemplate) -> str:
        return str(row.get_purpose_display())

    @column(_("正文"))
    def short_text(self, row: SmsTemplate) -> str:
        return row.text if len(row.text) <= 40 else f"{row.text[:39]}…"

    @operation(_("试发一条"), icon="outgoing_mail", path="try", needs=("try",))
    def try_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id) if self.has_try_permission(request) else None
        if row is None:
            return self.no_subject(request, object_id)
        card = services.get_text(row.pk)
        form = TryForm(card, bound_data(request))

        def run(cleaned: dict[str, Any]) -> str | HttpResponse:
            places = [cleaned[f"place_{gap}"] for gap in range(1, card.gap_count + 1)]
            outcome = services.try_text(
                template_id=row.pk, phone=cleaned["phone"], values=places, actor=staff_actor(request)
            )
            if outcome.state == "sent":
                return _now("服务商已收下，送达结果几秒后在下面显示")
            messages.error(request, words_of(outcome.code))
            return HttpResponseRedirect(question.back_url)

        question = Question(
            title=_("试发「%(title)s」") % {"title": row.title},
            submit=_("发一条"),
            back_url=reverse("admin:sms_smstemplate_change", args=[row.pk]),
            lines=[
                f"【{card.sign or _now('没有签名')}】{card.text}",
                _("真的会发出一条，按条计费；每人一小时最多 %(mine)s 条，同一个号码一天最多 %(same)s 条")
                % {"mine": trials.PER_STAFF, "same": trials.PER_NUMBER},
                _("退订过的号码不会发；谁发给了哪个尾号会记在模板的页面上"),
            ],
        )
        return ask(self, request, question, run, form=form, subject=row)

    def has_try_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Trying costs money and has a right of its own."""
        return request.user.has_perm("sms.try_smstemplate")


class TryForm(DressedForm):
    """To which number, and what fills the places."""

    phone = forms.CharField(label=_("手机号"), max_length=20, help_text=_("发给自己或同事的号码"))

    def __init__(self, card: TextCard, data: Any = None) -> None:
        super().__init__(data)
        for gap in range(1, card.gap_count + 1):
            self.fields[f"place_{gap}"] = forms.CharField(
                label=_("变量 {%(n)s}") % {"n": gap},
                max_length=60,
                help_text=_("最多 %(n)s 个字，超过的会截短") % {"n": card.gap_limit},
            )
        self.dress_all()


def _trials_panel(request: HttpRequest, row: SmsTemplate) -> Panel | None:
    """The newest trials, and what came of them."""
    lines = [
        (
            when(trial.tried_at),
            trial.tried_by,
            f"*** **** {trial.phone_tail}" if trial.phone_tail else _now("已注销"),
            str(_TRIAL_STATES.get(trial.state, trial.state)),
            words_of(trial.code) if trial.code else "—",
        )
        for trial in services.list_text_trials(template_id=row.pk)
    ]
    if not lines:
        return None
    heads = (_("时间"), _("操作者"), _("手机号"), _("结果"), _("原因"))
    return Panel(_("试发记录"), "admin/xiaoer/panel_table.html", {"heads": heads, "rows": lines, "empty": ""})


register_panel("sms.SmsTemplate", _trials_panel)
