"""编号对应: what unknown codes of a till were decided to stand for; a wrong one is taken back, and put back again."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
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
    operation,
    staff_actor,
    when,
)
from sales import services
from sales.models import AliasKind, CodeAlias

# Said of members' keys too.
STAYS_BOOKED: Final = _("以后带这个编号的单据会先进待处理；已经入账的单据不变")
FORGOTTEN: Final = _("已取消，以后带这个编号的单据会先进待处理")


class KindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in AliasKind)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (("live", _("有效")), ("forgotten", _("已取消")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in {"live", "forgotten"}:
            return queryset
        return queryset.filter(forgotten_at__isnull=self.value() == "live")


@admin.register(CodeAlias)
class CodeAliasAdmin(TypedSearch, ScopedReadOnlyAdmin):
    """The newest first. New ones are made where a document waits for one (待处理单据)."""

    list_display = ("code", "source", "kind", "target", "state_label", "made", "made_by")
    list_select_related = ("store", "guide")
    list_filter = (KindFilter, StateFilter, "source")
    search_fields = ("code",)
    search_help_text = _("按编号、门店名称、导购工号或姓名查找")
    ordering = ("-pk",)
    actions_detail = ("forget", "restore")
    fieldsets = (
        (None, {"fields": (("code", "source", "kind"), ("target", "state_label"), ("made", "made_by"))}),
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        named = Q(store__name__icontains=text) | Q(guide__name__icontains=text) | Q(guide__number=text)
        return queryset.filter(Q(code__icontains=text) | named)

    @column(_("对应"))
    def target(self, row: CodeAlias) -> str:
        if row.guide is not None:
            return f"{row.guide.name}（{row.guide.number}）"
        return "" if row.store is None else row.store.name

    @column(_("状态"), labels={"live": "success", "forgotten": "danger"})
    def state_label(self, row: CodeAlias) -> tuple[str, str]:
        if row.forgotten_at is None:
            return "live", _now("有效")
        return "forgotten", _now("%(when)s 取消") % {"when": when(row.forgotten_at)}

    @column(_("设定时间"), ordering="made_at")
    def made(self, row: CodeAlias) -> str:
        return when(row.made_at)

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("sales.change_codealias"))

    @operation(_("取消对应"), icon="link_off", needs=("decide",), path="forget")
    def forget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The code means nothing again."""
        return self._decide(
            request,
            object_id,
            title=_("取消对应"),
            service=services.forget_alias,
            lines=[_("%(source)s 的 %(code)s 不再当作 %(target)s"), STAYS_BOOKED],
            done=FORGOTTEN,
        )

    @operation(_("恢复对应"), icon="link", needs=("decide",), path="restore")
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A forgotten code means the same again."""
        return self._decide(
            request,
            object_id,
            title=_("恢复对应"),
            service=services.restore_alias,
            lines=[_("%(source)s 的 %(code)s 又当作 %(target)s")],
            done=_("已恢复，在等的单据可以到待处理单据里重试"),
        )

    def _decide(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        title: Any,
        service: Callable[..., None],
        lines: Sequence[Any],
        done: Any,
    ) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        values = {"source": row.source, "code": row.code, "target": self.target(row)}
        question = Question(
            title=f"{title} · {row.code}",
            submit=title,
            back_url=reverse("admin:sales_codealias_change", args=[row.pk]),
            lines=[str(line) % values for line in lines],
        )

        def run(cleaned: dict[str, Any]) -> str:
            service(alias_id=row.pk, actor=staff_actor(request))
            return str(done)

        return ask(self, request, question, run)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """One of the two: what can be done with it now."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        possible = "forget" if row.forgotten_at is None else "restore"
        return [one for one in super().get_actions_detail(request, object_id) if one.path == possible]
