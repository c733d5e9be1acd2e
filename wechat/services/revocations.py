"""Pushes that oblige us to delete: withdrawn authorisations, cancelled accounts, unfollows. Official pages on events."""

import dataclasses
import datetime as dt
from typing import Final

from django.db.models import Count, Min, Q

from wechat.models import InboundEvent
from wechat.models.inbox import InboundState

# In the order in which they are shown.
KINDS: Final = (
    "event.user_authorization_revoke",
    "event.user_authorization_cancellation",
    "event.unsubscribe",
)
_OPEN: Final = (InboundState.STORED, InboundState.PROCESSING)


@dataclasses.dataclass(frozen=True, slots=True)
class RevocationCount:
    """Pushes of one kind since a moment: how many came, wait, and failed; `oldest_at`: of those that wait or failed."""

    kind: str
    heard_count: int
    waiting_count: int
    failed_count: int
    oldest_at: dt.datetime | None


def count_revocations(*, since: dt.datetime) -> tuple[RevocationCount, ...]:
    """How the pushes that oblige us to delete were obeyed, by kind; those of WeChat alone."""
    undone = Q(state__in=[*_OPEN, InboundState.FAILED])
    rows = InboundEvent.objects.filter(kind__in=KINDS, received_at__gte=since).values_list("kind")
    found = {
        kind: RevocationCount(kind, *counts)
        for kind, *counts in rows.annotate(
            heard=Count("pk"),
            waiting=Count("pk", filter=Q(state__in=_OPEN)),
            failed=Count("pk", filter=Q(state=InboundState.FAILED)),
            oldest=Min("received_at", filter=undone),
        ).order_by("kind")
    }
    return tuple(found.get(kind, RevocationCount(kind, 0, 0, 0, None)) for kind in KINDS)


def count_waiting_revocations(*, before: dt.datetime) -> int:
    """How many of them came before that moment and are not worked off; failed ones are not counted."""
    return InboundEvent.objects.filter(kind__in=KINDS, state__in=_OPEN, received_at__lt=before).count()
