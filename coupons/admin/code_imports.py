"""A partner's codes from a file: what became of each line, and the bad ones back."""

import base64
import contextlib
import io
import itertools
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, Question, ask, bound_data, operation, staff_actor
from core.file_errors import FileHasNoRows
from core.tables import open_table
from core.uploads import drop_file, keep_file
from core.workbooks import safe_cells, write_rows
from coupons import services
from coupons.admin.batch_form import CodesForm

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

_MOST_BACK: Final = 5_000
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CodeImports(_Base):
    """Mix into the admin of batches."""

    @operation(_("导入券码"), icon="upload_file", path="codes")
    def import_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file, then a report; the file is not kept, so the bad lines come with the report."""
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        back_url = reverse("admin:coupons_couponbatch_change", args=[row.pk])

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            upload = cleaned["file"]
            with _kept(upload) as path:
                done = services.import_partner_codes(
                    batch_id=row.pk, lines=_codes(path), actor=staff_actor(request)
                )
                bad_file = _bad_file(path) if done.bad_lines else ""
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _now("导入合作方券码"),
                "batch": row,
                "done": done,
                "bad_count": len(done.bad_lines),
                "is_cut": len(done.bad_lines) > _MOST_BACK,
                "most_back": _MOST_BACK,
                "first_bad": "、".join(map(str, done.bad_lines[:10])),
                "bad_file": bad_file,
                "bad_name": f"{PurePath(upload.name).stem[:60]}-{_now('不能用的行')}.xlsx",
                "back_url": back_url,
            }
            return TemplateResponse(request, "admin/xiaoer/coupons/codes_done.html", context)

        question = Question(
            title=_now("导入合作方券码 · %(name)s") % {"name": row.name},
            submit=_("导入"),
            back_url=back_url,
            lines=[_now("每个券码成为一张可发的券；已有的券码不会重复导入，文件可以放心再传一次")],
        )
        form = CodesForm(bound_data(request), request.FILES or None)
        return ask(self, request, question, run, form=form, subject=row)


@contextlib.contextmanager
def _kept(upload: Any) -> Iterator[Path]:
    """The upload as a file of its own, gone afterwards."""
    stored_as, _digest = keep_file(upload)
    try:
        yield Path(settings.IMPORT_ROOT) / stored_as
    finally:
        drop_file(stored_as)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The first column; the first line too, for a list of codes has no headings, unless it says what it is."""
    with open_table(path) as table:
        if not any(_now("码") in text for text in table.headings):
            yield 1, table.headings[0]
        with contextlib.suppress(FileHasNoRows):
            for line, cells in table.rows:
                yield line, cells[0] if cells else ""


def _codes(path: Path) -> Iterator[str]:
    """Each code at the place of its line: what the service tells about are line numbers."""
    expected = 1
    for line, text in _lines(path):
        yield from itertools.repeat("", line - expected)
        yield text
        expected = line + 1


def _bad_file(path: Path) -> str:
    """A workbook of the lines that are no codes, as an address that holds it."""
    stream = io.BytesIO()
    write_rows(rows=_bad_rows(path), stream=stream, title=_now("不能用的行"))
    return f"data:{_XLSX};base64,{base64.b64encode(stream.getvalue()).decode()}"


def _bad_rows(path: Path) -> Iterator[list[str]]:
    yield [_now("行号"), _now("这一行的内容"), _now("原因")]
    bad = ((line, text, services.code_fault(text=text)) for line, text in _lines(path))
    told = ([str(line), *safe_cells([text[:200]]), fault] for line, text, fault in bad if fault)
    yield from itertools.islice(told, _MOST_BACK)
