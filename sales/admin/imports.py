"""The desk for files of orders and returns: upload, map, check, run; progress, results and bad rows back."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from core import file_errors
from core.admin import (
    ChoiceFilter,
    DressedForm,
    OwnPage,
    ReadOnlyAdmin,
    column,
    name_actions,
    staff_actor,
    thousands,
    when,
)
from core.admin.questions import add_refusal
from core.errors import Refusal, sentences_in
from core.uploads import error_workbook
from members import errors as member_errors
from sales import errors, services
from sales.models import IntakeJob, IntakeKind, IntakeState
from sales.selectors.imports import find_earlier_intake, get_intake_card, list_bad_counts
from sales.services.import_columns import TARGETS
from sales.services.import_files import bad_rows, reason_words
from sales.services.import_preview import preview_intake

name_actions(
    {
        "sales.intake_uploaded": _("上传订单文件"),
        "sales.intake_mapped": _("对应列并检查"),
        "sales.intake_started": _("开始导入订单"),
        "sales.intake_paused": _("暂停导入订单"),
        "sales.intake_resumed": _("继续导入订单"),
        "sales.intake_stopped": _("停止导入订单"),
        "sales.intake_forgotten": _("删除订单文件"),
    }
)
_VERBS: Final[dict[str, Callable[..., None]]] = {
    "start": services.start_intake,
    "pause": services.pause_intake,
    "resume": services.resume_intake,
    "stop": services.stop_intake,
    "forget": services.forget_intake,
}
_COLOURS: Final = {
    "uploaded": "warning", "checking": "info", "checked": "warning", "running": "info", "paused": "warning",
    "finished": "success", "stopped": "danger", "failed": "danger",
}  # fmt: skip
_FAILURES: Final = sentences_in(file_errors, member_errors, errors)
_MAPPABLE: Final = (IntakeState.UPLOADED, IntakeState.CHECKED)


class IntakeUploadForm(DressedForm):
    """The file and what it holds; what may be wrong with it, the service says."""

    kind = forms.ChoiceField(label=_("内容"), choices=IntakeKind.choices)
    source = forms.CharField(
        label=_("来源系统"),
        max_length=16,
        initial="pos",
        help_text=_("单号属于哪个系统，例如 pos、tmall；同一单号在不同来源里是不同的单据"),
    )
    file = forms.FileField(
        label=_("文件"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"})
    )


class IntakeOptionsForm(DressedForm):
    """What a person chooses beside the columns."""

    channel = forms.CharField(
        label=_("渠道"),
        required=False,
        max_length=16,
        help_text=_("没有渠道列的订单都记为这个渠道，例如 store、online"),
    )
    app_id = forms.CharField(
        label=_("公众号 AppID"), required=False, max_length=40, help_text=_("有公众号 openid 列时填写")
    )
    mini_app_id = forms.CharField(
        label=_("小程序 AppID"), required=False, max_length=40, help_text=_("有小程序 openid 列时填写")
    )


class IntakeStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in IntakeState)


@admin.register(IntakeJob)
class IntakeJobAdmin(OwnPage, ReadOnlyAdmin):
    """Files of the whole chain, for accounts with the right to add them; one page for each of their states."""

    list_display = (
        "file_name",
        "kind",
        "source",
        "state_label",
        "done_words",
        "bad_words",
        "created_by",
        "uploaded",
    )
    list_filter = (IntakeStateFilter,)
    list_select_related = ("created_by",)
    search_fields = ("file_name",)
    search_help_text = _("按文件名查找")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right of its own: who has it books sales of the whole chain."""
        return bool(request.user.has_perm("sales.add_intakejob"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("created_by")

    @column(_("状态"), labels=_COLOURS)
    def state_label(self, row: IntakeJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已处理单据"))
    def done_words(self, row: IntakeJob) -> str:
        return f"{thousands(row.done_count)} / {thousands(row.total_count)}"

    @column(_("有问题的行"))
    def bad_words(self, row: IntakeJob) -> str:
        return thousands(row.bad_count) if row.bad_count else "—"

    @column(_("上传时间"), ordering="created_at")
    def uploaded(self, row: IntakeJob) -> str:
        return when(row.created_at)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/preview/", "sales_intake_preview", self.preview_view),
            ("<int:pk>/map/", "sales_intake_map", self.map_view),
            ("<int:pk>/progress/", "sales_intake_progress", self.progress_view),
            ("<int:pk>/do/<slug:verb>/", "sales_intake_do", self.do_view),
            ("<int:pk>/errors/", "sales_intake_errors", self.errors_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take the file; the mapping page follows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IntakeUploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                job_id = services.upload_intake(
                    stream=told["file"], file_name=told["file"].name, kind=told["kind"], source=told["source"],
                    actor=staff_actor(request),
                )  # fmt: skip
            except Refusal as refusal:
                form.add_error(
                    "source" if refusal.details.get("field") == "source" else "file", refusal.message
                )
            else:
                return self._desk(job_id)
        context = {"title": _("导入订单"), "form": form, "media": form.media}
        context["back_url"] = reverse("admin:sales_intakejob_changelist")
        return self._page(request, "admin/xiaoer/intake_upload.html", context)

    def row_page(self, request: HttpRequest, job: Any) -> HttpResponse:
        """The job's page, whatever its state."""
        if job.state in _MAPPABLE and (job.state == IntakeState.UPLOADED or "map" in request.GET):
            return self._mapping_page(request, job, job.mapping)
        context = {**self._standing(request, job), **self.below_form(request, job), "original": job}
        return self._page(request, "admin/xiaoer/intake_desk.html", context)

    def map_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The mapping is stored and the file checked; a refusal shows the page again with all that was chosen."""
        job = self._job(request, pk)
        chosen = _chosen(request, len(job.headings))
        try:
            services.map_intake(job_id=pk, mapping=chosen, actor=staff_actor(request))
        except errors.IntakeMappingUnusable as refusal:
            return self._mapping_page(request, job, chosen, refusal)
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return self._desk(pk)

    def preview_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The table of columns as the choices on the page would read them; stores nothing."""
        job = self._job(request, pk)
        context = self._columns(job, _chosen(request, len(job.headings)))
        return TemplateResponse(request, "admin/xiaoer/_import_columns.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        job = self.subject(request, str(pk))
        if job is None or not self.has_view_permission(request, job):
            raise PermissionDenied
        return TemplateResponse(request, "admin/xiaoer/_intake_standing.html", self._standing(request, job))

    def do_view(self, request: HttpRequest, pk: int, verb: str, model_admin: Any = None) -> HttpResponse:
        """Start, pause, resume, stop, forget: by POST only."""
        self._job(request, pk)
        run = _VERBS.get(verb)
        if run is None or request.method != "POST":
            raise PermissionDenied
        try:
            run(job_id=pk, actor=staff_actor(request))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return self._desk(pk)

    def errors_view(
        self, request: HttpRequest, pk: int, model_admin: Any = None
    ) -> HttpResponse | FileResponse:
        """The bad rows as a workbook: the file's own columns, then the line and the reasons."""
        job = self._job(request, pk)
        try:
            stream = error_workbook(bad_rows(job))
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return self._desk(pk)
        name = f"{PurePath(job.file_name).stem}-{_now('有问题的行')}.xlsx"
        return FileResponse(stream, as_attachment=True, filename=name)

    def _job(self, request: HttpRequest, pk: int) -> IntakeJob:
        """The job, for who may import; any other answer would tell which jobs there are."""
        job = self.subject(request, str(pk)) if self.has_add_permission(request) else None
        if not isinstance(job, IntakeJob):
            raise PermissionDenied
        return job

    def _desk(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:sales_intakejob_change", args=[pk]))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, whole)

    def _standing(self, request: HttpRequest, job: IntakeJob) -> dict[str, Any]:
        card = get_intake_card(job.pk)
        told = card.expected if card.state == "checked" else card.counts
        return {
            "title": job.file_name,
            "job": card,
            "subject": job,
            "may_import": self.has_add_permission(request),
            "is_working": card.state in {"checking", "running"},
            "percent": min(100, card.done_count * 100 // (card.total_count or 1)),
            "minutes_left": None if card.seconds_left is None else -(-card.seconds_left // 60),
            "failure_words": _FAILURES.get(card.failure, card.failure),
            "tiles": () if card.state in {"checking", "failed"} else _tiles(told, card.bad_count),
            "bad_reasons": [
                (reason_words(reason=reason, kind=card.kind), count)
                for reason, count in list_bad_counts(job_id=job.pk)
            ],
            "earlier": find_earlier_intake(job.pk) if card.state == "checked" else None,
        }

    def _mapping_page(
        self, request: HttpRequest, job: IntakeJob, mapping: dict[str, Any], refusal: Refusal | None = None
    ) -> HttpResponse:
        form = IntakeOptionsForm(initial=mapping)
        if refusal is not None:
            form = IntakeOptionsForm(mapping)
            form.is_valid()
            add_refusal(form, refusal)
        try:
            columns = self._columns(job, mapping)
        except file_errors.FileGone as gone:
            messages.error(request, gone.message)
            return HttpResponseRedirect(reverse("admin:sales_intakejob_changelist"))
        context = {
            **columns,
            "title": job.file_name,
            "subject": job,
            "form": form,
            "media": form.media,
            "may_import": self.has_add_permission(request),
        }
        return self._page(request, "admin/xiaoer/intake_mapping.html", context)

    def _columns(self, job: IntakeJob, mapping: dict[str, Any]) -> dict[str, Any]:
        return {
            "job_id": job.pk,
            "columns": preview_intake(job=job, columns=mapping.get("columns") or {}),
            "targets": [("", _("不导入")), *TARGETS[job.kind].items()],
        }


def _tiles(told: Any, bad_count: int) -> list[tuple[str, str, bool]]:
    """Number, words, and whether somebody should look."""
    numbers = (
        (told.booked, _("入账"), False),
        (told.corrected, _("更正"), False),
        (told.repeated, _("已有，不重复入账"), False),
        (told.superseded, _("已有更新的版本"), False),
        (told.held, _("待人工处理"), True),
        (told.refused, _("不能入账"), True),
        (bad_count, _("有问题的行"), True),
    )
    return [(thousands(number), str(words), alarms and number > 0) for number, words, alarms in numbers]


def _chosen(request: HttpRequest, width: int) -> dict[str, Any]:
    """The choices on the page, as the service takes them."""
    sent = request.POST
    return {
        "columns": {
            str(place): sent[f"column_{place}"] for place in range(width) if sent.get(f"column_{place}")
        },
        "channel": sent.get("channel", ""),
        "app_id": sent.get("app_id", ""),
        "mini_app_id": sent.get("mini_app_id", ""),
    }
