"""What is kept how long."""

import datetime as dt
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet

from campaigns.models import (
    DeliveryState,
    InboxMessage,
    MassRecipient,
    MassState,
    Reach,
    ReachState,
    SegmentMove,
    WebhookDelivery,
)
from core import clock

_CHUNK: Final = 5_000
_RUN: Final = 40  # chunks
_MOVE_DAYS: Final = 90
_MASS_LIST_DAYS: Final = 180
_GOING: Final = (MassState.CONFIRMED, MassState.SENDING)


def prune_reaches(*, at: dt.datetime | None = None) -> int:
    """Finished reaches and inbox messages past their keeping time are deleted; how many. The oldest come first, and both
    tables are written in the order of their ids, so nothing young is looked at."""
    at = at or clock.now()
    of_reaches = at - dt.timedelta(days=settings.REACH_KEEP_DAYS)
    of_inbox = at - dt.timedelta(days=settings.INBOX_KEEP_DAYS)
    over = Reach.objects.filter(queued_at__lt=of_reaches).exclude(
        state__in=[ReachState.QUEUED, ReachState.SENDING]
    )
    return _prune(Reach.objects.all(), over) + _prune(
        InboxMessage.objects.all(), InboxMessage.objects.filter(sent_at__lt=of_inbox)
    )


def prune_segment_moves(*, at: dt.datetime | None = None) -> int:
    """Comings and goings past their keeping time are deleted; how many."""
    since = (at or clock.now()) - dt.timedelta(days=_MOVE_DAYS)
    return _prune(SegmentMove.objects.all(), SegmentMove.objects.filter(at__lt=since))


def prune_webhooks(*, at: dt.datetime | None = None) -> int:
    """Tellings that are over and past their keeping time are deleted; how many."""
    since = (at or clock.now()) - dt.timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    over = WebhookDelivery.objects.filter(created_at__lt=since)
    return _prune(
        WebhookDelivery.objects.all(),
        over.exclude(state__in=[DeliveryState.WAITING, DeliveryState.SENDING]),
    )


def prune_mass_lists(*, at: dt.datetime | None = None) -> int:
    """Whom the list of a mass message named is forgotten half a year after it was written; how many. Its numbers stay."""
    since = (at or clock.now()) - dt.timedelta(days=_MASS_LIST_DAYS)
    over = MassRecipient.objects.filter(message__written_at__lt=since)
    return _prune(MassRecipient.objects.all(), over.exclude(message__state__in=_GOING))


def _prune(rows: QuerySet[Any], over: QuerySet[Any]) -> int:
    """Of the first rows those that are over, until there are none among them: looking for them in the whole table would
    read all of it every hour."""
    total = 0
    for _round in range(_RUN):
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:_CHUNK])
        deleted = over.filter(pk__in=ids).delete()[0]
        total += deleted
        if not deleted:
            break
    return total
