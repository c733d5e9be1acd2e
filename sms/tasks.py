"""The jobs of `sms` on the timetable."""

from celery import shared_task

from core import clock
from core.actor import Actor
from sms import services
from sms.errors import ProviderAway, ProviderRefuses, SmsNotSetUp


@shared_task(name="sms.rescue_messages")
def rescue_messages() -> int:
    """Texts whose wake-up was lost, whose pause is over, or whose sender died."""
    return services.rescue_stuck_messages() + services.send_due_messages()


@shared_task(name="sms.work_reports")
def work_reports() -> int:
    """Receipts and replies whose wake-up was lost, or that came before the sender's own note; answers of pulls that died."""
    return services.work_pulls() + services.work_reports()


@shared_task(name="sms.pull_reports")
def pull_reports() -> int:
    """See the service of that name."""
    return services.pull_reports()


@shared_task(name="sms.sync_reviews", throws=(ProviderAway, ProviderRefuses, SmsNotSetUp))
def sync_reviews() -> int:
    """See the service of that name."""
    return services.sync_reviews(actor=Actor.system("sms.sync_reviews"))


@shared_task(name="sms.prune_messages")
def prune_messages() -> int:
    """Texts, receipts and replies past their keeping time."""
    return services.prune_messages() + services.prune_reports() + services.prune_pulls(at=clock.now())
