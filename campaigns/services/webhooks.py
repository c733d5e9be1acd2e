"""Systems of others that acts may tell: registered by head office, never by whoever writes a journey."""

import re
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from campaigns.errors import WebhookCodeTaken, WebhookUnusable
from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.models.webhooks import DeliveryState
from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotAllowed
from core.models import changed_fields
from webhook import is_inside

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HOST: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_NAME_LENGTH: Final = 40
_URL_LENGTH: Final = 300


def create_endpoint(*, code: str, name: str, url: str, actor: Actor) -> WebhookEndpoint:
    """The address may be told things, signed with a secret of its own. Refuses what `usable_url` refuses, an unusable code or
    name, and a code that is taken."""
    if not _CODE.fullmatch(code):
        raise WebhookUnusable(field="code")
    now = clock.now()
    try:
        with transaction.atomic():
            row = WebhookEndpoint.objects.create(
                code=code,
                name=_usable_name(name),
                url=usable_url(url),
                secret=secrets.token_hex(32),
                created_at=now,
                changed_at=now,
            )
            audit.record(action="campaigns.webhook_created", subject=row, actor=actor, at=now)
    except IntegrityError as error:
        if violated(error) != "campaigns_webhookendpoint_code_key":
            raise
        raise WebhookCodeTaken(field="code") from None
    return row


def change_endpoint(*, endpoint_id: int, name: str, url: str, is_active: bool, actor: Actor) -> None:
    """It is called this, lies there, and is told things or not. What waits for one that is off waits on."""
    values: dict[str, Any] = {"name": _usable_name(name), "url": usable_url(url), "is_active": is_active}
    with transaction.atomic():
        row = WebhookEndpoint.objects.lock(endpoint_id)
        changed = changed_fields(row, **values)
        if changed:
            row.changed_at = clock.now()
            row.save(update_fields=[*changed, "changed_at"])
            audit.record(action="campaigns.webhook_changed", subject=row, actor=actor, fields=changed)


def renew_secret(*, endpoint_id: int, actor: Actor) -> str:
    """What is sent from now on is signed with a new secret, which is answered."""
    with transaction.atomic():
        row = WebhookEndpoint.objects.lock(endpoint_id)
        row.secret, row.changed_at = secrets.token_hex(32), clock.now()
        row.save(update_fields=["secret", "changed_at"])
        audit.record(action="campaigns.webhook_secret_renewed", subject=row, actor=actor)
        return row.secret


def retry_delivery(*, delivery_id: int, actor: Actor) -> None:
    """One that failed is tried anew from now on. Refuses others, and one whose content is gone (NotAllowed)."""
    with transaction.atomic():
        row = WebhookDelivery.objects.lock(delivery_id)
        if row.state != DeliveryState.FAILED or not row.content:
            raise NotAllowed
        row.state, row.attempt_count, row.not_before = DeliveryState.WAITING, 0, clock.now()
        row.finished_at = None
        row.save(update_fields=["state", "attempt_count", "not_before", "finished_at"])
        audit.record(action="campaigns.webhook_retried", subject=row, actor=actor)


def usable_url(text: str) -> str:
    """An address of a host with a public name, over TLS; hosts of `WEBHOOK_INSIDE_HOSTS` may lie anywhere. Raises
    WebhookUnusable. Where a name points to is looked at again each time something is sent."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise WebhookUnusable(field="url") from None
    host = (parts.hostname or "").lower()
    printable = text.isascii() and text.isprintable() and not any(sign.isspace() for sign in text)
    if not printable or not host or "@" in parts.netloc or parts.fragment or len(text) > _URL_LENGTH:
        raise WebhookUnusable(field="url")
    if is_inside(host=host, port=port) and parts.scheme in {"http", "https"}:
        return text
    if parts.scheme != "https" or not _HOST.fullmatch(host):
        raise WebhookUnusable(field="url")
    return text


def _usable_name(text: str) -> str:
    name = " ".join("".join(sign for sign in text if sign.isprintable()).split())
    if not 1 <= len(name) <= _NAME_LENGTH:
        raise WebhookUnusable(field="name")
    return name
