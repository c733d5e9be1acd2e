"""The job of the mini-program's API on the timetable."""

from celery import shared_task

from miniapp import services


@shared_task(name="miniapp.prune_devices")
def prune_devices() -> int:
    """See the service of that name."""
    return services.prune_devices()
