"""Who works on an import: a lease that runs out, and a guarded write that fences off whoever lost it."""

import datetime as dt
import secrets
from typing import Any, Final

from django.db.models import F

from core import clock
from members.models import ImportJob

# Longer than the longest single step: the match of a million rows.
LEASE: Final = dt.timedelta(seconds=120)
_TURN: Final = 7_314_001  # the key of the advisory lock; nothing else uses one


class LeaseLost(Exception):
    """Another worker has the job, or somebody paused or stopped it: nothing more is written."""


def take_lease(job_id: int) -> str | None:
    """A new holder's name when the job had work to do and no live holder; the claim is counted."""
    holder = secrets.token_hex(16)
    now = clock.now()
    claimed = (
        ImportJob.objects.due(now)
        .filter(pk=job_id)
        .update(lease_holder=holder, leased_until=now + LEASE, claim_count=F("claim_count") + 1)
    )
    return holder if claimed else None


def keep_lease(
    *,
    job_id: int,
    holder: str,
    read_count: int | None = None,
    total_more: int = 0,
    bad_more: int = 0,
) -> None:
    """The job is locked by the caller's transaction and still this holder's. Raises LeaseLost when it is not."""
    changes = {} if read_count is None else {"read_count": read_count}
    kept = (
        ImportJob.objects.working()
        .filter(pk=job_id, lease_holder=holder)
        .update(
            leased_until=clock.now() + LEASE,
            claim_count=0,
            total_count=F("total_count") + total_more,
            bad_count=F("bad_count") + bad_more,
            **changes,
        )
    )
    if not kept:
        raise LeaseLost


def give_lease_back(*, job_id: int, holder: str) -> None:
    """Nobody holds the job; whoever else took it keeps it."""
    ImportJob.objects.filter(pk=job_id, lease_holder=holder).update(lease_holder="", leased_until=None)


def wait_turn(cursor: Any) -> None:
    """Until the transaction ends no other import writes members.

    Two files with the same people in opposite order would otherwise wait for each other's identities. Taken
    after the job's row and before any member's.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
