"""The job of the API for tills on the timetable."""

from celery import shared_task

from openapi import services


@shared_task(name="openapi.prune_api")
def prune_api() -> int:
    """See the service of that name."""
    return services.prune_api()
