"""What this app keeps about a member: her devices, with their tokens and codes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back
from miniapp.models import Device
from miniapp.services.devices import erase_devices

_DEVICE = "miniapp.Device"


class DeviceHoldings(MemberHoldings):
    """Where she is logged in. Tokens go on working through a merge: each request follows it."""

    label: ClassVar[str] = "devices"
    title: ClassVar[str | Promise] = gettext_lazy("登录设备")
    models: ClassVar[tuple[str, ...]] = (_DEVICE,)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        return {"devices": repoint(model=_DEVICE, emptier_id=emptier_id, survivor_id=survivor_id)}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        repoint_back(model=_DEVICE, ids=snapshot["devices"], emptier_id=emptier_id)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Names and times; no token, no key."""
        devices = Device.objects.filter(member_id=member_id).order_by("pk")
        return {
            str(self.title): [
                {
                    _("设备"): device.name,
                    _("登录时间"): device.opened_at.isoformat(),
                    _("最近使用"): device.last_used_at.isoformat(),
                    _("退出时间"): device.revoked_at.isoformat() if device.revoked_at else None,
                }
                for device in devices
            ]
        }

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """She is logged out everywhere: devices, tokens and codes are gone."""
        return erase_devices(member_id=member_id, actor=actor, at=at)
