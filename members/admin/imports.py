"""The import desk: upload, map, check, run; progress, results and bad rows back."""

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
    Tile,
    column,
    name_actions,
    name_details,
    name_values,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from core.admin.questions import add_refusal
from core.errors import Refusal, sentences_in
from core.uploads import error_workbook
from members import errors, selectors, services
from members.admin.import_candidates import CandidatePages
from members.models import CandidateState, ImportJob, ImportState, TagGroup
from members.services.import_columns import TARGETS
from members.services.import_files import bad_rows, reason_words
from members.services.import_preview import preview_import

name_actions(
    {
        "members.import_uploaded": _("上传导入文件"),
        "members.import_mapped": _("对应列并检查"),
        "members.import_started": _("开始导入"),
        "members.import_paused": _("暂停导入"),
        "members.import_resumed": _("继续导入"),
        "members.import_stopped": _("停止导入"),
        "members.import_forgotten": _("删除导入文件"),
        "members.import_filled": _("导入补充资料"),
        "members.import_decided": _("确认是否同一人"),
    }
)
name_details({"decision": _("结论")})
name_values("decision", CandidateState.choices)
_VERBS: Final[dict[str, Callable[..., None]]] = {
    "start": services.start_import,
    "pause": services.pause_import,
    "resume": services.resume_import,
    "stop": services.stop_import,
    "forget": services.forget_import,
}
_COLOURS: Final = {
    "uploaded": "warning", "checking": "info", "checked": "warning", "running": "info", "paused": "warning",
    "finished": "success", "stopped": "danger", "failed": "danger",
}  # fmt: skip
_FAILURES: Final = sentences_in(errors, file_errors)
_MAPPABLE: Final = (ImportState.UPLOADED, ImportState.CHECKED)


class UploadForm(DressedForm):
    """The file; what may be wrong with it, the service says."""

    file = forms.FileField(
        label=_("文件"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"})
    )


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ImportState)


@admin.register(ImportJob)
class ImportJobAdmin(OwnPage, CandidatePages, ReadOnlyAdmin):
    """Imports of the whole chain, for accounts with the right to add them; one page for each of their states."""

    list_display = ("file_name", "state_label", "rows_words", "bad_words", "created_by", "uploaded")
    list_filter = (StateFilter,)
    list_select_related = ("created_by",)
    search_fields = ("file_name",)
    search_help_text = _("按文件名查找")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right of its own: who has it reads personal data of the whole chain into the system."""
        return bool(request.user.has_perm("members.add_importjob"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("created_by")

    @column(_("状态"), labels=_COLOURS)
    def state_label(self, row: ImportJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已处理"))
    def rows_words(self, row: ImportJob) -> str:
        return f"{thousands(row.done_count)} / {thousands(row.total_count)}"

    @column(_("有问题的行"))
    def bad_words(self, row: ImportJob) -> str:
        return thousands(row.bad_count) if row.bad_count else "—"

    @column(_("上传时间"), ordering="created_at")
    def uploaded(self, row: ImportJob) -> str:
        return when(row.created_at)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/preview/", "members_import_preview", self.preview_view),
            ("<int:pk>/map/", "members_import_map", self.map_view),
            ("<int:pk>/progress/", "members_import_progress", self.progress_view),
            ("<int:pk>/do/<slug:verb>/", "members_import_do", self.do_view),
            ("<int:pk>/errors/", "members_import_errors", self.errors_view),
            ("<int:pk>/candidates/", "members_import_candidates", self.candidates_view),
            ("<int:pk>/candidates/<int:candidate_id>/", "members_import_decide", self.decide_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take the file; the mapping page follows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                job_id = services.upload_import(
                    stream=upload, file_name=upload.name, actor=staff_actor(request)
                )
            except Refusal as refusal:
                form.add_error("file", refusal.message)
            else:
                return self._desk(job_id)
        context = {"title": _("导入会员"), "form": form, "media": form.media}
        context["back_url"] = reverse("admin:members_importjob_changelist")
        return self._page(request, "admin/xiaoer/import_upload.html", context)

    def row_page(self, request: HttpRequest, job: Any) -> HttpResponse:
        """The job's page, whatever its state."""
        if job.state in _MAPPABLE and (job.state == ImportState.UPLOADED or "map" in request.GET):
            return self._mapping_page(request, job, job.mapping)
        context = {**self._standing(request, job), **self.below_form(request, job), "original": job}
        return self._page(request, "admin/xiaoer/import_desk.html", context)

    def map_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The mapping is stored and the file checked; a refusal shows the page again with all that was chosen."""
        job = self._job(request, pk)
        chosen = _chosen(request, len(job.headings))
        try:
            services.map_import(job_id=pk, mapping=chosen, actor=staff_actor(request))
        except errors.ImportMappingUnusable as refusal:
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
        return TemplateResponse(request, "admin/xiaoer/_import_standing.html", self._standing(request, job))

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

    def _job(self, request: HttpRequest, pk: int) -> ImportJob:
        """The job, for who may import; any other answer would tell which jobs there are."""
        job = self.subject(request, str(pk)) if self.has_add_permission(request) else None
        if not isinstance(job, ImportJob):
            raise PermissionDenied
        return job

    def _desk(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:members_importjob_change", args=[pk]))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, whole)

    def _standing(self, request: HttpRequest, job: ImportJob) -> dict[str, Any]:
        card = selectors.get_import_card(job.pk)
        total = card.total_count or 1
        return {
            "title": job.file_name,
            "job": card,
            "subject": job,
            "may_import": self.has_add_permission(request),
            "is_working": card.state in {"checking", "running"},
            "percent": min(100, card.done_count * 100 // total),
            "time_left": _time_words(card.seconds_left),
            "failure_words": _FAILURES.get(card.failure, card.failure),
            "bad_reasons": [
                (reason_words(reason), count) for reason, count in selectors.list_bad_counts(job_id=job.pk)
            ],
            "earlier": selectors.find_earlier_import(job.pk) if card.state == "checked" else None,
        }

    def _mapping_page(
        self,
        request: HttpRequest,
        job: ImportJob,
        mapping: dict[str, Any],
        refusal: Refusal | None = None,
    ) -> HttpResponse:
        form = OptionsForm(initial=mapping)
        if refusal is not None:
            form = OptionsForm(mapping)
            form.is_valid()
            add_refusal(form, refusal)
        try:
            columns = self._columns(job, mapping)
        except file_errors.FileGone as gone:
            messages.error(request, gone.message)
            return HttpResponseRedirect(reverse("admin:members_importjob_changelist"))
        context = {
            **columns,
            "title": job.file_name,
            "subject": job,
            "form": form,
            "media": form.media,
            "may_import": self.has_add_permission(request),
        }
        return self._page(request, "admin/xiaoer/import_mapping.html", context)

    def _columns(self, job: ImportJob, mapping: dict[str, Any]) -> dict[str, Any]:
        return {
            "job_id": job.pk,
            "columns": preview_import(job=job, columns=mapping.get("columns") or {}),
            "targets": [("", _("不导入")), *TARGETS.items()],
        }


class OptionsForm(DressedForm):
    """What a person chooses beside the columns."""

    newer_wins = forms.BooleanField(
        label=_("以这份文件为准"),
        required=False,
        help_text=_(
            "打开后，姓名、性别、生日、地址和单选标签以文件为准；关闭时只补充空白。手机号永远不会被覆盖"
        ),
    )
    tag_group = forms.CharField(
        label=_("标签放进哪个标签组"),
        required=False,
        max_length=20,
        help_text=_("有标签列时填写；没有这个组就新建，已停用的标签不会打上"),
    )
    app_id = forms.CharField(
        label=_("公众号 AppID"), required=False, max_length=40, help_text=_("有公众号 openid 列时填写")
    )
    mini_app_id = forms.CharField(
        label=_("小程序 AppID"), required=False, max_length=40, help_text=_("有小程序 openid 列时填写")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = list(TagGroup.objects.order_by("order", "name").values_list("name", flat=True))
        self.fields["tag_group"].widget.attrs["list"] = "tag-groups"


def _chosen(request: HttpRequest, width: int) -> dict[str, Any]:
    """The choices on the page, as the service takes them."""
    sent = request.POST
    return {
        "columns": {
            str(place): sent[f"column_{place}"] for place in range(width) if sent.get(f"column_{place}")
        },
        "newer_wins": bool(sent.get("newer_wins")),
        "tag_group": sent.get("tag_group", ""),
        "app_id": sent.get("app_id", ""),
        "mini_app_id": sent.get("mini_app_id", ""),
    }


def _time_words(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return _now("不到 1 分钟")
    return _now("大约 %(n)s 分钟") % {"n": -(-seconds // 60)}


def _import_tiles(request: HttpRequest) -> list[Tile]:
    waiting = selectors.count_waiting()
    if not waiting:
        return []
    url = reverse("admin:members_importjob_changelist")
    return [Tile(title=_("导入待确认"), number=thousands(waiting), url=url, is_alarm=True)]


register_tiles("members.add_importjob", _import_tiles, order=45)
