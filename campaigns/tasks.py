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


@shared_task(name="campaigns.work_segments")
def work_segments() -> int:
    """See the service of that name."""
    return services.work_segments()


@shared_task(name="campaigns.prune_segment_moves")
def prune_segment_moves() -> int:
    """See the service of that name."""
    return services.prune_segment_moves()
