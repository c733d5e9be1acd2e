"""A filtered list as a workbook with real dates and numbers."""

import dataclasses
import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from core import audit, clock
from core.admin import BaseAdmin, staff_actor
from coupons.errors import TooManyChosen
from members.services.import_reading import safe_cells

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

MOST_ROWS: Final = 100_000
_CHUNK: Final = 2_000
Value = str | int | Decimal | dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """One column of the file: its heading, its width in signs, and its value of a row."""

    title: str | Promise
    width: int
    value: Callable[[Any], Value]


class Exports(_Base):
    """Mix into a list that may be downloaded as it is filtered. The right to is `export_<model>`."""

    list_before_template = "admin/xiaoer/coupons/list_tools.html"

    def export_columns(self, request: HttpRequest) -> Sequence[Sheet]:
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
            messages.error(request, TooManyChosen().message)
            return listed
        name = str(self.opts.verbose_name_plural)
        stream = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
        write_sheet(stream, name, self.export_columns(request), rows)
        audit.record(
            action=f"{self.opts.app_label}.{self.opts.model_name}_exported",
            subject=request.user,  # type: ignore[arg-type]
            actor=staff_actor(request),
            row_count=total,
        )
        stream.seek(0)
        day = clock.today()
        return FileResponse(
            stream, as_attachment=True, filename=f"{name}-{day:%Y%m%d}-{total}{_now('条')}.xlsx"
        )


def write_sheet(stream: IO[bytes], title: str, columns: Sequence[Sheet], rows: QuerySet[Any]) -> None:
    """The rows under a frozen head; times are Shanghai's, money is a number of yuan, no text is a formula."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns):
        sheet.column_dimensions[chr(ord("A") + place)].width = column.width
    head = [WriteOnlyCell(sheet, str(column.title)) for column in columns]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    for row in rows.iterator(chunk_size=_CHUNK):
        sheet.append([_cell(sheet, column.value(row)) for column in columns])
    book.save(stream)


def _cell(sheet: Any, value: Value) -> Any:
    if isinstance(value, str):
        return safe_cells([value])[0]
    if isinstance(value, dt.datetime):
        cell = WriteOnlyCell(sheet, value.astimezone(clock.SHANGHAI).replace(tzinfo=None))
        cell.number_format = "yyyy-mm-dd hh:mm"
        return cell
    if isinstance(value, Decimal):
        cell = WriteOnlyCell(sheet, value)
        cell.number_format = "#,##0.00"
        return cell
    return value


def yuan_of(fen: int) -> Decimal:
    """Fen as an exact number of yuan."""
    return Decimal(fen) / 100
