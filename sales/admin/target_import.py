"""Targets from a table: looked at first, then taken, without choosing the file a second time."""

import datetime as dt
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.admin import staff_actor
from core.admin.forms import DressedForm
from core.errors import Refusal
from core.workbooks import workbook_answer
from sales.admin.target_rows import Sight, target_sheets
from sales.admin.words import month_words
from sales.contracts import TargetKey
from sales.errors import TargetFileUnusable
from sales.services.target_files import (
    TargetFile,
    TargetTable,
    import_targets,
    open_target_table,
    read_target_table,
)

_SALT: Final = "sales.targets"
_KEPT_FOR: Final = dt.timedelta(hours=1)
# Of what one request may carry (DATA_UPLOAD_MAX_MEMORY_SIZE): a longer table is chosen again.
_MOST_KEPT: Final = 3 * 1024 * 1024
_SHOWN: Final = 50


class FileForm(DressedForm):
    file = forms.FileField(
        label=_("文件"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"})
    )


class TargetImports:
    """The page of the import; the table goes with the page, signed, from its check to its import."""

    may_set: Any
    _month: Any
    _sight: Any
    _back: Any
    _page: Any

    def import_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponseBase:
        """Look at a table first, then take it; bad rows go back as a file."""
        if not self.may_set(request):
            raise PermissionDenied
        month_on = self._month(request)
        sight = self._sight(request, month_on)
        kept = request.POST.get("kept", "") if not request.FILES else ""
        form = FileForm(None if kept else request.POST or None, request.FILES or None)
        context: dict[str, Any] = {}
        if kept or (request.method == "POST" and form.is_valid()):
            try:
                table = _unpack(kept) if kept else open_target_table(stream=form.cleaned_data["file"])
                file = read_target_table(table=table, visible=sight.visible, metric=sight.unit.metric)
                if (answer := self._answer(request, month_on, sight, file)) is not None:
                    return answer
                context = _found(file, sight) | {"kept": _pack(table)}
            except Refusal as refusal:
                if kept:
                    messages.error(request, refusal.message)
                else:
                    form.add_error("file", refusal.message)
        page: HttpResponse = self._page(
            request,
            "target_import",
            title=_now("导入%(what)s目标 · %(month)s")
            % {"what": sight.unit.label, "month": month_words(month_on)},
            unit=sight.unit,
            form=form,
            media=form.media,
            back_url=f"{reverse('admin:sales_target_changelist')}?month={month_on:%Y-%m}{sight.unit.query}",
            **context,
        )
        return page

    def _answer(
        self, request: HttpRequest, month_on: dt.date, sight: Sight, file: TargetFile
    ) -> HttpResponseBase | None:
        """The bad rows, or the list once the targets are set; None where the table is only to be looked at."""
        if "bad" in request.POST:
            rows = [[*one.cells, str(one.line), one.reason] for one in file.bad_rows]
            return workbook_answer(
                name=_now("目标导入_有问题的行"), sheets=target_sheets(file.headings, rows)
            )
        if "save" not in request.POST:
            return None
        count = import_targets(
            month_on=month_on, file=file, metric=sight.unit.metric, actor=staff_actor(request)
        )
        messages.success(request, _now("已导入，%(n)s 个目标有变化") % {"n": count})
        back: HttpResponse = self._back(month_on, None, sight.unit)
        return back


def _found(file: TargetFile, sight: Sight) -> dict[str, Any]:
    named: list[tuple[TargetKey, int | None]] = [(one.key, one.value) for one in file.entries[:_SHOWN]]
    return {
        "good": [(sight.name_of(key), sight.unit.say(value)) for key, value in named],
        "good_count": len(file.entries),
        "good_more": max(0, len(file.entries) - _SHOWN),
        "bad": [(one.line, " · ".join(one.cells), one.reason) for one in file.bad_rows[:_SHOWN]],
        "bad_count": len(file.bad_rows),
        "bad_more": max(0, len(file.bad_rows) - _SHOWN),
        "is_checked": True,
    }


def _pack(table: TargetTable) -> str:
    """Empty for a table that is too long to go with the page."""
    text = signing.dumps([table.headings, table.rows], salt=_SALT, compress=True)
    return text if len(text) <= _MOST_KEPT else ""


def _unpack(text: str) -> TargetTable:
    try:
        headings, rows = signing.loads(text, salt=_SALT, max_age=_KEPT_FOR)
    except signing.BadSignature as error:
        raise TargetFileUnusable(_now("检查过的表已经过期，请再选一次文件")) from error
    return TargetTable(tuple(headings), tuple((line, tuple(cells)) for line, cells in rows))
