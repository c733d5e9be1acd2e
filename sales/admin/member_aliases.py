"""会员对应: which keys of a till, that nobody has, were decided to mean whom; a wrong one is taken back."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    ChoiceFilter,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    column,
    first_found,
    operation,
    staff_actor,
    when,
)
from members import selectors as member_selectors
from members.admin.cells import MemberCells
from sales import services
from sales.admin.aliases import FORGOTTEN, STAYS_BOOKED
from sales.models import MemberAlias
from sales.selectors.aliases import member_alias_ids


class WhomFilter(ChoiceFilter):
    title = _("对应谁")
    parameter_name = "whom"
    options = (("member", _("一位会员")), ("nobody", _("不记会员")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in {"member", "nobody"}:
            return queryset
        return queryset.filter(member__isnull=self.value() == "nobody")


@admin.register(MemberAlias)
class MemberAliasAdmin(TypedSearch, MemberCells, ScopedReadOnlyAdmin):
    """The newest first. New ones are made where a document waits for one (待处理单据). The key itself is not kept, only
    its fingerprint: whoever has it can look it up."""

    list_display = ("number", "source", "whom", "made", "made_by")
    list_filter = (WhomFilter, "source")
    search_fields = ("pk",)
    search_help_text = _("按单据里的完整手机号、卡号或会员码查找，或按会员姓名、会员码查找")
    ordering = ("-pk",)
    actions_detail = ("forget",)
    fieldsets = ((None, {"fields": (("source", "whom"), ("made", "made_by"), "about_key")}),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return first_found(
            queryset.filter(pk__in=list(member_alias_ids(text))),
            queryset.filter(member_id__in=member_selectors.search_member_ids(text)),
        )

    @column(_("对应"), ordering="pk")
    def number(self, row: MemberAlias) -> str:
        return f"#{row.pk}"

    @column(_("会员"))
    def whom(self, row: MemberAlias) -> Any:
        return _now("不记会员") if row.member_id is None else self.member_link(row)

    def whom_words(self, row: MemberAlias) -> str:
        return _now("不记会员") if row.member_id is None else self.member_name(row)

    @column(_("设定时间"), ordering="made_at")
    def made(self, row: MemberAlias) -> str:
        return when(row.made_at)

    @column(_("单据里的编号"))
    def about_key(self, row: MemberAlias) -> str:
        return _now("为保护隐私不保存原文；知道完整编号时，可以在列表里用它查找")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("sales.change_memberalias"))

    @operation(_("取消对应"), icon="link_off", needs=("decide",), path="forget")
    def forget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The key means nobody again."""
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.forget_member_alias(alias_id=row.pk, actor=staff_actor(request))
            return str(FORGOTTEN)

        question = Question(
            title=f"{_('取消对应')} · {row}",
            submit=_("取消对应"),
            back_url=reverse("admin:sales_memberalias_changelist"),
            lines=[
                _now("%(source)s 的这个编号不再当作 %(whom)s")
                % {"source": row.source, "whom": self.whom_words(row)},
                str(STAYS_BOOKED),
            ],
        )
        return ask(self, request, question, run)
