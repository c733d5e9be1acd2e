"""Jobs that belong to the frame, not to an app."""

from typing import Final

from celery import shared_task
from django.core.management import call_command

from core import resealing
from core.admin import export_jobs

# Long work comes in parts: a worker that is stopped for an upgrade loses none of it.
_RESEAL_S: Final = 600.0


@shared_task(name="config.clear_sessions")
def clear_sessions() -> None:
    """Logins that ran out leave no rows behind."""
    call_command("clearsessions")


@shared_task(name="config.reseal")
def reseal() -> int:
    """Sealed texts come under the first of FIELD_KEYS, as many as ten minutes allow."""
    return resealing.reseal(limit_s=_RESEAL_S).done_count


@shared_task(name="config.build_exports")
def build_exports() -> int:
    """Files that staff asked for. Answers how many were built."""
    return export_jobs.build_exports()


@shared_task(name="config.prune_exports")
def prune_exports() -> int:
    """Files that are over. Answers how many were deleted."""
    return export_jobs.prune_exports()
