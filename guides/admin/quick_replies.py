"""话术: ready answers, written by head office, chosen in the assistant and at the desk of conversations."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, ChoiceFilter, ServiceForms, column, name_actions, name_details, staff_actor
from guides import services
from guides.models import QuickReply

name_actions({"guides.quick_reply_added": _("新增话术"), "guides.quick_reply_changed": _("修改话术")})
name_details({"group": _("分类")})
_SHOWN = 60


class ActiveFilter(ChoiceFilter):
    title = _("启用")
    parameter_name = "is_active"
    options = (("1", _("启用")), ("0", _("停用")))


class GroupFilter(ChoiceFilter):
    title = _("分类")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        groups = QuickReply.objects.exclude(group="").order_by("group").values_list("group", flat=True)
        return [(group, group) for group in groups.distinct()]


@admin.register(QuickReply)
class QuickReplyAdmin(ServiceForms, BaseAdmin):
    """In the order in which those who answer see them."""

    list_display = ("title", "group", "words", "is_active", "order")
    list_filter = (GroupFilter, ActiveFilter)
    search_fields = ("title", "text", "group")
    search_help_text = _("标题、内容或分类")
    ordering = ("order", "group", "title")
    fields = (("title", "group"), "text", ("is_active", "order"))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "text" and field is not None:
            field.help_text = _(
                "可以写 {会员}、{门店}、{导购}，选用时换成真名；会员没有留姓名时，{会员} 和后面的逗号一起省去。"
                "最多 500 个字"
            )
        return field

    def run_service(self, request: HttpRequest, row: QuickReply, form: Any, change: bool) -> int:
        return services.save_quick_reply(
            reply_id=row.pk if change else None, **form.cleaned_data, actor=staff_actor(request)
        )

    @column(_("内容"))
    def words(self, row: QuickReply) -> str:
        text = " ".join(row.text.split())
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
