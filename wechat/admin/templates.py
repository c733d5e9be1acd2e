"""模板消息: what templates the accounts have, what they look like, and one to try on a person."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    DressedForm,
    OwnPage,
    ReadOnlyAdmin,
    column,
    mask_openid,
    operation,
    staff_actor,
    when,
)
from core.errors import Refusal
from wechat.admin.mirrors import LiveFilter, MirrorPages
from wechat.admin.recipients import HELP, openid_of_words
from wechat.contracts import SendOutcome, TemplateCard
from wechat.errors import TemplateFieldUnfit
from wechat.models import MessageTemplate
from wechat.models.account import AccountKind
from wechat.models.lanes import SendChannel
from wechat.services import templates, trials, verdicts
from wechat.services.template_fields import kind_of

_CHANNELS: Final = dict(SendChannel.choices)
_STATES: Final[dict[str, Any]] = {
    "": _("发送中"),
    "sent": _("微信已收下"),
    "refused": _("微信没有收"),
    "later": _("暂时发不出"),
    "uncertain": _("结果未知"),
    "halted": _("通道已停发"),
}
_STATE_CLASSES: Final = {"sent": "xe-good", "refused": "xe-bad", "halted": "xe-bad"}
_DELIVERIES: Final[dict[str, Any]] = {
    "": _("等微信回报"),
    "success": _("已送达"),
    "blocked": _("对方拒收"),
    "failed": _("没有送达"),
}


class TrialForm(DressedForm):
    """Whom to try it on and with what; a field for each field of the template, filled with its example."""

    recipient = forms.CharField(label=_("发给谁"), max_length=64)
    opens = forms.CharField(label=_("点开后"), max_length=500, required=False)

    def __init__(self, card: TemplateCard, data: Any = None) -> None:
        super().__init__(data)
        self._card = card
        self.fields["recipient"].help_text = HELP
        is_mini = card.channel == "subscription"
        self.fields["opens"].help_text = (
            _("小程序页面，如 pages/coupons/index，可不填")
            if is_mini
            else _("网址，以 https:// 开头，可不填")
        )
        for field in card.fields:
            shown = forms.CharField(label=field.label or field.name, required=False, max_length=200)
            shown.help_text = str(kind_of(field.kind).words)
            shown.initial = field.example
            self.fields[field.name] = shown
        self.order_fields(["recipient", *(field.name for field in card.fields), "opens"])
        self.dress_all()

    def clean_recipient(self) -> str:
        card = self._card
        return openid_of_words(
            str(self.cleaned_data["recipient"]), app_id=card.app_id, account_name=card.account_name
        )

    def clean_opens(self) -> str:
        opens = str(self.cleaned_data["opens"]).strip()
        if opens and self._card.channel == "template" and not opens.startswith(("https://", "http://")):
            raise forms.ValidationError(_("网址要以 https:// 开头"))
        return opens.lstrip("/")

    def values(self) -> dict[str, str]:
        return {field.name: self.cleaned_data[field.name] for field in self._card.fields}


@admin.register(MessageTemplate)
class MessageTemplateAdmin(OwnPage, MirrorPages, ReadOnlyAdmin):
    """Templates are made in WeChat's console; here they are fetched, looked at and tried."""

    empty_words = _("模板在微信后台申请；点右上角的“同步模板”取过来")
    sync_title = _("从微信同步消息模板")
    sync_lines = (
        _("会读取这些账号在微信后台的模板：%(names)s"),
        _("系统每 6 小时也会自己同步一次；不会发送任何消息"),
    )
    sync_rows = staticmethod(templates.sync_templates)
    synced_words = _(
        "%(name)s：共 %(all)s 个模板，新增 %(new)s 个，有变化 %(changed)s 个，已删除 %(gone)s 个"
    )

    list_display = ("title", "account", "channel_words", "fields_words", "state_label", "synced")
    list_select_related = ("account",)
    list_filter = (LiveFilter, "account")
    search_fields = ("title", "=template_id")
    search_help_text = _("按标题或模板ID 查找")
    ordering = ("gone_at", "account", "title", "pk")
    actions_list = ("sync",)

    @column(_("通道"))
    def channel_words(self, row: MessageTemplate) -> str:
        is_official = row.account.kind == AccountKind.OFFICIAL
        return str(_CHANNELS["template" if is_official else "subscription"])

    @column(_("字段"))
    def fields_words(self, row: MessageTemplate) -> str:
        return "、".join(field["label"] or field["name"] for field in row.fields)

    @operation(_("同步模板"), icon="sync", path="sync", variant="primary")
    def sync(self, request: HttpRequest) -> HttpResponse:
        return self.ask_to_sync(request)

    def row_page(self, request: HttpRequest, row: MessageTemplate) -> HttpResponse:
        card = templates.get_template(row.pk)
        may_try = card.is_live and self.has_operate_permission(request)
        form = TrialForm(card, request.POST if request.method == "POST" and may_try else None)
        if form.is_bound and form.is_valid() and self._try(request, card, form):
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": card.title,
            "card": card,
            "channel": _CHANNELS[card.channel],
            "synced": when(card.synced_at),
            "fields": [(field, kind_of(field.kind).words) for field in card.fields],
            "form": form if may_try else None,
            "media": form.media,
            "trials": [_trial_line(trial) for trial in trials.list_trials(template_pk=card.id)],
            **self.below_form(request, row),
        }
        return TemplateResponse(request, "admin/xiaoer/message_template.html", context)

    def _try(self, request: HttpRequest, card: TemplateCard, form: TrialForm) -> bool:
        """Whether a message left, or may have; what cannot be sent is said at its field."""
        opens = form.cleaned_data["opens"]
        is_mini = card.channel == "subscription"
        try:
            outcome = trials.try_template(
                template_pk=card.id,
                openid=form.cleaned_data["recipient"],
                values=form.values(),
                url="" if is_mini else opens,
                page=opens if is_mini else "",
                actor=staff_actor(request),
            )
        except TemplateFieldUnfit as refusal:
            form.add_error(refusal.details["field"], _("要填%(rule)s") % {"rule": refusal.details["rule"]})
            return False
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            return False
        level = messages.SUCCESS if outcome.state == "sent" else messages.ERROR
        messages.add_message(request, level, _outcome_words(outcome))
        return True


def _outcome_words(outcome: SendOutcome) -> str:
    if outcome.state == "sent":
        return _now("微信已收下，送达结果几秒后在下面显示")
    words = verdicts.words_of(outcome.code)
    return f"{words}（{outcome.errcode}）" if outcome.errcode else words


def _trial_line(trial: trials.Trial) -> dict[str, Any]:
    why = "" if trial.state in ("", "sent") else verdicts.words_of(trial.code)
    if trial.errcode:
        why = f"{why}（{trial.errcode}）"
    return {
        "at": when(trial.tried_at),
        "who": trial.tried_by,
        "openid": mask_openid(trial.openid),
        "state": _STATES.get(trial.state, trial.state),
        "state_class": _STATE_CLASSES.get(trial.state, ""),
        "why": why,
        "field": trial.field,
        "delivery": _DELIVERIES[trial.delivery] if trial.state == "sent" else "—",
    }
