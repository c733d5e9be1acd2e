"""The bulk issue desk: choose a batch and whom, look at the numbers, run; progress, pause, stop, and who got none."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, Final

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.admin import (
    ChoiceFilter,
    OwnPage,
    ScopedReadOnlyAdmin,
    column,
    name_actions,
    name_details,
    staff_actor,
    thousands,
    when,
)
from core.admin.questions import add_refusal
from core.codes import new_public_id
from core.errors import Refusal
from core.uploads import drop_file, keep_file
from core.workbooks import write_rows
from coupons import selectors, services
from coupons.admin.issue_form import FILTER, LIST, IssueForm, count_words
from coupons.contracts import IssueDraft, IssueProgress
from coupons.errors import ListMissing
from coupons.models import BatchState, IssueJob, JobState
from coupons.selectors.words import span_words
from members import selectors as member_selectors

name_actions(
    {
        "coupons.bulk_drafted": _("准备批量发券"),
        "coupons.bulk_started": _("开始批量发券"),
        "coupons.bulk_paused": _("暂停批量发券"),
        "coupons.bulk_continued": _("继续批量发券"),
        "coupons.bulk_stopped": _("停止批量发券"),
        "coupons.bulk_finished": _("批量发券完成"),
        "coupons.missed_exported": _("下载没有发到的名单"),
    }
)
name_details({"asked_count": _("应发人数"), "issued_count": _("已发张数")})
_COLOURS: Final = {
    "draft": "warning",
    "running": "info",
    "paused": "warning",
    "done": "success",
    "stopped": "danger",
}
_VERBS: Final[dict[str, Callable[..., IssueProgress]]] = {
    "confirm": services.confirm_issue_job,
    "pause": services.pause_issue_job,
    "continue": services.continue_issue_job,
    "stop": services.stop_issue_job,
}


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in JobState)


@admin.register(IssueJob)
class IssueJobAdmin(OwnPage, ScopedReadOnlyAdmin):
    """Bulk issues: head office sees all, others those of their own desk."""

    list_display = ("audience", "batch", "state_label", "progress", "missed", "started", "started_by")
    list_filter = (StateFilter,)
    list_select_related = ("batch",)
    search_fields = ("audience_words", "batch__name", "file_name")
    search_help_text = _("按发给谁、批次名称或名单文件查找")
    ordering = ("-pk",)

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: whoever has it gives coupons to all members of her part."""
        return bool(request.user.has_perm("coupons.add_issuejob"))

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        sums = selectors.sum_issue_jobs([row.pk for row in rows])
        for row in rows:
            row.done_count, row.issued_total = sums[row.pk]

    @column(_("发给谁"), ordering="audience_words")
    def audience(self, row: IssueJob) -> str:
        return row.audience_words or row.key

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: IssueJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("进度"))
    def progress(self, row: Any) -> str:
        if row.state == JobState.DRAFT:
            return _now("名单 %(asked)s 位，还没有发") % {"asked": thousands(row.asked_count)}
        return _now("已处理 %(done)s / %(asked)s，发出 %(issued)s 张") % {
            "done": thousands(row.done_count),
            "asked": thousands(row.asked_count),
            "issued": thousands(row.issued_total),
        }

    @column(_("没有发到"))
    def missed(self, row: Any) -> str:
        return thousands(row.done_count - row.issued_total) if row.done_count else "—"

    @column(_("时间"), ordering="started_at")
    def started(self, row: IssueJob) -> str:
        return when(row.started_at)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("count/", "coupons_issue_count", self.count_view),
            ("<int:pk>/progress/", "coupons_issue_progress", self.progress_view),
            ("<int:pk>/do/<slug:verb>/", "coupons_issue_do", self.do_view),
            ("<int:pk>/bad-lines/", "coupons_issue_bad_lines", self.bad_lines_view),
            ("<int:pk>/missed/", "coupons_issue_missed", self.missed_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose; the audience is frozen and its numbers follow on a page of their own. Nothing is issued yet."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        first = {"way": FILTER, "batch": request.GET.get("batch", "")}
        form = IssueForm(request.POST if posted else None, request.FILES if posted else None, initial=first)
        if posted and form.is_valid():
            try:
                return HttpResponseRedirect(_url("change", self._draft(request, form)))
            except Refusal as refusal:
                add_refusal(form, refusal)
        context = {
            "title": _("批量发券"),
            "form": form,
            "media": form.media,
            "form_key": request.POST.get("form_key") or new_public_id(),
            "fault_count": sum(map(len, form.errors.values())),
            "has_batches": len(form.fields["batch"].choices) > 1,  # type: ignore[attr-defined]
            **(count_words(request, form) if posted and not form.errors else {"is_open": True}),
        }
        return self._page(request, "issue_desk.html", context)

    def count_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """How many the form means as it stands; stores nothing."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IssueForm(request.POST)
        form.is_valid()
        return TemplateResponse(request, "admin/xiaoer/coupons/_issue_count.html", count_words(request, form))

    def row_page(self, request: HttpRequest, job: Any) -> HttpResponse:
        """The job's page, whatever its state."""
        context = {**self.below_form(request, job), **self._standing(request, job), "original": job}
        return self._page(request, "issue_job.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        job = self._job(request, pk)
        return TemplateResponse(
            request, "admin/xiaoer/coupons/_issue_standing.html", self._standing(request, job)
        )

    def do_view(self, request: HttpRequest, pk: int, verb: str, model_admin: Any = None) -> HttpResponse:
        """Confirm, pause, continue, stop: by POST only."""
        job = self._job(request, pk)
        run = _VERBS.get(verb)
        if run is None or request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        try:
            run(job_id=job.pk, actor=staff_actor(request))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(_url("change", pk))

    def bad_lines_view(
        self, request: HttpRequest, pk: int, model_admin: Any = None
    ) -> HttpResponse | FileResponse:
        """The lines of the list that are nobody, with the file's own cells and the reason."""
        job = self._job(request, pk)
        return self._file(
            request,
            job,
            services.bad_line_rows(job_id=job.pk),
            f"{PurePath(job.file_name).stem}-{_now('没认出的')}",
        )

    def missed_view(
        self, request: HttpRequest, pk: int, model_admin: Any = None
    ) -> HttpResponse | FileResponse:
        """Who got none, of those whom the account sees, with the reason."""
        job = self._job(request, pk)
        rows = services.list_missed(job_id=job.pk, staff=request.user)  # type: ignore[arg-type]
        return self._file(request, job, rows, f"{job.batch.name}-{_now('没有发到的')}")

    def _file(
        self, request: HttpRequest, job: IssueJob, rows: Iterator[list[str]], name: str
    ) -> HttpResponse | FileResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        stream = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
        try:
            write_rows(rows=rows, stream=stream, title=_now("名单"))
        except Refusal as refusal:
            stream.close()
            messages.error(request, refusal.message)
            return HttpResponseRedirect(_url("change", job.pk))
        audit.record(action="coupons.missed_exported", subject=job, actor=staff_actor(request))
        stream.seek(0)
        return FileResponse(stream, as_attachment=True, filename=f"{name}.xlsx")

    def _draft(self, request: HttpRequest, form: IssueForm) -> int:
        """The audience of the form, frozen. A list is kept for its bad lines and deleted after some days."""
        key, actor = f"desk:{request.POST.get('form_key', '')[:16]}", staff_actor(request)
        known = IssueJob.objects.filter(key=key, staff_id=request.user.pk).first()
        if known is not None:
            return known.pk
        staff: Any = request.user
        batch_id = form.cleaned_data["batch"]
        if form.cleaned_data["way"] != LIST:
            draft = IssueDraft(audience_words=selectors.audience_words(form.audience()))
            ids = selectors.audience_ids(form.audience(), staff)
            return services.draft_issue_job(
                batch_id=batch_id, member_ids=ids, key=key, draft=draft, actor=actor
            ).job_id
        upload = form.cleaned_data["file"]
        if upload is None:
            raise ListMissing(field="file")
        stored_as, _digest = keep_file(upload)
        try:
            listed = services.read_issue_list(path=Path(settings.IMPORT_ROOT) / stored_as, staff=staff)
            draft = IssueDraft(
                audience_words=_now("名单 %(name)s") % {"name": upload.name[-80:]},
                file_name=upload.name,
                stored_as=stored_as,
                bad_lines=listed.bad_lines,
            )
            job_id = services.draft_issue_job(
                batch_id=batch_id, member_ids=listed.member_ids, key=key, draft=draft, actor=actor
            ).job_id
        except Refusal as refusal:
            drop_file(stored_as)
            refusal.details.setdefault("field", "file")
            raise
        if not IssueJob.objects.filter(pk=job_id, stored_as=stored_as).exists():
            drop_file(stored_as)  # the same form was sent twice at once, and the other was first
        return job_id

    def _job(self, request: HttpRequest, pk: int) -> IssueJob:
        """The job, for who sees it; any other answer would tell which jobs there are."""
        job = self.subject(request, str(pk))
        if not isinstance(job, IssueJob) or not self.has_view_permission(request, job):
            raise PermissionDenied
        return job

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/coupons/{template}", whole)

    def _standing(self, request: HttpRequest, job: IssueJob) -> dict[str, Any]:
        progress = selectors.get_issue_progress(job.pk)
        pace = selectors.get_issue_pace(job.pk, clock.now())
        return {
            "title": job.audience_words or job.key,
            "job": job,
            "progress": progress,
            "percent": min(100, progress.done_count * 100 // (progress.asked_count or 1)),
            "is_working": progress.state == "running",
            "waits_for_batch": progress.state == "running" and job.batch.state == BatchState.PAUSED,
            "rate": round(pace.rate),
            "time_left": span_words(pace.seconds_left),
            "may_issue": self.has_add_permission(request),
            "stop_words": _stop_words(progress.stop_reason),
            "reasons": [
                (services.missed_words(reason=reason), count)
                for reason, count in sorted(progress.refused.items())
            ],
            "missed_count": sum(progress.refused.values()),
            "bad_line_count": len(job.bad_lines),
            "bad_reasons": _bad_reasons(job),
            "finished": when(job.finished_at),
            **(_draft_numbers(job) if progress.state == "draft" else {}),
        }


def _url(page: str, *args: int) -> str:
    return reverse(f"admin:coupons_issuejob_{page}", args=args)


def _stop_words(reason: str) -> str:
    if not reason:
        return ""
    return _now("您或同事停止了它") if reason == "by_staff" else services.missed_words(reason=reason)


def _bad_reasons(job: IssueJob) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for code in job.bad_lines.values():
        counts[code] = counts.get(code, 0) + 1
    return [(services.line_words(code=code), count) for code, count in sorted(counts.items())]


def _draft_numbers(job: IssueJob) -> dict[str, Any]:
    """What will happen, before anybody presses the button."""
    served = selectors.count_job_served(job.pk)
    left = selectors.sum_batch(job.batch_id).remaining_count
    cards = member_selectors.list_member_cards(selectors.list_first_members(job.pk))
    return {
        "served": served,
        "left": left,
        "expected": max(0, min(job.asked_count - served, left)),
        "short": max(0, job.asked_count - served - left),
        "sample": [
            (_masked(card.display_name), card.masked_phone or "—", card.code) for card in cards.values()
        ],
    }


def _masked(name: str) -> str:
    return name if len(name) < 2 or " " in name else name[0] + "＊" * (len(name) - 1)
