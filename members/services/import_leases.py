"""Who works on an import: see `core.leases`."""

from typing import Any, Final

from django.db.models import F

from core import leases
from core.leases import LEASE, LeaseLost
from members.models import ImportJob

__all__ = ["LEASE", "LeaseLost", "give_lease_back", "keep_lease", "take_lease", "wait_turn"]
_TURN: Final = 7_314_001  # the key of the advisory lock; nothing else uses one


def take_lease(job_id: int) -> str | None:
    """A new holder's name when the job had work to do and no live holder; the claim is counted."""
    return leases.take_lease(ImportJob.objects.working().filter(pk=job_id))


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
    leases.keep_lease(
        ImportJob.objects.working().filter(pk=job_id),
        holder=holder,
        total_count=F("total_count") + total_more,
        bad_count=F("bad_count") + bad_more,
        **changes,
    )


def give_lease_back(*, job_id: int, holder: str) -> None:
    """Nobody holds the job; whoever else took it keeps it."""
    leases.give_lease_back(ImportJob.objects.filter(pk=job_id), holder=holder)


def wait_turn(cursor: Any) -> None:
    """Until the transaction ends no other import writes members.

    Two files with the same people in opposite order would otherwise wait for each other's identities. Taken
    after the job's row and before any member's.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
