"""短信费用: what texts cost, by day, topic and template."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter, Column, DaysFilter, Exports, ReadOnlyAdmin, column, cost_words, thousands
from sms.models import Purpose, SmsSpend, SmsTemplate
from sms.services.words import reason_words

_MOST: Final = 12


class SpendPurposeFilter(ChoiceFilter):
    title = _("用途")
    parameter_name = "purpose"
    options = tuple(Purpose.choices)


@admin.register(SmsSpend)
class SmsSpendAdmin(Exports, ReadOnlyAdmin):
    """A line for each day, topic and template; sums of what is shown stand above."""

    empty_words = _("发出短信以后，按天、事项和模板的费用列在这里")
    list_display = ("on", "reason", "template", "purpose_words", "text_count", "segment_count", "cost")
    list_filter = (SpendPurposeFilter, ("on", DaysFilter))
    list_before_template = "admin/xiaoer/sms_spending.html"
    ordering = ("-on", "-cost_hundredths", "pk")
    has_audit_box = False
    fields = ("on", ("reason", "template"), "purpose_words", ("text_count", "segment_count"), "cost")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "sms_smsspend_export", self.export_view),)

    def prepare_rows(self, request: HttpRequest, rows: Any) -> None:
        titles = _titles()
        for row in rows:
            row.title = titles.get(row.template_code, "")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", {}).get("cl")
        if shown is not None:
            answer.context_data["spending"] = _sums(shown.queryset)
        return answer

    @column(_("事项"), ordering="filed_under")
    def reason(self, row: SmsSpend) -> str:
        return reason_words(row.filed_under)

    @column(_("短信模板"), ordering="template_code")
    def template(self, row: Any) -> str:
        title = row.title if hasattr(row, "title") else _titles().get(row.template_code, "")
        return f"{title}（{row.template_code}）" if title else row.template_code or "—"

    @column(_("用途"), ordering="purpose")
    def purpose_words(self, row: SmsSpend) -> str:
        return str(row.get_purpose_display())

    @column(_("费用"), ordering="cost_hundredths")
    def cost(self, row: SmsSpend) -> str:
        return cost_words(row.cost_hundredths)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        titles = _titles()
        return (
            Column(_("日期"), lambda row: row.on, "day"),
            Column(_("事项"), lambda row: reason_words(row.filed_under)),
            Column(_("短信模板"), lambda row: titles.get(row.template_code, "")),
            Column(_("模板 ID"), lambda row: row.template_code),
            Column(_("用途"), lambda row: str(row.get_purpose_display())),
            Column(_("短信数"), lambda row: row.text_count, "count"),
            Column(_("计费条数"), lambda row: row.segment_count, "count"),
            Column(_("费用（百分之一分）"), lambda row: row.cost_hundredths, "count"),
        )


def _titles() -> dict[str, str]:
    return dict(SmsTemplate.objects.values_list("code", "title"))


def _sums(rows: QuerySet[SmsSpend]) -> dict[str, Any]:
    """What the shown lines come to, and the dearest reasons, templates and last days among them."""
    plain = rows.order_by()
    whole = plain.aggregate(
        texts=Sum("text_count"), segments=Sum("segment_count"), cost=Sum("cost_hundredths")
    )
    titles = _titles()

    def table(name: str, words: Any, order: str) -> list[tuple[str, str, str]]:
        grouped = plain.values(name).annotate(texts=Sum("text_count"), cost=Sum("cost_hundredths"))
        return [
            (words(line[name]), thousands(line["texts"]), cost_words(line["cost"]))
            for line in grouped.order_by(order)[:_MOST]
        ]

    return {
        "texts": thousands(whole["texts"] or 0),
        "segments": thousands(whole["segments"] or 0),
        "cost": cost_words(whole["cost"] or 0),
        "tables": [
            (_now("按事项"), table("filed_under", reason_words, "-cost")),
            (_now("按模板"), table("template_code", lambda code: titles.get(code) or code or "—", "-cost")),
            (_now("按日期"), table("on", lambda day: f"{day:%Y-%m-%d}", "-on")),
        ],
    }
