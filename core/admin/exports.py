"""A filtered list as a workbook with real dates and numbers."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

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
from core.workbooks import Kind, Sheet, safe_cells, workbook_answer

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

MOST_ROWS: Final = 100_000
_CHUNK: Final = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: its heading, its value of a row, and what kind of value that is."""

    title: str | Promise
    value: Callable[[Any], Any]
    kind: Kind = "text"


class Exports(_Base):
    """Mix into a list that may be downloaded as it is filtered. The right to is `export_<model>`."""

    list_before_template = "admin/xiaoer/list_tools.html"

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        """The columns; what the account may not see in the list is not in the file either."""
        return ()

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
            rows: QuerySet[Any] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return listed
        total = rows.order_by()[: MOST_ROWS + 1].count()
        if total > MOST_ROWS:
            messages.error(
                request, _now("一次最多导出 %(most)s 条，请先用条件缩小范围") % {"most": f"{MOST_ROWS:,}"}
            )
            return listed
        name = str(self.opts.verbose_name_plural)
        columns = self.export_columns(request)
        sheet = Sheet(
            name,
            [(str(column.title), column.kind) for column in columns],
            (_line(columns, row) for row in rows.iterator(chunk_size=_CHUNK)),
        )
        answer = workbook_answer(name=f"{name}-{clock.today():%Y%m%d}-{total}{_now('条')}", sheets=[sheet])
        audit.record(
            action=f"{self.opts.app_label}.{self.opts.model_name}_exported",
            subject=request.user,  # type: ignore[arg-type]
            actor=staff_actor(request),
            row_count=total,
        )
        return answer


def _line(columns: Sequence[Column], row: Any) -> list[Any]:
    """The row's values; a text stays text in whatever the file is saved as next, a CSV too."""
    values = [column.value(row) for column in columns]
    return [safe_cells([value])[0] if isinstance(value, str) else value for value in values]
