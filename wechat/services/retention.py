"""How long the gateway keeps what it no longer needs."""

import datetime as dt
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from core import clock
from wechat.models import InboundEvent, MediaHandle, OutboundCall, OutboundMessage, TemplateTrial
from wechat.models.inbox import InboundState
from wechat.models.outbox import MessageState
from wechat.services.taggings import prune_forgotten_taggings

_CHUNK: Final = 5_000
CALLS_KEPT: Final = dt.timedelta(days=90)


def prune_gateway() -> int:
    """Delete finished pushes, messages and trials after WECHAT_INBOX_KEEP_DAYS, calls after 90 days; the rows deleted.

    Failed and unreadable pushes are kept as long as the others: a person had the days to look at them.
    """
    now = clock.now()
    horizon = now - dt.timedelta(days=settings.WECHAT_INBOX_KEEP_DAYS)
    waiting = [InboundState.STORED, InboundState.PROCESSING]
    unsent = [MessageState.HELD, MessageState.QUEUED, MessageState.SENDING]
    return (
        _delete(InboundEvent.objects.filter(received_at__lt=horizon).exclude(state__in=waiting))
        + _delete(OutboundMessage.objects.filter(created_at__lt=horizon).exclude(state__in=unsent))
        + _delete(TemplateTrial.objects.older_than(horizon))
        + _delete(OutboundCall.objects.filter(called_at__lt=now - CALLS_KEPT))
        + _delete(MediaHandle.objects.filter(expires_at__lt=now))
        + prune_forgotten_taggings(at=now)
    )


def _delete(
    rows: "QuerySet[InboundEvent] | QuerySet[OutboundMessage] | QuerySet[OutboundCall] | QuerySet[MediaHandle] "
    "| QuerySet[TemplateTrial]",
) -> int:
    """In chunks, so that no statement holds many locks for long."""
    total = 0
    while True:
        chunk = list(rows.values_list("pk", flat=True)[:_CHUNK])
        if not chunk:
            return total
        total += rows.model._default_manager.filter(pk__in=chunk).delete()[0]
