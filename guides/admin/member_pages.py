"""What guides know of members, on the members' pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    ChoiceFilter,
    ExtraColumn,
    Panel,
    Tile,
    narrow,
    register_column,
    register_filter,
    register_panel,
    register_tiles,
    thousands,
)
from guides import selectors
from guides.models import Binding, ChannelScan, Guide


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


def _tiles(request: HttpRequest) -> list[Tile]:
    """Today in the account's part of the chain."""
    start, _end = clock.day_bounds(clock.today())
    bindings = narrow(Binding, request.user, Binding.objects.all())
    scans = narrow(ChannelScan, request.user, ChannelScan.objects.filter(scanned_at__gte=start))
    left = bindings.filter(ended_at__isnull=True, guide__state="left").count()
    guides = narrow(Guide, request.user, Guide.objects.active())
    url = reverse("admin:guides_binding_changelist")
    members = reverse("admin:members_member_changelist")
    return [
        Tile(_("今天新绑定"), thousands(bindings.filter(bound_at__gte=start).count()), url),
        Tile(_("今天扫码"), thousands(scans.count()), reverse("admin:guides_channelscan_changelist")),
        Tile(
            _("有专属导购的会员"),
            thousands(bindings.filter(ended_at__isnull=True).count()),
            f"{members}?guide=yes",
        ),
        Tile(_("在职导购"), thousands(guides.count()), reverse("admin:guides_guide_changelist")),
        Tile(_("导购已离职、待交接的会员"), thousands(left), f"{members}?guide=left", is_alarm=left > 0),
    ]


register_tiles("guides.view_binding", _tiles, order=1)
register_column("members.Member", ExtraColumn("guide_words", _("专属导购"), _guides_of, after="stage_label"))
register_filter("members.Member", HasGuideFilter)
register_panel("members.Member", _history_panel, order=40)
