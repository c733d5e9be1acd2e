"""旅程会员: who is or was in a journey, and what happened to each on her way."""

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns import errors as campaign_errors
from campaigns.contracts.journeys import Definition, PathLine
from campaigns.models import Enrolment, EnrolmentState, JourneyVersion
from campaigns.selectors import journeys as selectors
from campaigns.selectors.segments import rule_words
from campaigns.services import journeys
from core.admin import (
    ChoiceFilter,
    Column,
    DressedForm,
    Exports,
    LongListPaginator,
    OwnPage,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    bound_data,
    column,
    staff_actor,
    when,
)
from core.errors import Refusal, sentences_in
from coupons import errors as coupon_errors
from members import errors as member_errors
from members import selectors as member_selectors
from members.admin.cells import MemberCells

_COLOURS: Final = {
    "waiting": "info",
    "done": "success",
    "achieved": "success",
    "exited": "",
    "failed": "danger",
}
_ROW: Final = "admin:campaigns_enrolment_change"


@dataclasses.dataclass(frozen=True, slots=True)
class EnrolmentLine:
    """One of who is at a step."""

    id: int
    name: str
    due: str
    is_failed: bool
    why: str


class _ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class StepFilter(admin.SimpleListFilter):
    """One step of one version ("31.gift"), as its card on the journey's page asks for it."""

    title = _("步骤")
    parameter_name = "at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        if not asked:
            return []
        version = _version_of(asked)
        if version is None:
            return [(asked, _now("没有这一步"))]
        words = selectors.step_words(selectors.definition_of(version.definition), asked.partition(".")[2])
        return [(asked, words)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = str(self.value() or "")
        if not asked:
            return queryset
        version = _version_of(asked)
        if version is None:
            return queryset.none()
        return queryset.filter(
            version=version,
            step=asked.partition(".")[2],
            state__in=[EnrolmentState.WAITING, EnrolmentState.FAILED],
        )


def _version_of(asked: str) -> JourneyVersion | None:
    key = asked.partition(".")[0]
    is_number = key.isascii() and key.isdecimal() and len(key) < 19
    return JourneyVersion.objects.filter(pk=key).first() if is_number else None


class EnrolmentStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in EnrolmentState)


@admin.register(Enrolment)
class EnrolmentAdmin(MemberCells, Exports, TypedSearch, OwnPage, ScopedReadOnlyAdmin):
    """Each account sees members of its part."""

    list_display = ("member_name", "journey", "state_label", "at_step", "due", "why", "entered", "ended")
    list_filter = (EnrolmentStateFilter, StepFilter, ("journey", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=entry_key",)
    search_help_text = _("会员姓名、拼音、手机号或会员码")
    ordering = ("-pk",)
    paginator = LongListPaginator
    show_full_result_count = False

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("export/", "campaigns_enrolment_export", self.export_view),
            ("<int:pk>/do/<str:deed>/", "campaigns_enrolment_do", self.deed_view),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("journey", "version", "member")

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(member_id__in=member_selectors.search_member_ids(text))

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Enrolment) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("步骤"))
    def at_step(self, row: Enrolment) -> str:
        return selectors.step_words(selectors.definition_of(row.version.definition), row.step)

    @column(_("下一步时间"), ordering="due_at")
    def due(self, row: Enrolment) -> str:
        return when(row.due_at) if row.state == EnrolmentState.WAITING else "—"

    @column(_("原因"))
    def why(self, row: Enrolment) -> str:
        return journey_why(row.code) or "—"

    @column(_("进入时间"), ordering="entered_at")
    def entered(self, row: Enrolment) -> str:
        return when(row.entered_at)

    @column(_("结束时间"))
    def ended(self, row: Enrolment) -> str:
        return when(row.ended_at)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        """No name and no phone: whoever must write to them does it through the system."""
        return (
            Column(_("会员码"), lambda row: row.member.code),
            Column(_("旅程"), lambda row: row.journey.name),
            Column(_("版本"), lambda row: row.version.number),
            Column(_("状态"), lambda row: str(row.get_state_display())),
            Column(_("步骤"), self.at_step),
            Column(_("原因"), lambda row: journey_why(row.code)),
            Column(_("进入时间"), lambda row: row.entered_at, "moment"),
            Column(_("结束时间"), lambda row: row.ended_at, "moment"),
        )

    def lines(self, rows: Iterable[Enrolment]) -> list[EnrolmentLine]:
        """Some of who is at a step, as that step's card shows them."""
        found = list(rows)
        cards = member_selectors.list_member_cards({row.member_id for row in found})
        return [
            EnrolmentLine(
                row.pk,
                cards[row.member_id].display_name if row.member_id in cards else "—",
                when(row.due_at),
                row.state == EnrolmentState.FAILED,
                journey_why(row.code),
            )
            for row in found
        ]

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Her way so far."""
        definition = selectors.definition_of(row.version.definition)
        path = selectors.path_of(row.pk, definition)
        may_change = request.user.has_perm("campaigns.change_journey")
        is_live = row.state in (EnrolmentState.WAITING, EnrolmentState.FAILED)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("%(name)s 的旅程") % {"name": self.member_name(row)},
            "row": row,
            "original": row,
            "name": self.member_name(row),
            "state": str(row.get_state_display()),
            "step": selectors.step_words(definition, row.step) if is_live else "",
            "due": when(row.due_at) if row.state == EnrolmentState.WAITING else "",
            "why": journey_why(row.code),
            "entered": when(row.entered_at),
            "ended": when(row.ended_at),
            "lines": [
                (when(line.at), line.step, line.words, journey_why(line.code), line.ref) for line in path
            ],
            "because": why_here(row, definition, path) if is_live else [],
            "may_exit": may_change and is_live,
            "may_retry": may_change and row.state == EnrolmentState.FAILED,
        }
        return TemplateResponse(request, "admin/xiaoer/journeys/enrolment.html", context)

    def deed_view(self, request: HttpRequest, pk: int, deed: str, model_admin: Any = None) -> HttpResponse:
        """Out of the journey, with a reason, or her step once more, by POST."""
        row = self.subject(request, str(pk))
        journey_admin: Any = admin.site.get_model_admin(row.journey.__class__) if row is not None else None
        if row is None or not journey_admin.has_operate_permission(request):
            raise PermissionDenied
        if deed == "exit":
            return self._ask_exit(request, row)
        if deed != "retry" or request.method != "POST":
            raise PermissionDenied
        try:
            journeys.retry_enrolment(enrolment_id=pk, actor=staff_actor(request))
            messages.success(request, _now("正在重试"))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse(_ROW, args=[pk]))

    def _ask_exit(self, request: HttpRequest, row: Enrolment) -> HttpResponse:
        question = Question(
            title=_now("让 %(name)s 退出“%(journey)s”")
            % {"name": self.member_name(row), "journey": row.journey.name},
            submit=_now("让她退出"),
            back_url=reverse(_ROW, args=[row.pk]),
            lines=[_now("后面的消息和礼都不再给她，已经给的不收回；退出后不能撤回。")],
            is_dangerous=True,
        )

        def run(cleaned: dict[str, Any]) -> str:
            journeys.exit_enrolment(enrolment_id=row.pk, reason=cleaned["reason"], actor=staff_actor(request))
            return _now("已退出")

        return ask(self, request, question, run, form=_ReasonForm(bound_data(request)), subject=row)


def why_here(row: Enrolment, definition: Definition, path: Sequence[PathLine]) -> list[str]:
    """Why she came in, how she came to where she stands, what she waits for, and what comes then."""
    trigger = definition.trigger
    begun = selectors.TRIGGER_KINDS[trigger.kind].says(trigger.values)
    said = [_now("%(at)s 因为“%(begun)s”进入") % {"at": when(row.entered_at), "begun": begun}]
    if trigger.kind == "api":
        told = {"at": when(row.entered_at), "key": row.entry_key.removeprefix("api:")}
        said = [_now("%(at)s 由别的系统送进来，事由 %(key)s") % told]
    if definition.who is not None:
        said.append(_now("进入时符合条件：%(rule)s") % {"rule": rule_words(definition.who)})
    if path:
        last = path[-1]
        said.append(
            _now("%(at)s 走过“%(step)s”：%(way)s，来到这一步")
            % {"at": when(last.at), "step": last.step, "way": last.words}
        )
    here = selectors.step_words(definition, row.step)
    if row.state == EnrolmentState.FAILED:
        parked = {"step": here, "n": str(row.attempt_count), "why": journey_why(row.code) or "—"}
        return [*said, _now("“%(step)s”试了 %(n)s 次都没做成（%(why)s），停在这里等人处理") % parked]
    said.append(_now("现在：%(step)s，到 %(at)s") % {"step": here, "at": when(row.due_at)})
    return said + [_coming_words(one, definition) for one in selectors.coming_after(definition, row.step)]


def _coming_words(coming: selectors.Coming, definition: Definition) -> str:
    words = [selectors.step_words(definition, step.name) for step in coming.acts]
    words.append(_now("走完") if coming.then is None else selectors.step_words(definition, coming.then.name))
    heads = {"event": _now("发生了的话"), "timeout": _now("没等到的话"), "": _now("接下来")}
    return _now("%(head)s：%(words)s") % {"head": heads[coming.on], "words": " → ".join(words)}


_WHY: Final = {
    "rule": _("符合退出或目标条件"),
    "rounds": _("转满了圈数"),
    "too_slow": _("太慢，没有在时限内做完"),
    "staff": _("后台让她退出"),
    "guide": _("导购让她退出"),
    "journey_ended": _("旅程结束"),
    "merged": _("会员合并，另一边在走"),
    "erased": _("会员已注销"),
}


def journey_why(code: str) -> str:
    """Why somebody left, stands still or was refused."""
    if not code:
        return ""
    if code.startswith("event:"):
        event = code.removeprefix("event:")
        return str(selectors.moment_names([event]).get(event, event))
    if code.startswith("error"):
        return _now("程序出错（%(kind)s），详情在日志里") % {"kind": code.partition(":")[2] or "—"}
    return str(_WHY[code]) if code in _WHY else str(_refusals().get(code, code))


@functools.cache
def _refusals() -> dict[str, str | Promise]:
    """What acts are refused with."""
    return sentences_in(campaign_errors, coupon_errors, member_errors)
