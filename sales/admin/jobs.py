"""批量处理: what a person started over many documents or sales, with its progress and its answer."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    ChoiceFilter,
    OwnPage,
    ScopedReadOnlyAdmin,
    column,
    money,
    staff_actor,
    thousands,
    when,
)
from guides import selectors as guide_selectors
from sales import services
from sales.admin.desk_text import change_words
from sales.models import DeskJob, DeskJobKind, DeskJobState

_MOST_SHOWN: Final = 20


class KindFilter(ChoiceFilter):
    title = _("内容")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in DeskJobKind)


@admin.register(DeskJob)
class DeskJobAdmin(OwnPage, ScopedReadOnlyAdmin):
    """Jobs, the newest first: head office sees all, others their own."""

    list_display = ("words_label", "kind", "state_label", "progress", "staff", "started")
    list_filter = (KindFilter,)
    list_select_related = ("staff",)
    ordering = ("-pk",)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/progress/", "sales_desk_job_progress", self.progress_view),
            ("<int:pk>/stop/", "sales_desk_job_stop", self.stop_view),
        )

    @column(_("范围"))
    def words_label(self, row: DeskJob) -> str:
        return row.words or f"#{row.pk}"

    @column(_("状态"), ordering="state", labels={"running": "info", "done": "success", "stopped": "danger"})
    def state_label(self, row: DeskJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("进度"))
    def progress(self, row: DeskJob) -> str:
        return f"{thousands(row.done_count)} / {thousands(row.asked_count)}"

    @column(_("开始时间"), ordering="started_at")
    def started(self, row: DeskJob) -> str:
        return when(row.started_at)

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **self.below_form(request, row),
            **_standing(row),
            "opts": self.opts,
            "original": row,
            "title": f"{row.get_kind_display()} · {row}",
        }
        return TemplateResponse(request, "admin/sales/job.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        return TemplateResponse(request, "admin/sales/_job_standing.html", _standing(self._job(request, pk)))

    def stop_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """By POST only."""
        job = self._job(request, pk)
        if request.method != "POST":
            raise PermissionDenied
        services.stop_desk_job(job_id=job.pk, actor=staff_actor(request))
        return HttpResponseRedirect(reverse("admin:sales_deskjob_change", args=[job.pk]))

    def _job(self, request: HttpRequest, pk: int) -> DeskJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_queryset(request).filter(pk=pk).first()
        if job is None:
            raise Http404
        found: DeskJob = job
        return found


def _standing(job: DeskJob) -> dict[str, Any]:
    is_trial = job.kind == DeskJobKind.TRIAL
    share = round(100 * job.done_count / job.asked_count) if job.asked_count else 100
    seconds = ((job.ended_at or clock.now()) - job.started_at).total_seconds()
    rate = job.done_count / seconds if seconds > 1 else 0
    left = (job.asked_count - job.done_count) / rate if rate else 0
    return {
        "job": job,
        "is_running": job.state == DeskJobState.RUNNING,
        "is_trial": is_trial,
        "percent": min(100, share),
        "unit": _now("家门店") if is_trial else _now("张单据"),
        "minutes_left": max(1, round(left / 60)) if rate else 0,
        "ended": when(job.ended_at),
        "list_url": reverse(
            "admin:sales_attributionrule_changelist" if is_trial else "admin:sales_helddocument_changelist"
        ),
        **(_trial_answer(job.result) if is_trial else {}),
    }


def _trial_answer(result: Mapping[str, Any]) -> dict[str, Any]:
    """Who would win and lose, the most first; amounts are of what is left after returns."""
    holders = result.get("holders", {})
    movers = sorted(holders.items(), key=lambda one: -abs(one[1][1] - one[1][0]))
    movers = [one for one in movers if one[1][0] != one[1][1]][:_MOST_SHOWN]
    stores = sorted(result.get("stores", {}).items(), key=lambda one: -abs(one[1][1] - one[1][0]))
    stores = [one for one in stores if one[1][0] != one[1][1]][:_MOST_SHOWN]
    pairs = sorted(result.get("pairs", {}).items(), key=lambda one: -one[1][0])[:_MOST_SHOWN]
    names = _names({*(key for key, _v in movers), *(side for key, _v in pairs for side in key.split(">"))})
    store_names = guide_selectors.list_store_names([int(key) for key, _v in stores])
    return {
        "tiles": [
            (thousands(result.get("sale_count", 0)), _now("试算的销售单")),
            (thousands(result.get("changed_count", 0)), _now("归属会变的")),
            (money(result.get("moved_fen", 0)), _now("会换人的金额（元）")),
            (thousands(result.get("manual_count", 0)), _now("人工指定，不动")),
        ],
        "movers": [_mover(names.get(key, key), *value) for key, value in movers],
        "stores": [_mover(store_names.get(int(key), key), *value) for key, value in stores],
        "pairs": [
            (*(names.get(side, side) for side in key.split(">")), money(fen), thousands(count))
            for key, (fen, count) in pairs
        ],
    }


def _mover(name: str, before: int, after: int) -> tuple[str, str, str, str, str, bool]:
    more = after - before
    sign = "+" if more > 0 else ""
    return name, money(before), money(after), f"{sign}{money(more)}", change_words(before, after), more < 0


def _names(keys: set[str]) -> dict[str, str]:
    guides = guide_selectors.list_guide_labels([int(key[1:]) for key in keys if key.startswith("g")])
    stores = guide_selectors.list_store_names([int(key[1:]) for key in keys if key.startswith("s")])
    return {f"g{pk}": words for pk, words in guides.items()} | {
        f"s{pk}": _now("%(store)s（门店自身）") % {"store": name} for pk, name in stores.items()
    }
