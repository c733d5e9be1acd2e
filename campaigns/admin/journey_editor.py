"""The editor of journeys: a form that becomes JSON, with its picture beside it."""

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now

from campaigns.admin.journey_form import (
    begin_of,
    cards_of,
    do,
    draft_from_post,
    fault_lines,
    kept_of,
    step_menu,
)
from campaigns.admin.journey_kept import Kept
from campaigns.admin.segment_form import menu as rule_menu
from campaigns.contracts.acts import PLACEHOLDERS
from campaigns.contracts.faults import Fault
from campaigns.contracts.journeys import Definition
from campaigns.models import Journey, JourneyState
from campaigns.selectors import journeys as selectors
from campaigns.services import journeys
from core.admin import BaseAdmin, staff_actor
from core.errors import Refusal
from core.remembered import remembering

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

LIST: Final = "admin:campaigns_journey_changelist"
ROW: Final = "admin:campaigns_journey_change"
_NEW: Final = {
    "trigger": {"on": "moment", "with": {"event": "joined"}},
    "first": "s1",
    "steps": {"s1": {"kind": "wait", "with": {"amount": 1, "unit": "days", "at": "10:00"}}},
}


class JourneyEditor(_Base):
    """Mix into the admin of journeys, which opens a row (`open_row`) for who may change it."""

    @abc.abstractmethod
    def open_row(self, request: HttpRequest, pk: int) -> Journey:
        """The admin's own. Raises PermissionDenied."""

    @abc.abstractmethod
    def page(self, request: HttpRequest, name: str, context: Mapping[str, Any]) -> HttpResponse:
        """One of the journeys' templates."""

    def editor_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("preview/", "campaigns_journey_preview", self.preview_view),
            ("<int:pk>/edit/", "campaigns_journey_edit", self.edit_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new journey."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._edit(request, None)

    def edit_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The draft of one that is not over."""
        row = self.open_row(request, pk)
        if row.state == JourneyState.ENDED:
            raise PermissionDenied
        return self._edit(request, row)

    def _edit(self, request: HttpRequest, row: Journey | None) -> HttpResponse:
        if request.method != "POST":
            draft = _NEW if row is None else row.draft
            values = {"name": "", "note": "", "revision": 0}
            if row is not None:
                values = {"name": row.name, "note": row.note, "revision": row.revision}
            return self._editor(request, row, draft, values)
        draft = draft_from_post(request.POST)
        deed = request.POST.get("deed", "")
        if deed:
            return self._editor(request, row, do(draft, deed), request.POST)
        try:
            saved = self._save(request, row, draft)
        except Refusal as refusal:
            return self._editor(request, row, draft, request.POST, refusal)
        faults = selectors.find_definition(draft)[1]
        if faults:
            messages.warning(request, _now("已保存；还有 %(n)s 处要改，改好才能启用") % {"n": len(faults)})
            return HttpResponseRedirect(reverse("admin:campaigns_journey_edit", args=[saved]))
        messages.success(request, _now("已保存"))
        return HttpResponseRedirect(reverse(ROW, args=[saved]))

    def _save(self, request: HttpRequest, row: Journey | None, draft: Mapping[str, Any]) -> int:
        name, note = request.POST.get("name", ""), request.POST.get("note", "")
        actor = staff_actor(request)
        if row is None:
            return journeys.create_journey(name=name, note=note, draft=draft, actor=actor).pk
        typed = request.POST.get("revision", "")
        revision = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
        journeys.save_draft(
            journey_id=row.pk, revision=revision, name=name, note=note, draft=draft, actor=actor
        )
        return row.pk

    def _editor(
        self,
        request: HttpRequest,
        row: Journey | None,
        draft: Mapping[str, Any],
        values: Mapping[str, Any],
        refusal: Refusal | None = None,
    ) -> HttpResponse:
        context = {
            "title": _now("新建旅程") if row is None else _now("修改旅程：%(name)s") % {"name": row.name},
            "row": row,
            "values": {name: values.get(name, "") for name in ("name", "note", "revision")},
            "fault": "" if refusal is None else refusal.message,
            "menu": step_menu(),
            "rule_menu": rule_menu(),
            "places": [(code, str(label)) for code, (label, _default) in PLACEHOLDERS.items()],
            "back_url": reverse(LIST) if row is None else reverse(ROW, args=[row.pk]),
            **sight_of_draft(draft, kept_of(request.POST)),
        }
        return self.page(request, "editor", context)

    def preview_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The picture of what the form holds, and what is wrong with it."""
        if not (self.has_add_permission(request) or self.has_operate_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            raise PermissionDenied
        return self.page(request, "_preview", picture_of_draft(draft_from_post(request.POST)))


def sight_of_draft(draft: Mapping[str, Any], kept: Mapping[str, Kept]) -> dict[str, Any]:
    """The form's fields and cards, what is wrong, and the picture when nothing is."""
    with remembering():
        definition, faults = selectors.find_definition(draft)
        told = [{"path": fault.path, "code": fault.code, "words": fault.words} for fault in faults]
        return {
            "begin": begin_of(draft, told, kept),
            "cards": cards_of(draft, told, kept),
            "first": str(draft.get("first", "")),
            **_picture(draft, definition, faults),
        }


def picture_of_draft(draft: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong, and the picture when nothing is."""
    with remembering():
        return _picture(draft, *selectors.find_definition(draft))


def _picture(draft: Mapping[str, Any], definition: Definition | None, faults: list[Fault]) -> dict[str, Any]:
    return {
        "faults": fault_lines(draft, faults),
        "picture": None if definition is None else selectors.draw(definition, {}),
    }
