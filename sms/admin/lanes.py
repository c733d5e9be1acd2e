"""短信通道: how fast texts of each purpose leave, whether they do; and a tile while one is stopped."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    Alarm,
    ReadOnlyAdmin,
    ask_lift,
    ask_rate,
    column,
    operation,
    register_alarms,
    when,
)
from sms.models import SmsLane
from sms.services import lanes
from sms.services.words import remedy_of, words_of


@admin.register(SmsLane)
class SmsLaneAdmin(ReadOnlyAdmin):
    """One line a purpose; a lane appears with its first text."""

    list_display = ("purpose_words", "rate_per_s", "state_label", "why", "ends")
    ordering = ("pk",)
    actions_detail = ("change_rate", "lift")
    fields = ("purpose_words", "rate_per_s", "state_label", "why", "remedy", "ends")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Nothing is lifted from a lane that sends."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if action.path != "lift" or _is_halted(row)]

    @column(_("用途"), ordering="purpose")
    def purpose_words(self, row: SmsLane) -> str:
        return str(row.get_purpose_display())

    @column(_("状态"), labels={"halted": "danger", "slow": "warning", "open": "success"})
    def state_label(self, row: SmsLane) -> tuple[str, str]:
        now = clock.now()
        if _is_halted(row):
            return "halted", _now("已停发")
        if row.backoff_until is not None and row.backoff_until > now:
            return "slow", _now("放慢")
        return "open", _now("正常")

    @column(_("原因"))
    def why(self, row: SmsLane) -> str:
        return words_of(row.halt_code) if _is_halted(row) else "—"

    @column(_("怎么处理"))
    def remedy(self, row: SmsLane) -> str:
        return (remedy_of(row.halt_code) if _is_halted(row) else "") or "—"

    @column(_("恢复"))
    def ends(self, row: SmsLane) -> str:
        if not _is_halted(row):
            return when(row.backoff_until) if self.state_label(row)[0] == "slow" else "—"
        return when(row.halted_until) if row.halted_until else _now("等人处理")

    @operation(_("修改发送速度"), path="rate")
    def change_rate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lane = self._lane(request, object_id)
        if lane is None:
            return self.no_subject(request, object_id)

        return ask_rate(
            self,
            request,
            lane,
            title=_("%(purpose)s短信的发送速度") % {"purpose": lane.get_purpose_display()},
            back_url=reverse("admin:sms_smslane_changelist"),
            set_rate=lambda rate, actor: lanes.set_rate(purpose=lane.purpose, rate_per_s=rate, actor=actor),
        )

    @operation(_("恢复发送"), path="lift")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lane = self._lane(request, object_id)
        if lane is None:
            return self.no_subject(request, object_id)

        return ask_lift(
            self,
            request,
            lane,
            title=_("恢复%(purpose)s短信") % {"purpose": lane.get_purpose_display()},
            back_url=reverse("admin:sms_smslane_changelist"),
            why=words_of(lane.halt_code),
            remedy=remedy_of(lane.halt_code),
            lift=lambda actor: lanes.lift_halt(purpose=lane.purpose, actor=actor),
            done=_("已恢复发送，等着的短信会陆续发出"),
        )

    def _lane(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_operate_permission(request):
            return None
        return self.subject(request, object_id)


def _is_halted(row: SmsLane) -> bool:
    return row.halted_at is not None and (row.halted_until is None or row.halted_until > clock.now())


def _alarms(request: HttpRequest) -> list[Alarm]:
    """Every purpose whose texts the provider stopped."""
    url = reverse("admin:sms_smslane_changelist")
    return [
        Alarm(
            _("停发的短信：%(purpose)s") % {"purpose": row.get_purpose_display()},
            words_of(row.halt_code),
            remedy_of(row.halt_code),
            url,
            _("到 %(at)s 自动恢复") % {"at": when(row.halted_until)} if row.halted_until else _("等人处理"),
        )
        for row in SmsLane.objects.exclude(halted_at=None).order_by("pk")
        if _is_halted(row)
    ]


register_alarms("sms.view_smslane", _alarms, order=4)
