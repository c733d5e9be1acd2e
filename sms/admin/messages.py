"""验证码短信: what became of them, never what they said."""

from typing import Any, Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter, ReadOnlyAdmin, column, cost_words, when
from sms.models import SmsMessage, SmsState
from sms.services.words import words_of

_STATE_COLOURS: Final = {
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "delivered": "success",
    "failed": "danger",
}
_TEMPLATES: Final[dict[str, Any]] = {"verification_code": _("验证码")}


class SmsStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in SmsState)


@admin.register(SmsMessage)
class SmsMessageAdmin(ReadOnlyAdmin):
    """The outbox of text messages; the number is masked."""

    empty_words = _("会员在小程序用短信验证手机号时，验证码列在这里")
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
        (_("依据"), {"fields": (("segment_count", "cost"), "provider_ref")}),
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
        return "—" if row.state == SmsState.DELIVERED else words_of(row.outcome)

    @column(_("费用"))
    def cost(self, row: SmsMessage) -> str:
        return cost_words(row.cost_hundredths)

    @column(_("创建时间"), ordering="queued_at")
    def queued(self, row: SmsMessage) -> str:
        return when(row.queued_at)
