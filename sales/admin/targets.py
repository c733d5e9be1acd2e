"""目标与达成: where everybody stands, a grid to set targets in, splitting down, a table to import, effective guides."""

import datetime as dt
from collections.abc import Mapping
from decimal import InvalidOperation
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    DressedForm,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    ask,
    bound_data,
    column,
    staff_actor,
    when,
)
from core.errors import Refusal
from core.workbooks import workbook_answer
from coupons.selectors import visible_store_ids
from sales import errors, selectors, services
from sales.admin.effective import EffectiveAsked
from sales.admin.target_import import TargetImports
from sales.admin.target_rows import Sight, field_of, progress_cells, split_cells, typed_cells
from sales.admin.target_words import TargetUnit, list_units, read_unit
from sales.admin.words import month_words, rate, read_month
from sales.contracts import MetricName, TargetEntry, TargetKey
from sales.models import Target

_PATH: Final = "admin:sales_target_changelist"


class EffectiveForm(DressedForm):
    orders_a_week = forms.IntegerField(label=_("每周至少（单）"), min_value=1, max_value=1_000)
    orders_a_month = forms.IntegerField(label=_("每月至少（单）"), min_value=1, max_value=5_000)


@admin.register(Target)
class TargetAdmin(TargetImports, ScopedReadOnlyAdmin):
    """Not a list of rows: the chain by region, store and guide, of one month."""

    fields = ("month_on", "metric", "whose", "value_words", "origin", "is_fixed", "changed_at")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("set/", "sales_targets_set", self.set_view),
            ("split/", "sales_targets_split", self.split_view),
            ("import/", "sales_targets_import", self.import_view),
            ("export/", "sales_targets_export", self.export_view),
            ("effective/", "sales_targets_effective", self.effective_view),
            ("effective/export/", "sales_targets_effective_export", self.effective_export_view),
            ("effective/decide/", "sales_targets_decide", self.decide_view),
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are changed on this page's own grid only."""
        return False

    def may_set(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("sales.change_target"))

    @column(_("对象"))
    def whose(self, row: Target) -> str:
        return str(row.region or row.store or row.guide)

    @column(_("目标"))
    def value_words(self, row: Target) -> str:
        return TargetUnit(cast("MetricName", row.metric)).say(row.value)

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """Every change of the target."""
        below = super().below_form(request, instance)
        changes = selectors.list_target_changes(
            selectors.key_of_target(instance), instance.month_on, metric=instance.metric
        )
        say = TargetUnit(instance.metric).say
        lines = [
            f"{when(one.at)} · {one.made_by} · {one.origin_label}：{say(one.from_value)} → {say(one.to_value)}"
            for one in changes
        ]
        panel = Panel(_("修改记录"), "admin/xiaoer/sales/panel_lines.html", {"lines": lines})
        return below | {"panels": [panel, *below["panels"]]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Regions and stores; with `?store=` the guides of one."""
        return self._grid(request)

    def _grid(self, request: HttpRequest, wrong: Mapping[str, str] | None = None) -> HttpResponse:
        """The table; `wrong` has the trouble with what was typed, by field: then all that was typed stands there."""
        self._may_look(request)
        month_on, path = self._month(request), reverse(_PATH)
        sight = self._sight(request, month_on)
        store_id = self._store(request, sight)
        found = sight.rows(store_id)
        progress = {
            one.key: one
            for one in selectors.list_target_progress(
                [row.key for row in found], month_on, metric=sight.unit.metric
            )
        }
        fixed = sight.fixed([row.key for row in found])
        return self._page(
            request,
            "targets",
            title=_("目标与达成"),
            month=f"{month_on:%Y-%m}",
            month_words=month_words(month_on),
            unit=sight.unit,
            units=[
                {
                    "label": unit.label,
                    "url": f"{path}?month={month_on:%Y-%m}{unit.query}"
                    + (f"&store={store_id}" if store_id else ""),
                    "is_on": unit == sight.unit,
                }
                for unit in list_units()
            ],
            before_url=f"{path}?month={selectors.add_months(month_on, -1):%Y-%m}{sight.unit.query}",
            after_url=f"{path}?month={selectors.add_months(month_on, 1):%Y-%m}{sight.unit.query}",
            store_name=sight.store_name(store_id) if store_id else "",
            store_id=store_id or "",
            whole_url=f"{path}?month={month_on:%Y-%m}{sight.unit.query}",
            lines=[
                progress_cells(row, progress[row.key], month_on, row.key in fixed, sight.unit)
                | ({} if wrong is None else typed_cells(row, request.POST, wrong))
                for row in found
                if row.key in progress
            ],
            may_set=self.may_set(request),
            top=self._top(found, progress, sight.unit),
        )

    def set_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """What was typed into the grid; a number that cannot be read changes nothing, and all stands as it was typed."""
        if request.method != "POST" or not self.may_set(request):
            raise PermissionDenied
        month_on = self._month(request)
        sight = self._sight(request, month_on)
        store_id = self._store(request, sight)
        shown = [row.key for row in sight.rows(store_id)]
        now = selectors.find_targets(shown, month_on, metric=sight.unit.metric)
        entries, wrong = [], {}
        for key in shown:
            text = request.POST.get(field_of(key))
            if text is None:
                continue
            try:
                value = sight.unit.read(text)
            except InvalidOperation:
                wrong[field_of(key)] = text.strip()[:20]
                continue
            if value != now.get(key):
                entries.append(TargetEntry(key, value))
        if wrong:
            messages.error(
                request,
                (
                    _now("没有保存：「%(text)s」不是金额")
                    if sight.unit.is_money
                    else _now("没有保存：「%(text)s」不是整数")
                )
                % {"text": "」「".join(dict.fromkeys(wrong.values()))},
            )
            return self._grid(request, wrong)
        if not self._set(request, month_on, entries, sight.unit):
            return self._grid(request, {})
        return self._back(month_on, store_id, sight.unit)

    def _set(
        self, request: HttpRequest, month_on: dt.date, entries: list[TargetEntry], unit: TargetUnit
    ) -> bool:
        """Whether they were taken; what came of it is said."""
        try:
            count = services.set_targets(
                month_on=month_on, entries=entries, metric=unit.metric, actor=staff_actor(request)
            )
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return False
        messages.success(request, _now("已保存，%(n)s 个目标有变化") % {"n": count})
        return True

    def split_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """What everybody below would get; the button saves exactly that."""
        if not self.may_set(request):
            raise PermissionDenied
        month_on = self._month(request)
        sight = self._sight(request, month_on)
        key = self._key(request, sight)
        address = f"?month={month_on:%Y-%m}&of={key.kind}-{key.subject_id}{sight.unit.query}"
        if request.method == "POST":
            if "release" in request.POST:
                plan_keys = sight.below(key)
                services.release_targets(
                    month_on=month_on, keys=plan_keys, metric=sight.unit.metric, actor=staff_actor(request)
                )
                return HttpResponseRedirect(reverse("admin:sales_targets_split") + address)
            try:
                count = services.save_split(
                    key=key,
                    month_on=month_on,
                    digest=request.POST.get("digest", ""),
                    metric=sight.unit.metric,
                    actor=staff_actor(request),
                )
            except errors.SplitChanged as refusal:
                messages.error(request, refusal.message)
                return HttpResponseRedirect(reverse("admin:sales_targets_split") + address)
            except Refusal as refusal:
                messages.error(request, refusal.message)
                return self._back(month_on, key.subject_id if key.kind == "store" else None, sight.unit)
            messages.success(request, _now("已分解，%(n)s 个目标有变化") % {"n": count})
            return self._back(month_on, key.subject_id if key.kind == "store" else None, sight.unit)
        context: dict[str, Any] = {"refusal": ""}
        try:
            context = split_cells(
                services.plan_split(key=key, month_on=month_on, metric=sight.unit.metric), sight
            )
        except Refusal as refusal:
            context = {"refusal": refusal.message}
        return self._page(
            request,
            "target_split",
            title=_now("分解%(what)s目标 · %(name)s · %(month)s")
            % {"what": sight.unit.label, "name": sight.name_of(key), "month": month_words(month_on)},
            back_url=f"{reverse(_PATH)}?month={month_on:%Y-%m}{sight.unit.query}"
            + (f"&store={key.subject_id}" if key.kind == "store" else ""),
            has_fixed=bool(sight.fixed(sight.below(key))),
            **context,
        )

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """Everybody in sight with her target: also what may be filled in and imported again."""
        self._may_look(request)
        month_on = self._month(request)
        sight = self._sight(request, month_on)
        name = _now("目标与达成_%(what)s_%(month)s") % {
            "what": sight.unit.label, "month": f"{month_on:%Y-%m}",
        }  # fmt: skip
        return workbook_answer(name=name, sheets=sight.sheets())

    def effective_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Effective guides of a week or month, by guide or by store."""
        return self._page(
            request,
            "effective",
            title=_("有效导购"),
            may_set=self.may_set(request) and request.user.is_superuser,
            **self._effective(request).context(),
        )

    def effective_export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """The same as a workbook, all pages of it."""
        asked = self._effective(request)
        return workbook_answer(name=asked.file_name, sheets=asked.sheets())

    def _effective(self, request: HttpRequest) -> EffectiveAsked:
        self._may_look(request)
        return EffectiveAsked(request, visible_store_ids(request.user))  # type: ignore[arg-type]

    def decide_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The chain's measure: head office's."""
        if not (self.may_set(request) and request.user.is_superuser):
            raise PermissionDenied
        known = selectors.get_target_settings()
        form = EffectiveForm(
            bound_data(request),
            initial={"orders_a_week": known.orders_a_week, "orders_a_month": known.orders_a_month},
        )

        def run(cleaned: dict[str, Any]) -> str:
            services.decide_effective(**cleaned, actor=staff_actor(request))
            return _now("已保存")

        question = Question(
            title=_("有效导购标准"), submit=_("保存"), back_url=reverse("admin:sales_targets_effective"),
            lines=[_now("一位导购在一周、一个月里至少成交多少单才算有效；以前的周和月也按新标准重新看")],
        )  # fmt: skip
        return ask(self, request, question, run, form=form)

    def _top(self, found: Any, progress: Any, unit: TargetUnit) -> list[tuple[Any, str]]:
        """The first row in numbers."""
        if not found or found[0].key not in progress:
            return []
        one = progress[found[0].key]
        return [
            (_now("%(name)s 目标") % {"name": found[0].name}, unit.say(one.target_value)),
            (_("已完成"), unit.say(one.done_value)),
            (_("达成率"), rate(one.attainment_bp)),
            (_("截至昨天应完成"), unit.say(one.expected_value)),
            (_("预计月末"), unit.say(one.forecast_value)),
            (_("余下每天要做"), unit.say(one.needed_daily_value)),
        ]

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _month(self, request: HttpRequest) -> dt.date:
        return read_month(request.GET.get("month", ""), clock.today())

    def _sight(self, request: HttpRequest, month_on: dt.date) -> Sight:
        return Sight(request.user, month_on, read_unit(request.GET.get("metric", "")))

    def _store(self, request: HttpRequest, sight: Sight) -> int | None:
        text = request.GET.get("store", "")
        if not text:
            return None
        if not (text.isascii() and text.isdecimal()) or not sight.sees(TargetKey("store", int(text[:18]))):
            raise Http404
        return int(text)

    def _key(self, request: HttpRequest, sight: Sight) -> TargetKey:
        kind, _dash, text = request.GET.get("of", "").partition("-")
        if kind not in {"region", "store"} or not (text.isascii() and text.isdecimal()):
            raise Http404
        key = TargetKey(kind, int(text[:18]))  # type: ignore[arg-type]
        if not sight.sees(key):
            raise Http404
        return key

    def _back(self, month_on: dt.date, store_id: int | None, unit: TargetUnit) -> HttpResponse:
        store = f"&store={store_id}" if store_id else ""
        return HttpResponseRedirect(f"{reverse(_PATH)}?month={month_on:%Y-%m}{unit.query}{store}")

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/sales/{template}.html", whole)
