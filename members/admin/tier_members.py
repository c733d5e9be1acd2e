"""Tiers on the members' pages: the filter, the gift of staff, the history; and the list of all changes."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import (
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    bound_data,
    column,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from members import selectors, services
from members.admin.tiers import yuan
from members.contracts import TierChangeLine, TierStanding
from members.models import Member, Tier, TierCause, TierChange

_SHOWN_CHANGES = 10


class TierFilter(ChoiceFilter):
    """The chain's tiers of today, and nobody's."""

    title = _("等级")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        choices = [(str(tier.id), tier.name) for tier in selectors.list_tiers()]
        return [*choices, ("none", _now("没有等级"))] if choices else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value() or ""
        if value == "none":
            for tier in selectors.list_tiers():
                queryset = queryset.exclude(pk__in=selectors.tier_member_ids(tier.id))
            return queryset
        return (
            queryset.filter(pk__in=selectors.tier_member_ids(int(value))) if value.isdecimal() else queryset
        )


class CauseFilter(ChoiceFilter):
    title = _("缘由")
    parameter_name = "cause"
    options = tuple((cause.value, cause.label) for cause in TierCause)


class DirectionFilter(ChoiceFilter):
    title = _("升降")
    parameter_name = "direction"
    options = (("up", _("升级")), ("down", _("降级")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(is_upgrade=value == "up") if value in {"up", "down"} else queryset


@admin.register(TierChange)
class TierChangeAdmin(TypedSearch, ScopedReadOnlyAdmin):
    """Who rose and fell, why, and on which numbers; never changed by hand."""

    list_display = ("member_name", "change_label", "cause_words", "evidence", "note", "moment", "actor")
    list_select_related = ("member", "from_tier", "to_tier")
    list_filter = (DirectionFilter, CauseFilter)
    search_fields = ("member__code",)
    search_help_text = _("会员姓名、拼音、手机号或会员码")
    date_hierarchy = "at"
    ordering = ("-pk",)
    has_audit_box = False
    fieldsets = (
        (None, {"fields": (("member_name", "change_label"), ("cause_words", "note"))}),
        (_("依据"), {"fields": ("evidence", "until_words")}),
        (_("经过"), {"fields": (("moment", "actor"),)}),
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(member_id__in=selectors.search_member_ids(text))

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        floor = _floor_name()
        for row in rows:
            row.floor_name = floor

    @column(_("会员"))
    def member_name(self, row: TierChange) -> str:
        return selectors.card_of(row.member).display_name

    @column(_("变动"), labels={"up": "success", "down": "warning"})
    def change_label(self, row: TierChange) -> tuple[str, str]:
        floor = getattr(row, "floor_name", None) or _floor_name()
        return ("up" if row.is_upgrade else "down"), _step(row.from_tier, row.to_tier, floor)

    @column(_("缘由"), ordering="cause")
    def cause_words(self, row: TierChange) -> str:
        return str(row.get_cause_display())

    @column(_("依据"))
    def evidence(self, row: TierChange) -> str:
        return evidence_words(selectors.change_line(row))

    @column(_("有效至"))
    def until_words(self, row: TierChange) -> str:
        return last_day_words(row.until)

    @column(_("时间"), ordering="at")
    def moment(self, row: TierChange) -> str:
        return when(row.at)


class GrantForm(DressedForm):
    """Which tier, until when, and why."""

    tier = forms.ModelChoiceField(queryset=Tier.objects.none(), label=_("等级"))
    until = forms.DateField(
        label=_("结束日"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=_("当天起不再有效，之后按她自己达到的等级"),
    )
    reason = forms.CharField(label=_("原因"), max_length=120)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rungs = [tier.id for tier in selectors.list_tiers() if not tier.is_everybodys]
        self.fields["tier"].queryset = Tier.objects.filter(pk__in=rungs).in_order()  # type: ignore[attr-defined]


class WithdrawForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


def ask_grant(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """The question page behind the member's button 指定等级."""
    form = GrantForm(bound_data(request))

    def run(cleaned: dict[str, Any]) -> str:
        standing = services.grant_tier(
            member_id=member.pk,
            tier_id=cleaned["tier"].pk,
            until=cleaned["until"],
            reason=cleaned["reason"],
            actor=staff_actor(request),
        )
        return _now("等级已改为%(words)s") % {"words": standing_words(standing)}

    question = Question(
        title=_now("给 %(name)s 指定等级") % {"name": selectors.card_of(member).display_name},
        submit=_("保存"),
        back_url=_page_of(member),
        lines=[
            _now("她现在是%(words)s") % {"words": standing_words(selectors.get_tier_standing(member.pk))},
            _now("指定期间她的消费照常计入，达到更高的等级会照常升级"),
        ],
    )
    return ask(page, request, question, run, form=form, subject=member)


def ask_withdrawal(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """The question page behind the member's button 取消指定."""

    def run(cleaned: dict[str, Any]) -> str:
        standing = services.withdraw_tier_grant(
            member_id=member.pk, reason=cleaned["reason"], actor=staff_actor(request)
        )
        return _now("已取消，她现在是%(words)s") % {"words": standing_words(standing)}

    question = Question(
        title=_now("取消给 %(name)s 指定的等级") % {"name": selectors.card_of(member).display_name},
        submit=_("取消指定"),
        back_url=_page_of(member),
        lines=[_now("取消后马上回到她自己达到的等级")],
        is_dangerous=True,
    )
    return ask(page, request, question, run, form=WithdrawForm(bound_data(request)), subject=member)


def standing_words(standing: TierStanding) -> str:
    """「金卡」（员工指定），到 2026-12-31; or that she has none."""
    if standing.tier is None:
        return _now("还没有等级")
    words = _now("「%(name)s」") % {"name": standing.tier.name}
    if standing.is_manual:
        words += _now("（员工指定）")
    if standing.until is not None:
        words += _now("，到 %(day)s") % {"day": last_day_words(standing.until)}
    return words


def last_day_words(until: dt.date | None) -> str:
    """The last day on which it holds."""
    return "—" if until is None else (until - dt.timedelta(days=1)).isoformat()


def evidence_words(line: TierChangeLine) -> str:
    """The sums that decided, with the span they were taken over."""
    if line.sums is None:
        return "—"
    parts = [_now("消费 %(n)s 元") % {"n": yuan(line.sums.spend_fen)}]
    parts.append(_now("%(n)s 单") % {"n": thousands(line.sums.order_count)})
    if line.sums.growth:
        parts.append(_now("成长值 %(n)s") % {"n": thousands(line.sums.growth)})
    if line.window_from is None:
        return "，".join(parts)
    span = f"{line.window_from.isoformat()} – {last_day_words(line.window_until)}"
    return _now("%(sums)s（%(span)s）") % {"sums": "，".join(parts), "span": span}


def _tier_panel(request: HttpRequest, member: Member) -> Panel | None:
    """Where she stands, what the next tier needs, and how she came there; to accounts that may see changes."""
    if not request.user.has_perm("members.view_tierchange") or not selectors.list_tiers():
        return None
    standing = selectors.get_tier_standing(member.pk)
    title = _now("等级：%(words)s") % {"words": standing_words(standing)}
    goals = [
        _now("%(measure)s %(have)s / %(need)s %(unit)s")
        % {
            "measure": goal.measure_label,
            "have": yuan(goal.have) if goal.measure == "spend" else thousands(goal.have),
            "need": yuan(goal.need) if goal.measure == "spend" else thousands(goal.need),
            "unit": goal.unit,
        }
        for goal in standing.progress
    ]
    if goals:
        joint = _now("，并且 ") if standing.progress[0].next_tier.mode == "all" else _now("，或 ")
        name = standing.progress[0].next_tier.name
        title += _now("　升「%(name)s」：%(goals)s") % {"name": name, "goals": joint.join(goals)}
    history, floor = selectors.list_tier_history(member.pk), _floor_name()
    context = {
        "heads": (_("变动"), _("缘由"), _("依据"), _("原因"), _("时间"), _("操作者")),
        "rows": [_cells(line, floor) for line in history[:_SHOWN_CHANGES]],
        "empty": _("等级还没有变动过"),
    }
    if len(history) > _SHOWN_CHANGES:
        context["more_url"] = f"{reverse('admin:members_tierchange_changelist')}?q={member.code}"
        context["more_text"] = _("全部等级变动")
    return Panel(title, "admin/xiaoer/panel_table.html", context)


def _cells(line: TierChangeLine, floor: str) -> Sequence[str]:
    return (
        _step(line.from_tier, line.to_tier, floor),
        line.cause_label,
        evidence_words(line),
        line.note or "—",
        when(line.at),
        line.actor or "—",
    )


def _step(before: Any, after: Any, floor: str) -> str:
    return f"{before.name if before else floor} → {after.name if after else floor}"


def _floor_name() -> str:
    """What somebody has who reached nothing."""
    return next((tier.name for tier in selectors.list_tiers() if tier.is_everybodys), _now("没有等级"))


def _page_of(member: Member) -> str:
    return reverse("admin:members_member_change", args=[member.pk])


register_panel("members.Member", _tier_panel, order=10)
