"""业绩流水: every entry with its document, sums of what is filtered, and anybody's numbers at a past instant."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DayInput,
    DaysFilter,
    DressedForm,
    Exports,
    MomentInput,
    ScopedReadOnlyAdmin,
    TypedSearch,
    autocomplete_field,
    column,
    name_actions,
    narrow,
    when,
)
from sales.admin.desk_text import metric_words, signed_words, value_words
from sales.admin.documents import link_documents
from sales.models import EntryReason, FactKind, PerformanceEntry
from sales.selectors.documents import entries_of_number
from sales.selectors.ledger import numbers_then, sum_entries
from sales.selectors.offered import is_counted, offered_choices

name_actions({"sales.performanceentry_exported": _("导出业绩流水")})
_LONGEST: Final = dt.timedelta(days=366)
# Without one of these the sum would be over all there ever was.
_NARROWING: Final = (
    "guide__id__exact", "store__id__exact", "booked_on_from", "booked_on_to", "due_on_from", "due_on_to",
)  # fmt: skip


class MetricFilter(ChoiceFilter):
    title = _("指标")
    parameter_name = "metric"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return offered_choices()


class ReasonFilter(ChoiceFilter):
    title = _("事由")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = set(FactKind)
        return [
            (reason.value, str(reason.label))
            for reason in EntryReason
            if reason.value not in kinds or is_counted(reason.value)
        ]


class LateFilter(ChoiceFilter):
    title = _("计入日期")
    parameter_name = "late"
    options = (("1", _("晚于单据日期（关账后到）")),)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(booked_on__gt=F("due_on")) if self.value() == "1" else queryset


class ThenForm(DressedForm):
    """Whose numbers, of which days, as they stood when."""

    since = forms.DateField(label=_("计入日期从"), widget=DayInput)
    until = forms.DateField(label=_("到"), widget=DayInput)
    at = forms.DateTimeField(label=_("当时（上海时间）"), widget=MomentInput)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

        def rows(label: str) -> Any:
            model = apps.get_model(label)
            return narrow(model, request.user, model._default_manager.all())

        self.fields["guide"] = autocomplete_field(
            PerformanceEntry, "guide", rows("guides.Guide"), label=_("导购"), required=False
        )
        self.fields["store"] = autocomplete_field(
            PerformanceEntry, "store", rows("guides.Store"), label=_("门店"), required=False
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not since <= until <= since + _LONGEST:
            self.add_error("until", _("结束日期要在开始日期之后，最长一年"))
        if not cleaned.get("guide") and not cleaned.get("store") and not self.errors:
            self.add_error("guide", _("请选择导购或门店"))
        return cleaned


@admin.register(PerformanceEntry)
class PerformanceEntryAdmin(TypedSearch, Exports, ScopedReadOnlyAdmin):
    """Entries, the newest first. Nothing here can be changed: what was wrong is reversed by another entry."""

    list_display = (
        "booked_on",
        "holder",
        "store",
        "metric_label",
        "value_label",
        "reason_label",
        "document",
        "written",
    )
    list_select_related = ("guide", "store")
    list_filter = (
        ("booked_on", DaysFilter),
        ("guide", AutocompleteFilter),
        ("store", AutocompleteFilter),
        MetricFilter,
        ReasonFilter,
        LateFilter,
    )
    search_fields = ("pk",)
    search_help_text = _("按订单号或退货单号查找")
    ordering = ("-pk",)
    list_before_template = "admin/sales/ledger_head.html"
    has_audit_box = False
    fieldsets = (
        (None, {"fields": (("metric_label", "value_label", "reason_label"), ("holder", "store"), ("booked_on", "due_on"))}),
        (_("单据"), {"fields": (("document", "reversed_words", "written"),)}),
    )  # fmt: skip

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("export/", "sales_performanceentry_export", self.export_view),
            ("then/", "sales_numbers_then", self.then_view),
        )

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        links = link_documents(rows, opens_members=request.user.has_perm("members.view_member"))
        for row in rows:
            row.document_link = links[row.pk]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        is_narrow = any(request.GET.get(name) for name in _NARROWING) or bool(request.GET.get("q"))
        sums = []
        if is_narrow and self.has_view_permission(request):
            rows = self.get_changelist_instance(request).get_queryset(request)
            sums = [
                (metric_words(metric), value_words(metric, value))
                for metric, value in sum_entries(rows).items()
            ]
        context = {"sums": sums, "is_narrow": is_narrow, "then_url": reverse("admin:sales_numbers_then")}
        return super().changelist_view(request, context | (extra_context or {}))

    def found_by(self, queryset: Any, text: str) -> Any:
        return entries_of_number(queryset, text)

    @column(_("导购"), ordering="guide")
    def holder(self, row: PerformanceEntry) -> str:
        return str(row.guide) if row.guide is not None else _now("门店自身")

    @column(_("指标"), ordering="metric")
    def metric_label(self, row: PerformanceEntry) -> str:
        return str(row.get_metric_display())

    @column(_("数值"), ordering="value")
    def value_label(self, row: PerformanceEntry) -> str:
        return signed_words(row.metric, row.value)

    @column(
        _("事由"),
        labels={"fact": "info", "return": "warning", "corrected": "danger", "reversal": "danger"},
    )
    def reason_label(self, row: PerformanceEntry) -> tuple[str, str]:
        words = str(row.get_reason_display())
        if row.reversed_entry_id is not None:
            return "reversal", _now("%(reason)s · 冲回") % {"reason": words}
        look = {"sale": "fact", "return": "return", "restored": "fact"}.get(row.reason, "corrected")
        if row.reason in set(FactKind):
            look = "fact"
        return look, words

    @column(_("单据"))
    def document(self, row: Any) -> Any:
        return row.document_link if hasattr(row, "document_link") else link_documents([row])[row.pk]

    @column(_("冲回的分录"))
    def reversed_words(self, row: PerformanceEntry) -> Any:
        if row.reversed_entry_id is None:
            return "—"
        url = reverse("admin:sales_performanceentry_change", args=[row.reversed_entry_id])
        return format_html('<a class="xe-link" href="{}">#{}</a>', url, row.reversed_entry_id)

    @column(_("写入时间"), ordering="pk")
    def written(self, row: PerformanceEntry) -> str:
        return when(row.at)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        return (
            Column(_("计入日期"), lambda row: row.booked_on, "day"),
            Column(_("单据日期"), lambda row: row.due_on, "day"),
            Column(_("导购"), self.holder),
            Column(_("门店"), lambda row: row.store.name),
            Column(_("指标"), self.metric_label),
            Column(_("金额（元）"), lambda row: row.value if row.metric.endswith("_fen") else None, "fen"),
            Column(_("数量"), lambda row: None if row.metric.endswith("_fen") else row.value, "count"),
            Column(_("事由"), lambda row: self.reason_label(row)[1]),
            Column(_("分录编号"), lambda row: row.pk, "count"),
            Column(_("写入时间"), lambda row: row.at, "moment"),
        )

    def then_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Numbers as they stood at an instant, summed from the entries written until then."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = clock.today()
        first = {
            "since": today.replace(day=1), "until": today, "at": clock.now().astimezone(clock.SHANGHAI).replace(second=0),
        }  # fmt: skip
        asked = "since" in request.GET
        form = ThenForm(request, request.GET if asked else None, initial=first)
        lines = []
        if asked and form.is_valid():
            lines = self._then_lines(form.cleaned_data, request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("过去某一刻的业绩"),
            "form": form,
            "media": form.media,
            "is_asked": asked and form.is_valid(),
            "lines": lines,
            "list_url": reverse("admin:sales_performanceentry_changelist"),
        }
        return TemplateResponse(request, "admin/sales/numbers_then.html", context)

    def _then_lines(self, asked: dict[str, Any], request: HttpRequest) -> list[tuple[str, str, str, str]]:
        found = numbers_then(
            entries=self.get_queryset(request),
            since=asked["since"],
            until=asked["until"] + dt.timedelta(days=1),
            at=asked["at"],
            guide_id=getattr(asked["guide"], "pk", None),
            store_id=getattr(asked["store"], "pk", None),
        )
        return [
            (
                line.label,
                value_words(line.metric, line.then),
                value_words(line.metric, line.now),
                signed_words(line.metric, line.now - line.then) if line.now != line.then else "",
            )
            for line in found
        ]
