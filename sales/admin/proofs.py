"""业绩核对: each run of the proof that totals are what the entries add up to."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter, Panel, ReadOnlyAdmin, column, register_panel, when
from guides import selectors as guide_selectors
from sales.admin.desk_text import metric_words, value_words
from sales.models import Period, TotalsProof


class WrongFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "wrong"
    options = (("1", _("有修正")), ("0", _("全部一致")))

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() not in {"0", "1"}:
            return queryset
        return queryset.filter(wrong_count__gt=0) if self.value() == "1" else queryset.filter(wrong_count=0)


@admin.register(TotalsProof)
class TotalsProofAdmin(ReadOnlyAdmin):
    """Runs, the newest first."""

    list_display = ("ran", "span_words", "period_count", "result", "seconds")
    list_filter = (WrongFilter,)
    ordering = ("-pk",)
    fieldsets = ((None, {"fields": (("ran", "span_words", "seconds"), ("period_count", "wrong_count"))}),)

    @column(_("核对时间"), ordering="ran_at")
    def ran(self, row: TotalsProof) -> str:
        return when(row.ran_at)

    @column(_("核对的日期"), ordering="since")
    def span_words(self, row: TotalsProof) -> str:
        return _now("%(since)s 起，到 %(until)s 前") % {"since": row.since, "until": row.until}

    @column(_("结果"), ordering="wrong_count", labels={"same": "success", "mended": "danger"})
    def result(self, row: TotalsProof) -> tuple[str, str]:
        if not row.wrong_count:
            return "same", _now("全部一致")
        return "mended", _now("修正 %(n)s 处") % {"n": f"{row.wrong_count:,}"}


def _wrong_panel(request: Any, row: TotalsProof) -> Panel:
    guides = guide_selectors.list_guide_labels([one["guide_id"] for one in row.wrong_rows if one["guide_id"]])
    stores = guide_selectors.list_store_names([one["store_id"] for one in row.wrong_rows if one["store_id"]])

    def holder(one: dict[str, Any]) -> str:
        names = [guides.get(one["guide_id"], ""), stores.get(one["store_id"], "")]
        if one.get("place") is not None:
            is_size = one["guide_id"] is None and one["store_id"] is None
            names.append(_now("上榜人数") if is_size else _now("区域内合计"))
        return " · ".join(name for name in names if name)

    return Panel(
        _("修正的汇总（最多 50 处）"),
        "admin/xiaoer/panel_table.html",
        {
            "heads": [_("周期"), _("起始日"), _("指标"), _("谁的"), _("原来的数"), _("流水加总")],
            "rows": [
                (
                    Period(one["period"]).label,
                    one["starts_on"],
                    metric_words(one["metric"]),
                    holder(one),
                    value_words(one["metric"], one["stood"]),
                    value_words(one["metric"], one["said"]),
                )
                for one in row.wrong_rows
            ],
            "empty": _("每一处都一致，没有修正"),
        },
    )


register_panel("sales.TotalsProof", _wrong_panel)
