"""Files that staff asked for: each account sees its own, with progress, and fetches them while they are kept."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.admin.audit_words import name_actions
from core.admin.base import ScopedReadOnlyAdmin
from core.admin.export_jobs import page_of, path_of
from core.admin.exports import file_name
from core.admin.formats import thousands, when
from core.admin.own_page import OwnPage
from core.admin.questions import staff_actor
from core.admin.unfolded import column
from core.models import ExportJob, ExportState, StaffAccount

name_actions({"core.export_fetched": _("下载导出文件")})
_COLOURS: Final = {"waiting": "info", "done": "success", "failed": "danger", "over": "warning"}
_FAULTS: Final[dict[str, str | Promise]] = {
    "no_right": _("账号没有导出这个列表的权限了"),
    "bad_filter": _("列表的条件已经不能用，请重新筛选后再导出"),
    "broken": _("试了几次都没有生成成功，请缩小范围再试，或联系系统管理员"),
}


def scope_export_jobs(staff: StaffAccount, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Her own: a file has what its account may see, which is more than others may."""
    return queryset.filter(staff_id=staff.pk)


@admin.register(ExportJob)
class ExportJobAdmin(OwnPage, ScopedReadOnlyAdmin):
    """The newest first."""

    list_display = ("list_name", "state_label", "progress", "asked", "kept")
    ordering = ("-pk",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may export has files here, and sees no others."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Head office too: the rights of the account that asked are in the file.
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(staff_id=request.user.pk)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/progress/", "core_export_progress", self.progress_view),
            ("<int:pk>/file/", "core_export_file", self.file_view),
        )

    @column(_("列表"))
    def list_name(self, row: ExportJob) -> str:
        return row.title

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: ExportJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("进度"))
    def progress(self, row: ExportJob) -> str:
        return progress_words(row)

    @column(_("请求时间"), ordering="asked_at")
    def asked(self, row: ExportJob) -> str:
        return when(row.asked_at)

    @column(_("保留到"), ordering="expires_at")
    def kept(self, row: ExportJob) -> str:
        return when(row.expires_at) if row.state == ExportState.DONE else "—"

    def row_page(self, request: HttpRequest, job: Any) -> HttpResponse:
        """The job's page, whatever its state."""
        context = {
            **self.admin_site.each_context(request),
            **_standing(job),
            "opts": self.opts,
            "original": job,
            "title": job.title,
        }
        return TemplateResponse(request, "admin/xiaoer/export_job.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        return TemplateResponse(
            request, "admin/xiaoer/_export_standing.html", _standing(self._job(request, pk))
        )

    def file_view(
        self, request: HttpRequest, pk: int, model_admin: Any = None
    ) -> HttpResponse | FileResponse:
        """The file, for who asked and still has the right; kept in the audit."""
        job = self._job(request, pk)
        page = page_of(job)
        if page is None or not page.has_export_permission(request):
            raise PermissionDenied
        path = path_of(job.stored_as)
        is_kept = (
            job.state == ExportState.DONE and job.expires_at is not None and job.expires_at > clock.now()
        )
        if not is_kept or not job.stored_as or not path.is_file():
            return self.no_subject(request, str(pk))
        audit.record(
            action="core.export_fetched", subject=job, actor=staff_actor(request), row_count=job.row_count
        )
        name = file_name(job.title, job.row_count)
        return FileResponse(path.open("rb"), as_attachment=True, filename=f"{name}.xlsx")

    def _job(self, request: HttpRequest, pk: int) -> ExportJob:
        job = self.subject(request, str(pk))
        if not isinstance(job, ExportJob):
            raise PermissionDenied
        return job


def progress_words(job: ExportJob) -> str:
    """How far it is."""
    if job.state != ExportState.WAITING:
        return _now("%(n)s 条") % {"n": thousands(job.row_count)}
    return _now("已写入 %(done)s / %(all)s 条") % {
        "done": thousands(job.done_count),
        # Of rows that are computed only about how many is known before.
        "all": thousands(max(job.row_count, job.done_count)),
    }


def _standing(job: ExportJob) -> dict[str, Any]:
    return {
        "job": job,
        "title": job.title,
        "words": progress_words(job),
        "percent": min(100, job.done_count * 100 // (job.row_count or 1)),
        "is_working": job.state == ExportState.WAITING,
        "is_done": job.state == ExportState.DONE,
        "fault": _FAULTS.get(job.fault, ""),
        "kept_until": when(job.expires_at),
        "list_url": reverse("admin:core_exportjob_changelist"),
    }
