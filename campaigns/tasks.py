"""The timetable's jobs of `campaigns`."""

from celery import shared_task

from campaigns import services


@shared_task(name="campaigns.send_due_reaches")
def send_due_reaches() -> int:
    """See the service of that name."""
    return services.send_due_reaches()


@shared_task(name="campaigns.prune_reaches")
def prune_reaches() -> int:
    """See the service of that name."""
    return services.prune_reaches()
