"""The jobs of `sms` on the timetable."""

from celery import shared_task

from sms import services


@shared_task(name="sms.rescue_messages")
def rescue_messages() -> int:
    """Texts whose wake-up was lost, whose pause is over, or whose sender died."""
    return services.rescue_stuck_messages() + services.send_due_messages()


@shared_task(name="sms.prune_messages")
def prune_messages() -> int:
    """See the service of that name."""
    return services.prune_messages()
