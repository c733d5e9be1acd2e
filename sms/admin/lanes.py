"""短信通道: how fast texts of each purpose leave, whether they do; and a tile while one is stopped."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    DressedForm,
    Question,
    ReadOnlyAdmin,
    Tile,
    ask,
    bound_data,
    column,
    operation,
    register_tiles,
    staff_actor,
    thousands,
    when,
)
from sms.models import SmsLane
from sms.services import lanes
from sms.services.words import remedy_of, words_of


class RateForm(DressedForm):
    rate_per_s = forms.IntegerField(label=_("每秒最多发几条"), min_value=1, max_value=lanes.FASTEST)


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

        def run(cleaned: dict[str, Any]) -> str:
            lanes.set_rate(purpose=lane.purpose, rate_per_s=cleaned["rate_per_s"], actor=staff_actor(request))
            return _now("发送速度已改为每秒最多 %(n)s 条") % {"n": cleaned["rate_per_s"]}

        question = Question(
            title=_("%(purpose)s短信的发送速度") % {"purpose": lane.get_purpose_display()},
            submit=_("保存"),
            back_url=reverse("admin:sms_smslane_changelist"),
            lines=[_("所有发送进程合起来不超过这个数，马上生效")],
        )
        form = RateForm(bound_data(request), initial={"rate_per_s": lane.rate_per_s})
        return ask(self, request, question, run, form=form, subject=lane)

    @operation(_("恢复发送"), path="lift")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lane = self._lane(request, object_id)
        if lane is None:
            return self.no_subject(request, object_id)

        def run(_cleaned: dict[str, Any]) -> str:
            lanes.lift_halt(purpose=lane.purpose, actor=staff_actor(request))
            return _now("已恢复发送，等着的短信会陆续发出")

        remedy = remedy_of(lane.halt_code)
        question = Question(
            title=_("恢复%(purpose)s短信") % {"purpose": lane.get_purpose_display()},
            submit=_("恢复发送"),
            back_url=reverse("admin:sms_smslane_changelist"),
            lines=[
                _("停发原因：%(why)s") % {"why": words_of(lane.halt_code)},
                *([remedy] if remedy else []),
                _("原因没有解决的话，发第一条时又会停下"),
            ],
        )
        return ask(self, request, question, run, subject=lane)

    def _lane(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_operate_permission(request):
            return None
        return self.subject(request, object_id)


def _is_halted(row: SmsLane) -> bool:
    return row.halted_at is not None and (row.halted_until is None or row.halted_until > clock.now())


def _tiles(request: HttpRequest) -> list[Tile]:
    halts = lanes.count_halts(at=clock.now())
    if not halts:
        return []
    url = reverse("admin:sms_smslane_changelist")
    return [Tile(_("停发的短信"), thousands(halts), url, _("服务商不让发，等人处理"), is_alarm=True)]


register_tiles("sms.view_smslane", _tiles, order=4)
