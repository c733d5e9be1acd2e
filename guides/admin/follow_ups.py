"""Follow-ups at the staff's desk: who is to do what by when, and what came of it."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    DaysFilter,
    ScopedReadOnlyAdmin,
    column,
    name_actions,
    name_details,
    name_values,
    when,
)
from guides.admin.searching import FoundByMemberOrGuide
from guides.models import FollowUp, FollowUpResult, FollowUpState
from members.admin.cells import MemberCells

_COLOURS: Final = {"open": "info", "late": "danger", "done": "success", "dropped": ""}

name_actions({"guides.follow_up_done": _("完成跟进任务"), "guides.follow_up_reopened": _("撤销完成跟进任务")})
name_details({"result": _("结果")})
name_values("result", FollowUpResult.choices, within="guides.follow_up")


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (
        ("open", FollowUpState.OPEN.label),
        ("late", _("已逾期")),
        ("done", FollowUpState.DONE.label),
        ("dropped", FollowUpState.DROPPED.label),
    )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() == "late":
            return queryset.filter(pk__in=FollowUp.objects.overdue(clock.today()).values("pk"))
        return super().queryset(request, queryset)


class ResultFilter(ChoiceFilter):
    title = _("结果")
    parameter_name = "result"
    options = tuple(FollowUpResult.choices)


@admin.register(FollowUp)
class FollowUpAdmin(FoundByMemberOrGuide, MemberCells, ScopedReadOnlyAdmin):
    """What guides have to do, newest first; a guide does it in the assistant."""

    empty_words = _(
        "在会员列表里勾选会员，在操作里选“交给导购跟进”；别的通道都发不到会员的通知也会成为导购的任务"
    )
    list_display = ("member_name", "title", "guide_words", "due_on", "state_words", "result_words", "done")
    list_select_related = ("guide",)
    list_filter = (
        StateFilter,
        ResultFilter,
        ("guide", AutocompleteFilter),
        ("round", AutocompleteFilter),
        ("due_on", DaysFilter),
    )
    search_fields = ("guide__name",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或导购姓名")
    ordering = ("-pk",)
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": (("member_link", "guide_words"), "title", "words", ("due_on", "state_words"))}),
        (_("结果"), {"fields": (("result_words", "done_at"), "note_words")}),
    )

    @column(_("导购"), ordering="guide")
    def guide_words(self, row: FollowUp) -> str:
        return str(row.guide) if row.guide is not None else _now("等会员有专属导购")

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_words(self, row: FollowUp) -> tuple[str, str]:
        if row.state == FollowUpState.OPEN and row.due_on < clock.today():
            return "late", _now("已逾期")
        return row.state, str(row.get_state_display())

    @column(_("结果"), ordering="result")
    def result_words(self, row: FollowUp) -> str:
        return str(row.get_result_display()) if row.result else "—"

    @column(_("话术"))
    def words(self, row: FollowUp) -> str:
        return format_html('<div class="xe-plain">{}</div>', row.script or "—")

    @column(_("备注"))
    def note_words(self, row: FollowUp) -> str:
        return row.note or "—"

    @column(_("完成时间"), ordering="done_at")
    def done(self, row: FollowUp) -> str:
        return when(row.done_at)
