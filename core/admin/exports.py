"""A filtered list as a workbook with real dates and numbers: a short one at once, a long one from `export_jobs`."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now

from core import audit, clock
from core.admin.base import BaseAdmin
from core.admin.questions import staff_actor
from core.models import ExportJob, ExportState
from core.workbooks import Kind, Sheet, safe_cells, workbook_answer

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

# A sheet holds 1,048,576 lines.
MOST_ROWS: Final = 1_000_000
# So many are answered at once; more are built in the background.
AT_ONCE: Final = 5_000
CHUNK: Final = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: its heading, its value of a row, and what kind of value that is."""

    title: str | Promise
    value: Callable[[Any], Any]
    kind: Kind = "text"


class Rows(Protocol):
    """The rows of a file."""

    def count(self) -> int:
        """How many, or about how many; at most one more than MOST_ROWS."""

    def __iter__(self) -> Iterator[Any]: ...


class ListedRows:
    """The rows that the list shows, read piece by piece."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self._rows = rows

    def count(self) -> int:
        """Exactly."""
        return self._rows.order_by()[: MOST_ROWS + 1].count()

    def __iter__(self) -> Iterator[Any]:
        return self._rows.iterator(chunk_size=CHUNK)


class Exports(_Base):
    """Mix into a list that may be downloaded as it is filtered. The right to is `export_<model>`."""

    list_before_template = "admin/xiaoer/list_tools.html"

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        """The columns; what the account may not see in the list is not in the file either."""
        return ()

    def export_rows(self, request: HttpRequest) -> "Rows":
        """What goes into the file. Raises IncorrectLookupParameters where the address' filters cannot be used."""
        return ListedRows(self.get_changelist_instance(request).get_queryset(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.export_{self.opts.model_name}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        url = f"{reverse(page)}?{request.GET.urlencode()}" if self.has_export_permission(request) else ""
        return super().changelist_view(request, {"export_url": url, **(extra_context or {})})

    def export_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse | FileResponse:
        """The list as the address filters it. Kept in the audit: who, and how many rows. Refuses too many."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        listed = HttpResponseRedirect(
            f"{reverse(f'admin:{self.opts.app_label}_{self.opts.model_name}_changelist')}?{request.GET.urlencode()}"
        )
        try:
            rows = self.export_rows(request)
        except IncorrectLookupParameters:
            return listed
        total = rows.count()
        if total > MOST_ROWS:
            messages.error(
                request, _now("一次最多导出 %(most)s 条，请先用条件缩小范围") % {"most": f"{MOST_ROWS:,}"}
            )
            return listed
        if total > AT_ONCE:
            return self._ask_for_file(request, total)
        answer = workbook_answer(
            name=file_name(self.opts.verbose_name_plural, total),
            sheets=[list_sheet(self, request, rows)],
        )
        self.note_export(request, total)
        return answer

    def note_export(self, request: HttpRequest, total: int) -> None:
        """Kept in the audit: who, and how many rows."""
        audit.record(
            action=f"{self.opts.app_label}.{self.opts.model_name}_exported",
            subject=request.user,  # type: ignore[arg-type]
            actor=staff_actor(request),
            row_count=total,
        )

    def _ask_for_file(self, request: HttpRequest, total: int) -> HttpResponse:
        """A worker builds it; asked twice for the same while it waits, it is one job."""
        job, _is_new = ExportJob.objects.get_or_create(
            staff_id=request.user.pk,
            listed=self.opts.label_lower,
            query=request.GET.urlencode()[:2_000],
            state=ExportState.WAITING,
            defaults={"row_count": total, "asked_at": clock.now()},
        )
        return HttpResponseRedirect(reverse("admin:core_exportjob_change", args=[job.pk]))


def file_name(title: Any, count: int) -> str:
    """What the file is called, without its ending."""
    return f"{title}-{clock.today():%Y%m%d}-{count}{_now('条')}"


def list_sheet(page: Exports, request: HttpRequest, rows: Iterable[Any]) -> Sheet:
    """The rows in the columns that the account may see."""
    columns = page.export_columns(request)
    heads = [(str(column.title), column.kind) for column in columns]
    return Sheet(str(page.opts.verbose_name_plural), heads, (_line(columns, row) for row in rows))


def _line(columns: Sequence[Column], row: Any) -> list[Any]:
    """The row's values; a text stays text in whatever the file is saved as next, a CSV too."""
    values = [column.value(row) for column in columns]
    return [safe_cells([value])[0] if isinstance(value, str) else value for value in values]
