"""What guides know of members, on the members' pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin import (
    ChoiceFilter,
    ExtraColumn,
    Panel,
    register_column,
    register_filter,
    register_panel,
)
from guides import selectors
from guides.models import Binding


class HasGuideFilter(ChoiceFilter):
    title = _("专属导购")
    parameter_name = "guide"
    options = (("yes", _("有专属导购")), ("no", _("还没有专属导购")), ("left", _("导购已离职，待交接")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        live = Binding.objects.live()
        if self.value() == "yes":
            return queryset.filter(pk__in=live.values("member_id"))
        if self.value() == "left":
            return queryset.filter(pk__in=live.filter(guide__state="left").values("member_id"))
        return queryset.exclude(pk__in=live.values("member_id")) if self.value() == "no" else queryset


def _guides_of(member_ids: Sequence[int]) -> Mapping[int, str]:
    """The guide and store of today for each member of a page, in one query."""
    live = Binding.objects.live().filter(member_id__in=member_ids).select_related("guide__store")
    return {binding.member_id: f"{binding.guide.name} · {binding.guide.store.name}" for binding in live}


def _history_panel(request: HttpRequest, member: Any) -> Panel:
    """Every guide she had, newest first."""
    context = {
        "lines": selectors.list_binding_history(member.pk),
        "bindings_url": f"{reverse('admin:guides_binding_changelist')}?q={member.code}",
    }
    return Panel(_("专属导购经历"), "admin/xiaoer/panel_binding_history.html", context)


register_column("members.Member", ExtraColumn("guide_words", _("专属导购"), _guides_of, after="stage_label"))
register_filter("members.Member", HasGuideFilter)
register_panel("members.Member", _history_panel)
