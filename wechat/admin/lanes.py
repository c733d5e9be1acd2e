"""Sending channels on the quota page: how fast, whether slowed or stopped; and a tile while one is stopped."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    Alarm,
    ReadOnlyAdmin,
    ask_lift,
    ask_rate,
    operation,
    register_alarms,
    thousands,
    when,
)
from wechat.contracts import LaneCard
from wechat.models import SendLane
from wechat.models.lanes import SendChannel
from wechat.services import lanes, verdicts

_CHANNELS: Final = dict(SendChannel.choices)
# What a person has to mend before sending again is of use.
REMEDIES: Final[dict[str, Any]] = {
    "wechat.quota_spent": _("微信每天零点恢复额度；急用可在微信后台清零一次"),
    "wechat.no_permission": _("请在微信后台确认这个账号已开通该接口，再恢复"),
    "wechat.api_banned": _("请登录微信后台查看封禁通知，处理后再恢复"),
    "wechat.account_frozen": _("请登录微信后台查看冻结原因，处理后再恢复"),
    "wechat.ip_refused": _("请在微信后台「IP 白名单」加上服务器的 IP，再恢复"),
    "wechat.misconfigured": _("请在「账号」里核对 AppID 和 AppSecret，再恢复"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class LaneLine:
    """One channel on the page; empty texts where there is nothing to say."""

    account_name: str
    channel: str
    rate: str
    slowed_until: str
    halt: str
    halt_until: str
    remedy: str
    rate_url: str
    lift_url: str


def lane_lines(request: HttpRequest, *, at: dt.datetime) -> Sequence[LaneLine]:
    """Every channel, with buttons for those who may use them."""
    opts = SendLane._meta
    may_operate = request.user.has_perm(f"{opts.app_label}.change_{opts.model_name}")
    return [_line(lane, at=at, may_operate=may_operate) for lane in lanes.list_lanes()]


def _line(lane: LaneCard, *, at: dt.datetime, may_operate: bool) -> LaneLine:
    is_halted = lanes.is_halted(lane, at)
    is_slowed = lane.backoff_until is not None and lane.backoff_until > at
    words = verdicts.words_of(lane.halt_code)
    until = (
        _now("到 %(at)s 自动恢复") % {"at": when(lane.halted_until)}
        if lane.halted_until
        else _now("等人处理")
    )
    return LaneLine(
        account_name=lane.account_name,
        channel=str(_CHANNELS[lane.channel]),
        rate=thousands(lane.rate_per_s),
        slowed_until=when(lane.backoff_until) if is_slowed else "",
        halt=f"{words}（{lane.halt_errcode}）" if is_halted else "",
        halt_until=until if is_halted else "",
        remedy=str(REMEDIES.get(lane.halt_code, "")) if is_halted else "",
        rate_url=reverse("admin:wechat_sendlane_change_rate", args=[lane.id]) if may_operate else "",
        lift_url=reverse("admin:wechat_sendlane_lift", args=[lane.id]) if may_operate and is_halted else "",
    )


@admin.register(SendLane)
class SendLaneAdmin(ReadOnlyAdmin):
    """Listed on the quota page; here are its buttons."""

    actions_detail = ("change_rate", "lift")

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Not an entry of its own in lists of tables."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:wechat_quota"))

    @operation(_("修改发送速度"), path="rate")
    def change_rate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lane = self._subject(request, object_id)
        if lane is None:
            return self.no_subject(request, object_id)

        return ask_rate(
            self,
            request,
            lane,
            title=_("「%(account)s」%(channel)s的发送速度") % _named(lane),
            back_url=reverse("admin:wechat_quota"),
            set_rate=lambda rate, actor: lanes.set_rate(
                account_id=lane.account_id, channel=lane.channel, rate_per_s=rate, actor=actor
            ),
            hints=[_("微信嫌太快时系统会自己放慢，不用改这里")],
        )

    @operation(_("恢复发送"), path="lift")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lane = self._subject(request, object_id)
        if lane is None:
            return self.no_subject(request, object_id)

        return ask_lift(
            self,
            request,
            lane,
            title=_("恢复「%(account)s」的%(channel)s") % _named(lane),
            back_url=reverse("admin:wechat_quota"),
            why=verdicts.words_of(lane.halt_code),
            remedy=REMEDIES.get(lane.halt_code),
            lift=lambda actor: lanes.lift_halt(account_id=lane.account_id, channel=lane.channel, actor=actor),
            done=_("已恢复发送，等着的消息会陆续发出"),
        )

    def _subject(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_operate_permission(request):
            return None
        return self.subject(request, object_id)


def _named(lane: Any) -> dict[str, Any]:
    return {"account": lane.account.name, "channel": lane.get_channel_display()}


def _alarms(request: HttpRequest) -> list[Alarm]:
    """Every channel that WeChat stopped: nothing goes over it until it is lifted."""
    return [
        Alarm(
            _("停发的消息通道：%(account)s · %(channel)s")
            % {"account": line.account_name, "channel": line.channel},
            line.halt,
            line.remedy,
            reverse("admin:wechat_quota"),
            line.halt_until,
        )
        for line in lane_lines(request, at=clock.now())
        if line.halt
    ]


register_alarms("wechat.view_outboundcall", _alarms, order=3)
