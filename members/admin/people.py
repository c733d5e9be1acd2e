"""Members in the staff admin: found, looked at, renamed. What guides know of them, `guides.admin` brings."""

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
    ask,
    bound_data,
    column,
    mask_openid,
    name_actions,
    operation,
    register_panel,
    staff_actor,
    when,
)
from members import selectors
from members.admin.points import ask_adjustment
from members.admin.tags import TaggingActions
from members.models import Gender, Identity, Member, MemberIdentity, MemberStage, Source
from members.services import rename_member

name_actions(
    {
        "members.registered": _("成为会员"),
        "members.imported": _("批量导入"),
        "members.followed": _("关注公众号"),
        "members.unfollowed": _("取消关注"),
        "members.identity_linked": _("关联身份"),
        "members.renamed": _("修改姓名"),
        "members.merged": _("合并会员"),
        "members.merged_away": _("并入另一位会员"),
        "members.authorization_forgotten": _("按撤回授权删除资料"),
    }
)


class StageFilter(ChoiceFilter):
    title = _("身份")
    parameter_name = "stage"
    options = tuple((stage.value, stage.label) for stage in MemberStage)


class SourceFilter(ChoiceFilter):
    title = _("来源")
    parameter_name = "source"
    options = tuple((source.value, source.label) for source in Source)


class GenderFilter(ChoiceFilter):
    title = _("性别")
    parameter_name = "gender"
    options = tuple((gender.value, gender.label) for gender in Gender if gender.value)


class RenameForm(DressedForm):
    name = forms.CharField(label=_("姓名"), max_length=60)


@admin.register(Member)
class MemberAdmin(TaggingActions, ScopedReadOnlyAdmin):
    """Members of the account's part of the chain. Merged rows are reached from their survivor."""

    list_display = (
        "display_name",
        "masked_phone",
        "stage_label",
        "is_following",
        "source_words",
        "registered",
    )
    list_filter = (StageFilter, "is_following", SourceFilter, GenderFilter)
    search_fields = ("code",)
    search_help_text = _("姓名、拼音、手机尾号、完整手机号或会员码")
    date_hierarchy = "registered_at"
    ordering = ("-registered_at", "-pk")
    actions = ("tag_selected", "untag_selected")
    actions_detail = ("rename", "adjust")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("display_name", "code"),
                    ("masked_phone", "stage_label"),
                    ("gender_words", "birthday"),
                )
            },
        ),
        (
            _("来路"),
            {"fields": (("source_words", "source_scene"), ("registered_at", "is_following"), "merged_words")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("merged_into")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.title = str(_("会员"))
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What a guide would type finds her; without a term merged rows are left out as well."""
        if not search_term.strip():
            return queryset.filter(merged_into__isnull=True), False
        return queryset.filter(pk__in=selectors.search_member_ids(search_term)), False

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Member]) -> None:
        for row in rows:
            row.card = selectors.card_of(row)  # type: ignore[attr-defined]

    @column(_("姓名"))
    def display_name(self, row: Member) -> str:
        return str(_card(row).display_name)

    @column(_("手机号"))
    def masked_phone(self, row: Member) -> str:
        return _card(row).masked_phone or "—"

    @column(_("身份"), ordering="stage", labels={MemberStage.MEMBER: "success", MemberStage.PROSPECT: "info"})
    def stage_label(self, row: Member) -> tuple[str, str]:
        return row.stage, str(row.get_stage_display())

    @column(_("性别"))
    def gender_words(self, row: Member) -> str:
        return str(row.get_gender_display())

    @column(_("来源"), ordering="source")
    def source_words(self, row: Member) -> str:
        return str(_card(row).source_label)

    @column(_("成为会员时间"), ordering="registered_at")
    def registered(self, row: Member) -> str:
        return when(row.registered_at)

    @column(_("已并入"))
    def merged_words(self, row: Member) -> str:
        return str(row.merged_into) if row.merged_into is not None else _now("没有并入别的会员")

    @operation(_("修改姓名"), icon="edit", path="rename")
    def rename(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        if member is None:
            return self.no_subject(request, object_id)
        card = selectors.card_of(member)
        form = RenameForm(bound_data(request), initial={"name": member.name})

        def run(cleaned: dict[str, Any]) -> str:
            renamed = rename_member(member_id=member.pk, name=cleaned["name"], actor=staff_actor(request))
            return _now("姓名已改为 %(name)s") % {"name": renamed.display_name}

        question = Question(
            title=_now("修改 %(name)s 的姓名") % {"name": card.display_name},
            submit=_("保存"),
            back_url=reverse("admin:members_member_change", args=[member.pk]),
        )
        return ask(self, request, question, run, form=form, subject=member)

    @operation(_("调整积分"), icon="loyalty", needs=("adjust",), path="adjust-points")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return (
            self.no_subject(request, object_id) if member is None else ask_adjustment(self, request, member)
        )

    def has_adjust_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: that of adding adjustments."""
        return request.user.has_perm("members.add_pointsadjustment")


def _card(row: Member) -> Any:
    """The card read for the whole page, or of this one row on its own page."""
    return getattr(row, "card", None) or selectors.card_of(row)


def _identities_panel(request: HttpRequest, member: Member) -> Panel:
    """Under which names outside systems know her, masked. A phone's fingerprint stays unseen."""
    identities = MemberIdentity.objects.filter(member=member).order_by("linked_at", "pk")
    rows = [
        (
            identity.get_kind_display(),
            selectors.card_of(member).masked_phone or _now("已登记")
            if identity.kind == Identity.PHONE
            else mask_openid(identity.value),
            identity.app_id or "—",
            when(identity.linked_at),
        )
        for identity in identities
    ]
    context = {
        "heads": (_("类型"), _("标识"), _("应用"), _("关联时间")),
        "rows": rows,
        "empty": _("还没有关联任何身份"),
    }
    return Panel(_("身份标识"), "admin/xiaoer/panel_table.html", context)


register_panel("members.Member", _identities_panel)
