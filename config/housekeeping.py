"""Jobs that belong to the frame, not to an app."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="config.clear_sessions")
def clear_sessions() -> None:
    """Logins that ran out leave no rows behind."""
    call_command("clearsessions")
