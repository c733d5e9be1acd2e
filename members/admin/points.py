"""Points on the member's page, the ledger, and the desk where adjustments are asked for and decided."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    Tile,
    TypedSearch,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    narrow,
    operation,
    register_panel,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from core.codes import new_public_id
from members import selectors, services
from members.contracts import PointsEntryLine
from members.models import AdjustmentState, Member, PointsAdjustment, PointsEntry, PointsEntryKind

_SHOWN_ENTRIES = 10

name_actions(
    {
        "members.points_credited": _("增加积分"),
        "members.points_debited": _("扣减积分"),
        "members.points_reversed": _("冲回积分"),
        "members.points_expired": _("积分过期"),
        "members.points_expiry_announced": _("提醒积分过期"),
        "members.adjustment_requested": _("申请调整积分"),
        "members.adjustment_applied": _("调整积分生效"),
        "members.adjustment_rejected": _("不批准调整积分"),
        "members.earningrule.add": _("新增积分规则"),
        "members.earningrule.change": _("修改积分规则"),
        "members.multiplierrule.add": _("新增积分倍数"),
        "members.multiplierrule.change": _("修改积分倍数"),
        "members.pointssettings.add": _("修改积分设置"),
        "members.pointssettings.change": _("修改积分设置"),
    }
)
name_details(
    {
        "delta": _("变动"),
        "entry_id": _("流水编号"),
        "account_count": _("账户数"),
        "points": _("积分"),
    }
)


def signed(points: int) -> str:
    """+1,204 or -30."""
    return f"{points:+,}" if points else "0"


class KindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in PointsEntryKind)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in AdjustmentState)


class _OfMember(TypedSearch, ScopedReadOnlyAdmin):
    """Rows of members' accounts, found as members are found."""

    search_fields = ("account__member__code",)
    search_help_text = _("会员姓名、拼音、手机号或会员码")

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(account__member_id__in=selectors.search_member_ids(text))

    @column(_("会员"))
    def member_name(self, row: Any) -> str:
        return selectors.card_of(row.account.member).display_name


@admin.register(PointsEntry)
class PointsEntryAdmin(_OfMember):
    """The ledger: what happened to whose points, never changed by hand."""

    list_display = (
        "member_name",
        "kind_words",
        "change",
        "balance",
        "reason",
        "source_key",
        "moment",
        "actor",
    )
    list_select_related = ("account__member",)
    list_filter = (KindFilter,)
    date_hierarchy = "at"
    ordering = ("-pk",)
    has_audit_box = False
    fieldsets = (
        (None, {"fields": (("member_name", "kind_words"), ("change", "asked_words"), "balance")}),
        (_("来由"), {"fields": (("reason", "source_key"), ("moment", "actor"), "undone_words")}),
    )

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: PointsEntry) -> str:
        return str(row.get_kind_display())

    @column(_("变动"), ordering="delta")
    def change(self, row: PointsEntry) -> str:
        return signed(row.delta)

    @column(_("应变动"))
    def asked_words(self, row: PointsEntry) -> str:
        return signed(row.asked)

    @column(_("变动后"))
    def balance(self, row: PointsEntry) -> str:
        return thousands(row.balance_after)

    @column(_("时间"), ordering="at")
    def moment(self, row: PointsEntry) -> str:
        return when(row.at)

    @column(_("冲回或解冻的流水"))
    def undone_words(self, row: PointsEntry) -> str:
        return row.reversed_entry.source_key if row.reversed_entry is not None else "—"


class AdjustForm(DressedForm):
    """Points with a sign, and why. The key makes a page sent twice one request."""

    delta = forms.IntegerField(label=_("调整积分"), help_text=_("增加填正数，扣减填负数，例如 -50"))
    reason = forms.CharField(label=_("原因"), max_length=120)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=80)


class NoteForm(DressedForm):
    note = forms.CharField(label=_("审批说明"), max_length=120, required=False)


class RejectForm(DressedForm):
    note = forms.CharField(label=_("不批准的原因"), max_length=120)


def ask_adjustment(page: Any, request: HttpRequest, member: Member) -> HttpResponse:
    """The question page behind the member's button 调整积分."""
    summary = selectors.get_points_summary(member.pk)
    limit = selectors.get_points_decisions().approval_limit
    form = AdjustForm(bound_data(request), initial={"request_key": new_public_id()})

    def run(cleaned: dict[str, Any]) -> str:
        adjustment = services.adjust_points(
            member_id=member.pk,
            delta=cleaned["delta"],
            reason=cleaned["reason"],
            request_key=cleaned["request_key"],
            actor=staff_actor(request),
        )
        if adjustment.state == "requested":
            return _now("已提交，等待另一位员工批准")
        return _now("积分已调整 %(delta)s") % {"delta": signed(adjustment.delta)}

    question = Question(
        title=_now("调整 %(name)s 的积分") % {"name": selectors.card_of(member).display_name},
        submit=_("提交"),
        back_url=reverse("admin:members_member_change", args=[member.pk]),
        lines=[
            _now("她现在有 %(points)s 积分") % {"points": thousands(summary.balance)},
            _now("您今天给她调整的积分加起来超过 %(limit)s，就需要另一位员工批准")
            % {"limit": thousands(limit)},
        ],
    )
    return ask(page, request, question, run, form=form, subject=member)


@admin.register(PointsAdjustment)
class PointsAdjustmentAdmin(_OfMember):
    """Adjustments, those that wait first; who did not ask may decide."""

    list_display = (
        "member_name", "change", "state_label", "reason", "requested_by", "requested", "decided_by", "decided",
    )  # fmt: skip
    list_select_related = ("account__member", "requested_by", "decided_by")
    list_filter = (StateFilter,)
    ordering = ("-state", "-requested_at", "-pk")
    actions_detail = ("approve", "reject")
    fieldsets = (
        (None, {"fields": (("member_name", "state_label"), ("change", "reason"))}),
        (_("申请"), {"fields": (("requested_by", "requested"),)}),
        (_("审批"), {"fields": (("decided_by", "decided"), "decision_note")}),
    )

    @column(_("调整积分"), ordering="delta")
    def change(self, row: PointsAdjustment) -> str:
        return signed(row.delta)

    @column(
        _("状态"),
        ordering="state",
        labels={"requested": "warning", "approved": "success", "rejected": "danger"},
    )
    def state_label(self, row: PointsAdjustment) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("申请时间"), ordering="requested_at")
    def requested(self, row: PointsAdjustment) -> str:
        return when(row.requested_at)

    @column(_("审批时间"), ordering="decided_at")
    def decided(self, row: PointsAdjustment) -> str:
        return when(row.decided_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only who did not ask has buttons, and only while it waits."""
        row = self.subject(request, str(object_id))
        if row is None or row.state != AdjustmentState.REQUESTED or row.requested_by_id == request.user.pk:
            return []
        return super().get_actions_detail(request, object_id)

    @operation(_("批准"), icon="check", variant="primary", path="approve")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.approve_adjustment(
                adjustment_id=row.pk, note=cleaned["note"], actor=staff_actor(request)
            )
            return _now("已批准，积分已调整 %(delta)s") % {"delta": signed(row.delta)}

        return ask(
            self,
            request,
            self._question(row, _("批准")),
            run,
            form=NoteForm(bound_data(request)),
            subject=row,
        )

    @operation(_("不批准"), icon="close", variant="danger", path="reject")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.reject_adjustment(adjustment_id=row.pk, note=cleaned["note"], actor=staff_actor(request))
            return _now("没有批准，积分不变")

        form = RejectForm(bound_data(request))
        return ask(self, request, self._question(row, _("不批准")), run, form=form, subject=row)

    def _question(self, row: PointsAdjustment, submit: Any) -> Question:
        return Question(
            title=_now("调整 %(name)s 的积分 %(delta)s")
            % {"name": self.member_name(row), "delta": signed(row.delta)},
            submit=submit,
            back_url=reverse("admin:members_pointsadjustment_changelist"),
            lines=[
                _now("申请人：%(name)s") % {"name": row.requested_by},
                _now("原因：%(reason)s") % {"reason": row.reason},
            ],
        )


def _entry_cells(line: PointsEntryLine) -> Sequence[str]:
    return (
        line.kind_label,
        signed(line.delta),
        thousands(line.balance_after),
        line.reason or "—",
        when(line.at),
        line.actor or "—",
    )


def _points_panel(request: HttpRequest, member: Member) -> Panel | None:
    """Her balance and the newest entries, to accounts with the right to see the ledger."""
    if not request.user.has_perm("members.view_pointsentry"):
        return None
    summary = selectors.get_points_summary(member.pk)
    page = selectors.list_points_entries(member.pk, limit=_SHOWN_ENTRIES)
    title = _now("积分 %(balance)s") % {"balance": thousands(summary.balance)}
    if summary.frozen:
        title += _now("，另有 %(frozen)s 冻结中") % {"frozen": thousands(summary.frozen)}
    if summary.expires_on is not None:
        title += _now("，其中 %(points)s 在 %(day)s 之后过期") % {
            "points": thousands(summary.expiring),
            "day": summary.expires_on.isoformat(),
        }
    context = {
        "heads": (_("类型"), _("变动"), _("变动后"), _("说明"), _("时间"), _("操作者")),
        "rows": [_entry_cells(line) for line in page.lines],
        "empty": _("还没有积分"),
    }
    if page.next_cursor is not None:
        context["more_url"] = f"{reverse('admin:members_pointsentry_changelist')}?q={member.code}"
        context["more_text"] = _("全部积分流水")
    return Panel(title, "admin/xiaoer/panel_table.html", context)


def _tiles(request: HttpRequest) -> list[Tile]:
    rows = PointsAdjustment.objects.filter(state=AdjustmentState.REQUESTED)
    waiting = narrow(PointsAdjustment, request.user, rows).count()
    url = f"{reverse('admin:members_pointsadjustment_changelist')}?state=requested"
    return [Tile(_("等待批准的积分调整"), thousands(waiting), url, is_alarm=waiting > 0)]


register_panel("members.Member", _points_panel, order=20)
register_tiles("members.view_pointsadjustment", _tiles, order=3)
