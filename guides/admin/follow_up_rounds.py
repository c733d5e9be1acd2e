"""交给导购跟进: staff choose members on the member list, and each one's guide has it to do by a day."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
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
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    ask,
    bound_data,
    column,
    register_action,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.errors import Refusal
from guides import services
from guides.contracts import AssignmentPlan
from guides.models import FollowUp, FollowUpRound, FollowUpState
from guides.services import follow_up_rounds as rounds

_MEMBERS = "admin:members_member_changelist"
_MOST_GUIDES = 50
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
    """What was given to guides, newest first, and how far they are."""

    empty_words = _("在会员列表里勾选会员，在操作里选“交给导购跟进”")
    list_display = ("title", "numbers", "progress", "due_on", "given_by", "given")
    ordering = ("-pk",)
    search_fields = ("title",)
    search_help_text = _("按缘由查找")
    fieldsets = (
        (None, {"fields": ("title", "words", ("due_on", "numbers"), ("progress", "late"), ("given_by", "given_at"))}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = FollowUp.objects.filter(round=OuterRef("pk")).order_by().values("round")
        counted = rows.annotate(n=Count("pk"))
        today = clock.today()
        return (
            super()
            .get_queryset(request)
            .annotate(
                made_count=Coalesce(Subquery(counted.values("n")), 0),
                done_count=Coalesce(Subquery(counted.filter(state=FollowUpState.DONE).values("n")), 0),
                late_count=Coalesce(
                    Subquery(counted.filter(state=FollowUpState.OPEN, due_on__lt=today).values("n")), 0
                ),
            )
        )

    @column(_("交给导购 / 选中"))
    def numbers(self, row: FollowUpRound) -> str:
        return f"{thousands(row.given_count)} / {thousands(row.chosen_count)}"

    @column(_("已完成 / 已到导购手里"))
    def progress(self, row: Any) -> str:
        return f"{thousands(row.done_count)} / {thousands(row.made_count)}"

    @column(_("逾期没做"))
    def late(self, row: Any) -> str:
        return thousands(row.late_count)

    @column(_("派发时间"), ordering="given_at")
    def given(self, row: FollowUpRound) -> str:
        return when(row.given_at)

    @column(_("话术"))
    def words(self, row: FollowUpRound) -> str:
        return format_html('<div class="xe-plain">{}</div>', row.script)


def _guides_panel(request: HttpRequest, row: FollowUpRound) -> Panel:
    """Who has how much of it left, who has most first."""
    today = clock.today()
    mine = FollowUp.objects.filter(round=row)
    open_now = Q(state=FollowUpState.OPEN)
    lines = (
        mine.values("guide_id", "guide__name", "guide__store__name")
        .annotate(
            all_count=Count("pk"),
            done_count=Count("pk", filter=Q(state=FollowUpState.DONE)),
            open_count=Count("pk", filter=open_now),
            late_count=Count("pk", filter=open_now & Q(due_on__lt=today)),
        )
        .order_by("-open_count", "guide__name")[:_MOST_GUIDES]
    )
    list_url = reverse("admin:guides_followup_changelist")
    rows = [
        (
            line["guide__name"] or _now("等会员有专属导购"),
            line["guide__store__name"] or "—",
            f"{thousands(line['done_count'])} / {thousands(line['all_count'])}",
            thousands(line["late_count"]),
            format_html(
                '<a class="xe-link" href="{}?round__id__exact={}&guide__id__exact={}&state=open">{}</a>',
                list_url,
                row.pk,
                line["guide_id"],
                _now("没做的 %(n)s 项") % {"n": thousands(line["open_count"])},
            )
            if line["open_count"] and line["guide_id"]
            else "—",
        )
        for line in lines
    ]
    heads = (_("导购"), _("门店"), _("已完成"), _("逾期"), _("还没做"))
    context = {
        "heads": heads,
        "rows": rows,
        "empty": _(
            "还没有到导购手里的任务：免打扰时段派的早上才到，被频次上限挡下的在“触达记录”里看得到原因"
        ),
    }
    return Panel(_("谁还没做"), "admin/xiaoer/panel_table.html", context)


register_panel("guides.FollowUpRound", _guides_panel)
