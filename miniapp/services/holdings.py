"""What this app keeps about a member: her devices."""

import datetime as dt
from typing import Any

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from miniapp.models import Device


def move_devices(*, emptier_id: int, survivor_id: int) -> list[int]:
    """The devices of a merged row are the survivor's; their ids, to move them back when it is undone.

    Belongs to the merge's transaction, which holds both members' locks. Until it has run the tokens work as well:
    each request follows the merge.
    """
    device_ids = [device.pk for device in Device.objects.filter(member_id=emptier_id).lock_rows()]
    Device.objects.filter(pk__in=device_ids).update(member_id=survivor_id)
    return device_ids


def restore_devices(*, emptier_id: int, device_ids: list[int]) -> None:
    """The devices of that row are its own again."""
    Device.objects.filter(pk__in=device_ids).update(member_id=emptier_id)


def export_devices(*, member_id: int) -> dict[str, list[dict[str, Any]]]:
    """What is known of her devices, for herself: no token, no key."""
    devices = Device.objects.filter(member_id=member_id).order_by("pk")
    return {
        "devices": [
            {
                "name": device.name,
                "opened_at": device.opened_at.isoformat(),
                "last_used_at": device.last_used_at.isoformat(),
                "revoked_at": device.revoked_at.isoformat() if device.revoked_at else None,
            }
            for device in devices
        ]
    }


def erase_devices(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """She is logged out everywhere and her devices are forgotten, with tokens and codes; how many they were."""
    at = at or clock.now()
    with transaction.atomic():
        devices = Device.objects.filter(member_id=member_id).lock_rows()
        for device in devices:
            audit.record(
                action="miniapp.device_erased", subject=device, actor=actor, at=at, member_id=member_id
            )
        Device.objects.filter(pk__in=[device.pk for device in devices]).delete()
    return len(devices)
