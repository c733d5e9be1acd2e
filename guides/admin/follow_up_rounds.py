"""交给导购跟进: staff choose members on the member list, and each one's guide has it to do by a day."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    DayInput,
    DressedForm,
    ExtraAction,
    Question,
    ScopedReadOnlyAdmin,
    ask,
    bound_data,
    column,
    register_action,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal
from guides import services
from guides.contracts import AssignmentPlan
from guides.models import FollowUpRound
from guides.services import follow_up_rounds as rounds

_MEMBERS = "admin:members_member_changelist"
_USUAL_DAYS = dt.timedelta(days=3)


class RoundForm(DressedForm):
    """What guides are to do. `key` makes sending it twice once."""

    title = forms.CharField(
        label=_("缘由"),
        max_length=rounds.TITLE_LENGTH,
        help_text=_("导购在任务列表里看到的一句话，例如“春装到店，请邀约试穿”"),
    )
    script = forms.CharField(
        label=_("话术"),
        max_length=rounds.SCRIPT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("导购可以照着说的话，最多 1,000 字"),
    )
    due_on = forms.DateField(label=_("截止日期"), widget=DayInput, help_text=_("今天到 30 天之内"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=36)


def ask_round(page: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
    """The numbers, the form, and the doing."""
    members = queryset.order_by().values("pk")
    try:
        lines = _numbers(services.plan_follow_ups(members=members))
    except Refusal as refusal:
        lines = [refusal.message]
    initial = {"key": str(uuid.uuid4()), "due_on": clock.today() + _USUAL_DAYS}
    question = Question(
        title=_("交给导购跟进"), submit=_("交给导购"), back_url=reverse(_MEMBERS), lines=lines
    )

    def run(cleaned: dict[str, Any]) -> str:
        done = services.give_follow_ups(
            members=members,
            title=cleaned["title"],
            script=cleaned["script"],
            due_on=cleaned["due_on"],
            request_key=cleaned["key"],
            actor=staff_actor(request),
        )
        return _now(
            "%(n)s 位会员已交给她们的导购跟进，稍后出现在导购的任务里；免打扰时段派的到早上才出现"
        ) % {"n": thousands(done.given_count)}

    form = RoundForm(bound_data(request), initial=initial)
    return ask(page, request, question, run, form=form)


def _numbers(plan: AssignmentPlan) -> list[str]:
    lines = [
        _now("选中 %(chosen)s 位会员，%(given)s 位会交给 %(guides)s 位导购")
        % {
            "chosen": thousands(plan.chosen_count),
            "given": thousands(plan.given_count),
            "guides": thousands(plan.guide_count),
        }
    ]
    if plan.unguided_count:
        lines.append(_now("%(n)s 位没有在职的专属导购，不派") % {"n": thousands(plan.unguided_count)})
    if plan.withdrawn_count:
        lines.append(_now("%(n)s 位撤回了营销同意，不派") % {"n": thousands(plan.withdrawn_count)})
    lines.append(_now("频次上限和免打扰时段照常有效，被挡下的在“触达记录”里看得到原因"))
    return lines


register_action(
    "members.Member",
    ExtraAction("give_follow_ups", _("交给导购跟进"), "guides.add_followupround", ask_round),
)


@admin.register(FollowUpRound)
class FollowUpRoundAdmin(ScopedReadOnlyAdmin):
    """What was given to guides, newest first."""

    list_display = ("title", "numbers", "due_on", "given_by", "given")
    ordering = ("-pk",)
    search_fields = ("title",)
    search_help_text = _("按缘由查找")
    fieldsets = ((None, {"fields": ("title", "words", ("due_on", "numbers"), ("given_by", "given_at"))}),)

    @column(_("交给导购 / 选中"))
    def numbers(self, row: FollowUpRound) -> str:
        return f"{thousands(row.given_count)} / {thousands(row.chosen_count)}"

    @column(_("派发时间"), ordering="given_at")
    def given(self, row: FollowUpRound) -> str:
        return when(row.given_at)

    @column(_("话术"))
    def words(self, row: FollowUpRound) -> str:
        return format_html('<div class="xe-plain">{}</div>', row.script)
