"""自动化旅程: the list with its numbers, a journey as a graph, the editor, and who is where in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.journey_form import begin_of, cards_of, do, draft_from_post, step_menu
from campaigns.admin.segment_form import menu as rule_menu
from campaigns.contracts.acts import PLACEHOLDERS
from campaigns.contracts.journeys import JourneyNumbers
from campaigns.errors import JourneyUnfit
from campaigns.models import Enrolment, Journey, JourneyState, JourneyVersion
from campaigns.selectors import journeys as selectors
from campaigns.services import journeys
from core.admin import (
    ChoiceFilter,
    Column,
    Exports,
    OwnPage,
    Question,
    ReadOnlyAdmin,
    ask,
    column,
    operation,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal

_LIST: Final = "admin:campaigns_journey_changelist"
_ROW: Final = "admin:campaigns_journey_change"
_COLOURS: Final = {"draft": "", "running": "success", "paused": "warning", "ended": ""}
_NEW: Final = {
    "trigger": {"on": "moment", "with": {"event": "joined"}},
    "first": "s1",
    "steps": {"s1": {"kind": "wait", "with": {"amount": 1, "unit": "days"}}},
}


class JourneyStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in JourneyState)


@admin.register(Journey)
class JourneyAdmin(OwnPage, Exports, ReadOnlyAdmin):
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
            ("preview/", "campaigns_journey_preview", self.preview_view),
            ("<int:pk>/edit/", "campaigns_journey_edit", self.edit_view),
            ("<int:pk>/switch/<str:deed>/", "campaigns_journey_switch", self.switch_view),
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

    @operation(_("装入现成旅程"), icon="library_add", needs=("add",), path="install")
    def install(self, request: HttpRequest) -> HttpResponse:
        question = Question(
            title=_now("装入现成的旅程"),
            submit=_("装入"),
            back_url=reverse(_LIST),
            lines=[
                _now("从关注欢迎、入会礼到沉睡唤醒、流失挽回，覆盖会员的整个周期；已经有的不会重复装入。"),
                _now("装入后都是未启用，看过、改好再逐个启用。"),
            ],
        )

        def run(_cleaned: dict[str, Any]) -> str:
            made = journeys.install_ready_made(actor=staff_actor(request))
            return _now("装入了 %(n)s 个旅程") % {"n": len(made)}

        return ask(self, request, question, run)

    # A journey's page ------------------------------------------------------------------------------------------

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Its graph with live numbers; of a chosen step who is there."""
        versions = list(JourneyVersion.objects.filter(journey=row).order_by("-number"))
        version = _chosen(versions, request.GET.get("version", "")) or row.version
        kept = row.draft if version is None else version.definition
        definition, faults = selectors.find_definition(kept)
        if version is not None:
            definition = selectors.definition_of(version.definition)
        numbers = {} if version is None else selectors.step_numbers(version.pk)
        may_change = self.has_operate_permission(request)
        context = {
            **self.below_form(request, row),
            "title": row.name,
            "row": row,
            "original": row,
            "state": str(row.get_state_display()),
            "numbers": _numbers(row),
            "version": version,
            "versions": versions,
            "is_current": version is None or version.pk == row.version_id,
            "is_draft_newer": row.version is not None and _differs(row),
            "picture": None if definition is None else selectors.draw(definition, numbers),
            "faults": [fault.words for fault in faults] if version is None else [],
            "step": self._step(request, version, definition, request.GET.get("step", "")),
            "again": None if definition is None else definition.re_entry,
            "may_change": may_change and row.state != JourneyState.ENDED,
            "deeds": _deeds(row) if may_change else (),
            "may_see_members": request.user.has_perm("campaigns.view_enrolment"),
            "parked": _numbers(row).failed_count if may_change else 0,
        }
        return self._page(request, "journey", context)

    def _step(self, request: HttpRequest, version: Any, definition: Any, name: str) -> dict[str, Any] | None:
        """What a step does, how many went which way, and some of who are there, of those whom the account sees."""
        if version is None or definition is None or name not in definition.steps:
            return None
        numbers = selectors.step_numbers(version.pk).get(name)
        rows = Enrolment.objects.live().filter(version=version, step=name)
        enrolments: Any = admin.site.get_model_admin(Enrolment)
        seen = enrolments.get_queryset(request).filter(pk__in=rows.values("pk"))
        return {
            "name": name,
            "words": selectors.step_words(definition, name),
            "here_count": 0 if numbers is None else numbers.here_count,
            "failed_count": 0 if numbers is None else numbers.failed_count,
            "ways": []
            if numbers is None
            else [
                (selectors.way_words(definition, name, way), count)
                for way, count in sorted(numbers.ways.items())
            ],
            "rows": enrolments.lines(seen.order_by("due_at", "pk")[:10])
            if request.user.has_perm("campaigns.view_enrolment")
            else [],
        }

    def switch_view(self, request: HttpRequest, pk: int, deed: str, model_admin: Any = None) -> HttpResponse:
        """Start, pause, end, publish or retry, by POST; ending and starting are asked about first."""
        row = self._row(request, pk)
        actor = staff_actor(request)
        verbs = {
            "start": (journeys.start_journey, _now("旅程已启用")),
            "pause": (journeys.pause_journey, _now("旅程已暂停，没有人再往前走")),
            "publish": (journeys.publish_journey, _now("新版本已发布；正在途中的会员走完原来的版本")),
            "end": (journeys.end_journey, _now("旅程已结束，在途的会员会陆续退出")),
            "retry": (journeys.retry_parked, _now("停住的会员正在重试")),
        }
        if deed not in verbs:
            raise PermissionDenied
        service, told = verbs[deed]
        if deed == "end":
            question = Question(
                title=_now("结束旅程“%(name)s”") % {"name": row.name},
                submit=_("结束"),
                back_url=reverse(_ROW, args=[pk]),
                lines=[
                    _now("在途的 %(n)s 位会员会退出，后面的步骤不再为她们做。")
                    % {"n": thousands(_numbers(row).live_count)},
                    _now("结束后不能再启用；只想停一停请用“暂停”。"),
                ],
                is_dangerous=True,
            )

            def run(_cleaned: dict[str, Any]) -> str:
                journeys.end_journey(journey_id=pk, actor=actor)
                return told

            return ask(self, request, question, run, subject=row)
        if request.method != "POST":
            raise PermissionDenied
        try:
            service(journey_id=pk, actor=actor)
            messages.success(request, told)
        except JourneyUnfit:
            messages.error(request, _now("旅程还有没写好的地方，请先修改"))
            return HttpResponseRedirect(reverse("admin:campaigns_journey_edit", args=[pk]))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse(_ROW, args=[pk]))

    # The editor ------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new journey."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._edit(request, None)

    def edit_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The draft of one that is not over."""
        row = self._row(request, pk)
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
        return HttpResponseRedirect(reverse(_ROW, args=[saved]))

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
            "back_url": reverse(_LIST) if row is None else reverse(_ROW, args=[row.pk]),
            **_sight(draft),
        }
        return self._page(request, "editor", context)

    def preview_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The picture of what the form holds, and what is wrong with it."""
        if not (self.has_add_permission(request) or self.has_operate_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            raise PermissionDenied
        return self._page(request, "_preview", _sight(draft_from_post(request.POST)))

    def _row(self, request: HttpRequest, pk: int) -> Journey:
        row = self.subject(request, str(pk))
        if not isinstance(row, Journey) or not self.has_operate_permission(request):
            raise PermissionDenied
        return row

    def _page(self, request: HttpRequest, name: str, context: Mapping[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/journeys/{name}.html", whole)


def _sight(draft: Mapping[str, Any]) -> dict[str, Any]:
    definition, faults = selectors.find_definition(draft)
    told = [{"path": fault.path, "code": fault.code, "words": fault.words} for fault in faults]
    return {
        "begin": begin_of(draft, told),
        "cards": cards_of(draft, told),
        "first": str(draft.get("first", "")),
        "faults": told,
        "picture": None if definition is None else selectors.draw(definition, {}),
    }


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
