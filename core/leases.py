"""Who works on a job: a lease that runs out, and a guarded write that fences off whoever lost it.

A job's row has `lease_holder`, `leased_until` and `claim_count` (how often it was taken up since it last went
forward). The callers hand in the rows that may be worked on, narrowed to one.
"""

import datetime as dt
import secrets
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from core import clock
from core.models import LockingQuerySet

# Longer than the longest single step of a job.
LEASE: Final = dt.timedelta(seconds=120)


class LeaseLost(Exception):
    """Another worker has the job, or somebody paused or stopped it: nothing more is written."""


def is_free(at: dt.datetime) -> Q:
    """No worker holds it at that moment."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=at)


def take_lease(row: LockingQuerySet[Any]) -> str | None:
    """A new holder's name when the row is there and nobody live holds it; the claim is counted.

    A row that somebody has locked is held, whatever its lease says: its holder is in a step that takes longer than that.
    """
    holder = secrets.token_hex(16)
    now = clock.now()
    with transaction.atomic():
        if not row.filter(is_free(now)).claim(1):
            return None
        row.update(lease_holder=holder, leased_until=now + LEASE, claim_count=F("claim_count") + 1)
    return holder


def keep_lease(row: QuerySet[Any], *, holder: str, **changes: Any) -> None:
    """The row is locked by the caller's transaction and still this holder's, and has these changes. Raises LeaseLost
    when it is not."""
    kept = row.filter(lease_holder=holder).update(leased_until=clock.now() + LEASE, claim_count=0, **changes)
    if not kept:
        raise LeaseLost


def give_lease_back(row: QuerySet[Any], *, holder: str) -> None:
    """Nobody holds the row; whoever else took it keeps it."""
    row.filter(lease_holder=holder).update(lease_holder="", leased_until=None)
