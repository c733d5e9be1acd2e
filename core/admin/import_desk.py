"""The import desk: upload, map, check, run; progress, results and bad rows back. One for every sort of import."""

import abc
import dataclasses
from pathlib import PurePath
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.actor import Actor
from core.admin.base import ReadOnlyAdmin
from core.admin.filters import ChoiceFilter
from core.admin.formats import thousands, when
from core.admin.forms import DressedForm
from core.admin.own_page import OwnPage
from core.admin.questions import add_refusal, staff_actor
from core.admin.unfolded import Text, column
from core.errors import Refusal
from core.file_errors import FileGone
from core.imports.contracts import FileCard
from core.imports.life import ImportLife
from core.imports.models import MAPPABLE, WORKING, AbstractImportJob, ImportState
from core.imports.progress import list_bad_counts
from core.imports.reading import bad_rows, preview
from core.uploads import error_workbook

_COLOURS: Final = {
    "uploaded": "warning", "checking": "info", "checked": "warning", "running": "info", "paused": "warning",
    "finished": "success", "stopped": "danger", "failed": "danger",
}  # fmt: skip
_VERBS: Final = ("start", "pause", "resume", "stop", "forget")
_PAGES: Final = ("preview", "map", "progress", "do", "errors")
# Number, words, and whether somebody should look.
TileLine = tuple[int, Text, bool]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeskWords:
    """What a desk calls things. Places: %(done)s and %(total)s in what is counted; %(rate)s a second, %(left)s in words."""

    title: Text  # of the page where a file is chosen
    choose: Text
    about_files: tuple[Text, ...]
    unwritten: Text  # while a file is checked
    amount: Text  # done of total
    pace: Text
    start: Text  # the button
    kept: Text  # while it rests
    cleared: Text  # after a failure
    unusable: Text  # a checked file of which nothing can be imported
    finished: Text
    stopped: Text
    ask_stop: Text
    ask_forget: Text

    def said_of(self, card: FileCard[Any]) -> dict[str, str]:
        """The sentences about one import."""
        values = {
            "done": thousands(card.done_count),
            "total": thousands(card.total_count),
            "rate": f"{card.rate:,.0f}",
            "left": _time_words(card.seconds_left),
        }
        spoken = (field.name for field in dataclasses.fields(self) if field.name != "about_files")
        return {name: str(getattr(self, name)) % values for name in spoken}


class UploadForm(DressedForm):
    """The file; what may be wrong with it, the service says."""

    file = forms.FileField(
        label=_("文件"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"})
    )


class OptionsForm(DressedForm):
    """What a person chooses beside the columns; `offered` has what a field's text may be completed with, by the id
    that its `list` names."""

    offered: dict[str, list[str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = {}


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ImportState)


class ImportDesk(OwnPage, ReadOnlyAdmin):
    """Imports of the whole chain, for accounts with the right to add them; one page for each of their states."""

    life: ClassVar[ImportLife[Any, Any]]
    words: ClassVar[DeskWords]
    failures: ClassVar[dict[str, Any]]  # sentences of refusals, by code
    upload_form: ClassVar[type[DressedForm]] = UploadForm
    options_form: ClassVar[type[OptionsForm]]

    list_display: Any = ("file_name", "state_label", "done_words", "bad_words", "created_by", "uploaded")
    list_filter = (StateFilter,)
    list_select_related = ("created_by",)
    search_fields = ("file_name",)
    search_help_text = _("按文件名查找")
    ordering = ("-pk",)

    @abc.abstractmethod
    def card(self, job_id: int) -> FileCard[Any]:
        """How the import stands."""

    @abc.abstractmethod
    def earlier(self, job_id: int) -> FileCard[Any] | None:
        """The newest import of the very same file that wrote something."""

    @abc.abstractmethod
    def checking_words(self, card: Any) -> str:
        """How far the check is."""

    @abc.abstractmethod
    def tiles(self, card: Any) -> list[TileLine]:
        """What would come of a checked file, or came of it."""

    def subtitle(self, card: Any) -> str:
        """What else tells the file from others."""
        return ""

    def more_links(self, card: Any) -> list[tuple[str, str]]:
        """Address and words of what there is to do beside running it."""
        return []

    def upload(self, told: dict[str, Any], actor: Actor) -> int:
        """The job of an uploaded file."""
        return self.life.upload(stream=told["file"], file_name=told["file"].name, actor=actor)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right of its own: who has it brings data of the whole chain into the system."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("created_by")

    @column(_("状态"), labels=_COLOURS)
    def state_label(self, row: AbstractImportJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已处理"))
    def done_words(self, row: AbstractImportJob) -> str:
        return f"{thousands(row.done_count)} / {thousands(row.total_count)}"

    @column(_("有问题的行"))
    def bad_words(self, row: AbstractImportJob) -> str:
        return thousands(row.bad_count) if row.bad_count else "—"

    @column(_("上传时间"), ordering="created_at")
    def uploaded(self, row: AbstractImportJob) -> str:
        return when(row.created_at)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        name = self.life.sort.name.replace(".", "_")
        return (
            ("<int:pk>/preview/", f"{name}_preview", self.preview_view),
            ("<int:pk>/map/", f"{name}_map", self.map_view),
            ("<int:pk>/progress/", f"{name}_progress", self.progress_view),
            ("<int:pk>/do/<slug:verb>/", f"{name}_do", self.do_view),
            ("<int:pk>/errors/", f"{name}_errors", self.errors_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take the file; the mapping page follows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.upload_form(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._desk(self.upload(form.cleaned_data, staff_actor(request)))
            except Refusal as refusal:
                field = refusal.details.get("field")
                form.add_error(field if field in form.fields else "file", refusal.message)
        context = {"title": self.words.title, "words": self.words, "form": form, "media": form.media}
        return self.page(
            request, "admin/xiaoer/import_upload.html", {**context, "back_url": self._list_url()}
        )

    def row_page(self, request: HttpRequest, job: Any) -> HttpResponse:
        """The job's page, whatever its state."""
        if job.state in MAPPABLE and (job.state == ImportState.UPLOADED or "map" in request.GET):
            return self._mapping_page(request, job, job.mapping)
        context = {**self._standing(request, job), **self.below_form(request, job), "original": job}
        return self.page(request, "admin/xiaoer/import_desk.html", context)

    def map_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The mapping is stored and the file checked; a refusal shows the page again with all that was chosen."""
        job = self.job(request, pk)
        chosen = self._chosen(request, len(job.headings))
        try:
            self.life.map(job_id=pk, mapping=chosen, actor=staff_actor(request))
        except self.life.sort.mapping_unusable as refusal:
            return self._mapping_page(request, job, chosen, refusal)
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return self._desk(pk)

    def preview_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The table of columns as the choices on the page would read them; stores nothing."""
        job = self.job(request, pk)
        context = self._columns(job, self._chosen(request, len(job.headings)))
        return TemplateResponse(request, "admin/xiaoer/_import_columns.html", context)

    def progress_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a worker is at it."""
        job = self.subject(request, str(pk))
        if job is None or not self.has_view_permission(request, job):
            raise PermissionDenied
        return TemplateResponse(request, "admin/xiaoer/_import_standing.html", self._standing(request, job))

    def do_view(self, request: HttpRequest, pk: int, verb: str, model_admin: Any = None) -> HttpResponse:
        """Start, pause, resume, stop, forget: by POST only."""
        self.job(request, pk)
        if verb not in _VERBS or request.method != "POST":
            raise PermissionDenied
        try:
            getattr(self.life, verb)(job_id=pk, actor=staff_actor(request))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return self._desk(pk)

    def errors_view(
        self, request: HttpRequest, pk: int, model_admin: Any = None
    ) -> HttpResponse | FileResponse:
        """The bad rows as a workbook: the file's own columns, then the line and the reasons. Only for whoever sent the
        file, for its phones stand in it as they were written."""
        job = self.job(request, pk)
        if not _has_sent(request, job):
            raise PermissionDenied
        try:
            stream = error_workbook(bad_rows(self.life.sort, job))
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return self._desk(pk)
        name = f"{PurePath(job.file_name).stem}-{_now('有问题的行')}.xlsx"
        return FileResponse(stream, as_attachment=True, filename=name)

    def job(self, request: HttpRequest, pk: int) -> AbstractImportJob:
        """The job, for who may import; any other answer would tell which jobs there are."""
        job = self.subject(request, str(pk)) if self.has_add_permission(request) else None
        if not isinstance(job, AbstractImportJob):
            raise PermissionDenied
        return job

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        """One page of the desk."""
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, whole)

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _desk(self, pk: int) -> HttpResponse:
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[pk]))

    def _about(self, request: HttpRequest, job: AbstractImportJob) -> dict[str, Any]:
        """What every page of one job is given."""
        name = self.life.sort.name.replace(".", "_")
        return {
            "title": job.file_name,
            "subject": job,
            "may_import": self.has_add_permission(request),
            "has_sent": _has_sent(request, job),
            "names": {page: f"admin:{name}_{page}" for page in _PAGES},
            "list_url": self._list_url(),
        }

    def _standing(self, request: HttpRequest, job: AbstractImportJob) -> dict[str, Any]:
        card = self.card(job.pk)
        sort = self.life.sort
        tiles = [] if card.state in {"checking", "failed"} else self.tiles(card)
        return {
            **self._about(request, job),
            "job": card,
            "said": self.words.said_of(card),
            "subtitle": self.subtitle(card),
            "checking_words": self.checking_words(card),
            "is_working": card.state in WORKING,
            "percent": min(100, card.done_count * 100 // (card.total_count or 1)),
            "failure_words": self.failures.get(card.failure, card.failure),
            "tiles": [(thousands(number), words, alarms and number > 0) for number, words, alarms in tiles],
            "links": self.more_links(card),
            "bad_reasons": [
                (sort.reason_words(job, reason), count)
                for reason, count in list_bad_counts(sort.problems(job))
            ],
            "earlier": self.earlier(job.pk) if card.state == "checked" else None,
        }

    def _mapping_page(
        self,
        request: HttpRequest,
        job: AbstractImportJob,
        mapping: dict[str, Any],
        refusal: Refusal | None = None,
    ) -> HttpResponse:
        form = self.options_form(initial=mapping)
        if refusal is not None:
            form = self.options_form(mapping)
            form.is_valid()
            add_refusal(form, refusal)
        try:
            columns = self._columns(job, mapping)
        except FileGone as gone:
            messages.error(request, gone.message)
            return HttpResponseRedirect(self._list_url())
        context = {**self._about(request, job), **columns, "form": form, "media": form.media}
        return self.page(request, "admin/xiaoer/import_mapping.html", context)

    def _columns(self, job: AbstractImportJob, mapping: dict[str, Any]) -> dict[str, Any]:
        sort = self.life.sort
        return {
            "job_id": job.pk,
            "columns": preview(sort, job, columns=mapping.get("columns") or {}),
            "targets": [("", _("不导入")), *sort.targets(job).items()],
        }

    def _chosen(self, request: HttpRequest, width: int) -> dict[str, Any]:
        """The choices on the page, as the service takes them."""
        sent = request.POST
        chosen: dict[str, Any] = {
            name: name in sent if isinstance(field, forms.BooleanField) else sent.get(name, "")
            for name, field in self.options_form.base_fields.items()
        }
        chosen["columns"] = {
            str(place): sent[f"column_{place}"] for place in range(width) if sent.get(f"column_{place}")
        }
        return chosen


def _time_words(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return _now("不到 1 分钟")
    return _now("大约 %(n)s 分钟") % {"n": -(-seconds // 60)}


def _has_sent(request: HttpRequest, job: AbstractImportJob) -> bool:
    """Whether this account uploaded the file."""
    return job.created_by_id is not None and job.created_by_id == request.user.pk
