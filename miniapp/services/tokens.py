"""Bearer tokens: 256 random bits, kept as their digest; access tokens live shortly, refresh tokens are used once."""

import datetime as dt
import re
import secrets
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from core import audit, clock, crypto
from core.actor import Actor
from core.compiled import Given, compiled
from core.errors import NotFound
from members import selectors as member_selectors
from miniapp.contracts import DeviceSession, TokenPair
from miniapp.errors import (
    DeviceRevoked,
    RefreshExpired,
    RefreshReused,
    RefreshUnknown,
    TokenExpired,
    TokenUnknown,
)
from miniapp.models import BearerToken, Device, RevokeReason, TokenKind

# A prefix lets scanners for leaked secrets, and people reading a log, see what it is.
_PREFIX: Final = {TokenKind.ACCESS: "xma_", TokenKind.REFRESH: "xmr_"}
_TOKEN: Final = re.compile(r"xm[ar]_[0-9A-Za-z_-]{43}")
# "Last used" is written at most so often: a write a request would cost more than the request.
NOTED_EVERY: Final = dt.timedelta(minutes=5)


def issue_tokens(*, device: Device, at: dt.datetime) -> TokenPair:
    """The device has a fresh pair; older access tokens end by themselves, soon."""
    refresh_life = dt.timedelta(days=settings.MINI_REFRESH_TOKEN_DAYS)
    access_life = dt.timedelta(seconds=settings.MINI_ACCESS_TOKEN_S)
    access, refresh = (f"{_PREFIX[kind]}{secrets.token_urlsafe(32)}" for kind in _PREFIX)
    BearerToken.objects.bulk_create(
        BearerToken(device=device, kind=kind, digest=crypto.digest(token), issued_at=at, expires_at=at + life)
        for kind, token, life in (
            (TokenKind.ACCESS, access, access_life),
            (TokenKind.REFRESH, refresh, refresh_life),
        )
    )
    return TokenPair(
        access, settings.MINI_ACCESS_TOKEN_S, refresh, int(refresh_life.total_seconds()), device.public_id
    )


def refresh_tokens(*, refresh_token: str, at: dt.datetime | None = None) -> TokenPair:
    """A new pair for the device; the refresh token is used up.

    Refuses one that is unknown or expired, and one of a device that was logged out. One that was used before was
    stolen, by this caller or by the one before: the device is logged out, which is audited.
    """
    at = at or clock.now()
    digest = _digest_of(refresh_token)
    found = BearerToken.objects.filter(kind=TokenKind.REFRESH, digest=digest)
    device_id = found.values_list("device_id", flat=True).first() if digest else None
    if device_id is None:
        raise RefreshUnknown
    with transaction.atomic():
        try:
            device = Device.objects.lock(device_id)
        except NotFound:
            raise RefreshUnknown from None
        if device.revoked_at is not None:
            raise DeviceRevoked
        token = found.first()
        if token is None:  # a login on the same install was in between
            raise RefreshUnknown
        if token.used_at is None and token.expires_at <= at:
            raise RefreshExpired
        if token.used_at is None:
            token.used_at = device.last_used_at = at
            token.save(update_fields=["used_at"])
            device.save(update_fields=["last_used_at"])
            return issue_tokens(device=device, at=at)
        revoke_locked(device=device, reason=RevokeReason.STOLEN, actor=Actor.system("refresh_tokens"), at=at)
    raise RefreshReused  # out here: the revocation stays


def find_session(*, access_token: str, at: dt.datetime | None = None) -> DeviceSession:
    """Whose request this is. Raises TokenUnknown, TokenExpired or DeviceRevoked.

    A member who was merged acts as the one she lives on in. When the device was last used is noted every few
    minutes only.
    """
    at = at or clock.now()
    digest = _digest_of(access_token)
    if not digest:
        raise TokenUnknown
    row = _access.first(digest=digest)
    if row is None:
        raise TokenUnknown
    expires_at, device_id, revoked_at, used_at, app_id, openid, member_id, merged_into = row
    if revoked_at is not None:
        raise DeviceRevoked
    if expires_at <= at:
        raise TokenExpired
    if merged_into is not None:
        member_id = member_selectors.list_merge_targets([member_id])[member_id]
    if at - used_at > NOTED_EVERY:
        Device.objects.filter(pk=device_id, last_used_at__lt=at).update(last_used_at=at)
    return DeviceSession(member_id, device_id, app_id, openid)


@compiled
def _access(*, digest: Given) -> QuerySet[BearerToken, tuple[Any, ...]]:
    return BearerToken.objects.filter(kind=TokenKind.ACCESS, digest=digest).values_list(
        "expires_at",
        "device_id",
        "device__revoked_at",
        "device__last_used_at",
        "device__app_id",
        "device__openid",
        "device__member_id",
        "device__member__merged_into_id",
    )


def revoke_locked(*, device: Device, reason: RevokeReason, actor: Actor, at: dt.datetime) -> None:
    """The device is logged out: none of its tokens is good any more, and WeChat's key is forgotten."""
    device.revoked_at, device.revoke_reason, device.session_key = at, reason, ""
    device.save(update_fields=["revoked_at", "revoke_reason", "session_key"])
    audit.record(
        action="miniapp.device_revoked",
        subject=device,
        actor=actor,
        at=at,
        member_id=device.member_id,
        reason=reason.value,
    )


def prune_tokens(*, at: dt.datetime, limit: int = 5_000) -> int:
    """Tokens past their end are forgotten; how many."""
    expired = BearerToken.objects.filter(expires_at__lt=at).order_by(F("expires_at"))
    total = 0
    while chunk := list(expired.values_list("pk", flat=True)[:limit]):
        total += BearerToken.objects.filter(pk__in=chunk).delete()[0]
    return total


def _digest_of(token: str) -> str:
    return crypto.digest(token) if _TOKEN.fullmatch(token) else ""
