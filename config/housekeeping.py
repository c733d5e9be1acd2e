"""Jobs that belong to the frame, not to an app."""

from typing import Final

from celery import shared_task
from django.core.management import call_command

from core import resealing

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
