"""What is kept how long."""

import datetime as dt
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet

from campaigns.models import InboxMessage, Reach, ReachState
from core import clock

_CHUNK: Final = 5_000
_RUN: Final = 40  # chunks


def prune_reaches(*, at: dt.datetime | None = None) -> int:
    """Finished reaches and inbox messages past their keeping time are deleted; how many. The oldest come first, and both
    tables are written in the order of their ids, so nothing young is looked at."""
    at = at or clock.now()
    horizon = at - dt.timedelta(days=settings.REACH_KEEP_DAYS)
    unfinished = [ReachState.QUEUED, ReachState.SENDING]
    reaches = Reach.objects.filter(queued_at__lt=horizon).exclude(state__in=unfinished)
    messages = InboxMessage.objects.filter(sent_at__lt=at - dt.timedelta(days=settings.INBOX_KEEP_DAYS))
    return _prune(reaches) + _prune(messages)


def _prune(old: QuerySet[Any]) -> int:
    total = 0
    for _round in range(_RUN):
        ids = list(old.order_by("pk").values_list("pk", flat=True)[:_CHUNK])
        if not ids:
            break
        total += old.filter(pk__in=ids).delete()[0]
    return total
