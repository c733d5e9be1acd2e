"""Members in the staff admin: found, looked at, renamed. What guides know of them, `guides.admin` brings."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    ChoiceFilter,
    ScopedReadOnlyAdmin,
    column,
    name_actions,
    name_details,
    name_values,
    operation,
    when,
)
from members import selectors
from members.admin.correcting import FIELD_WORDS, address_words, ask_correction
from members.admin.identities import ask_unlinking
from members.admin.merge_desk import desk_url
from members.admin.points import ask_adjustment
from members.admin.reveals import ask_request, ask_reveal
from members.admin.tags import TaggingActions
from members.admin.tier_members import TierFilter, ask_grant, ask_withdrawal
from members.models import Gender, Identity, Member, MemberAddress, MemberStage, Source

_PLACE_WORDS = {field.name: field.verbose_name for field in MemberAddress._meta.fields}

name_actions(
    {
        "members.registered": _("成为会员"),
        "members.imported": _("批量导入"),
        "members.followed": _("关注公众号"),
        "members.unfollowed": _("取消关注"),
        "members.identity_linked": _("关联身份"),
        "members.renamed": _("修改姓名"),
        "members.profile_changed": _("会员修改资料"),
        "members.profile_corrected": _("修改资料"),
        "members.address_changed": _("会员修改地址"),
        "members.phone_passed_on": _("手机号换了主人"),
        "members.phone_taken_over": _("接过换了主人的手机号"),
        "members.phone_verified": _("验证手机号"),
        "members.code_read": _("出示会员码"),
        "members.merged": _("合并会员"),
        "members.merged_away": _("并入另一位会员"),
        "members.authorization_forgotten": _("按撤回授权删除资料"),
    }
)
name_details({"to_member_id": _("现在的会员编号")})
name_values("fields", FIELD_WORDS, within="members.profile_corrected")
name_values("fields", FIELD_WORDS | {"phone": _("手机号")}, within="members.import_filled")
name_values("fields", _PLACE_WORDS, within="members.address_changed")
name_values("fields", Identity.choices, within="members.identity_linked")
name_values("kind", Identity.choices, within="members.identity_")
name_values(
    "how",
    {"wechat": _("微信授权"), "wechat_sealed": _("微信加密数据"), "sms": _("短信验证码")},
    within="members.phone_verified",
)

_STAGE_COLOURS: dict[str, str] = {
    MemberStage.MEMBER: "success",
    MemberStage.PROSPECT: "info",
    MemberStage.ERASED: "warning",
}


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


@admin.register(Member)
class MemberAdmin(TaggingActions, ScopedReadOnlyAdmin):
    """Members of the account's part of the chain. Merged rows are reached from their survivor."""

    list_display = (
        "display_name",
        "masked_phone",
        "stage_label",
        "tier_words",
        "is_following",
        "source_words",
        "registered",
    )
    list_filter = (StageFilter, TierFilter, "is_following", SourceFilter, GenderFilter)
    search_fields = ("code",)
    search_help_text = _("姓名、拼音、手机尾号、完整手机号或会员码")
    date_hierarchy = "registered_at"
    ordering = ("-registered_at", "-pk")
    actions = ("tag_selected", "untag_selected")
    actions_detail = (
        "reveal",
        "adjust",
        "grant_tier",
        "withdraw_tier",
        "correct",
        {"title": _("更多"), "icon": "more_horiz", "items": ["merge", "unlink", "request_data"]},
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("display_name", "code"),
                    ("masked_phone", "stage_label"),
                    ("gender_words", "birthday"),
                    "place_words",
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
            # Who was erased is reached by the filter only.
            asked = request.GET.get(StageFilter.parameter_name) == MemberStage.ERASED
            shown = queryset if asked else queryset.exclude(stage=MemberStage.ERASED)
            return shown.filter(merged_into__isnull=True), False
        return queryset.filter(pk__in=selectors.search_member_ids(search_term)), False

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Member]) -> None:
        tiers = selectors.list_member_tiers([row.pk for row in rows])
        for row in rows:
            row.card = selectors.card_of(row)  # type: ignore[attr-defined]
            row.tier_name = tiers[row.pk].name if row.pk in tiers else ""  # type: ignore[attr-defined]

    @column(_("姓名"))
    def display_name(self, row: Member) -> str:
        return str(_card(row).display_name)

    @column(_("手机号"))
    def masked_phone(self, row: Member) -> str:
        return _card(row).masked_phone or "—"

    @column(_("身份"), ordering="stage", labels=_STAGE_COLOURS)
    def stage_label(self, row: Member) -> tuple[str, str]:
        return row.stage, str(row.get_stage_display())

    @column(_("等级"))
    def tier_words(self, row: Member) -> str:
        return str(getattr(row, "tier_name", "")) or "—"

    @column(_("性别"))
    def gender_words(self, row: Member) -> str:
        return str(row.get_gender_display())

    @column(_("地址"))
    def place_words(self, row: Member) -> str:
        return address_words(selectors.get_address(row.pk))

    @column(_("来源"), ordering="source")
    def source_words(self, row: Member) -> str:
        return str(_card(row).source_label)

    @column(_("成为会员时间"), ordering="registered_at")
    def registered(self, row: Member) -> str:
        return when(row.registered_at)

    @column(_("已并入"))
    def merged_words(self, row: Member) -> str:
        return str(row.merged_into) if row.merged_into is not None else _now("没有并入别的会员")

    @operation(_("修改资料"), icon="edit", path="correct")
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        if member is None or member.stage == MemberStage.ERASED:
            return self.no_subject(request, object_id)
        return ask_correction(self, request, member)

    @operation(_("调整积分"), icon="loyalty", needs=("adjust",), path="adjust-points")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return (
            self.no_subject(request, object_id) if member is None else ask_adjustment(self, request, member)
        )

    @operation(_("指定等级"), icon="military_tech", needs=("grant",), path="grant-tier")
    def grant_tier(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return self.no_subject(request, object_id) if member is None else ask_grant(self, request, member)

    @operation(_("取消指定等级"), icon="undo", needs=("grant",), path="withdraw-tier")
    def withdraw_tier(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return (
            self.no_subject(request, object_id) if member is None else ask_withdrawal(self, request, member)
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """What can be done to her: nothing when she is erased; a tier only where there are tiers or a gift of one."""
        member = self.subject(request, str(object_id))
        if member is None or member.stage == MemberStage.ERASED:
            return []
        hidden = set()
        if not selectors.list_tiers():
            hidden.add("grant-tier")
        if not selectors.has_tier_grant(member.pk):
            hidden.add("withdraw-tier")
        actions = super().get_actions_detail(request, object_id)
        return [action for action in actions if action.path not in hidden]

    def has_grant_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: that of adding tier changes."""
        return request.user.has_perm("members.add_tierchange")

    @operation(_("合并"), icon="merge", needs=("merge",), path="merge")
    def merge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        if member is None:
            return self.no_subject(request, object_id)
        living = selectors.list_merge_targets([member.pk])[member.pk]
        return HttpResponseRedirect(desk_url(first=living))

    def has_merge_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("members.merge_member")

    @operation(_("解除身份标识"), icon="link_off", needs=("unlink",), path="unlink-identity")
    def unlink(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return self.no_subject(request, object_id) if member is None else ask_unlinking(self, request, member)

    def has_unlink_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("members.unlink_identity")

    @operation(_("查看手机号"), icon="visibility", needs=("reveal",), path="reveal-phone")
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return self.no_subject(request, object_id) if member is None else ask_reveal(self, request, member)

    @operation(_("资料申请"), icon="shield_person", needs=("request_data",), path="data-request")
    def request_data(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = self.subject(request, object_id)
        return self.no_subject(request, object_id) if member is None else ask_request(self, request, member)

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: that of adding reveals."""
        return request.user.has_perm("members.add_phonereveal")

    def has_request_data_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: that of adding requests."""
        return request.user.has_perm("members.add_datarequest")

    def has_adjust_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: that of adding adjustments."""
        return request.user.has_perm("members.add_pointsadjustment")


def _card(row: Member) -> Any:
    """The card read for the whole page, or of this one row on its own page."""
    return getattr(row, "card", None) or selectors.card_of(row)
