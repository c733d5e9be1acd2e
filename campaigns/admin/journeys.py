"""自动化旅程: the list with its numbers, a journey as a graph, the editor, and who is where in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.enrolments import journey_why
from campaigns.admin.journey_deeds import JourneyDeeds, draft_changes
from campaigns.admin.journey_editor import JourneyEditor
from campaigns.admin.journey_form import fault_lines
from campaigns.contracts.journeys import JourneyNumbers, StepNumbers
from campaigns.models import Enrolment, Journey, JourneyState, JourneyVersion
from campaigns.selectors import journeys as selectors
from core.admin import (
    ChoiceFilter,
    Column,
    Exports,
    OwnPage,
    ReadOnlyAdmin,
    column,
    thousands,
    when,
)
from core.remembered import remembering

_MEMBERS: Final = "admin:campaigns_enrolment_changelist"
_SHOWN: Final = 20
_LONGEST: Final = 40
_COLOURS: Final = {"draft": "", "running": "success", "paused": "warning", "ended": ""}


class JourneyStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in JourneyState)


@admin.register(Journey)
class JourneyAdmin(JourneyDeeds, JourneyEditor, OwnPage, Exports, ReadOnlyAdmin):
    """Journeys are the chain's; members in them are shown by what each account sees."""

    list_display = ("name", "state_label", "begins", "live", "entered", "achieved", "parked", "started")
    list_filter = (JourneyStateFilter,)
    search_fields = ("name", "note")
    search_help_text = _("按名称或说明查找")
    ordering = ("-pk",)
    actions_list = ("install",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("campaigns.add_journey"))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("export/", "campaigns_journey_export", self.export_view),
            *self.editor_urls(),
            *self.deed_urls(),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("version")

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """The numbers of a page are read together."""
        numbers = selectors.journey_numbers([row.pk for row in rows])
        for row in rows:
            row.numbers = numbers[row.pk]

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Journey) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("怎样开始"))
    def begins(self, row: Journey) -> str:
        return _begins(row.draft if row.version is None else row.version.definition)

    @column(_("在途"))
    def live(self, row: Any) -> str:
        return thousands(row.numbers.live_count)

    @column(_("进入"))
    def entered(self, row: Any) -> str:
        return thousands(row.numbers.entered_count)

    @column(_("达成目标"))
    def achieved(self, row: Any) -> str:
        return thousands(row.numbers.achieved_count)

    @column(_("出错停住"))
    def parked(self, row: Any) -> str:
        return thousands(row.numbers.failed_count)

    @column(_("启用时间"), ordering="started_at")
    def started(self, row: Journey) -> str:
        return when(row.started_at)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        def number(name: str) -> Any:
            return lambda row: getattr(_numbers(row), name)

        return (
            Column(_("名称"), lambda row: row.name),
            Column(_("状态"), lambda row: str(row.get_state_display())),
            Column(_("怎样开始"), self.begins),
            Column(_("进入"), number("entered_count")),
            Column(_("在途"), number("live_count")),
            Column(_("走完"), number("done_count")),
            Column(_("达成目标"), number("achieved_count")),
            Column(_("退出"), number("exited_count")),
            Column(_("出错停住"), number("failed_count")),
        )

    # A journey's page ------------------------------------------------------------------------------------------

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Its graph with live numbers; of a chosen step who is there."""
        with remembering():
            return self.page(request, "journey", self._sight(request, row))

    def _sight(self, request: HttpRequest, row: Journey) -> dict[str, Any]:
        versions = list(JourneyVersion.objects.filter(journey=row).order_by("-number"))
        version = _chosen(versions, request.GET.get("version", "")) or row.version
        definition, faults = selectors.find_definition(row.draft) if version is None else (None, [])
        if version is not None:
            definition = selectors.definition_of(version.definition)
        of_steps = {} if version is None else selectors.step_numbers(version.pk)
        of_all = _numbers(row)
        may_change = self.has_operate_permission(request)
        is_newer = row.version is not None and _differs(row)
        return {
            **self.below_form(request, row),
            "title": row.name,
            "row": row,
            "original": row,
            "state": str(row.get_state_display()),
            "numbers": of_all,
            "version": version,
            "versions": versions,
            "is_current": version is None or version.pk == row.version_id,
            "is_draft_newer": is_newer,
            "changes": draft_changes(row) if is_newer else None,
            "gift": self.gift_of(row) if may_change else None,
            "may_copy": request.user.has_perm("campaigns.add_journey"),
            **(self.coupon_help(request) if may_change else {}),
            "picture": None if definition is None else selectors.draw(definition, of_steps),
            "faults": fault_lines(row.draft, faults),
            "step": self._step(request, version, definition, of_steps),
            "again": None if definition is None else definition.re_entry,
            "may_change": may_change and row.state != JourneyState.ENDED,
            "deeds": _deeds(row) if may_change and not faults else (),
            "may_see_members": request.user.has_perm("campaigns.view_enrolment"),
            "parked": of_all.failed_count if may_change else 0,
            "look_fault": journey_why(row.fault),
            "look_again": when(row.look_after),
        }

    def _step(
        self, request: HttpRequest, version: Any, definition: Any, of_steps: Mapping[str, StepNumbers]
    ) -> dict[str, Any] | None:
        """What the chosen step does, how many went which way, and some of who are there, of those whom the account sees."""
        name = request.GET.get("step", "")
        if version is None or definition is None or name not in definition.steps:
            return None
        numbers = of_steps.get(name) or StepNumbers()
        text = " ".join(request.GET.get("q", "").replace("\0", "").split())[:_LONGEST]
        return {
            "name": name,
            "words": selectors.step_words(definition, name),
            "here_count": numbers.here_count,
            "failed_count": numbers.failed_count,
            "ways": [
                (selectors.way_words(definition, name, way), count)
                for way, count in sorted(numbers.ways.items())
            ],
            "text": text,
            "all_url": f"{reverse(_MEMBERS)}?{urlencode({'at': f'{version.pk}.{name}'})}",
            **self._who_is_there(request, version, name, text),
        }

    def _who_is_there(self, request: HttpRequest, version: Any, name: str, text: str) -> dict[str, Any]:
        """Some of who are at a step, the first to go on first; those whom the words mean."""
        if not request.user.has_perm("campaigns.view_enrolment"):
            return {"rows": [], "has_more": False}
        enrolments: Any = admin.site.get_model_admin(Enrolment)
        rows = Enrolment.objects.live().filter(version=version, step=name)
        seen = enrolments.get_queryset(request).filter(pk__in=rows.values("pk"))
        if text:
            seen = enrolments.found_by(seen, text)
        found = enrolments.lines(seen.order_by("due_at", "pk")[: _SHOWN + 1])
        return {"rows": found[:_SHOWN], "has_more": len(found) > _SHOWN}

    def open_row(self, request: HttpRequest, pk: int) -> Journey:
        row = self.subject(request, str(pk))
        if not isinstance(row, Journey) or not self.has_operate_permission(request):
            raise PermissionDenied
        return row

    def page(self, request: HttpRequest, name: str, context: Mapping[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/journeys/{name}.html", whole)


def _begins(kept: Mapping[str, Any]) -> str:
    try:
        trigger = kept["trigger"]
        return str(selectors.TRIGGER_KINDS[trigger["on"]].says(trigger.get("with", {})))
    except (KeyError, TypeError, AttributeError):
        return "—"


def _numbers(row: Journey) -> JourneyNumbers:
    return selectors.journey_numbers([row.pk])[row.pk]


def _chosen(versions: Sequence[JourneyVersion], number: str) -> JourneyVersion | None:
    return next((version for version in versions if str(version.number) == number), None)


def _differs(row: Journey) -> bool:
    """Whether the draft says something else than what runs."""
    definition, _faults = selectors.find_definition(row.draft)
    assert row.version is not None
    return definition is None or selectors.write_definition(definition) != row.version.definition


def _deeds(row: Journey) -> tuple[tuple[str, str, bool], ...]:
    """Buttons: what it does, its words, whether it is the main one."""
    found: list[tuple[str, str, bool]] = []
    if row.state in (JourneyState.DRAFT, JourneyState.PAUSED):
        found.append(("start", _now("启用"), True))
    if row.state == JourneyState.RUNNING:
        found.append(("pause", _now("暂停"), False))
    if row.version is not None and row.state != JourneyState.ENDED and _differs(row):
        found.append(("publish", _now("发布新版本"), True))
    return tuple(found)
