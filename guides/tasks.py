"""The timetable's jobs of `guides`."""

from celery import shared_task

from guides import services


@shared_task(name="guides.mend_missed_reactions")
def mend_missed_reactions() -> int:
    """See the service of that name."""
    return services.mend_missed_reactions()


@shared_task(name="guides.renew_channel_codes")
def renew_channel_codes() -> int:
    """See the service of that name."""
    return services.renew_channel_codes()
