"""会员行为: what members did in the mini-program, sums by day and kind, and how long it is kept."""

import datetime as dt
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    Alarm,
    BaseAdmin,
    ChoiceFilter,
    DaysFilter,
    OnlyRow,
    Panel,
    ScopedReadOnlyAdmin,
    TypedSearch,
    column,
    first_found,
    narrow,
    register_alarms,
    register_panel,
    thousands,
    when,
)
from members import selectors, services
from members.admin.cells import MemberCells
from members.contracts.behaviours import BEHAVIOUR_KINDS, BEHAVIOUR_LABELS
from members.models import Behaviour, BehaviourDoor, BehaviourPolicy

_OF_MEMBER: Final = 15
# What the list and its sums look back without a filter; partitions keep both from reading more.
_LIST_DAYS: Final = 31
_SUM_DAYS: Final = 7


class KindFilter(ChoiceFilter):
    title = _("行为")
    parameter_name = "kind"
    options = tuple(BEHAVIOUR_LABELS.items())


class DoorFilter(ChoiceFilter):
    title = _("来自")
    parameter_name = "door"
    options = tuple((door.value, door.label) for door in BehaviourDoor)


@admin.register(Behaviour)
class BehaviourAdmin(MemberCells, TypedSearch, ScopedReadOnlyAdmin):
    """The newest first; without a choice of days the last month."""

    list_display = ("member_name", "kind_label", "subject_words", "details_words", "happened", "door_label")
    list_display_links = None
    list_filter = (KindFilter, DoorFilter, ("happened_at", DaysFilter))
    search_fields = ("=subject",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或完整的商品编码、页面、搜索词")
    ordering = ("-happened_at", "-pk")
    show_full_result_count = False
    has_audit_box = False
    list_before_template = "admin/xiaoer/behaviour_days.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Behaviour]:
        rows: QuerySet[Behaviour] = super().get_queryset(request).filter(member__isnull=False)
        if request.GET.get("happened_at_from") or request.GET.get("happened_at_to"):
            return rows
        return rows.filter(happened_at__gte=clock.now() - dt.timedelta(days=_LIST_DAYS))

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        members = selectors.search_member_ids(text)
        return first_found(queryset.filter(subject=text), queryset.filter(member_id__in=members))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the last days' sums above, for those who see the whole chain."""
        days = _day_rows() if request.user.is_superuser else None
        return super().changelist_view(request, {**(extra_context or {}), "behaviour_days": days})

    @column(_("行为"), ordering="kind")
    def kind_label(self, row: Behaviour) -> str:
        return str(BEHAVIOUR_LABELS.get(row.kind, row.kind))

    @column(_("对象"), ordering="subject")
    def subject_words(self, row: Behaviour) -> str:
        return row.subject

    @column(_("其他"))
    def details_words(self, row: Behaviour) -> str:
        return _words_of(row)

    @column(_("时间"), ordering="happened_at")
    def happened(self, row: Behaviour) -> str:
        return when(row.happened_at)

    @column(_("来自"), ordering="door")
    def door_label(self, row: Behaviour) -> str:
        return str(row.get_door_display())


def _words_of(row: Behaviour) -> str:
    kind = BEHAVIOUR_KINDS.get(row.kind)
    fields = {} if kind is None else kind.fields
    told = [f"{fields[name].label} {value}" for name, value in row.details.items() if name in fields]
    return "，".join(told) or "—"


def _day_rows() -> dict[str, Any]:
    """Kinds as lines, the last days as columns."""
    today = clock.today()
    first = today - dt.timedelta(days=_SUM_DAYS - 1)
    found = {(one.on, one.kind): one for one in selectors.list_behaviour_days(first=first, last=today)}
    days = [first + dt.timedelta(days=count) for count in range(_SUM_DAYS)]
    lines = []
    for kind, label in BEHAVIOUR_LABELS.items():
        sums = [found.get((day, kind)) for day in days]
        lines.append(
            (label, [(thousands(one.count), thousands(one.member_count)) if one else None for one in sums])
        )
    counted_at = selectors.behaviours_counted_at()
    return {"days": days, "lines": lines, "counted": when(counted_at) if counted_at else ""}


def _member_panel(request: HttpRequest, member: Any) -> Panel:
    """What she did last, as far as this account sees it."""
    is_seen = narrow(Behaviour, request.user, Behaviour.objects.filter(member_id=member.pk)).exists()
    lines = selectors.list_behaviours(member.pk, limit=_OF_MEMBER) if is_seen else ()
    context = {
        "heads": (_("时间"), _("行为"), _("对象"), _("来自")),
        "rows": [(when(one.happened_at), one.kind_label, one.subject, one.door_label) for one in lines],
        "empty": _("还没有她在小程序里的行为"),
        "more_url": f"{reverse('admin:members_behaviour_changelist')}?q={member.code}" if lines else "",
        "more_text": _("全部行为"),
    }
    return Panel(_("小程序行为"), "admin/xiaoer/panel_table.html", context)


register_panel("members.Member", _member_panel, order=55)


def _alarms(request: HttpRequest) -> list[Alarm]:
    """The next month has no partition: the hourly job makes three ahead, so it has not run for long."""
    if not services.lacks_next_partition(at=clock.now()):
        return []
    return [
        Alarm(
            _("行为数据：下个月的分区还没有建"),
            _("每小时的定时任务会提前建好后面两个月的，现在没有，说明它很久没有运行"),
            _(
                "请运维检查 Celery 的 beat 和 worker；到时候会自动补建，但每月第一批上报会变慢，过期的月份也不会清理"
            ),
            reverse("admin:members_behaviour_changelist"),
            _("任务恢复后自动消失"),
        )
    ]


register_alarms("members.view_behaviour", _alarms, order=9)


@admin.register(BehaviourPolicy)
class BehaviourPolicyAdmin(OnlyRow, BaseAdmin):
    """One row for the chain."""

    fieldsets = (
        (
            None,
            {
                "fields": ("is_on", "kept_months"),
                "description": _(
                    "只记录同意了“个性化推荐”的会员；还没有成为会员、也没有表示过的访客先记着，成为会员时不同意就删除，"
                    "撤回同意时也会删除。"
                ),
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
