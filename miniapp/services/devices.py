"""The devices a member is logged in on."""

import datetime as dt
from typing import Final

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from members import selectors as member_selectors
from members import services as member_services
from miniapp.contracts import DeviceLine, DeviceSession
from miniapp.errors import NoSuchDevice
from miniapp.models import Device, RevokeReason, SmsCode
from miniapp.services.tokens import prune_tokens, revoke_locked

MOST_DEVICES: Final = 20
# Codes are counted by the day; devices that were logged out are kept a while, for whoever asks what happened.
_CODES_KEPT: Final = dt.timedelta(days=2)
_REVOKED_KEPT: Final = dt.timedelta(days=180)
_CHUNK: Final = 5_000


def open_device(
    *,
    member_id: int,
    app_id: str,
    openid: str,
    session_key: str,
    install_key: str,
    name: str,
    actor: Actor,
    at: dt.datetime,
) -> Device:
    """She is logged in on this device: the one with the same install key again, or a new one.

    Belongs to a transaction. Of more than twenty the one that rested longest is logged out.
    """
    living_id = member_services.lock_member(member_id)
    hers = Device.objects.live().filter(member_id=living_id)
    known = (
        hers.filter(app_id=app_id, install_key=install_key).order_by("-pk") if install_key else hers.none()
    )
    for device in known.lock_rows()[-1:]:
        device.openid, device.session_key, device.name, device.last_used_at = openid, session_key, name, at
        device.save(update_fields=["openid", "session_key", "name", "last_used_at"])
        device.tokens.all().delete()
        return device
    rested = hers.order_by("-last_used_at", "-pk").values_list("pk", flat=True)[MOST_DEVICES - 1 :]
    for surplus in hers.filter(pk__in=list(rested)).lock_rows():
        revoke_locked(device=surplus, reason=RevokeReason.REPLACED, actor=actor, at=at)
    device = Device.objects.create(
        member_id=living_id,
        app_id=app_id,
        openid=openid,
        session_key=session_key,
        install_key=install_key,
        name=name,
        opened_at=at,
        last_used_at=at,
    )
    audit.record(action="miniapp.device_opened", subject=device, actor=actor, at=at, member_id=living_id)
    return device


def list_devices(*, session: DeviceSession) -> tuple[DeviceLine, ...]:
    """Where she is logged in, the one used last first."""
    devices = Device.objects.live().filter(member_id__in=_rows_of(session)).order_by("-last_used_at", "-pk")
    return tuple(
        DeviceLine(
            device.public_id,
            device.name,
            device.opened_at,
            device.last_used_at,
            device.pk == session.device_id,
        )
        for device in devices[: 2 * MOST_DEVICES]
    )


def log_out(*, session: DeviceSession, at: dt.datetime | None = None) -> None:
    """This device is logged out. Again changes nothing."""
    _revoke(session.device_id, RevokeReason.LOGOUT, session.actor, at or clock.now())


def revoke_device(*, session: DeviceSession, public_id: str, at: dt.datetime | None = None) -> None:
    """That device of hers is logged out. Raises NoSuchDevice for an unknown one and for anybody else's alike."""
    hers = Device.objects.filter(member_id__in=_rows_of(session), public_id=public_id)
    device_id = hers.values_list("pk", flat=True).first()
    if device_id is None:
        raise NoSuchDevice
    _revoke(device_id, RevokeReason.REMOVED, session.actor, at or clock.now())


def revoke_devices(*, session: DeviceSession, spares_this: bool, at: dt.datetime | None = None) -> int:
    """She is logged out everywhere, here too unless `spares_this`; how many devices that were."""
    at = at or clock.now()
    with transaction.atomic():
        rows = Device.objects.live().filter(member_id__in=_rows_of(session))
        devices = (rows.exclude(pk=session.device_id) if spares_this else rows).lock_rows()
        for device in devices:
            revoke_locked(device=device, reason=RevokeReason.REMOVED, actor=session.actor, at=at)
        return len(devices)


def revoke_app_devices(*, member_id: int, app_id: str, actor: Actor, at: dt.datetime | None = None) -> int:
    """She is logged out of this mini-program on every phone, of rows merged into hers as well; how many."""
    at = at or clock.now()
    with transaction.atomic():
        rows = Device.objects.live().filter(
            app_id=app_id, member_id__in=member_selectors.person_row_ids(member_id)
        )
        devices = rows.lock_rows()
        for device in devices:
            revoke_locked(device=device, reason=RevokeReason.FORGOTTEN, actor=actor, at=at)
        return len(devices)


def erase_devices(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """No device of this row is left, nor any of their tokens and codes; how many devices that were."""
    at = at or clock.now()
    with transaction.atomic():
        devices = Device.objects.filter(member_id=member_id).lock_rows()
        for device in devices:
            audit.record(
                action="miniapp.device_erased", subject=device, actor=actor, at=at, member_id=member_id
            )
        Device.objects.filter(pk__in=[device.pk for device in devices]).delete()
    return len(devices)


def prune_devices(*, at: dt.datetime | None = None) -> int:
    """Expired tokens, old codes, and devices logged out or unused for half a year are forgotten; how many rows."""
    at = at or clock.now()
    total = prune_tokens(at=at)
    total += SmsCode.objects.filter(sent_at__lt=at - _CODES_KEPT).delete()[0]
    old = Device.objects.filter(last_used_at__lt=at - _REVOKED_KEPT)
    while chunk := list(old.values_list("pk", flat=True)[:_CHUNK]):
        total += Device.objects.filter(pk__in=chunk).delete()[0]
    return total


def _rows_of(session: DeviceSession) -> list[int]:
    """Her row, and the row this device was opened for when that was merged into it since."""
    opened_for = Device.objects.filter(pk=session.device_id).values_list("member_id", flat=True)
    return [session.member_id, *opened_for]


def _revoke(device_id: int, reason: RevokeReason, actor: Actor, at: dt.datetime) -> None:
    with transaction.atomic():
        try:
            device = Device.objects.lock(device_id)
        except NotFound:
            raise NoSuchDevice from None
        if device.revoked_at is None:
            revoke_locked(device=device, reason=reason, actor=actor, at=at)
