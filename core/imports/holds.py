"""A worker's hold of one job."""

import dataclasses
from typing import Any

from django.db import connection

from core.imports.models import ImportJobQuerySet
from core.leases import keep_lease


@dataclasses.dataclass(frozen=True, slots=True)
class Hold:
    """The lease of one job under its holder's name: whatever the worker writes of the job goes through it."""

    job: ImportJobQuerySet[Any]  # its row, as long as there is work for it
    holder: str

    def keep(self, **changes: Any) -> None:
        """The job is locked by the caller's transaction, still held, and has these changes. Raises LeaseLost when it
        is not."""
        keep_lease(self.job, holder=self.holder, **changes)


def wait_turn(key: int) -> None:
    """Until the transaction ends no other import under this key writes.

    Two files with the same things in opposite order would otherwise wait for each other's. Taken after the job's row
    and before anything that is settled.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
