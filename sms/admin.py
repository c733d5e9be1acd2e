"""Text messages in the staff admin: what became of them, never what they said."""

from typing import Any, Final

from django.contrib import admin
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter, ReadOnlyAdmin, column, when
from sms.models import SmsMessage, SmsState

_STATE_COLOURS: Final = {"queued": "info", "sending": "info", "sent": "success", "failed": "danger"}
_TEMPLATES: Final[dict[str, Any]] = {"verification_code": _("验证码")}
_OUTCOMES: Final[dict[str, Any]] = {
    "too_late": _("过了有效期，没有发"),
    "lease_expired": _("发送中断，不知道有没有发出"),
    "timeout": _("服务商没有回答，不知道有没有发出"),
    "connection": _("连接中断，不知道有没有发出"),
    "no_connection": _("连不上服务商，稍后再试"),
    "throttled": _("发得太快，稍后再试"),
    "day_limit": _("今天的条数用完了"),
    "bad_sign": _("短信签名没有通过审核"),
    "bad_template": _("短信模板没有通过审核"),
    "bad_signature": _("密钥不对"),
    "bad_phone": _("号码不对"),
    "sms.not_set_up": _("短信服务没有开通"),
}


class SmsStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in SmsState)


@admin.register(SmsMessage)
class SmsMessageAdmin(ReadOnlyAdmin):
    """The outbox of text messages; the number is masked."""

    list_display = ("masked_phone", "template_words", "state_label", "outcome_words", "queued")
    list_filter = (SmsStateFilter,)
    search_fields = ("=phone_tail", "=provider_ref")
    search_help_text = _("按手机尾号或服务商回执号查找")
    date_hierarchy = "queued_at"
    ordering = ("-queued_at", "-pk")
    has_audit_box = False
    fieldsets = (
        (None, {"fields": (("masked_phone", "template_words"), ("state_label", "outcome_words"))}),
        (
            _("经过"),
            {"fields": (("queued_at", "not_before"), ("send_before", "finished_at"), "attempt_count")},
        ),
        (_("依据"), {"fields": ("provider_ref",)}),
    )

    @column(_("手机号"))
    def masked_phone(self, row: SmsMessage) -> str:
        return f"*** **** {row.phone_tail}"

    @column(_("模板"), ordering="template")
    def template_words(self, row: SmsMessage) -> str:
        return str(_TEMPLATES.get(row.template, row.template))

    @column(_("状态"), ordering="state", labels=_STATE_COLOURS)
    def state_label(self, row: SmsMessage) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("结果"))
    def outcome_words(self, row: SmsMessage) -> str:
        if row.state == SmsState.SENT:
            return _now("服务商已接收")
        return str(_OUTCOMES.get(row.outcome, row.outcome))

    @column(_("创建时间"), ordering="queued_at")
    def queued(self, row: SmsMessage) -> str:
        return when(row.queued_at)
