"""Voidings: whole batches and chosen coupons, with their progress; head office sees all, others those they began."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ChoiceFilter, OwnPage, ScopedReadOnlyAdmin, column, name_actions, thousands, when
from coupons import selectors
from coupons.admin.void_words import progress_words, voidings_shown
from coupons.models import VoidJob

name_actions({"coupons.chosen_void_started": _("开始作废选中的券")})
_COLOURS = {"running": "info", "done": "success"}


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (("running", _("进行中")), ("done", _("已完成")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(finished_at__isnull=self.value() == "running")


@admin.register(VoidJob)
class VoidJobAdmin(OwnPage, ScopedReadOnlyAdmin):
    """The newest first."""

    list_display = ("what", "reason", "state_label", "progress", "started", "actor_label")
    list_filter = (StateFilter,)
    list_select_related = ("batch",)
    search_fields = ("reason", "batch__name")
    search_help_text = _("按原因或批次名称查找")
    ordering = ("-pk",)

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<int:pk>/progress/", "coupons_void_progress", self.progress_view),)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        standings = selectors.list_void_progress([row.pk for row in rows])
        for row in rows:
            row.standing = standings[row.pk]

    @column(_("作废什么"))
    def what(self, row: VoidJob) -> str:
        return void_title(row)

    @column(_("状态"), labels=_COLOURS)
    def state_label(self, row: VoidJob) -> tuple[str, str]:
        return ("running", _now("进行中")) if row.finished_at is None else ("done", _now("已完成"))

    @column(_("进度"))
    def progress(self, row: Any) -> str:
        return progress_words(row.standing)

    @column(_("时间"), ordering="started_at")
    def started(self, row: VoidJob) -> str:
        return when(row.started_at)

    def row_page(self, request: HttpRequest, job: Any) -> HttpResponse:
        """How far it is, and what of which batch."""
        context = {
            **self.admin_site.each_context(request),
            **_standing(job),
            "opts": self.opts,
            "original": job,
            "title": void_title(job),
            "batches": [
                {
                    "name": row.name,
                    "url": _batch_url(request, row.batch_id),
                    "asked": thousands(row.asked_count),
                    "voided": thousands(row.coupon_count),
                }
                for row in selectors.list_voided_batches(job.pk)
            ],
            "coupons_url": reverse("admin:coupons_coupon_changelist"),
            "list_url": reverse("admin:coupons_voidjob_changelist"),
        }
        return TemplateResponse(request, "admin/xiaoer/coupons/void_job.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        job = self.subject(request, str(pk))
        if job is None or not self.has_view_permission(request, job):
            return self.no_subject(request, str(pk))
        standing = _standing(job)
        answer = TemplateResponse(request, "admin/xiaoer/coupons/_voiding.html", standing)
        if not standing["is_voiding"]:
            answer["HX-Refresh"] = "true"  # the table beside it has changed as well
        return answer


def void_title(job: VoidJob) -> str:
    """The batch's name, or that the coupons were chosen in the list."""
    return _now("整批：%(name)s") % {"name": job.batch.name} if job.batch is not None else _now("选中的券")


def _standing(job: VoidJob) -> dict[str, Any]:
    url = reverse("admin:coupons_void_progress", args=[job.pk])
    return voidings_shown(void_title(job), [selectors.get_void_progress(job.pk)], url)


def _batch_url(request: HttpRequest, batch_id: int) -> str:
    may_see = request.user.has_perm("coupons.view_couponbatch")
    return reverse("admin:coupons_couponbatch_change", args=[batch_id]) if may_see else ""
