"""Merges in the staff admin: the list with its undo button, and what the members' pages show of them."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
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
    name_actions,
    name_details,
    name_values,
    operation,
    register_panel,
    staff_actor,
    when,
)
from members import selectors
from members.admin.merge_desk import MergeDesk
from members.contracts import MemberCard, MergeRecordLine
from members.models import Member, MemberMerge, MergeHow, UnlinkReason
from members.services import undo_merge
from members.services.survivorship import TITLES as MERGE_FIELDS

name_actions(
    {
        "members.unmerged": _("撤销合并"),
        "members.parted": _("从合并中分开"),
        "members.kept_apart": _("确认不是同一人"),
        "members.identity_unlinked": _("解除身份标识"),
    }
)
name_details(
    {
        "how": _("依据"),
        "filled": _("改动"),
        "restored": _("恢复"),
        "merge_id": _("合并编号"),
        "from_member_id": _("另一位会员编号"),
        "into_member_id": _("并入的会员编号"),
        "parted_member_id": _("分开的会员编号"),
        "has_joined": _("由此成为会员"),
    }
)
name_values("how", MergeHow.choices, within="members.merged")
name_values("reason", UnlinkReason.choices, within="members.identity_unlinked")
for _detail in ("filled", "restored"):
    name_values(_detail, MERGE_FIELDS)


class HowFilter(ChoiceFilter):
    title = _("依据")
    parameter_name = "how"
    options = tuple((how.value, how.label) for how in MergeHow)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (("open", _("可以撤销")), ("final", _("超过期限")), ("undone", _("已撤销")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        now, live = clock.now(), queryset.filter(undone_at__isnull=True)
        if self.value() == "open":
            return live.filter(undo_until__gt=now)
        if self.value() == "final":
            return live.filter(undo_until__lte=now)
        return queryset.filter(undone_at__isnull=False) if self.value() == "undone" else queryset


class UndoForm(DressedForm):
    reason = forms.CharField(label=_("撤销原因"), max_length=120)


@admin.register(MemberMerge)
class MemberMergeAdmin(MergeDesk, TypedSearch, ScopedReadOnlyAdmin):
    """Who was merged into whom, and how long it can be undone. Seen by whoever sees the survivor."""

    list_display = ("survivor_words", "emptier_words", "how_words", "made", "made_by", "state_label")
    list_filter = (HowFilter, StateFilter)
    search_fields = ("survivor__code",)
    search_help_text = _("姓名、拼音、手机尾号、完整手机号或会员码")
    date_hierarchy = "made_at"
    ordering = ("-made_at", "-pk")
    has_audit_box = False
    actions_list = ("open_desk",)
    actions_detail = ("undo",)
    fields = (
        ("survivor_link", "emptier_link"),
        ("how_words", "reason"),
        ("made", "made_by"),
        ("state_label", "undone_by"),
        "undo_reason",
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The words that find the one who lives on."""
        return queryset.filter(survivor__in=selectors.search_member_ids(text))

    def prepare_rows(self, request: HttpRequest, rows: Sequence[MemberMerge]) -> None:
        for row, line in zip(rows, selectors.merge_lines(rows, at=clock.now()), strict=True):
            row.line = line  # type: ignore[attr-defined]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """The button that undoes, while its time allows."""
        row = self.subject(request, str(object_id))
        return super().get_actions_detail(request, object_id) if row and _line(row).may_be_undone else []

    @column(_("保留的会员"))
    def survivor_words(self, row: MemberMerge) -> str:
        return _who(_line(row).survivor)

    @column(_("并入的会员"))
    def emptier_words(self, row: MemberMerge) -> str:
        return _who(_line(row).emptier)

    @column(_("保留的会员"))
    def survivor_link(self, row: MemberMerge) -> str:
        return _link(_line(row).survivor)

    @column(_("并入的会员"))
    def emptier_link(self, row: MemberMerge) -> str:
        return _link(_line(row).emptier)

    @column(_("依据"), ordering="how")
    def how_words(self, row: MemberMerge) -> str:
        return _line(row).how_label

    @column(_("合并时间"), ordering="made_at")
    def made(self, row: MemberMerge) -> str:
        return when(row.made_at)

    @column(_("状态"), labels={"open": "info", "final": "success", "undone": "warning"})
    def state_label(self, row: MemberMerge) -> tuple[str, str]:
        return _state(_line(row))

    @operation(_("合并工作台"), icon="merge", needs=("merge",), path="to-desk")
    def open_desk(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:members_merge_desk"))

    @operation(_("撤销合并"), icon="call_split", variant="danger", needs=("merge",), path="undo")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        merge = self.subject(request, object_id)
        if merge is None:
            return self.no_subject(request, object_id)
        line = _line(merge)
        form = UndoForm(bound_data(request))

        def run(cleaned: dict[str, Any]) -> HttpResponse | str:
            parted = undo_merge(merge_id=merge.pk, reason=cleaned["reason"], actor=staff_actor(request))
            return _now("%(name)s 又是单独的会员了") % {"name": parted.display_name}

        question = Question(
            title=_now("把 %(one)s 和 %(other)s 分开")
            % {"one": _who(line.survivor), "other": _who(line.emptier)},
            lines=(
                _now("两位会员恢复成合并前的样子：资料、身份标识、标签、专属导购、备注和积分各归各。"),
                _now("合并之后改过的资料、得到和用掉的积分，留在保留的会员名下。"),
                _now("合并之后用掉的如果是对方的积分，会从保留的会员的积分里补上。"),
                _undo_words(line),
            ),
            submit=_("撤销合并"),
            back_url=reverse("admin:members_membermerge_change", args=[merge.pk]),
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=form, subject=merge)


def _who(card: MemberCard) -> str:
    """Two rows of one person often have one name: the code tells them apart."""
    return f"{card.display_name} {card.code}"


def _link(card: MemberCard) -> str:
    url = reverse("admin:members_member_change", args=[card.id])
    return format_html('<a class="xe-link" href="{}">{}</a>', url, _who(card))


def _line(row: MemberMerge) -> MergeRecordLine:
    """The line read for the whole page, or of this one row on its own page."""
    line: MergeRecordLine = getattr(row, "line", None) or selectors.merge_lines([row], at=clock.now())[0]
    return line


def _state(line: MergeRecordLine) -> tuple[str, str]:
    if line.undone_at is not None:
        return "undone", _now("已撤销 · %(at)s") % {"at": when(line.undone_at)}
    return ("open" if line.may_be_undone else "final"), _undo_words(line)


def _undo_words(line: MergeRecordLine) -> str:
    if line.undone_at is not None:
        return _now("已撤销")
    if not line.may_be_undone:
        return _now("不能再撤销")
    return _now("还有 %(n)s 天可以撤销") % {"n": line.days_left}


def _merges_panel(request: HttpRequest, member: Member) -> Panel | None:
    """Merges in which she is one of the two; nothing when there are none."""
    lines = selectors.list_merges_of(member.pk)
    if not lines:
        return None
    may_merge = request.user.has_perm("members.merge_member")
    context = {
        "member_id": member.pk,
        "lines": [(line, _state(line)[1], when(line.made_at)) for line in lines],
        "may_open": request.user.has_perm("members.view_membermerge"),
        "may_merge": may_merge,
    }
    return Panel(_("合并记录"), "admin/xiaoer/panel_merges.html", context)


register_panel("members.Member", _merges_panel, order=80)
